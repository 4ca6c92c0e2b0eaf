"""Where a secret stands. Knows nothing of how it was found."""

from typing import NamedTuple


class Span(NamedTuple):
    """What must go."""

    start: int
    """Its first byte."""
    end: int
    """The byte behind its last."""
    kind: str
    """As it stands in `[redacted: kind]`."""
