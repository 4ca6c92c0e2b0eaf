"""Takes secrets out of everything a draft says, before any of it can reach git."""

import msgspec

from ledger.analysis.curves import Gathered
from ledger.capture.secrets import Redactor
from ledger.model.boxes import Metric
from ledger.model.record import Link, Record
from ledger.recorder.draft import Dataset, Draft, TableSource


def redact_draft(draft: Draft, redactor: Redactor) -> Draft:
    """Return the draft with every secret replaced; the redactor counts them."""

    def text(value: str | None) -> str | None:
        return None if value is None else redactor.text(value)

    def dataset(source: Dataset) -> Dataset:
        return msgspec.structs.replace(
            source, path=redactor.url(source.path), reason=text(source.reason), source=text(source.source)
        )

    def metric(measured: Metric) -> Metric:
        return msgspec.structs.replace(
            measured,
            name=redactor.text(measured.name),
            split=text(measured.split),
            dataset=text(measured.dataset),
            evaluator=text(measured.evaluator),
            said=text(measured.said),
        )

    def table(source: TableSource) -> TableSource:
        return msgspec.structs.replace(
            source,
            name=redactor.text(source.name),
            metric=text(source.metric),
            dataset=text(source.dataset),
            evaluator=text(source.evaluator),
        )

    return msgspec.structs.replace(
        draft,
        parent=text(draft.parent),
        baseline=text(draft.baseline),
        metrics=[metric(measured) for measured in draft.metrics],
        headline=text(draft.headline),
        curves=_curves(draft.curves, redactor),
        experiment=redactor.text(draft.experiment),
        reason=text(draft.reason),
        note=text(draft.note),
        tags=[redactor.text(tag) for tag in draft.tags],
        command=redactor.argv(draft.command),
        links=[Link(url=redactor.url(link.url), title=text(link.title)) for link in draft.links],
        params=redactor.params(draft.params),
        figures=[msgspec.structs.replace(figure, title=redactor.text(figure.title)) for figure in draft.figures],
        tables=[table(source) for source in draft.tables],
        datasets=[dataset(source) for source in draft.datasets],
    )


def redact_reasons(record: Record, redactor: Redactor) -> Record:
    """Return the record with every secret replaced in what is unknown and why: errors quote what they were given."""
    boxes = {
        name: msgspec.structs.replace(
            box, unknown={redactor.text(field): redactor.text(why) for field, why in box.unknown.items()}
        )
        for name, box in record.boxes().items()
        if box.unknown
    }
    return msgspec.structs.replace(record, **boxes, redactions=dict(sorted(redactor.counts.items())))


def _curves(curves: Gathered | None, redactor: Redactor) -> Gathered | None:
    if curves is None:
        return None
    names = {name: redactor.text(name) for name in curves.statistics.series}
    if all(name == shown for name, shown in names.items()):
        return curves
    points = [
        msgspec.structs.replace(point, values={names[name]: value for name, value in point.values.items()})
        for point in curves.points
    ]
    series = {names[name]: summary for name, summary in curves.statistics.series.items()}
    statistics = msgspec.structs.replace(curves.statistics, series=series)
    return Gathered(points=points, logged=curves.logged, statistics=statistics)
