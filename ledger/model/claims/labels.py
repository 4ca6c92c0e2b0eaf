"""The names in a document that appear in tables, titles and commands."""

from collections.abc import Iterator, Sequence

from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Case, DatasetVersion, Evaluation, Note
from ledger.model.hosts import HostDay
from ledger.model.record import Record

MOST_TAGS = 1_000
"""Most tags that a run may have: they are words to find it by."""


def labels_of(document: object) -> Iterator[tuple[str, str]]:
    """Yield the field and text of every name."""
    if isinstance(document, Record):
        yield from _of_record(document)
    elif isinstance(document, Evaluation):
        yield from _of_metrics(document.metrics, "metrics")
        yield from _of_uses(document.datasets, "datasets")
    elif isinstance(document, Note):
        if document.kind in {"tag", "untag"}:
            yield "text", document.text
        if document.model is not None:
            yield "model", document.model
        if document.experiment is not None:
            yield "experiment", document.experiment
    elif isinstance(document, DatasetVersion):
        yield from (("name", document.name), ("version", document.version))
    elif isinstance(document, Case):
        yield "dataset", document.dataset
    elif isinstance(document, HostDay):
        yield from _of_host(document)


def _of_record(record: Record) -> Iterator[tuple[str, str]]:
    yield "experiment", record.experiment
    yield from ((f"tags[{position}]", tag) for position, tag in enumerate(record.tags))
    yield from ((f"params.chain[{place}].name", step.name) for place, step in enumerate(record.params.chain))
    for position, figure in enumerate(record.results.figures):
        yield f"results.figures[{position}].title", figure.title
    for position, table in enumerate(record.statistics.tables):
        yield f"statistics.tables[{position}].name", table.name
    yield from _of_metrics(record.results.metrics, "results.metrics")
    yield from _of_uses(record.datasets.used, "datasets.used")


def _of_host(day: HostDay) -> Iterator[tuple[str, str]]:
    yield "host", day.host
    for position, gpu in enumerate(day.gpus):
        yield f"gpus[{position}].name", gpu.name
    for position, holder in enumerate(day.holders):
        for field, text in (("user", holder.user), ("gpu", holder.gpu), ("job", holder.job)):
            if text is not None:
                yield f"holders[{position}].{field}", text


def _of_metrics(metrics: Sequence[Metric], start: str) -> Iterator[tuple[str, str]]:
    for position, metric in enumerate(metrics):
        yield f"{start}[{position}].name", metric.name
        if metric.split is not None:
            yield f"{start}[{position}].split", metric.split
        if metric.evaluator is not None:
            yield f"{start}[{position}].evaluator", metric.evaluator


def _of_uses(uses: Sequence[DatasetUse], start: str) -> Iterator[tuple[str, str]]:
    for position, use in enumerate(uses):
        for field, text in (("split", use.split), ("name", use.name), ("version", use.version)):
            if text is not None:
                yield f"{start}[{position}].{field}", text
