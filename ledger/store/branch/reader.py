"""Reading of every entry of the branch at one commit: one `ls-tree`, one `cat-file --batch`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from ledger.errors import InvalidDocument, LedgerError
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import Case, Contents, DatasetVersion, Evaluation, Note, Problem, StoredRun
from ledger.model.hosts import HostDay
from ledger.model.ids import is_id
from ledger.model.record import Record
from ledger.repository.repository import Repository

_RUN_DEPTH = 5
"""Number of parts in the folder of a run: `runs/YYYY/MM/DD/<id>`."""


def read_contents(repository: Repository, tip: str | None, among: Collection[str] | None = None) -> Contents:
    """Return the whole ledger at `tip`; entries that cannot be read become problems, not errors.

    Args:
        repository: repository that holds it.
        tip: commit to read at.
        among: read only the documents at these paths; the others are only checked for existence.

    Raises:
        LedgerError: git cannot read the branch.
    """
    if tip is None:
        return Contents(tip=None)
    files: dict[str, dict[str, str]] = defaultdict(dict)
    documents: list[tuple[str, str, type[AnyEntry]]] = []
    pictures: dict[str, str] = {}
    folders = paths.READ_FOLDERS if among is None else folders_of(among)
    for file in repository.read_tree(tip, folders) if folders else ():
        folder, name = split_run(file.path)
        if folder:
            files[folder][name] = file.blob
        elif f"/{paths.PICTURES}/" in file.path:
            pictures[file.path] = file.blob
        kind = kind_of(file.path) if among is None or file.path in among else None
        if kind is not None:
            documents.append((file.path, file.blob, kind))
    entries, problems = _load_all(repository, documents)
    contents = assemble(tip, files, entries, problems, _elsewhere(repository, tip, entries) if among else ())
    return msgspec.structs.replace(contents, pictures=pictures) if pictures else contents


def folders_of(files: Iterable[str]) -> list[str]:
    """Return the folders of entries that files belong to, each once: of a run, a dataset version, a day."""
    found = set()
    for file in files:
        if not {"", ".", ".."}.isdisjoint(file.split("/")):
            continue  # no entry can be there, and git would look outside of the tree
        depth = _DEPTHS.get(file.partition("/")[0], file.count("/"))
        found.add("/".join(file.split("/")[:depth]) + "/" if depth else file)
    return sorted(found)


_DEPTHS = {"runs": _RUN_DEPTH, "datasets": 3, "manifests": 3}
"""Number of parts of a folder that is one entry; other entries share a folder by day or dataset."""


def _elsewhere(repository: Repository, tip: str, entries: Sequence[tuple[str, "AnyEntry"]]) -> set[str]:
    """Return the runs that entries refer to and that are on the branch but were not read."""
    known = {entry.id for _, entry in entries if isinstance(entry, Record)}
    asked = sorted({entry.run for _, entry in entries if isinstance(entry, Evaluation | Note)} - known)
    asked = [run for run in asked if is_id(run)]
    names = (f"{tip}:{paths.run_path(run)}/{paths.RECORD_FILE}" for run in asked)
    return {run for run, there in zip(asked, repository.read_objects(names), strict=True) if there is not None}


MISSING = "the object is missing from this clone"
"""Problem of a document that git can fetch later: the only one that another look at the same commit may not find."""

AnyEntry = Record | DatasetVersion | Evaluation | Note | Case | HostDay
"""Any document that can be on the ledger."""


def split_run(path: str) -> tuple[str, str]:
    """Return the run folder that contains a path, and the file's name in it; an empty folder for other paths."""
    if not path.startswith("runs/"):
        return "", path
    parts = path.split("/", _RUN_DEPTH)
    return "/".join(parts[:_RUN_DEPTH]), parts[-1]


def kind_of(path: str) -> type[AnyEntry] | None:
    """Return the kind of document at a path; none for files that are no entry."""
    kind, _, rest = path.partition("/")
    if kind == "runs":
        return Record if split_run(path)[1] == paths.RECORD_FILE else None
    if kind == "datasets":
        return DatasetVersion if rest.endswith(f"/{paths.DATASET_FILE}") else None
    return _LATER.get(kind) if rest.endswith(".json") else None


def load_entry(path: str, data: bytes | None, kind: type[AnyEntry]) -> AnyEntry | Problem:
    """Return the document at a path, or why it is invalid; none when its object is missing."""
    try:
        if data is None:
            raise LedgerError(MISSING)  # noqa: TRY301  # problems are made in one place
        entry: AnyEntry = load(data, kind, source=path)
        check_path(path, entry)
    except InvalidDocument as error:
        return Problem(path=path, message="; ".join(error.problems))
    except LedgerError as error:
        return Problem(path=path, message=error.message)
    return entry


_LATER: dict[str, type[Evaluation | Note | Case | HostDay]] = {
    "evaluations": Evaluation,
    "notes": Note,
    "cases": Case,
    "hosts": HostDay,
}
"""Kind of the documents in each folder that holds one file per entry."""


def _load_all(
    repository: Repository, documents: list[tuple[str, str, type[AnyEntry]]]
) -> tuple[list[tuple[str, AnyEntry]], list[Problem]]:
    entries: list[tuple[str, AnyEntry]] = []
    problems: list[Problem] = []
    contents = repository.read_objects(blob for _, blob, _ in documents)
    for (path, _, kind), data in zip(documents, contents, strict=True):
        entry = load_entry(path, data, kind)
        if isinstance(entry, Problem):
            problems.append(entry)
        else:
            entries.append((path, entry))
    return entries, problems


def about_no_run(path: str, run: str) -> Problem:
    """Return the problem of a later statement about a run that is not on the ledger."""
    return Problem(path=path, message=f"its run is not on the ledger: `{ascii(run)[1:-1]}`")


def assemble(
    tip: str,
    files: dict[str, dict[str, str]],
    entries: list[tuple[str, AnyEntry]],
    problems: list[Problem],
    elsewhere: Collection[str],
) -> Contents:
    """Assemble documents into one ledger.

    Args:
        tip: commit they were read at.
        files: blob id of each file by name, by folder of the run.
        entries: path and document of each.
        problems: what could not be read; statements about missing runs are added.
        elsewhere: runs that are on the ledger but not among the documents.
    """
    known = {entry.id for _, entry in entries if isinstance(entry, Record)} | set(elsewhere)
    evaluations: dict[str, list[Evaluation]] = defaultdict(list)
    notes: dict[str, list[Note]] = defaultdict(list)
    said = [entry for _, entry in entries if isinstance(entry, Note) and not entry.about_run]
    for path, entry in entries:
        if isinstance(entry, Note) and not entry.about_run:
            continue
        if isinstance(entry, Evaluation | Note) and entry.run not in known:
            if isinstance(entry, Note) and entry.kind == "rejection":
                continue  # the run was proposed and never merged
            problems.append(about_no_run(path, entry.run))
        elif isinstance(entry, Evaluation):
            evaluations[entry.run].append(entry)
        elif isinstance(entry, Note):
            notes[entry.run].append(entry)
    runs = [
        StoredRun(
            record=entry,
            path=path.rpartition("/")[0],
            files=files[path.rpartition("/")[0]],
            evaluations=tuple(sorted(evaluations.get(entry.id, ()), key=said_at)),
            notes=tuple(sorted(notes.get(entry.id, ()), key=said_at)),
        )
        for path, entry in entries
        if isinstance(entry, Record)
    ]
    datasets = [entry for _, entry in entries if isinstance(entry, DatasetVersion)]
    return Contents(
        tip=tip,
        runs=tuple(sorted(runs, key=by_time)),
        datasets=tuple(sorted(datasets, key=lambda dataset: (dataset.name, dataset.added_at, dataset.version))),
        said=tuple(sorted(said, key=said_at)),
        cases=tuple(sorted((entry for _, entry in entries if isinstance(entry, Case)), key=lambda case: case.id)),
        problems=tuple(problems),
    )


def said_at(later: Evaluation | Note) -> tuple[str, datetime]:
    """Return the sort key of a later statement, made as by `by_time` for runs."""
    return later.id[:15], later.evaluated_at if isinstance(later, Evaluation) else later.noted_at


def by_time(run: StoredRun) -> tuple[str, datetime, str]:
    """Return the sort key of a run: the second in its id, then its start, since ids within a second sort at random."""
    return run.record.id[:15], run.record.timing.started_at, run.record.id


def check_path(path: str, entry: AnyEntry) -> None:
    """Refuse a document whose own id or name contradicts its path.

    Raises:
        LedgerError: they contradict each other.
    """
    match entry:
        case Record():
            expected = f"{paths.run_path(entry.id)}/{paths.RECORD_FILE}"
        case DatasetVersion():
            expected = f"{paths.dataset_path(entry.name, entry.version)}/{paths.DATASET_FILE}"
        case Evaluation():
            expected = paths.evaluation_path(entry.id)
        case Note():
            expected = paths.note_path(entry.id)
        case Case():
            expected = paths.case_path(entry.dataset, entry.id)
        case HostDay():
            expected = paths.host_path(entry.host, entry.id)
    if path != expected:
        raise LedgerError(f"the document belongs at another path: `{expected}`")
