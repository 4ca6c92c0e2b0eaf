"""The content of a spool: the start of a run, then one event per line."""

from datetime import datetime

from ledger.model.boxes.inputs import Step
from ledger.model.boxes.machine import Gpu, Usage
from ledger.model.boxes.outputs import Metric, Model
from ledger.model.feed import Feed
from ledger.model.record import RunFields
from ledger.model.values import Document, Number, ParamValue, Reduction, Status
from ledger.recorder.record.draft import CaptureProblem, Dataset, ExecutedCell, NotebookFile, Rank, TableSource
from ledger.recorder.record.options import Given


class Start(RunFields, frozen=True, kw_only=True):
    """The information from before the first step."""

    id: str
    host: str
    pid: int
    started_at: datetime
    stated: bool = False
    """Whether the start was stated; it is the present otherwise."""
    experiment: str
    command: list[str] = []
    folder: str | None = None
    params: dict[str, ParamValue] = {}
    param_sources: list[str] = []
    rank: Rank | None = None
    """The process of a job that this is."""
    resume: str | None = None
    """Key that the attempts of one training share."""
    last_attempt: bool = False
    """Whether the launcher starts no further attempt."""
    per_rank: bool = False
    """Whether every rank keeps a record of its own."""
    parent_pid: int = 0
    """Process that started this one."""
    given: Given | None = None
    """What to read when a wrapped command has ended."""
    total_steps: int | None = None
    """Steps in all, where the training states them."""
    deadline: datetime | None = None
    """When the scheduler ends the job, UTC; none where no scheduler states it."""
    home: str | None = None
    """Git directory of the repository of the run; none outside of a repository."""
    working_folder: str | None = None
    """Folder that it was started in, to which paths in `given` are relative."""
    harvest: str | None = None
    """Sources of what nobody states: `auto`, `off`, or some of them; the policy decides by default."""


class Event(Document, frozen=True, kw_only=True, tag_field="is"):
    """One line of the spool."""


class JoinEvent(Event, frozen=True, kw_only=True, tag="joined"):
    """The first line of a process that writes into the spool of another run."""

    start: Start
    """Start of the run in this process; its id is the run's own."""
    offset_seconds: float = 0.0
    """Age of the spool in seconds when this run began."""


class Attached(Event, frozen=True, kw_only=True, tag="attached"):
    """The first line of a process that received a run from another process."""

    run: str
    """Run id."""
    rank: Rank | None = None
    """The process of a job that this is."""


class OmittedValues(Document, frozen=True, kw_only=True):
    """Values of one series that were no numbers."""

    count: int
    """Their number."""
    first: str
    """The first of them."""


class Missing(Event, frozen=True, kw_only=True, tag="missing"):
    """All values in calls of `run.log` so far that were no numbers."""

    series: dict[str, OmittedValues]


class Logged(Event, frozen=True, kw_only=True, tag="log"):
    """One call of `run.log`."""

    seconds: float
    step: int | None = None
    epoch: float | None = None
    values: dict[str, Number]
    reduce: Reduction | None = None
    """How the values of the ranks become one; none for those of the lowest rank."""


class LoggedNumbers(Logged, frozen=True, kw_only=True, tag="log"):
    """A point without NaN or infinities, which are text: it is read without looking at each value."""

    values: dict[str, float]  # type: ignore[assignment]  # fewer than a point may have


class MetricEvent(Event, frozen=True, kw_only=True, tag="metric"):
    """One call of `run.metric`."""

    metric: Metric
    headline: bool = False


class Used(Event, frozen=True, kw_only=True, tag="dataset"):
    """One call of `run.dataset`, or data that feed the run."""

    dataset: Dataset
    fed: bool = False
    """Whether it was not stated: `ledger.batches` feeds the run with it."""


class ParamsEvent(Event, frozen=True, kw_only=True, tag="params"):
    """Params that became known later."""

    values: dict[str, ParamValue]


class StepEvent(Event, frozen=True, kw_only=True, tag="step"):
    """One call of `run.step`; its params are an event of their own."""

    step: Step


class FigureEvent(Event, frozen=True, kw_only=True, tag="figure"):
    """A figure, stored as a file of the spool."""

    title: str
    path: str


class Tabled(Event, frozen=True, kw_only=True, tag="table"):
    """A table, stored as a file of the spool."""

    table: TableSource


class Trained(Event, frozen=True, kw_only=True, tag="model"):
    """The model, captured while it was in memory."""

    model: Model


class ProfileEvent(Event, frozen=True, kw_only=True, tag="profile"):
    """What a forward pass of the model costs."""

    model: Model
    """The fields of the model box that say it."""


class StatementEvent(Event, RunFields, frozen=True, kw_only=True, tag="said"):
    """A statement about the run: a tag, a note, a link, a seed, a log file, its experiment, its checkpoint."""

    experiment: str | None = None
    log: str | None = None
    checkpoint: str | None = None
    """Hash of the checkpoint that it goes on from."""


class Failed(Event, frozen=True, kw_only=True, tag="problem"):
    """Something that could not be captured."""

    problem: CaptureProblem


class Warned(Event, frozen=True, kw_only=True, tag="signal"):
    """A signal that asked the run to stop."""

    status: Status
    reason: str


class Imported(Event, frozen=True, kw_only=True, tag="imported"):
    """Frameworks that this process had imported by its end."""

    frameworks: dict[str, str]


class NotebookEvent(Event, frozen=True, kw_only=True, tag="notebook"):
    """The notebook that the run is in, with its file as it was found; a later one replaces it."""

    notebook: NotebookFile


class CellEvent(Event, frozen=True, kw_only=True, tag="cell"):
    """A cell that is executed, or was executed before the run began."""

    cell: ExecutedCell


class CellEnded(Event, frozen=True, kw_only=True, tag="cell end"):
    """The end of a cell's execution."""

    number: int
    seconds: float | None = None
    """Seconds that it took; none where its start was not watched."""
    status: Status
    reason: str | None = None


class Waited(Event, frozen=True, kw_only=True, tag="waited"):
    """Seconds that this process has waited for its data so far."""

    seconds: float


class Fed(Event, frozen=True, kw_only=True, tag="fed"):
    """What `ledger.batches` has served so far; the last event of a number counts."""

    number: int
    """Number of the batches among all that fed this process."""
    feed: Feed


class Ended(Event, frozen=True, kw_only=True, tag="end"):
    """The run's end, as seen by the run itself."""

    status: Status
    seconds: float
    ended_at: datetime
    reason: str | None = None
    exit_code: int | None = None
    usage: Usage | None = None
    gpus: list[Gpu] = []
    raised: bool = False
    """Whether an exception ended it, which the script may have caught; false where the script stated the end."""
    stated: bool = False
    """Whether `ended_at` was stated: the run ended elsewhere, and what was measured here is not its own."""


AnyEvent = (
    JoinEvent
    | Attached
    | Missing
    | Logged
    | MetricEvent
    | Used
    | ParamsEvent
    | StepEvent
    | FigureEvent
    | Tabled
    | Trained
    | ProfileEvent
    | StatementEvent
    | NotebookEvent
    | CellEvent
    | CellEnded
    | Failed
    | Warned
    | Waited
    | Fed
    | Imported
    | Ended
)
"""Every kind of line, distinguished by its field `is`."""
