"""`ledger.run()`: a run that records itself, from Python.

After the first moment nothing here raises into training: what goes wrong is a warning of the logger
`ledger`, and stands in the record.
"""

import atexit
import contextlib
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.capture.metrics import metric as make_metric
from ledger.capture.model import capture_model
from ledger.capture.params import flatten
from ledger.capture.sampler import Sampler
from ledger.data.manifest import build_manifest
from ledger.errors import LedgerError
from ledger.model.boxes import Metric
from ledger.model.ids import new_id
from ledger.model.record import Link
from ledger.model.values import Direction, Role, Status, check_label
from ledger.recorder import Dataset, Recorded, record
from ledger.recorder.draft import Problem
from ledger.recorder.record import capture_now
from ledger.session.drafting import read_draft
from ledger.session.figures import write_figure
from ledger.session.place import Place, find_place
from ledger.session.signals import Watch
from ledger.session.spool import (
    AnyEvent,
    Chosen,
    Drawn,
    Ended,
    Failed,
    Measured,
    Said,
    Spool,
    Start,
    Trained,
    Used,
    Warned,
)

_LOG = logging.getLogger("ledger")
SPOOL_VARIABLE = "LEDGER_SPOOL"
"""Environment variable by which `ledger run` tells a script whose run it is part of."""


def run(
    experiment: str | None = None,
    *,
    params: Mapping[str, object] | None = None,
    tags: Sequence[str] = (),
    note: str | None = None,
    seed: int | None = None,
    parent: str | None = None,
    baseline: str | None = None,
    links: Sequence[str] = (),
    log: str | Path | None = None,
    folder: str | Path = ".",
    sample_seconds: float = 2.0,
) -> "Run":
    """Start a run that is recorded when it ends, however it ends.

    Args:
        experiment: named group of runs that answer one question; `default` when none is given.
        params: inputs chosen by a person or a sweep; nested mappings become dotted names.
        tags: free words to find the run by.
        note: what there is to say about it.
        seed: random seed; the param `seed` when none is given.
        parent: run this one continues.
        baseline: run this one wants to be compared with.
        links: URLs of papers, tickets, discussions.
        log: file with the training log, read at the end.
        folder: where the repository is.
        sample_seconds: seconds between two looks at the hardware.

    Returns:
        The run, started: a context manager. Without `with`, call `finish()`, or let the end of the process do it.

    Raises:
        LedgerError: the experiment's name, a tag or a link cannot stand in a record.
    """
    start = Start(
        id=new_id(datetime.now(UTC), secrets.token_bytes(4)),
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=datetime.now(UTC),
        experiment=check_label("experiment", experiment or "default"),
        command=[*(["python"] if sys.argv[:1] else []), *sys.argv],
        tags=[check_label("tag", tag) for tag in tags],
        note=note,
        seed=seed,
        parent=parent,
        baseline=baseline,
        links=[Link(url=check_label("link", url)) for url in links],
        params=flatten(params or {}),
    )
    return Run(find_place(Path(folder)), start, log=log, sample_seconds=sample_seconds)


class Run:
    """A run while it lives; made by `ledger.run()`.

    Args:
        place: where it is recorded.
        start: what is known before the first step.
        log: file with the training log.
        sample_seconds: seconds between two looks at the hardware.
    """

    def __init__(self, place: Place, start: Start, *, log: str | Path | None, sample_seconds: float) -> None:
        self._place = place
        self._pid = os.getpid()
        self._clock = time.monotonic()
        self._finished = False
        self._exception: BaseException | None = None
        self._captured_error_hook = sys.excepthook
        self._spool, self.id = _open_spool(place, start)
        beat = self._spool.beat if self._spool is not None and self._spool.leads else None
        self._sampler = Sampler(interval_seconds=sample_seconds, beat=beat)
        self._watch = Watch(self._on_warning, self._on_death)
        self.recorded: Recorded | None = None
        """What became of it; none until it has ended, or when the record waits."""
        if self._spool is None or self._spool.leads:
            self._begin(start)
        else:
            self._join(start)
        if log is not None:
            self._say(Said(log=str(Path(log).absolute())))

    def log(
        self,
        values: Mapping[str, float] | None = None,
        /,
        *,
        step: int | None = None,
        epoch: float | None = None,
        **more: float,
    ) -> None:
        """Append one point of the learning curves: `run.log(step=3, **{"train/loss": 0.4})`."""
        try:
            numbers = {name: float(value) for name, value in {**(values or {}), **more}.items()}
            if self._spool is not None:
                self._spool.log(time.monotonic() - self._clock, step, epoch, numbers)
        except (TypeError, ValueError, OSError, RuntimeError) as error:
            self._problem("curves", error)

    def metric(
        self,
        name: str,
        value: float,
        *,
        split: str | None = None,
        dataset: "Dataset | str | None" = None,
        direction: Direction | None = None,
        evaluator: str | None = None,
        step: int | None = None,
        epoch: float | None = None,
        headline: bool = False,
    ) -> None:
        """State a final metric: what was measured, on which split and which dataset version.

        Args:
            name: such as `accuracy`; `validation/accuracy` names the split as well.
            value: measured value; NaN and infinities are kept as what they are.
            split: split it was measured on.
            dataset: what `run.dataset` returned, or `name@version`; by default the dataset of that split.
            direction: which values are better; taken from the name where that is certain.
            evaluator: version of the code that measured it.
            step: step it was measured at.
            epoch: epoch it was measured at.
            headline: let this metric speak for the run.
        """
        with self._harmless(f"metrics.{name}"):
            if split is None and "/" in name:
                split, _, name = name.partition("/")
            made: Metric = make_metric(
                name,
                value,
                split=split,
                direction=direction,
                evaluator=evaluator,
                step=step,
                epoch=epoch,
                dataset=dataset if isinstance(dataset, str) else _label(dataset),
                dataset_hash=dataset.hash if isinstance(dataset, Dataset) else None,
            )
            self._say(Measured(metric=made, headline=headline))

    def dataset(
        self,
        path: str | Path,
        *,
        role: Role = "train",
        split: str | None = None,
        name: str | None = None,
        version: str | None = None,
        parent: str | None = None,
        reason: str | None = None,
        source: str | None = None,
        samples: int | None = None,
    ) -> Dataset:
        """Hash a dataset, record its use, and return it for `run.metric(dataset=…)`.

        Args:
            path: file or folder.
            role: `train`, `validation`, `test` or `production`.
            split: split it stands for in metric names; the role by default.
            name: name on the ledger; with `version` it becomes, or must be, that dataset version.
            version: label of this version.
            parent: label of the version it grew from.
            reason: why this version exists.
            source: where its data came from.
            samples: how many samples it holds.
        """
        used = Dataset(
            role=role,
            split=split or role,
            path=str(path),
            name=name,
            version=version,
            parent=parent,
            reason=reason,
            source=source,
            samples=samples,
        )
        with self._harmless(f"datasets.{path}"):
            import msgspec

            manifest = build_manifest(Path(path))
            used = msgspec.structs.replace(used, hash=manifest.hash, lines=manifest.lines)
        self._say(Used(dataset=used))
        return used

    def params(self, values: Mapping[str, object] | None = None, /, **more: object) -> None:
        """Add params that became known only now."""
        with self._harmless("params"):
            self._say(Chosen(values=flatten({**(values or {}), **more})))

    def figure(self, figure: object, title: str) -> None:
        """Keep a picture: a matplotlib figure, a path to a png or svg, or its bytes."""
        with self._harmless(f"figures.{title}"):
            if self._spool is not None:
                path = write_figure(figure, self._spool.folder, check_label("title", title))
                self._say(Drawn(title=title, path=str(path)))

    def model(self, path: str | Path | None = None, module: object | None = None) -> None:
        """Record the trained model: its file or folder, and the module for the number of its parameters."""
        with self._harmless("model"):
            self._say(Trained(model=capture_model(Path(path) if path is not None else None, module)))

    def tag(self, *tags: str) -> None:
        """Add free words to find the run by."""
        with self._harmless("tags"):
            self._say(Said(tags=[check_label("tag", tag) for tag in tags]))

    def note(self, text: str) -> None:
        """Add to what there is to say about the run."""
        self._say(Said(note=text))

    def link(self, url: str, title: str | None = None) -> None:
        """Add a paper, a ticket, a discussion."""
        with self._harmless("links"):
            self._say(Said(links=[Link(url=check_label("link", url), title=title)]))

    def finish(self, status: Status = "finished", reason: str | None = None, exit_code: int | None = None) -> None:
        """End the run and record it; a second call does nothing."""
        if self._finished or os.getpid() != self._pid:
            return
        self._finished = True
        usage, gpus = self._sampler.stop()
        seconds = time.monotonic() - self._clock
        end = Ended(
            status=status,
            seconds=seconds,
            ended_at=datetime.now(UTC),
            reason=reason,
            exit_code=exit_code,
            usage=usage,
            gpus=gpus,
        )
        self._say(end)
        self._watch.stop()
        atexit.unregister(self._at_exit)
        if sys.excepthook == self._on_exception:
            sys.excepthook = self._captured_error_hook
        if self._spool is None:
            return
        if self._spool.leads:
            self._record()
        else:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finish(*_ending(error))

    def _begin(self, start: Start) -> None:
        if self._place.problem is not None:
            _LOG.warning("%s; the record will wait in %s", self._place.problem, self._place.state_dir)
        sys.excepthook = self._on_exception
        atexit.register(self._at_exit)
        self._watch.start()
        if self._spool is not None:
            with self._harmless("captured"):
                self._spool.write_captured(capture_now(self._place.ledger, Path.cwd()))
        self._sampler.start()

    def _join(self, start: Start) -> None:
        """Bring what the script says of itself into the run that `ledger run` leads."""
        self._say(Chosen(values=start.params))
        self._say(Said(tags=start.tags, note=start.note, links=start.links, seed=start.seed))

    def _record(self) -> None:
        """Make the record; the spool goes only when the record is on the branch or waits as a whole."""
        spool = self._spool
        if spool is None:
            return
        try:
            self.recorded = record(
                self._place.ledger, read_draft(spool.folder), state_dir=self._place.state_dir, strict=False
            )
        except LedgerError as error:
            _LOG.warning("run %s: %s%s", self.id, error.message, f" (hint: {error.hint})" if error.hint else "")
            if not (self._place.state_dir / "waiting" / f"{self.id}.entry").exists():
                spool.close()
                return
        except Exception:
            _LOG.exception("run %s could not be recorded; its spool stays in %s", self.id, spool.folder)
            spool.close()
            return
        else:
            headline = self.recorded.record.headline
            said = f"{headline.key} {headline.number:.6g}" if headline else self.recorded.record.status
            _LOG.info("recorded %s: %s (ledger show %s)", self.id, said, self.id[16:])
        spool.remove()

    def _say(self, event: AnyEvent) -> None:
        if self._spool is None:
            return
        try:
            self._spool.write(event)
        except (OSError, TypeError, ValueError) as error:
            _LOG.warning("run %s: not written to the spool: %s", self.id, error)

    def _problem(self, field: str, error: BaseException) -> None:
        _LOG.warning("run %s: %s: %s", self.id, field, error)
        self._say(Failed(problem=Problem(field=field[:200], message=str(error)[:500])))

    @contextlib.contextmanager
    def _harmless(self, field: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on and the record says so
            self._problem(field, error)

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        self._exception = error
        self._captured_error_hook(kind, error, traceback)

    def _on_warning(self, status: Status, reason: str) -> None:
        self._say(Warned(status=status, reason=reason))

    def _on_death(self, status: Status, reason: str) -> None:
        self.finish(status, reason)

    def _at_exit(self) -> None:
        self.finish(*_ending(self._exception))


def _open_spool(place: Place, start: Start) -> tuple[Spool | None, str]:
    joined = os.environ.get(SPOOL_VARIABLE)
    try:
        if joined and Path(joined).is_dir():
            return Spool.join(Path(joined)), Path(joined).name
        return Spool.create(place.state_dir, start), start.id
    except OSError as error:
        _LOG.warning("run %s is not recorded: its spool cannot be written: %s", start.id, error)
        return None, start.id


def _ending(error: BaseException | None) -> tuple[Status, str | None, int | None]:
    """Return status, reason and exit code of a run that ended with this exception, or none."""
    if error is None:
        return "finished", None, None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", "Ctrl-C", None
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        return ("failed", f"exit code {code}", code) if code else ("finished", None, 0)
    said = str(error).strip().splitlines()
    return "failed", f"{type(error).__name__}: {said[0][:300]}" if said else type(error).__name__, None


def _label(dataset: Dataset | None) -> str | None:
    if dataset is None or dataset.name is None:
        return dataset.path if dataset else None
    return f"{dataset.name}@{dataset.version}" if dataset.version else dataset.name


