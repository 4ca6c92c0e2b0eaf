"""How far a run is by what it prints: `Epoch 3/10`, `step 300 of 1000`, a bar that counts; no framework by name."""

import re
from pathlib import Path

from ledger.model.values import Document

_TAIL_BYTES = 1 << 16
"""Bytes at the end of a log that are read."""
_LONGEST = 600
"""Most characters of a line that counts: longer ones print data."""

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Codes that move the cursor or colour a text (ECMA-48)."""
_EPOCH = re.compile(r"\bepochs?[^a-z\d]{0,8}(\d{1,9}) ?(?:/|of) ?(\d{1,9})", re.IGNORECASE)
_STEP = re.compile(r"\b(?:step|iter|iteration|batch)s?[^a-z\d]{0,8}(\d{1,12}) ?(?:/|of) ?(\d{1,12})", re.IGNORECASE)
_BAR = re.compile(r"\d{1,3}%\|[^|]*\| *(\d{1,12})/(\d{1,12}) \[")
"""The bar of tqdm."""


class LogPosition(Document, frozen=True, kw_only=True):
    """The newest position that a log names."""

    epoch: int | None = None
    """Epoch that it names, counted as the log counts."""
    epochs: int | None = None
    """Number of epochs."""
    step: int | None = None
    """Step, iteration or batch; of the epoch where there are epochs."""
    steps: int | None = None
    """Number of steps."""

    @property
    def done(self) -> tuple[float, float] | None:
        """The least and the most of the run that is done (0..1): a line may be of the start or the end of an epoch."""
        inner = self.step / self.steps if self.step is not None and self.steps else None
        if self.epoch is None or not self.epochs:
            return None if inner is None else (inner, inner)
        before = max(0, self.epoch - 1)
        if inner is not None:
            return (before + inner) / self.epochs, (before + inner) / self.epochs
        return before / self.epochs, self.epoch / self.epochs


def log_position(log: Path) -> LogPosition | None:
    """Return the position that the newest lines of a log name; none where they name none, or there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    epoch: tuple[int, int] | None = None
    step: tuple[int, int] | None = None
    for line in reversed(re.split(r"[\r\n]+", _CODES.sub("", text))):
        if len(line) > _LONGEST:
            continue
        epoch = _count(_EPOCH, line)
        if step is None:
            step = _count(_STEP, line) or _count(_BAR, line)
        if epoch is not None:
            break
    if epoch is None and step is None:
        return None
    return LogPosition(
        epoch=epoch[0] if epoch else None,
        epochs=epoch[1] if epoch else None,
        step=step[0] if step else None,
        steps=step[1] if step else None,
    )


def _count(pattern: re.Pattern[str], line: str) -> tuple[int, int] | None:
    """Return the last `n of m` in a line; none where n is more than m, which counts something else."""
    found = [(int(one[1]), int(one[2])) for one in pattern.finditer(line)]
    return found[-1] if found and 0 <= found[-1][0] <= found[-1][1] > 0 else None
