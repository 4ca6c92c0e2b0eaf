"""Reads every entry of the branch at one commit: one `ls-tree`, one `cat-file --batch`."""

from collections import defaultdict
from datetime import datetime

from ledger.errors import InvalidDocument, LedgerError
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import Contents, DatasetVersion, Evaluation, Note, Problem, Run
from ledger.model.record import Record
from ledger.repository.repository import Repository

_RUN_DEPTH = 5
"""`runs/YYYY/MM/DD/<id>`: how many parts the folder of a run has."""


def read_contents(repository: Repository, tip: str | None) -> Contents:
    """Return the whole ledger at `tip`; entries that cannot be read become problems, not errors.

    Raises:
        LedgerError: git cannot read the branch.
    """
    if tip is None:
        return Contents(tip=None)
    files: dict[str, dict[str, str]] = defaultdict(dict)
    documents: list[tuple[str, str, type[_Entry]]] = []
    for file in repository.read_tree(tip):
        kind, _, rest = file.path.partition("/")
        if kind == "runs":
            parts = file.path.split("/", _RUN_DEPTH)
            folder, name = "/".join(parts[:_RUN_DEPTH]), parts[-1]
            files[folder][name] = file.blob
            if name == paths.RECORD_FILE:
                documents.append((file.path, file.blob, Record))
        elif kind == "datasets" and rest.endswith(f"/{paths.DATASET_FILE}"):
            documents.append((file.path, file.blob, DatasetVersion))
        elif kind in _LATER:
            documents.append((file.path, file.blob, _LATER[kind]))
    entries, problems = _load_all(repository, documents)
    return _assemble(tip, files, entries, problems)


_Entry = Record | DatasetVersion | Evaluation | Note

_LATER: dict[str, type[Evaluation | Note]] = {"evaluations": Evaluation, "notes": Note}
"""Folder to the kind of later statement about a run that it holds, one file each."""


def _load_all(
    repository: Repository, documents: list[tuple[str, str, type[_Entry]]]
) -> tuple[list[tuple[str, _Entry]], list[Problem]]:
    entries: list[tuple[str, _Entry]] = []
    problems: list[Problem] = []
    contents = repository.read_objects(blob for _, blob, _ in documents)
    for (path, _, kind), data in zip(documents, contents, strict=True):
        try:
            if data is None:
                raise LedgerError("the object is missing from this clone")  # noqa: TRY301  # one place makes problems
            entry: _Entry = load(data, kind, source=path)
            _check_path(path, entry)
        except InvalidDocument as error:
            problems.append(Problem(path=path, message="; ".join(error.problems)))
        except LedgerError as error:
            problems.append(Problem(path=path, message=error.message))
        else:
            entries.append((path, entry))
    return entries, problems


def _assemble(
    tip: str, files: dict[str, dict[str, str]], entries: list[tuple[str, _Entry]], problems: list[Problem]
) -> Contents:
    known = {entry.id for _, entry in entries if isinstance(entry, Record)}
    evaluations: dict[str, list[Evaluation]] = defaultdict(list)
    notes: dict[str, list[Note]] = defaultdict(list)
    for path, entry in entries:
        if isinstance(entry, Evaluation | Note) and entry.run not in known:
            said = ascii(entry.run)[1:-1]
            problems.append(Problem(path=path, message=f"it is about a run that is not on the ledger: `{said}`"))
        elif isinstance(entry, Evaluation):
            evaluations[entry.run].append(entry)
        elif isinstance(entry, Note):
            notes[entry.run].append(entry)
    runs = [
        Run(
            record=entry,
            path=path.rpartition("/")[0],
            files=files[path.rpartition("/")[0]],
            evaluations=tuple(sorted(evaluations.get(entry.id, ()), key=_said_at)),
            notes=tuple(sorted(notes.get(entry.id, ()), key=_said_at)),
        )
        for path, entry in entries
        if isinstance(entry, Record)
    ]
    datasets = [entry for _, entry in entries if isinstance(entry, DatasetVersion)]
    return Contents(
        tip=tip,
        runs=tuple(sorted(runs, key=_by_time)),
        datasets=tuple(sorted(datasets, key=lambda dataset: (dataset.name, dataset.added_at, dataset.version))),
        problems=tuple(problems),
    )


def _said_at(later: Evaluation | Note) -> tuple[str, datetime]:
    """Order later statements as `_by_time` orders runs."""
    return later.id[:15], later.evaluated_at if isinstance(later, Evaluation) else later.noted_at


def _by_time(run: Run) -> tuple[str, datetime, str]:
    """Order runs by the second in their id, within it by their start: ids of one second sort by chance."""
    return run.record.id[:15], run.record.timing.started_at, run.record.id


def _check_path(path: str, entry: _Entry) -> None:
    """Refuse a document that claims to be another one than its path says."""
    match entry:
        case Record():
            expected = f"{paths.run_path(entry.id)}/{paths.RECORD_FILE}"
        case DatasetVersion():
            expected = f"{paths.dataset_path(entry.name, entry.version)}/{paths.DATASET_FILE}"
        case Evaluation():
            expected = paths.evaluation_path(entry.id)
        case Note():
            expected = paths.note_path(entry.id)
    if path != expected:
        raise LedgerError(f"the document says that it is another entry: `{expected}`")
