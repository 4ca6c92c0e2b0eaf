"""How busy a GPU was in equal stretches of a run; memory does not grow with its length, as stretches grow instead."""

from ledger.model.boxes.machine import MOST_STRETCHES, GpuTimeline

_FIRST_SECONDS = 1.0
"""Length of a stretch until the run is longer than `MOST_STRETCHES` of them; then it doubles, again and again."""


class UseOverTime:
    """Sums up the utilisation of one GPU by stretches."""

    def __init__(self) -> None:
        self._stretch = _FIRST_SECONDS
        self._sums = [[0.0, 0.0] for _ in range(MOST_STRETCHES)]
        self._end = 0.0

    def add(self, utilisation: float | None, seconds: float) -> None:
        """Add what was seen of the next `seconds`, 0 to 1; none where the card did not answer."""
        start, self._end = self._end, self._end + seconds
        while self._end > self._stretch * MOST_STRETCHES:
            self._double()
        at = int(start / self._stretch)
        while utilisation is not None and at < MOST_STRETCHES and at * self._stretch < self._end:
            inside = min(self._end, (at + 1) * self._stretch) - max(start, at * self._stretch)
            if inside > 0:
                self._sums[at][0] += utilisation * inside
                self._sums[at][1] += inside
            at += 1

    def _double(self) -> None:
        pairs = zip(self._sums[::2], self._sums[1::2], strict=True)
        merged = [[one[0] + other[0], one[1] + other[1]] for one, other in pairs]
        self._sums = merged + [[0.0, 0.0] for _ in merged]
        self._stretch *= 2

    def use(self) -> GpuTimeline | None:
        """Return what was seen so far; none where nothing was."""
        count = next((at + 1 for at in reversed(range(MOST_STRETCHES)) if self._sums[at][1] > 0), 0)
        if not count:
            return None
        means = [round(100 * value / seconds) if seconds > 0 else None for value, seconds in self._sums[:count]]
        return GpuTimeline(stretch_seconds=self._stretch, percent=means)
