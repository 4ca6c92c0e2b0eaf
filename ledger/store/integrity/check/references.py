"""The check of references to dataset versions against the versions themselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.characters import plain
from ledger.model.claims.measurements import metrics_in, uses_in
from ledger.model.entries import DatasetVersion, Evaluation, Note
from ledger.model.record import Record
from ledger.model.values import is_declared_hash
from ledger.store.integrity.findings import Finding


def check_notes(
    documents: Mapping[str, object], standing: Callable[[Iterable[str]], Mapping[str, str]]
) -> Iterator[Finding]:
    """Yield notes about dataset versions that do not exist.

    Args:
        documents: document by path.
        standing: those of some paths that are on the ledger.
    """
    named = {path: document.dataset for path, document in documents.items() if isinstance(document, Note)}
    wanted = {
        path: f"datasets/{'/'.join(label.split('@', 1))}/{paths.DATASET_FILE}"
        for path, label in named.items()
        if label is not None
    }
    there = standing(wanted.values())
    for path, where in wanted.items():
        if where not in there:
            yield Finding(
                rule="reference",
                path=path,
                field="dataset",
                message=f"its dataset version is not on the ledger: `{ascii(named[path])[1:-1]}`",
                hint="ledger dataset add NAME PATH --role ROLE",
            )


Named = dict[str, dict[tuple[str, str, str], None]]
"""References to the content of versions: path, field and hash of each, by the path of the version's document."""


def versions_named(documents: Mapping[str, object]) -> Named:
    """Return the references of documents to the content of versions."""
    found: Named = {}
    for path, document in documents.items():
        if not isinstance(document, Record | Evaluation):
            continue
        for use in uses_in(document):
            _add(found, path, "datasets", (use.name, use.version), use.hash)
        _, metrics = metrics_in(document)
        measured = {  # most metrics of a run are on one dataset
            (metric.dataset, metric.dataset_hash): None
            for metric in metrics
            if metric.dataset is not None and not (metric.derived_from or metric.period)
        }
        for label, content in measured:
            name, at, version = (label or "").partition("@")
            _add(found, path, "metrics", (name, version) if at else (None, None), content)
    return found


def _add(
    found: Named,
    path: str,
    field: str,
    label: tuple[str | None, str | None],
    content: str | None,
) -> None:
    name, version = label
    if not name or not version or content is None or is_declared_hash(content):
        return
    where = _document_of(name, version)
    if where is not None:
        found.setdefault(where, {})[path, field, content] = None


@lru_cache(maxsize=1024)
def _document_of(name: str, version: str) -> str | None:
    try:
        return f"{paths.dataset_path(name, version)}/{paths.DATASET_FILE}"
    except LedgerError:
        return None  # no version can have such a name


def check_versions(named: Named, versions: Mapping[str, DatasetVersion]) -> Iterator[Finding]:
    """Yield documents with measurements on other content than the named version has.

    Args:
        named: references of the documents.
        versions: the versions on the ledger, by the path of their document.
    """
    for where, said in named.items():
        version = versions.get(where)
        for path, field, content in said if version is not None else ():
            if version is not None and content != version.hash:
                yield Finding(
                    rule="claim",
                    path=path,
                    field=field,
                    message=f"it names {plain(version.label)}, but has other content than that version: `{content}`",
                    hint="give other data a version of its own: --dataset ROLE:NAME@NEW=PATH",
                )
