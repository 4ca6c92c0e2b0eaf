"""The types of all other documents on the ledger, and of the ledger as a whole."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.datasets import CaseResult, DatasetKind, Leak, Severity, VersionChange
from ledger.model.ids import is_id
from ledger.model.record import Author, Record
from ledger.model.statistics import DatasetStatistics, Drift
from ledger.model.values import OF_EXPERIMENTS, Document, Moment, NoteKind, Role

DATASET_FORMAT = 1
EVALUATION_FORMAT = 1
ENVIRONMENT_FORMAT = 1
NOTE_FORMAT = 1
CASE_FORMAT = 1
REDACTION_FORMAT = 1


class DatasetVersion(Document, frozen=True, kw_only=True):
    """An immutable version of a dataset, with its name and label."""

    format: int
    """Format of this document."""
    name: str
    """Name of the dataset."""
    version: str
    """Label of this version, unique for the name."""
    role: Role
    """What the dataset is for."""
    hash: str
    """Content hash of the sorted listing of paths, sizes and file hashes."""
    files: int
    """Number of files."""
    bytes: int
    """Size of all files in bytes."""
    samples: int | None = None
    """Number of samples, where somebody stated it."""
    parent: str | None = None
    """Label of the version that it is based on."""
    reason: str | None = None
    """Why this version was made."""
    source: str | None = None
    """Where its data comes from."""
    kind: DatasetKind | None = None
    """Origin of its labels."""
    statistics: DatasetStatistics | None = None
    """Statistics of its content; none where they were not computed."""
    change: VersionChange | None = None
    """Its differences from its parent."""
    drift: list[Drift] = []
    """Its distance from production samples and from its parent at the time it was added."""
    leaks: list[Leak] = []
    """Content that it shares with datasets of other roles."""
    cases: list[str] = []
    """Ids of the cases that must pass: all that were registered when it was added."""
    author: Author
    """Who added it."""
    added_at: Moment
    """When it was added, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""

    @property
    def label(self) -> str:
        """How people name it: `name@version`."""
        return f"{self.name}@{self.version}"


class ManifestLine(Document, frozen=True, kw_only=True):
    """One file of a dataset version."""

    path: str
    """Path inside the dataset, with `/` on every system."""
    bytes: int
    """Size in bytes."""
    hash: str
    """Hash of its content."""


class Evaluation(Document, frozen=True, kw_only=True):
    """A later measurement of an existing run's model, such as on a newer validation set."""

    format: int
    """Format of this document."""
    id: str
    """Id of the evaluation, shaped like a run id."""
    run: str
    """Run whose model was measured."""
    datasets: list[DatasetUse] = []
    """Dataset versions it was measured on."""
    metrics: list[Metric]
    """What was measured."""
    cases: list[CaseResult] = []
    """Result of the model on each case that must pass."""
    note: str | None = None
    """Comment of the author."""
    author: Author
    """Who measured it."""
    evaluated_at: Moment
    """When it was measured, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class Case(Document, frozen=True, kw_only=True):
    """An input with the answer that every model must give, or a rule that overrides models."""

    format: int
    """Format of this document."""
    id: str
    """Id of the case, shaped like a run id."""
    dataset: str
    """Dataset that it belongs to; every version added from then on includes it."""
    input: str
    """Input of the model: a path inside the dataset, or the input itself."""
    expected: str
    """The expected answer."""
    severity: Severity = "medium"
    """How serious it is when a model gives another answer."""
    override: Literal["always", "never"] | None = None
    """Rule in front of the model: always this answer, or never; none for a case that the model must pass."""
    origin: str | None = None
    """Where it was observed, such as an issue."""
    triage: Literal["bug", "error"] | None = None
    """What kind of fault it is: a bug to fix, or an error of the model to learn from."""
    author: Author
    """Who registered it."""
    added_at: Moment
    """When it was registered, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class Note(Document, frozen=True, kw_only=True):
    """A later statement about a run, a dataset version or an experiment; what is on the ledger is never edited."""

    format: int
    """Format of this document."""
    id: str
    """Id of the note, shaped like a run id."""
    run: str = ""
    """Run it is about; empty when it is about a dataset version or an experiment."""
    dataset: str | None = None
    """Dataset version it is about, as `name@version`."""
    experiment: str | None = None
    """Experiment it is about; only questions, hypotheses and conclusions have one."""
    kind: NoteKind
    """What it does: say something, tag, withdraw, name a baseline or a stage, decide, join attempts, ask, conclude."""
    stage: Annotated[int, Meta(ge=1, le=7)] | None = None
    """Product stage, 1 to 7, that a model reached, with the run as evidence; only milestones have one."""
    model: str | None = None
    """Model that reached it; none for the model that its experiment is named after."""
    attempt: str | None = None
    """Another attempt of the same training: the run that continued it, or that it continues."""
    text: str
    """Text of the comment, the tag, or the reason."""
    author: Author
    """Who made it."""
    noted_at: Moment
    """When it was made, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""

    def __post_init__(self) -> None:
        """Refuse a milestone without a stage, and a stage without a milestone."""
        if (self.kind == "milestone") != (self.stage is not None):
            raise ValueError("a milestone has a stage, and no other note has one")
        if self.kind == "milestone" and not self.run:
            raise ValueError("a milestone names the run that is its evidence")
        if (self.kind in {"continued", "continues"}) != (self.attempt is not None):
            raise ValueError("a note that joins attempts names the other one, and no other note does")
        if self.attempt is not None and (not is_id(self.attempt) or self.attempt == self.run):
            raise ValueError("the other attempt is the id of another run")
        if (self.kind in OF_EXPERIMENTS) != (self.experiment is not None):
            raise ValueError("a question, a hypothesis and a conclusion name an experiment, and no other note does")
        if self.experiment is not None and (self.run or self.dataset is not None):
            raise ValueError("a note about an experiment is about no run and no dataset version")

    @property
    def about_run(self) -> bool:
        """Whether it is about a run, and not about a dataset version or an experiment."""
        return self.dataset is None and self.experiment is None


class RedactedFile(Document, frozen=True, kw_only=True):
    """A file whose content a redaction replaced."""

    path: str
    """Path on the branch."""
    before: str
    """Hash of its former content."""
    after: str
    """Hash of its present content."""


class ReplacedCheckpoint(Document, frozen=True, kw_only=True):
    """A checkpoint whose commit a redaction rewrote."""

    name: str
    """Its git tag."""
    before: str
    """Commit that it pointed to."""
    after: str
    """The rewritten commit."""
    entries: int
    """Number of entries that it stated."""
    root: str
    """The Merkle root that it stated, over the former content."""


class MadeAgain(Document, frozen=True, kw_only=True):
    """A commit that an earlier redaction names, and that a later one rewrote."""

    before: str
    """Commit that the earlier redaction names."""
    after: str
    """The rewritten commit."""


class Redaction(Document, frozen=True, kw_only=True):
    """A tombstone: what was removed from the history of the ledger, by whom and why, without the content itself."""

    format: int
    """Format of this document."""
    id: str
    """Id of the redaction, shaped like a run id."""
    reason: str
    """The reason, in the redactor's words."""
    files: list[RedactedFile]
    """Every file whose content was replaced."""
    before: str
    """Tip of the branch before the redaction."""
    after: str
    """That commit as rewritten; this entry is the next commit."""
    checkpoints: list[ReplacedCheckpoint] = []
    """Checkpoints whose commits were rewritten."""
    made_again: list[MadeAgain] = []
    """Rewritten forms of the commits that earlier redactions name."""
    author: Author
    """Who made the redaction."""
    redacted_at: Moment
    """When it was made, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class PackageSource(Document, frozen=True, kw_only=True):
    """The origin of a package that was not installed from an index, as its installer recorded it (PEP 610)."""

    kind: Literal["editable", "folder", "vcs", "archive"]
    """Kind of origin: an editable install of a working copy, a folder, a repository, or one file at a URL."""
    url: str | None = None
    """Its URL, credentials removed; none for a folder or a file of the machine."""
    vcs: str | None = None
    """Version control system of the repository: `git`."""
    commit: str | None = None
    """Commit that was installed."""
    subdirectory: str | None = None
    """Folder of the package inside its repository."""
    sha256: str | None = None
    """SHA-256 of the file."""


class EnvironmentFile(Document, frozen=True, kw_only=True):
    """The whole environment: the content of `environment.json`, which runs with equal environments share."""

    format: int
    """Format of this document."""
    python: str
    """Python version and implementation."""
    executable: str
    """Interpreter that the run used; in a virtual environment the path starts at its folder: `.venv/bin/python`."""
    os: str
    """Operating system and kernel."""
    machine: str
    """Processor architecture."""
    container: str | None = None
    """Container that the run was in; none outside a container."""
    frameworks: dict[str, str] = {}
    """Version of each deep-learning framework and of CUDA and cuDNN."""
    packages: dict[str, str] = {}
    """Every installed package and its version."""
    variables: dict[str, str] = {}
    """Environment variables that configure a run, from an allow-list; never all of them."""
    sources: dict[str, PackageSource] = {}
    """Origin of each package that was not installed from an index."""
    tags: dict[str, str] = {}
    """Wheel tag (interpreter, ABI, platform) of packages that were built for one platform."""
    index: Literal["pypi", "other", "pypi and others"] | None = None
    """Kind of package index that pip was configured with; none where that is unknown. No URL is kept."""
    shadowed: dict[str, str] = {}
    """Modules that a folder of `PYTHONPATH` shadows, each with the module that is shadowed."""


class StoredRun(Document, frozen=True, kw_only=True):
    """A record as read from the ledger, with its files and later statements."""

    record: Record
    """The record."""
    path: str
    """Folder of the record on the branch."""
    files: Mapping[str, str]
    """Git blob id by file name (relative to `path`), `record.json` included."""
    evaluations: tuple[Evaluation, ...] = ()
    """Later measurements, oldest first."""
    notes: tuple[Note, ...] = ()
    """Later statements, oldest first."""

    @property
    def tags(self) -> list[str]:
        """The current tags: those of the record, with the ones that notes added or removed since."""
        tags = dict.fromkeys(self.record.tags)
        for note in self.notes:
            if note.kind == "tag":
                tags[note.text] = None
            elif note.kind == "untag":
                tags.pop(note.text, None)
        return list(tags)

    @property
    def retraction(self) -> Note | None:
        """The note that retracted the run; none while it stands."""
        return next((note for note in reversed(self.notes) if note.kind == "retraction"), None)

    @property
    def continued_by(self) -> str | None:
        """The run that continued its training; none where that is not known."""
        return next((note.attempt for note in reversed(self.notes) if note.kind == "continued"), None)

    @property
    def continues(self) -> list[str]:
        """The earlier attempts of its training that were recorded apart."""
        return list(dict.fromkeys(note.attempt for note in self.notes if note.kind == "continues" and note.attempt))

    @property
    def standing(self) -> str:
        """How it ended, or `retracted` or `continued`, which weigh more."""
        if not self.notes:
            return self.record.status
        if self.retraction is not None:
            return "retracted"
        return self.record.status if self.continued_by is None else "continued"

    @property
    def unranked(self) -> str | None:
        """Why the run is not ranked: how it stands; none where it is."""
        return None if self.standing == "finished" else self.standing

    def metrics(self) -> list[Metric]:
        """Return every measurement of the run's model: its own final metrics, then later evaluations."""
        later = [metric for evaluation in self.evaluations for metric in evaluation.metrics]
        return [*self.record.results.metrics, *later]


class LogEntry(Document, frozen=True, kw_only=True):
    """One commit of the ledger branch."""

    commit: str
    """Commit id."""
    time: datetime
    """When it was committed, UTC."""
    author: Author
    """Who made it."""
    subject: str
    """First line of its message."""
    message: str = ""
    """Whole message."""


class Problem(Document, frozen=True, kw_only=True):
    """A path on the branch that could not be read."""

    path: str
    """Path on the branch."""
    message: str
    """Why it could not be read."""


class Contents(Document, frozen=True, kw_only=True):
    """The whole ledger at one commit."""

    tip: str | None
    """Commit it was read at; none when the ledger has no entry yet."""
    runs: tuple[StoredRun, ...] = ()
    """Every run, oldest first."""
    datasets: tuple[DatasetVersion, ...] = ()
    """Every dataset version, by name, oldest first."""
    said: tuple[Note, ...] = ()
    """Notes about dataset versions and experiments, oldest first."""
    cases: tuple[Case, ...] = ()
    """Cases that must pass, and overrides, oldest first."""
    pictures: Mapping[str, str] = {}
    """Blob id of each picture of a dataset version, by its path on the branch."""
    problems: tuple[Problem, ...] = ()
    """Paths that could not be read."""

    def run(self, run_id: str) -> StoredRun | None:
        """Return the run with exactly that id, or none."""
        return next((run for run in self.runs if run.record.id == run_id), None)

    def retirement(self, label: str) -> Note | None:
        """Return the note that retired a dataset version (`name@version`); none while it is in use."""
        return next((note for note in self.said if note.kind == "retirement" and note.dataset == label), None)

    def baselines(self) -> dict[str, StoredRun]:
        """Return the baseline run of each experiment, by its latest note; a retracted run does not count."""
        said = [
            (note.id[:15], note.noted_at, run) for run in self.runs for note in run.notes if note.kind == "baseline"
        ]
        latest = {run.record.experiment: run for _, _, run in sorted(said, key=lambda one: one[:2])}
        return {experiment: run for experiment, run in sorted(latest.items()) if run.retraction is None}
