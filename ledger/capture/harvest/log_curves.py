"""Learning curves in the lines that a training prints: each line's values, at the place where the training is."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from ledger.analysis.data.curves import Point
from ledger.capture.harvest.log_values import (
    AXES,
    LogPlace,
    bar_of,
    header_of,
    is_elsewhere,
    is_of_part,
    is_series,
    is_summary,
    message_of,
    names_split,
    number_in,
    object_of,
    place_in,
    place_of,
    split_of,
    values_of,
)
from ledger.capture.outputs.log_lines import LogStream, clean
from ledger.errors import LedgerError, NotFound
from ledger.model.values import counted

_MOST_POINTS = 200_000
_MOST_BYTES = 256 << 20
_LONGEST = 2_000
"""Most characters of a line that reports values."""
_FAST = re.compile(
    rb"loss|acc|err|f1|auc|bleu|rouge|perplexity|ppl|rmse|mse|mae|precision|recall|iou|map|dice|psnr|ssim|score|reward"
    rb"|bpb|bpc|fid|wer|cer|epoch|step|iter|nll|r2|kl|^\d+ "
)
"""Words of which a line must hold one: three quarters of most logs are skipped by this alone."""


_NOWHERE = (-1.0, -1.0)


class LogCurves(NamedTuple):
    """The values that the lines of a log report."""

    points: list[Point]
    """The points, in the order of the log."""
    notice: str | None = None
    """What was left out; none where nothing was."""


def read_log_curves(path: Path) -> LogCurves:
    """Return the points that a log reports, in bounded memory; none where no line reports values.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read.
    """
    reader = _Reader()
    notice = None
    try:
        with path.open("rb") as file:
            stream = LogStream(file)
            for line in stream:
                if _FAST.search(line.lower()) is not None:
                    reader.add(clean(line))
                if stream.bytes > _MOST_BYTES or len(reader.points) >= _MOST_POINTS:
                    notice = f"only the first {stream.lines:,} lines were read for values"
                    break
    except FileNotFoundError:
        raise NotFound(f"there is no log file: `{path}`") from None
    except OSError as error:
        raise LedgerError(f"the log file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    points = reader.result()
    if reader.restarts:
        times = counted(reader.restarts, "time")
        return LogCurves([], f"the log goes back to its beginning {times}, as of several trainings: no value was taken")
    if reader.twice:
        names = ", ".join(sorted(reader.twice)[:3])
        notice = f"several values at one place, perhaps of several trainings or processes, are left out: {names}"
    return LogCurves(points, notice)


class _Reader:
    """The lines so far."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.restarts = 0
        """How often the log goes back to its beginning."""
        self.twice: set[str] = set()
        """Series that have several values at a place where only one can be."""
        self._parts: set[str] = set()
        """Series whose newest value is of a part of the data."""
        self._place = LogPlace()
        self._first: tuple[float, float] | None = None
        self._first_epoch: float | None = None
        self._shares = False
        self._split: str | None = None
        self._bar: tuple[int, dict[str, float]] | None = None
        self._columns: list[str] | None = None

    def result(self) -> list[Point]:
        """Return the points; a bar that was never finished ends where it stood.

        A log that goes back at its end speaks of an earlier moment there: `Done. Lowest at epoch 2, val_loss 0.4`.
        """
        self._end_bar()
        far = max(map(_key, self.points), default=(0.0, 0.0))
        end = next((at for at in range(len(self.points), 0, -1) if _key(self.points[at - 1]) == far), 0)
        kept = [point for at, point in enumerate(self.points) if at < end or _key(point) == _NOWHERE]
        return [point for point in (_without(point, self.twice) for point in kept) if point.values]

    def add(self, line: str) -> None:
        """Read the next line."""
        text = message_of(line)
        if not text or len(text) > _LONGEST or is_elsewhere(text):
            return
        if (found := object_of(text)) is not None:
            self._end_bar()
            self._add_object(*found)
        elif (columns := header_of(text)) is not None:
            self._columns = columns
        elif not self._add_row(text.split()):
            self._add_text(text)

    def _add_text(self, text: str) -> None:
        said = place_of(text)
        split = split_of(text)
        values = values_of(text, split)
        stated = said.step is not None or said.epoch is not None
        if not stated and (bar := bar_of(text)) is not None and values and split is None:
            self._add_bar(bar.done, bar.whole, values)
            return
        self._end_bar()
        held_out = split not in {None, "train"}
        if stated or (said.share is not None and values and not held_out and self._place.epoch is not None):
            self._place = self._known(said)
            self._split = split
            if values:
                self._emit(self._at(self._place), values)
            return
        # A line without a place belongs to what was said before: to a whole epoch, where it is of held-out data.
        self._split = split or self._split
        if not values or not (self._has_place() or is_summary(text)) or is_of_part(text):
            return
        if self._split not in {None, "train"}:
            if said.share is None:
                values = values if split else values_of(text, self._split)
            else:  # of held-out data only the average counts, when all batches are done
                values = values_of(text, self._split, averages=True) if said.share == 1 else {}
            if not values:
                return
            place = self._place._replace(step=self._place.step if not self._shares else None, share=None)
            self._emit(self._at(place), values, part=said.share is not None)
        else:
            self._emit(self._at(self._place), values, only_new=True)

    def _has_place(self) -> bool:
        return self._place.step is not None or self._place.epoch is not None

    def _known(self, said: LogPlace) -> LogPlace:
        """Return a place with the epoch of the lines before, where it says none itself."""
        self._shares |= said.share is not None
        if said.epoch is not None:
            self._first_epoch = said.epoch if self._first_epoch is None else self._first_epoch
            return said
        return LogPlace(said.step, self._place.epoch, said.share if said.step is None else None)

    def _at(self, place: LogPlace) -> tuple[int | None, float | None]:
        """Return step and epoch of a place: where epochs have parts, how many of them are done."""
        if place.epoch is None or not self._shares:
            return place.step, place.epoch
        begun = place.epoch - (self._first_epoch == 1)
        return None, round(begun + (1 if place.share is None else place.share), 6)

    def _add_object(self, before: str, row: Mapping[str, object]) -> None:
        """Take an object with numbers, such as a line of JSON, or what the Trainer of Transformers prints."""
        numbers = {name: number for name, value in row.items() if (number := number_in(value)) is not None}
        axes = {axis: numbers[name] for name in numbers if (axis := AXES.get(name.lower())) is not None}
        values = {name: value for name, value in numbers.items() if name.lower() not in AXES and is_series(name)}
        step, epoch, _ = place_in(axes, place_of(before))
        if step is None and epoch is None:
            held_out = {name: value for name, value in values.items() if names_split(name, without_train=True)}
            if held_out:
                self._emit((None, None), held_out)
            return
        self._place = LogPlace(step, epoch)
        if values:
            self._emit((step, epoch), values)

    def _add_row(self, cells: list[str]) -> bool:
        """Take a row of a table whose columns a line has named; return whether it is one."""
        if (
            self._columns is None
            or len(cells) != len(self._columns)
            or not cells[0].isascii()
            or not cells[0].isdigit()
        ):
            return False
        numbers = {
            name: number
            for name, cell in zip(self._columns, cells, strict=True)
            if (number := number_in(cell)) is not None
        }
        values = {name: value for name, value in numbers.items() if is_series(name)}
        at = float(cells[0])
        self._place = LogPlace(epoch=at) if AXES[self._columns[0]] == "epoch" else LogPlace(step=int(at))
        if values:
            self._emit((self._place.step, self._place.epoch), values)
        return True

    def _add_bar(self, done: int, whole: int, values: dict[str, float]) -> None:
        """Keep the newest state of a bar: it counts once, when it is full or another line comes."""
        if self._bar is not None and done < self._bar[0]:
            self._end_bar()
        self._bar = (done, values)
        if done >= whole:
            self._end_bar()

    def _end_bar(self) -> None:
        if self._bar is not None:
            values = self._bar[1]
            self._bar = None
            if self._has_place():
                self._emit((self._place.step, self._place.epoch), values)

    def _emit(
        self,
        at: tuple[int | None, float | None],
        values: dict[str, float],
        *,
        only_new: bool = False,
        part: bool = False,
    ) -> None:
        """Add values at a step and epoch; newer ones of the same place replace the older ones.

        Args:
            at: step and epoch.
            values: values by name.
            only_new: keep what is there already.
            part: they are of a part of the data so far.
        """
        step, epoch = at
        key = _key(Point(step=step, epoch=epoch))
        last = self.points[-1] if self.points else None
        if last is not None and (last.step, last.epoch) == at:
            self.twice |= set() if only_new else _differing(last, values) - self._parts
            self._parts = (self._parts - values.keys()) | (values.keys() if part else set())
            joined = {**values, **last.values} if only_new else {**last.values, **values}
            self.points[-1] = Point(step=step, epoch=epoch, values=joined)
            return
        self._parts = set(values) if part else set()
        if self._first is None:
            self._first = key
        elif at != (None, None) and key <= self._first:
            self.restarts += 1
        self.points.append(Point(step=step, epoch=epoch, values=values))


def _key(point: Point) -> tuple[float, float]:
    """Return where a point is, for comparing."""
    return (-1.0 if point.epoch is None else point.epoch, -1.0 if point.step is None else float(point.step))


def _differing(point: Point, values: Mapping[str, float]) -> set[str]:
    """Return the names whose values differ from those of a point, by more than how they are rounded.

    Of a training only the lines within an epoch have several values at a place, and none of them is of held-out data.
    """
    return {
        name
        for name in point.values.keys() & values.keys()
        if (point.step is not None or names_split(name, without_train=True))
        and not math.isclose(point.values[name], values[name], rel_tol=0.01, abs_tol=0.001)
        and not (math.isnan(point.values[name]) and math.isnan(values[name]))
    }


def _without(point: Point, names: set[str]) -> Point:
    if not names & point.values.keys():
        return point
    return replace(point, values={name: value for name, value in point.values.items() if name not in names})
