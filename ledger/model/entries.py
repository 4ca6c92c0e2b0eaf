"""Every other document on the ledger, and the whole ledger as one value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from ledger.model.boxes import DatasetUse, Metric
from ledger.model.datasets import CaseResult, DatasetKind, Leak, Severity, VersionChange
from ledger.model.record import Author, Record
from ledger.model.statistics import DatasetStatistics, Drift
from ledger.model.values import Document, Moment, NoteKind, Role

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
    """Label of this version, unique under the name."""
    role: Role
    """What the dataset is for."""
    hash: str
    """Content hash: of the sorted listing of paths, sizes and file hashes."""
    files: int
    """How many files it holds."""
    bytes: int
    """Size of all files in bytes."""
    samples: int | None = None
    """How many samples it holds, where somebody said so."""
    parent: str | None = None
    """Label of the version it grew from."""
    reason: str | None = None
    """Why this version exists."""
    source: str | None = None
    """Where its data came from."""
    kind: DatasetKind | None = None
    """What its labels are worth."""
    statistics: DatasetStatistics | None = None
    """What it looks like; none where nobody looked."""
    change: VersionChange | None = None
    """What it changed against its parent."""
    drift: list[Drift] = []
    """How far it is from production samples, and from its parent, when it was added."""
    leaks: list[Leak] = []
    """Content it shares with datasets that are used for something else."""
    cases: list[str] = []
    """Cases that must pass, by id: all that were registered when it was added."""
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
    """What the model made of each case that must pass."""
    note: str | None = None
    """What the author wanted to say."""
    author: Author
    """Who measured it."""
    evaluated_at: Moment
    """When, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class Case(Document, frozen=True, kw_only=True):
    """An input with the answer that every model must give, or a rule that overrides models."""

    format: int
    """Format of this document."""
    id: str
    """Id of the case, shaped like a run id."""
    dataset: str
    """Dataset it belongs to; it is part of every version added from then on."""
    input: str
    """What the model is shown: a path inside the dataset, or the input itself."""
    expected: str
    """The answer."""
    severity: Severity = "medium"
    """How bad it is when a model gives another answer."""
    override: Literal["always", "never"] | None = None
    """A rule in front of the model: always this answer, or never; none for a case that the model must pass."""
    origin: str | None = None
    """Where it was seen, such as an issue."""
    triage: Literal["bug", "error"] | None = None
    """What somebody found: a bug to mend, or an error of the model to learn from."""
    author: Author
    """Who registered it."""
    added_at: Moment
    """When, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class Note(Document, frozen=True, kw_only=True):
    """A later statement about a run or a dataset version; nothing that stands on the ledger is ever edited."""

    format: int
    """Format of this document."""
    id: str
    """Id of the note, shaped like a run id."""
    run: str = ""
    """Run it is about; empty when it is about a dataset version."""
    dataset: str | None = None
    """Dataset version it is about, as `name@version`."""
    kind: NoteKind
    """`comment`, `tag`, `untag`, `retraction`, `baseline` of an experiment, `retirement` of a version, `milestone`."""
    stage: Annotated[int, Meta(ge=1, le=7)] | None = None
    """Stage of a product that a model reached, 1 to 7, with the run as evidence; only a milestone has one."""
    model: str | None = None
    """Model that reached it; none for the one that its experiment is named after."""
    text: str
    """The comment, the tag, or the reason."""
    author: Author
    """Who made it."""
    noted_at: Moment
    """When, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""

    def __post_init__(self) -> None:
        """Refuse a milestone without a stage, and a stage without a milestone."""
        if (self.kind == "milestone") != (self.stage is not None):
            raise ValueError("a milestone has a stage, and no other note has one")
        if self.kind == "milestone" and not self.run:
            raise ValueError("a milestone names the run that is its evidence")


class RedactedFile(Document, frozen=True, kw_only=True):
    """One file whose content a redaction replaced."""

    path: str
    """Path on the branch."""
    before: str
    """Hash of what stood there."""
    after: str
    """Hash of what stands there now."""


class ReplacedCheckpoint(Document, frozen=True, kw_only=True):
    """A checkpoint whose commit a redaction made again."""

    name: str
    """Its tag."""
    before: str
    """Commit it stood on."""
    after: str
    """The same commit, made again."""
    entries: int
    """How many entries it stated."""
    root: str
    """The Merkle root it stated, over what stood there before."""


class MadeAgain(Document, frozen=True, kw_only=True):
    """A commit that an earlier redaction speaks of, and that a later one made again."""

    before: str
    """Commit that the earlier one names."""
    after: str
    """The same commit, made again."""


class Redaction(Document, frozen=True, kw_only=True):
    """A tombstone: what was taken out of the ledger's history, by whom and why; never what it was."""

    format: int
    """Format of this document."""
    id: str
    """Id of the redaction, shaped like a run id."""
    reason: str
    """Why, in the redactor's words."""
    files: list[RedactedFile]
    """Every file whose content was replaced."""
    before: str
    """Tip of the branch before."""
    after: str
    """The same commit, made again; this entry stands on top of it."""
    checkpoints: list[ReplacedCheckpoint] = []
    """Checkpoints that stood on commits made again."""
    made_again: list[MadeAgain] = []
    """What became of the commits that earlier redactions name."""
    author: Author
    """Who did it."""
    redacted_at: Moment
    """When, UTC."""
    tool: str
    """Name and version of the tool that made the entry."""


class PackageSource(Document, frozen=True, kw_only=True):
    """Where a package came from that came from no index, as its installer wrote it down (PEP 610)."""

    kind: Literal["editable", "folder", "vcs", "archive"]
    """An editable install of a working copy, a folder, a repository, or one file at an address."""
    url: str | None = None
    """Its address, credentials removed; none for a folder or a file of the machine."""
    vcs: str | None = None
    """Kind of repository: `git`."""
    commit: str | None = None
    """Commit that was installed."""
    subdirectory: str | None = None
    """Folder of the package inside its repository."""
    sha256: str | None = None
    """SHA-256 of the file."""


class EnvironmentFile(Document, frozen=True, kw_only=True):
    """The whole environment: the content of `environment.json`, shared by every run that has the same."""

    format: int
    """Format of this document."""
    python: str
    """Python version and implementation."""
    executable: str
    """Interpreter the run used; in a virtual environment, from its folder on: `.venv/bin/python`."""
    os: str
    """Operating system and kernel."""
    machine: str
    """Processor architecture."""
    container: str | None = None
    """Container the run was in; none when in none."""
    frameworks: dict[str, str] = {}
    """Version of each deep-learning framework and of CUDA and cuDNN."""
    packages: dict[str, str] = {}
    """Every installed package and its version."""
    variables: dict[str, str] = {}
    """Environment variables that say how the run was set up; an allow-list, never all."""
    sources: dict[str, PackageSource] = {}
    """Where packages came from that came from no index."""
    tags: dict[str, str] = {}
    """Wheel tag (interpreter, ABI, platform) of packages that were built for one."""
    index: Literal["pypi", "other", "pypi and others"] | None = None
    """Where pip was told to look for packages; none where that is unknown. No address is kept."""
    shadowed: dict[str, str] = {}
    """Modules that a folder of `PYTHONPATH` puts in front of another: name to what lies behind it."""


class StoredRun(Document, frozen=True, kw_only=True):
    """A record as it was read from the ledger, with what stands beside it."""

    record: Record
    """The record."""
    path: str
    """Folder of the record on the branch."""
    files: Mapping[str, str]
    """File name (relative to `path`) to git blob id, `record.json` included."""
    evaluations: tuple[Evaluation, ...] = ()
    """Later measurements, oldest first."""
    notes: tuple[Note, ...] = ()
    """Later statements, oldest first."""

    @property
    def tags(self) -> list[str]:
        """Its tags as they are now: those of the record, and what notes added or took away since."""
        tags = dict.fromkeys(self.record.tags)
        for note in self.notes:
            if note.kind == "tag":
                tags[note.text] = None
            elif note.kind == "untag":
                tags.pop(note.text, None)
        return list(tags)

    @property
    def retraction(self) -> Note | None:
        """The statement that withdrew it, none while it stands."""
        return next((note for note in reversed(self.notes) if note.kind == "retraction"), None)

    @property
    def unranked(self) -> str | None:
        """Why it is ranked nowhere: `retracted`, or how it ended where it did not finish; none where it counts."""
        if self.retraction is not None:
            return "retracted"
        return None if self.record.status == "finished" else self.record.status

    def metrics(self) -> list[Metric]:
        """Return every measurement of the run's model: its own final metrics, then the later ones."""
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
    """Something on the branch that could not be read."""

    path: str
    """Path on the branch."""
    message: str
    """What is wrong with it."""


class Contents(Document, frozen=True, kw_only=True):
    """The whole ledger at one commit."""

    tip: str | None
    """Commit it was read at; none when the ledger has no entry yet."""
    runs: tuple[StoredRun, ...] = ()
    """Every run, oldest first."""
    datasets: tuple[DatasetVersion, ...] = ()
    """Every dataset version, by name, oldest first."""
    said: tuple[Note, ...] = ()
    """Statements about dataset versions, oldest first."""
    cases: tuple[Case, ...] = ()
    """Cases that must pass, and overrides, oldest first."""
    pictures: Mapping[str, str] = {}
    """Pictures of dataset versions: path on the branch to blob id."""
    problems: tuple[Problem, ...] = ()
    """What could not be read."""

    def run(self, run_id: str) -> StoredRun | None:
        """Return the run of that whole id, or none."""
        return next((run for run in self.runs if run.record.id == run_id), None)

    def retirement(self, label: str) -> Note | None:
        """Return the statement that retired a dataset version, as `name@version`; none while it is in use."""
        return next((note for note in self.said if note.kind == "retirement" and note.dataset == label), None)

    def baselines(self) -> dict[str, StoredRun]:
        """Return the run that each experiment is compared with, by the latest word on it; a retracted one is none."""
        said = [
            (note.id[:15], note.noted_at, run) for run in self.runs for note in run.notes if note.kind == "baseline"
        ]
        latest = {run.record.experiment: run for _, _, run in sorted(said, key=lambda one: one[:2])}
        return {experiment: run for experiment, run in sorted(latest.items()) if run.retraction is None}
