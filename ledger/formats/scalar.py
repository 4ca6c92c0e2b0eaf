"""One point of one learning curve, as files of other programs hold it."""

from typing import NamedTuple


class Scalar(NamedTuple):
    """One point of one series."""

    tag: str
    """Name of the series."""
    step: int
    """Its step."""
    time: float | None
    """When it was written, seconds since 1970; none where the file does not say."""
    value: float
    """Its value."""
