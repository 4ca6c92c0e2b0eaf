"""Reads every entry of the branch at one commit: one `ls-tree`, one `cat-file --batch`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from ledger.errors import InvalidDocument, LedgerError
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import Contents, DatasetVersion, Evaluation, Problem, Run
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
    documents: list[tuple[str, str, type[Record | DatasetVersion | Evaluation]]] = []
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
        elif kind == "evaluations":
            documents.append((file.path, file.blob, Evaluation))
    return _assemble(repository, tip, files, documents)


def _assemble(
    repository: Repository,
    tip: str,
    files: dict[str, dict[str, str]],
    documents: list[tuple[str, str, type[Record | DatasetVersion | Evaluation]]],
) -> Contents:
    records: list[tuple[str, Record]] = []
    datasets: list[DatasetVersion] = []
    evaluations: dict[str, list[Evaluation]] = defaultdict(list)
    problems: list[Problem] = []
    contents = repository.read_objects(blob for _, blob, _ in documents)
    for (path, _, kind), data in zip(documents, contents, strict=True):
        try:
            if data is None:
                raise LedgerError("the object is missing from this clone")  # noqa: TRY301  # one place makes problems
            entry: Record | DatasetVersion | Evaluation = load(data, kind, source=path)
            _check_path(path, entry)
        except InvalidDocument as error:
            problems.append(Problem(path=path, message="; ".join(error.problems)))
        except LedgerError as error:
            problems.append(Problem(path=path, message=error.message))
        else:
            if isinstance(entry, Record):
                records.append((path.rpartition("/")[0], entry))
            elif isinstance(entry, DatasetVersion):
                datasets.append(entry)
            else:
                evaluations[entry.run].append(entry)
    known = {record.id for _, record in records}
    for run_id in sorted(set(evaluations) - known):
        for evaluation in evaluations[run_id]:
            message = f"it evaluates a run that is not on the ledger: `{ascii(run_id)[1:-1]}`"
            problems.append(Problem(path=paths.evaluation_path(evaluation.id), message=message))
    runs = [
        Run(record=record, path=folder, files=files[folder], evaluations=_in_order(evaluations.get(record.id, ())))
        for folder, record in records
    ]
    return Contents(
        tip=tip,
        runs=tuple(sorted(runs, key=_by_time)),
        datasets=tuple(sorted(datasets, key=lambda dataset: (dataset.name, dataset.added_at, dataset.version))),
        problems=tuple(problems),
    )


def _by_time(run: Run) -> tuple[str, datetime, str]:
    """Order runs by the second in their id, within it by their start: ids of one second sort by chance."""
    return run.record.id[:15], run.record.timing.started_at, run.record.id


def _in_order(evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    return tuple(sorted(evaluations, key=lambda evaluation: evaluation.id))


def _check_path(path: str, entry: Record | DatasetVersion | Evaluation) -> None:
    """Refuse a document that claims to be another one than its path says."""
    if isinstance(entry, Record):
        expected = f"{paths.run_path(entry.id)}/{paths.RECORD_FILE}"
    elif isinstance(entry, DatasetVersion):
        expected = f"{paths.dataset_path(entry.name, entry.version)}/{paths.DATASET_FILE}"
    else:
        expected = paths.evaluation_path(entry.id)
    if path != expected:
        raise LedgerError(f"the document says that it is another entry: `{expected}`")
