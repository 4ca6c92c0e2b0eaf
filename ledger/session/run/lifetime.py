"""The life of a run in this process: it begins, it is watched, and it ends exactly once.

Nothing here raises into training: a failure is a warning of the logger `ledger`, and is noted in
the record.
"""

import contextlib
import logging
import os
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ledger.capture.code.script import script_of_process
from ledger.capture.machine.frameworks import imported_frameworks
from ledger.capture.machine.sampler import Sampler
from ledger.data.version.stat_cache import FILE, StatCache
from ledger.errors import LedgerError
from ledger.model.record import fields_of
from ledger.model.values import DEFAULT_EXPERIMENT, Status
from ledger.recorder import Recorded
from ledger.recorder.record.draft import Captured, CaptureProblem
from ledger.recorder.record.recorder import capture_now
from ledger.session.notebook.shell import cell_trace, find_shell, in_kernel
from ledger.session.process.endings import Ending, EndWatch, ending_of
from ledger.session.process.membership import Seat
from ledger.session.process.output import Output
from ledger.session.process.signals import Watch
from ledger.session.run.announcement import announce, tell_recorded
from ledger.session.run.loading import Feeds, LoaderWait
from ledger.session.run.points import left_out_text
from ledger.session.spool.attempts import waits_for_next
from ledger.session.spool.draft import read_draft
from ledger.session.spool.events import (
    AnyEvent,
    Ended,
    Failed,
    Imported,
    Missing,
    OmittedValues,
    ParamsEvent,
    Start,
    StatementEvent,
    Waited,
    Warned,
)
from ledger.session.spool.job import await_ranks, is_covered
from ledger.session.spool.leftovers import with_leftovers
from ledger.session.spool.location import SpoolPlace
from ledger.session.spool.recording import record_spool
from ledger.session.spool.spool import LOG, Spool, read_start

if TYPE_CHECKING:
    from ledger.session.link.link import RankLink
    from ledger.session.notebook.kernel_output import KernelOutput
    from ledger.session.notebook.watch import NotebookWatch

_LOG = logging.getLogger("ledger")


class Lifetime:
    """One run from its first moment to its record, or the part of it in this process.

    Args:
        place: place where it is recorded.
        seat: place where it writes.
        start: what is known before the first step; none for a run from another process.
        sample_seconds: seconds between two samples of the hardware.
        output: keep what the process prints.
        inline_figures: keep the figures that a notebook shows inline.
    """

    def __init__(
        self,
        place: SpoolPlace,
        seat: Seat,
        start: Start | None,
        sample_seconds: float = 2.0,
        *,
        output: bool = False,
        inline_figures: bool = False,
    ) -> None:
        self.place = place
        """Place where it is recorded."""
        self._pid = os.getpid()
        self._clock = time.monotonic() - max(0.0, time.time() - seat.began)
        self._started = start.started_at if start is not None else datetime.fromtimestamp(seat.began, UTC)
        self._ended = False
        self.seat, self.spool, self.id = seat, seat.spool, seat.id
        beat = seat.spool.beat if seat.spool is not None and seat.role in {"leads", "rank"} else None
        self._sampler = Sampler(interval_seconds=sample_seconds, beat=beat)
        self.waiting = LoaderWait(self._count_waiting)
        self.feeds = Feeds(self._tell_of_feed)
        self._watch = Watch(self._on_warning, self.end)
        self._ends = EndWatch(self._on_end, lambda: self.spool.size - self._cell_bytes if self.spool else 0)
        # One process of each host looks at its machine, and rank 1 at the code: it speaks where rank 0 left nothing.
        rank = start.rank if start is not None else None
        self._captures = seat.role != "rank" or (rank is not None and (rank.rank == 1 or rank.local == 0))
        self._output = (
            _output_of(seat.id, seat.spool.folder / LOG)
            if seat.spool is not None and output and seat.role == "leads"
            else None
        )
        self._link: RankLink | None = None
        self.left_out: dict[str, OmittedValues] = {}
        self.recorded: Recorded | None = None
        self._notebook: NotebookWatch | None = None
        self._cell_bytes = 0
        if start is None or seat.role == "silent":
            return
        self._ends.start()
        if seat.role in {"leads", "joins"} and (shell := find_shell()) is not None:
            self._watch_notebook(shell, figures=inline_figures)
        if seat.role != "joins":
            self._begin()
            if rank is not None and seat.spool is not None:
                self._begin_link(seat.spool)
            return
        # A part of the run that `ledger run` leads: the script's own statements join it.
        self.say(ParamsEvent(values=start.params))
        self.say(
            StatementEvent(
                experiment=start.experiment if start.experiment != DEFAULT_EXPERIMENT else None,
                **fields_of(start),
            )
        )

    @property
    def started_at(self) -> datetime:
        """Start of the run, UTC."""
        return self._started

    @property
    def ended(self) -> bool:
        """Whether the run has ended in this process."""
        return self._ended

    @property
    def seconds(self) -> float:
        """Seconds since the run began, by a monotonic clock."""
        return time.monotonic() - self._clock

    @property
    def silent(self) -> bool:
        """Whether another rank keeps the record, so that nothing need be captured here."""
        return self.seat.role in {"rank", "silent"}

    @property
    def hashes(self) -> StatCache:
        """The cache of hashes of unchanged datasets."""
        return StatCache(self.place.state_dir / FILE)

    def say(self, event: AnyEvent) -> None:
        """Append an event to the spool; a failure to write is a warning, and is noted in the record."""
        if self.spool is None:
            return
        try:
            self.spool.write(event)
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on
            _LOG.warning("run %s: not written to the spool: %s", self.id, error)
            if not isinstance(error, OSError) and not isinstance(event, Failed):
                kind = str(event.__struct_config__.tag)
                self.say(Failed(problem=CaptureProblem(field=kind, message=str(error)[:500])))

    def problem(self, field: str, error: BaseException) -> None:
        """Warn, and note in the record what could not be captured."""
        said = f"{error} (hint: {error.hint})" if isinstance(error, LedgerError) and error.hint else str(error)
        _LOG.warning("run %s: %s: %s", self.id, field, said)
        self.say(Failed(problem=CaptureProblem(field=field[:200], message=said[:500])))

    def warn(self, text: str) -> None:
        """Warn of something that is in the record already."""
        _LOG.warning("run %s: %s", self.id, text)

    @contextlib.contextmanager
    def harmless(self, field: str) -> Iterator[None]:
        """Turn any exception in the block into a warning and a note in the record."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on and the record notes it
            self.problem(field, error)

    def missing(self, series: dict[str, OmittedValues]) -> None:
        """Write the values that were logged and are no numbers, so far; the last event of each series counts."""
        self.left_out |= series
        self.say(Missing(series=series))

    def end(
        self,
        status: Status,
        reason: str | None = None,
        exit_code: int | None = None,
        *,
        raised: BaseException | None = None,
        ended_at: datetime | None = None,
    ) -> None:
        """End the run and record it; a second call, or one in a forked child, does nothing.

        Args:
            status: how it ended.
            reason: cause of the end.
            exit_code: exit code of the process.
            raised: exception that left the run's block; Python prints it later, if at all.
            ended_at: stated end, of a run that ended elsewhere.
        """
        if self._ended or os.getpid() != self._pid:
            return
        self._ended = True
        self._stop_copying(_trace_of(raised))
        usage, gpus = self._sampler.stop()
        now = datetime.now(UTC)
        if self.waiting.seconds is not None:
            self._count_waiting(self.waiting.seconds)
        with self.harmless("datasets.feeds"):
            self.feeds.say()
        if self.left_out:
            self.say(Missing(series=self.left_out))
        with self.harmless("environment.imported"):
            self.say(Imported(frameworks=imported_frameworks()))
        if self.seat.whole:
            self.say(
                Ended(
                    status=status,
                    seconds=self.seconds if ended_at is None else (ended_at - self.started_at).total_seconds(),
                    ended_at=ended_at or now,
                    stated=ended_at is not None,
                    reason=reason,
                    exit_code=exit_code,
                    usage=usage,
                    gpus=gpus,
                    raised=raised is not None,
                )
            )
        if self.left_out:
            _LOG.warning("run %s: curves: %s", self.id, left_out_text(self.left_out))
        self._watch.stop()
        self._ends.stop()
        if self.spool is not None:
            self._leave(self.spool)

    def _leave(self, spool: Spool) -> None:
        """Record the run, or leave that to the process that does."""
        if self.seat.role == "rank":
            self._leave_to_leader(spool)
        elif spool.leads:
            self._record(spool)
        if self._link is not None:
            self._link.close()
        spool.close()

    def let_go(self, frame: FrameType) -> None:
        """Note that the script no longer holds its run, and which frame continues."""
        with contextlib.suppress(Exception):
            self._ends.let_go(frame)

    def end_with(self, error: BaseException | None, ended_at: datetime | None = None) -> None:
        """End the run with the status that this exception means, or as finished when there is none."""
        self.end(*ending_of(error), raised=error, ended_at=ended_at)

    @property
    def began(self) -> float:
        """The start of the run's clock, in seconds since 1970."""
        return time.time() - self.seconds

    def _on_end(self, ending: Ending) -> None:
        self.end(*ending)

    def _begin(self) -> None:
        if self.place.problem is not None:
            _LOG.warning("%s; the record will wait in %s", self.place.problem, self.place.state_dir)
        self._watch.start()
        if self._output is not None:
            self._say_of_output(self._output.start())
        if self.spool is not None:
            with self.harmless("captured"):
                if self._captures:
                    self.spool.write_captured(self._look_around())
        self._sampler.start()

    def _stop_copying(self, last: str) -> None:
        """End what follows the notebook and the output; the text ends the log."""
        if self._notebook is not None:
            self._notebook.stop()
        if self._output is not None:
            self._say_of_output(self._output.stop(last))

    def _look_around(self) -> Captured:
        notebook = self._notebook is not None
        return capture_now(self.place.ledger, Path.cwd(), script=script_of_process(), notebook=notebook)

    def _watch_notebook(self, shell: Any, *, figures: bool) -> None:  # noqa: ANN401  # IPython's
        """Follow the cells of a notebook: what it says of them is no sign that the run went on."""
        from ledger.session.notebook.watch import NotebookWatch  # scripts do without

        def say(event: AnyEvent) -> None:
            before = self.spool.size if self.spool else 0
            self.say(event)
            self._cell_bytes += self.spool.size - before if self.spool else 0

        def failed(error: BaseException) -> None:
            if self._output is not None:
                self._output.add(cell_trace(error))

        with self.harmless("code.notebook"):
            ledger = self.place.ledger
            top = ledger.repository.worktree if ledger is not None else None
            self._notebook = NotebookWatch(shell, say, failed, top)
            self._notebook.start()
            if figures and self.spool is not None and (why := self._notebook.keep_figures(self.spool.folder, self.say)):
                self.say(Failed(problem=CaptureProblem(field="figures", message=why)))

    def _begin_link(self, spool: Spool) -> None:
        """Start the link between ranks that share no folder; only a run of several processes loads it."""
        with self.harmless("ranks.link"):
            from ledger.session.link.link import start_link

            self._link = start_link(spool.folder, read_start(spool.folder))

    def _leave_to_leader(self, spool: Spool) -> None:
        """Discard the spool of a rank whose training is recorded, or that rank 0 has; else it is read by either."""
        with contextlib.suppress(OSError, LedgerError):
            handed_over = self._link is not None and self._link.finish()
            if handed_over or is_covered(spool.folder, read_start(spool.folder)):
                spool.discard(spool.folder)

    def _say_of_output(self, why: str | None) -> None:
        if why is not None:
            self.say(Failed(problem=CaptureProblem(field="logs.output", message=why)))

    def _record(self, spool: Spool) -> None:
        try:
            if self._link is not None:
                self._link.call()
            if waits_for_next(spool.folder):
                announce(f"run {self.id} waits for its next attempt; to record it as it is: ledger recover")
                return
            await_ranks(spool.folder, read_start(spool.folder))
            self.recorded = record_spool(
                self.place, spool.folder, with_leftovers(self.place.ledger, spool.folder, read_draft(spool.folder))
            )
        except LedgerError as error:
            _LOG.warning("run %s: %s%s", self.id, error.message, f" (hint: {error.hint})" if error.hint else "")
        except Exception:  # noqa: BLE001  # training goes on, whatever broke; the log has the trace
            _LOG.exception("run %s could not be recorded; its spool stays in %s", self.id, spool.folder)
        else:
            tell_recorded(self.place, self.recorded.record)

    def _count_waiting(self, seconds: float) -> None:
        if os.getpid() == self._pid:  # a forked worker of a data loader has a copy of the counter
            self.say(Waited(seconds=seconds))

    def _tell_of_feed(self, event: AnyEvent) -> None:
        if os.getpid() == self._pid:
            self.say(event)

    def _on_warning(self, status: Status, reason: str) -> None:
        self.say(Warned(status=status, reason=reason))


def _output_of(run: str, log: Path) -> "Output | KernelOutput":
    """Return what copies the output of this process: a kernel collects its own."""
    if not in_kernel():
        return Output(run, log)
    from ledger.session.notebook.kernel_output import KernelOutput  # scripts do without

    return KernelOutput(run, log)


def _trace_of(error: BaseException | None) -> str:
    """Return an exception as Python will print it when nobody catches it; empty for one that it does not print."""
    if error is None or isinstance(error, SystemExit):
        return ""
    with contextlib.suppress(Exception):  # a foreign exception may raise anything when it is shown
        return "".join(traceback.format_exception(error))
    return ""
