"""Takes secrets out of everything a draft says, before any of it can reach git."""

import msgspec

from ledger.analysis.curves import Point
from ledger.capture.secrets import Redactor
from ledger.model.boxes import Metric
from ledger.model.record import Link, Record
from ledger.recorder.draft import Dataset, Draft


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
        )

    return msgspec.structs.replace(
        draft,
        parent=text(draft.parent),
        baseline=text(draft.baseline),
        metrics=[metric(measured) for measured in draft.metrics],
        headline=text(draft.headline),
        points=_points(draft.points, redactor),
        experiment=redactor.text(draft.experiment),
        reason=text(draft.reason),
        note=text(draft.note),
        tags=[redactor.text(tag) for tag in draft.tags],
        command=redactor.argv(draft.command),
        links=[Link(url=redactor.url(link.url), title=text(link.title)) for link in draft.links],
        params=redactor.params(draft.params),
        figures=[msgspec.structs.replace(figure, title=redactor.text(figure.title)) for figure in draft.figures],
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


def _points(points: list[Point], redactor: Redactor) -> list[Point]:
    names = {name: redactor.text(name) for name in {name for point in points for name in point.values}}
    if all(name == shown for name, shown in names.items()):
        return points
    return [
        msgspec.structs.replace(point, values={names[name]: value for name, value in point.values.items()})
        for point in points
    ]
