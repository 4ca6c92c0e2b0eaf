"""The position of a secret. Knows nothing of how it was found."""

from typing import NamedTuple


class Span(NamedTuple):
    """A part of a text to replace."""

    start: int
    """Its first byte."""
    end: int
    """The byte after its last."""
    kind: str
    """Kind as in `[redacted: kind]`."""
