"""`ledger.run()`: the interface of a training script to its run.

After its start nothing here raises into training: a failure is a warning of the logger
`ledger`, and is noted in the record.
"""

import os
import secrets
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

import msgspec

from ledger.capture.harvest.known_files import check_formats
from ledger.capture.inputs.params import flatten_known
from ledger.capture.outputs.metrics import metric as make_metric
from ledger.errors import LedgerError
from ledger.model.document import encode
from ledger.model.ids import new_id
from ledger.model.record import Link
from ledger.model.values import (
    DEFAULT_EXPERIMENT,
    Direction,
    ParamValue,
    Reduction,
    Role,
    Status,
    StepStage,
    check_label,
)
from ledger.recorder import Dataset, Recorded
from ledger.recorder.record.options import check_role
from ledger.recorder.record.times import check_times, moment
from ledger.session.notebook.shell import in_kernel
from ledger.session.process.deadline import deadline_of
from ledger.session.process.membership import Seat, attach, take_seat
from ledger.session.process.ranks import find_rank
from ledger.session.process.resume import with_resume_key
from ledger.session.run.data_used import declare, look_at_memory, look_at_path
from ledger.session.run.figures import write_figure
from ledger.session.run.lifetime import Lifetime
from ledger.session.run.loading import Loading
from ledger.session.run.model_methods import Modelling
from ledger.session.run.open_runs import add_open_run
from ledger.session.run.points import Points
from ledger.session.run.run_params import RunParams
from ledger.session.run.steps import make_step
from ledger.session.run.table_methods import identity_of
from ledger.session.spool.checkpoints import hash_of, run_of_model
from ledger.session.spool.events import FigureEvent, MetricEvent, Start, StatementEvent, StepEvent, Used
from ledger.session.spool.location import find_place

T = TypeVar("T")

_REDUCTIONS = frozenset(get_args(Reduction))
_TIMES = "started_at", "ended_at"


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
    started_at: datetime | str | None = None,
    total_steps: int | None = None,
    output: bool = True,
    rank: int | None = None,
    per_rank: bool = False,
    resume: str | None = None,
    inline_figures: bool = False,
    harvest: str | None = None,
) -> "Run":
    """Start a run that is recorded when it ends, however it ends.

    Example:
        >>> with ledger.run("digits", params={"lr": 0.1}) as run:
        ...     train(run)

    Inside `ledger run` the first run joins the record of the command; every further one is a record of its own with
    the command's as its parent, and then the first is too. Of several ranks of one training rank 0 keeps the record;
    the run of another rank has the same methods and is part of that record.

    Args:
        experiment: named group of runs that answer one question; `default` when none is given.
        params: inputs chosen by a person or a sweep; nested mappings become dotted names.
        tags: free words to find the run by.
        note: comment on the run.
        seed: random seed; the param `seed` when none is given.
        parent: run this one continues.
        baseline: run to compare this one with.
        links: URLs of papers, tickets, discussions.
        log: file with the training log, read at the end.
        folder: folder in the repository.
        sample_seconds: seconds between two samples of the hardware.
        started_at: start of a run that began earlier or elsewhere: a `datetime`, or ISO 8601; without a zone, local
            time. `finish(ended_at=…)` states its end.
        total_steps: steps in all, from which `ledger status` tells when the run will be done.
        output: keep what the process and its children print, native code included, as the log of the run; a file
            named by `log` wins. Inside `ledger run` the command's log has it.
        rank: rank of this process, where no launcher states it or it is wrong.
        per_rank: keep a record of every rank; they share a job id, and never count as repeats.
        resume: key that all attempts of this training share, such as a job id or the name of the checkpoint folder: one
            that ends without success waits for the next, and together they are one run. By default `LEDGER_RESUME`,
            under which runs of the same script, experiment, params and seed are one training.
        inline_figures: in a notebook, keep the matplotlib figures that it shows as figures of the run.
        harvest: sources that fill boxes which nobody filled: `auto`, `off`, or some of them, such as `argv,tfevents`.
            By default those of the policy, which are all.

    Returns:
        The started run, a context manager. Without `with`, call `finish()`, or leave it to the end of the process.

    Raises:
        LedgerError: an argument has the wrong type, a record cannot hold a name, a tag or a link, or the start is in
            the future.
    """
    place = find_place(Path(folder))
    chosen, missing = flatten_known(params or {})
    now = datetime.now(UTC)
    check_times(began := moment("started_at", started_at), None, now, _TIMES)
    start = Start(
        id=new_id(began or now, secrets.token_bytes(4)),
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=began or now,
        stated=began is not None,
        experiment=check_label("experiment", experiment or DEFAULT_EXPERIMENT),
        folder=place.ledger.repository.folder if place.ledger else None,
        home=place.home,
        command=_command(),
        tags=[check_label("tag", tag) for tag in _listed(tags)],
        note=note,
        seed=None if seed is None else int(seed),
        parent=parent,
        baseline=baseline,
        links=[Link(url=check_label("link", url)) for url in _listed(links)],
        params=chosen,
        rank=find_rank(os.environ, None if rank is None else int(rank)),
        per_rank=bool(per_rank),
        total_steps=None if total_steps is None else int(total_steps),
        deadline=deadline_of(os.environ),
        working_folder=_working_folder(),
        harvest=harvest,
    )
    if harvest is not None:
        check_formats(harvest)
    try:
        msgspec.json.decode(encode(start), type=Start)
    except (TypeError, OverflowError, msgspec.ValidationError) as error:
        said = str(error)
        raise LedgerError(f"ledger.run() was given a value of the wrong type: {said[:1].lower()}{said[1:]}") from error
    start = with_resume_key(start, os.environ, stated=check_label("resume", resume) if resume else None)
    seat = take_seat(place, start)
    life = Lifetime(place, seat, start, sample_seconds, output=bool(output), inline_figures=bool(inline_figures))
    return Run(life, log=log, params=chosen, missing=missing)


class Run(Modelling):
    """A living run, made by `ledger.run()`.

    Example:
        >>> run.log({"train/loss": 0.4}, step=3)

    Args:
        life: lifetime of the run in this process.
        log: file with the training log.
        params: params at its start.
        missing: params without a value, and why.
    """

    def __init__(
        self,
        life: Lifetime,
        *,
        log: str | Path | None = None,
        params: Mapping[str, ParamValue] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(life)
        self._points = Points()
        self._params = RunParams(life, params or {}, missing or {})
        add_open_run(self, life)
        if log is not None:
            self._life.say(StatementEvent(log=str(Path(log).absolute())))

    @property
    def id(self) -> str:
        """Run id, such as `20261120-194812-x7k2qf`."""
        return self._life.id

    def __repr__(self) -> str:
        recorded = self.recorded
        return f"<Run {self.id}: {recorded.record.status if recorded else 'ended' if self._life.ended else 'running'}>"

    @property
    def params(self) -> RunParams:
        """The params of the run so far: `run.params["lr"]` reads one, `run.params(lr=0.1)` adds to them."""
        return self._params

    @property
    def recorded(self) -> Recorded | None:
        """The recorded run; none until it has ended, or while its record waits."""
        return self._life.recorded

    def log(
        self,
        values: Mapping[str, object] | None = None,
        at: int | None = None,
        /,
        *,
        step: int | None = None,
        epoch: float | None = None,
        reduce: Reduction | None = None,
        **more: object,
    ) -> None:
        """Append one point of the learning curves: `run.log({"train/loss": 0.4}, step=3)`, or `run.log({…}, 3)`.

        Numbers, one-element arrays and tensors are kept, and nested mappings become `outer/inner`. Other values,
        such as None, are left out without their neighbours; the record states for which series, and how often.

        Of several ranks the record has the values of rank 0, or with `reduce` their `mean`, `sum`, `max` or `min` at
        each step. Every rank keeps its values in a file, and none waits for another.

        Example:
            >>> run.log({"train/loss": loss, "train/accuracy": accuracy}, step=step)
        """
        if (spool := self._life.spool) is None:
            return
        try:
            points = self._points
            if step is None:
                step = at
            if step is not None:
                step = points.step(step)
            if epoch is not None:
                epoch = points.epoch(epoch)
            if reduce is not None and reduce not in _REDUCTIONS:
                points.leave_out("reduce", reduce)
                reduce = None
            if numbers := points.numbers(values, more):
                spool.log(self._life.seconds, step, epoch, numbers, reduce)
            if points.untold:
                self._note_left_out()
        except Exception as error:  # noqa: BLE001  # a foreign object may raise anything when it is read
            self._life.problem("curves", error)

    def _note_left_out(self) -> None:
        """Write to the spool what was left out: at once, and again whenever it has doubled."""
        points = self._points
        grown = {name for name in points.untold if (count := points.left_out[name].count) & (count - 1) == 0}
        self._life.left_out |= {name: points.left_out[name] for name in points.untold}
        points.untold.clear()
        if grown:
            self._life.missing({name: points.left_out[name] for name in sorted(grown)})

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
        """State a final metric: its value, its split and its dataset version.

        Example:
            >>> run.metric("validation/accuracy", 0.93, dataset="digits-validation@v2", headline=True)

        Args:
            name: name such as `accuracy`; `validation/accuracy` includes the split.
            value: measured value; NaN and infinities are kept as they are.
            split: split it was measured on.
            dataset: return value of `run.dataset`, or `name@version`; by default the dataset of that split.
            direction: which values are better; by default known from certain names.
            evaluator: version of the code that measured it.
            step: step at which it was measured.
            epoch: epoch at which it was measured.
            headline: let this metric represent the run.
        """
        with self._life.harmless(f"metrics.{name}"):
            if split is None and "/" in name:
                split, _, name = name.partition("/")
            made = make_metric(
                name,
                value,
                split=split,
                direction=direction,
                evaluator=evaluator,
                step=step,
                epoch=epoch,
                **identity_of(dataset),
            )
            self._life.say(MetricEvent(metric=made, headline=headline))
            self._stated.add(made.key)

    def step(
        self,
        name: str,
        params: Mapping[str, object] | None = None,
        /,
        *,
        code: object = None,
        stage: StepStage | None = None,
        **more: object,
    ) -> None:
        """State a step around the model: what is done to its input, or to its output.

        Its params become params of the run under its name, `augment.flip`; runs whose steps differ are no repeats. A
        later step of the same name replaces it.

        Example:
            >>> run.step("augment", {"flip": True, "crop": 0.8}, code=augment)

        Args:
            name: name such as `augment`, `normalise` or `postprocess`.
            params: params of the step.
            code: function, class or object that does it, or a list of them: the record keeps the hash of its code
                and state, so that a change shows.
            stage: `input` between data and model, `output` between model and metric; by default `output` for a name
                that begins with `post`, else `input`.
            **more: further params: `run.step("augment", flip=True)`.
        """
        if self._life.silent:
            return
        with self._life.harmless(f"params.step {name}"):
            step = make_step(name, code, stage)
            self._life.say(StepEvent(step=step))
            if chosen := {**(params or {}), **more}:
                self._params({step.name: chosen})
            if step.unknown:
                self._life.warn(f"step {step.name}: its code has no hash: {step.unknown}")

    def dataset(
        self,
        data: object,
        *,
        role: Role = "train",
        split: str | None = None,
        name: str | None = None,
        version: str | None = None,
        parent: str | None = None,
        reason: str | None = None,
        source: str | None = None,
        samples: int | None = None,
        declared: str | None = None,
    ) -> Dataset:
        """Find or hash a dataset, record its use, and return it for `run.metric(dataset=…)`.

        Content that the ledger has is recorded as that version, named or not. Of data in memory every
        sample is read once, and the random generators are left as they were; a generator is never used up.

        Example:
            >>> validation = run.dataset("data/val", role="validation", name="digits-validation", version="v2")

        Args:
            data: file, folder, glob, archive or URL, `name@version` of a version on the ledger, or the data
                itself: an array, a tensor, a frame, a map-style dataset, a tuple or mapping of these.
            role: `train`, `validation`, `test` or `production`.
            split: split that it stands for in metric names; the role by default.
            name: name on the ledger; with `version`, the data becomes that dataset version, or must match it.
            version: label of this version.
            parent: label of the version that it is based on.
            reason: why this version was made.
            source: where its data comes from.
            samples: number of samples.
            declared: version of data that is not read: `run.dataset("imagenet-1k", declared="2012")`. The record
                says that nobody verified it; runs on the same name and version are ranked together.
        """
        used = Dataset(
            role=role,
            split=split or role,
            path=os.fspath(data) if isinstance(data, str | Path) else "",
            name=name,
            version=version,
            parent=parent,
            reason=reason,
            source=source,
        )
        field = f"datasets.{used.path or role}"
        try:
            known = check_role(role if isinstance(role, str) else str(role))
        except LedgerError as error:
            if not self._life.silent:
                self._life.problem(field, error)
            return used
        used = msgspec.structs.replace(used, role=known, split=split or known)
        if self._life.silent:
            if used.path and declared is None:  # rank 0 hashes it; it is read here only where rank 0 is gone
                self._life.say(Used(dataset=used))
            return used
        with self._life.harmless(field):
            used = msgspec.structs.replace(used, samples=None if samples is None else int(samples))
            if declared is not None:
                used = declare(used, str(declared))
            elif isinstance(data, str | os.PathLike):
                used = look_at_path(msgspec.structs.replace(used, path=os.fspath(data)), self._life.hashes)
            else:
                used = look_at_memory(used, data)
            if used.unknown is not None:
                self._life.warn(f"datasets.{used.name or used.path or role}: {used.unknown}")
        self._life.say(Used(dataset=used))
        return used

    def loading(self, loader: Iterable[T]) -> Loading[T]:
        """Wrap a data loader, to measure how long training waits for batches: `for batch in run.loading(loader)`.

        Several loaders add up. The record has the seconds in its hardware box, those of a killed run too (but for
        the last second of waiting, or the last hundredth). Attributes, `len()` and errors are those of the loader.
        Of `ledger.batches` the record has the plan as well, and the digest of the order in which they were served.

        Example:
            >>> batches = [batch for batch in run.loading(loader)]
        """
        followed = not self._life.silent and self._life.feeds.add(loader)
        return Loading(loader, self._life.waiting, self._life.feeds if followed else None)

    def figure(self, figure: object, title: str) -> None:
        """Store a picture: a matplotlib figure, a path to a PNG or SVG, or its bytes.

        Example:
            >>> run.figure(plt.gcf(), "confusion")
        """
        with self._life.harmless(f"figures.{title}"):
            if self._life.spool is not None and not self._life.silent:
                title = check_label("title", title)
                path = write_figure(figure, self._life.spool.folder, title)
                self._life.say(FigureEvent(title=title, path=str(path)))

    def resumed_from(self, path: str | Path) -> None:
        """State the checkpoint that this run goes on from: the run that recorded it as its model is its parent.

        Where that run did not finish, and has the same experiment, params and seed, both are attempts of one training
        and are joined, as `ledger note --continued-by` joins them.

        Example:
            >>> run.resumed_from("checkpoints/last.pt")
        """
        if self._life.silent:
            return
        with self._life.harmless("parent"):
            content = hash_of(Path(path))
            earlier = run_of_model(self._life.place, content, spool.folder if (spool := self._life.spool) else None)
            if earlier is None:
                self._life.warn(f"no run here has recorded this checkpoint as its model: `{path}`")
            self._life.say(StatementEvent(parent=earlier, checkpoint=content))

    def tag(self, *tags: str) -> None:
        """Add free words to find the run by.

        Example:
            >>> run.tag("baseline", "long")
        """
        with self._life.harmless("tags"):
            self._life.say(StatementEvent(tags=[check_label("tag", tag) for tag in tags]))

    def note(self, text: str) -> None:
        """Add a comment on the run.

        Example:
            >>> run.note("the loss jumped at step 300")
        """
        self._life.say(StatementEvent(note=text))

    def link(self, url: str, title: str | None = None) -> None:
        """Add a paper, a ticket, a discussion.

        Example:
            >>> run.link("https://example.org/ticket/17", "why we try this")
        """
        with self._life.harmless("links"):
            self._life.say(StatementEvent(links=[Link(url=check_label("link", url), title=title)]))

    def stop(self, reason: str) -> None:
        """End the run as stopped on purpose, such as by a sweep: the record says `pruned`, and why.

        Example:
            >>> run.stop("worse than half of the sweep")
        """
        self._life.end("pruned", str(reason))

    def finish(
        self,
        status: Status | None = None,
        reason: str | None = None,
        exit_code: int | None = None,
        *,
        ended_at: datetime | str | None = None,
    ) -> None:
        """End the run and record it; a second call does nothing.

        Example:
            >>> run.finish("failed", reason="the loss is not finite")

        Args:
            status: how it ended; by default `finished`, or the status of the exception being handled, as in
                `finally: run.finish()`.
            reason: cause of the end.
            exit_code: exit code of the process.
            ended_at: end of a run that ended earlier, or elsewhere, as `started_at` of `ledger.run()`. Its duration is
                the difference, and what was measured and printed here is not counted as its own.
        """
        ended = None
        if ended_at is not None:
            with self._life.harmless("timing.ended_at"):
                check_times(self._life.started_at, said := moment("ended_at", ended_at), datetime.now(UTC), _TIMES)
                ended = said
        if status is None and (error := sys.exc_info()[1]) is not None:
            self._life.end_with(error, ended)
            return
        status = status or "finished"
        if status not in get_args(Status):
            status, reason = "failed", f"finish() was given an unknown status: `{ascii(status)[1:-1]}`"
        self._life.end(status, reason, exit_code, ended_at=ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._life.end_with(error)

    def __del__(self) -> None:
        try:  # noqa: SIM105  # `contextlib` may be gone by then
            self._life.let_go(sys._getframe(1))  # noqa: SLF001  # the frame that continues
        except Exception:  # noqa: BLE001, S110  # half made, or the interpreter is shutting down
            pass

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> "tuple[Any, ...]":
        """Hand the run over to another process, such as a spawned one, which adds to the same run."""
        life = self._life
        folder = None if life.spool is None or life.seat.role == "silent" else str(life.spool.folder)
        return _handed, (folder, life.seat.own, life.began)


def _handed(folder: str | None, run: str, began: float) -> Run:
    """Return a run that another process began; this process adds to it, and cannot end it."""
    silent = Seat(run, "silent", None, began, whole=False)
    seat = silent if folder is None else attach(Path(folder), run, began, find_rank(os.environ))
    return Run(Lifetime(find_place(Path()), seat, None))


def _working_folder() -> str | None:
    """Return the current folder; none where it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


def _command() -> list[str]:
    """Return the command line of this process; an embedded Python has none, and that of a kernel is nobody's."""
    argv = getattr(sys, "argv", [])
    return ["python", *argv] if argv and not in_kernel() else []


def _listed(texts: Sequence[str]) -> Sequence[str]:
    """Return a single text as a list of one: Python would take it for a sequence of its letters."""
    return [texts] if isinstance(texts, str) else texts
