"""Takes secrets out of everything a draft says, before any of it can reach git."""

import msgspec

from ledger.capture.secrets import Redactor
from ledger.model.record import Link
from ledger.recorder.draft import Dataset, Draft


def redact_draft(draft: Draft, redactor: Redactor) -> Draft:
    """Return the draft with every secret replaced; the redactor counts them."""

    def text(value: str | None) -> str | None:
        return None if value is None else redactor.text(value)

    def dataset(source: Dataset) -> Dataset:
        return msgspec.structs.replace(
            source, path=redactor.url(source.path), reason=text(source.reason), source=text(source.source)
        )

    return msgspec.structs.replace(
        draft,
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
