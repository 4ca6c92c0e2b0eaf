"""The combination of all finders of secrets: by shape, by name, as keys; in text as it is, unwrapped, and decoded."""

from collections.abc import Collection, Iterator

from ledger.capture.secrets.forms import encoded, unwrap
from ledger.capture.secrets.named_values import find_values
from ledger.capture.secrets.private_keys import find_private_keys
from ledger.capture.secrets.shapes import find_shapes, long_words
from ledger.capture.secrets.span import Span
from ledger.capture.secrets.team_rules import NONE, OwnSecrets


def find_spans(data: bytes, own: OwnSecrets = NONE) -> list[Span]:
    """Return the spans of secrets, in no order, including overlaps."""
    words = long_words(data)
    found = list(_plainly(data, words, own))
    view = unwrap(data)
    if view is not None:
        for span in _plainly(view.data, long_words(view.data), own):
            start, end = view.origin(span.start, span.end)
            if end > start:
                found.append(Span(start, end, span.kind))
    found += _encoded(data, words, own, 0)
    if own.allow:
        allowed = own.allowed
        found = [span for span in found if data[span.start : span.end] not in allowed]
    return found


def _plainly(data: bytes, words: Collection[bytes], own: OwnSecrets) -> Iterator[Span]:
    lower = data.lower()
    yield from find_shapes(data, lower, words, own.rules if own.patterns else ())
    yield from find_values(data, lower, own.cores if own.names else ())
    for start, end in find_private_keys(data):
        yield Span(start, end, "private-key")


def _encoded(data: bytes, words: Collection[bytes], own: OwnSecrets, depth: int) -> Iterator[Span]:
    """Yield the runs of base64 that contain a secret."""
    for start, end, text in encoded(data, words, depth):
        inside = long_words(text)
        inner = next(_plainly(text, inside, own), None) or next(_encoded(text, inside, own, depth + 1), None)
        if inner is not None:
            yield Span(start, end, inner.kind)
