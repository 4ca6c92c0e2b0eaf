"""The lines of a log that report progress: those that recur in one form with other numbers.

The form of a line is its words: numbers, dates, the drawing of a bar and all other signs make no difference. It
reports progress when it holds a number, its form recurs, and it says what of: with a word such as `epoch`, `step`,
`val` or `loss`, with `3/10` or `45%`, or with two fractions, as rows of a table of scores. No framework is known by
name.

All lines of a rare form are kept, and those of frequent ones are thinned evenly, so that the summary has each epoch
and some of the batches. Of lines of one form that name the same epoch only the last is kept.
"""

import re

PROGRESS_LINES = 200
"""Most lines of progress that a summary holds, as many as of the tail."""
_LONGEST = 600
"""Most bytes of a line that reports progress: longer ones print data."""
_FORMS = 32
"""Most recurring forms that are followed; where there are more, the rarest is given up."""
_ONCE = 1_000
"""Most forms that are remembered after one line: as many others may come between two epochs."""
_RECURRING = 3
"""How often a form must be seen to be one that recurs."""
_SHARE = 20
"""Lines that are left to each of the more frequent forms, where there is room."""

_DIGIT = re.compile(rb"\d")
_COUNTED = re.compile(rb"\d ?/ ?\d|\d ?%|\d\.\d[^.]*\d\.\d")
_EPOCH = re.compile(rb"epochs?[^a-z\d]{0,8}(\d+(?:\.\d+)?)")
_LETTERS = bytes(code if bytes([code]).islower() else 32 for code in bytes(range(256)).lower())
"""Turns letters into small ones and everything else into blanks: a tenth of the cost of regular expressions."""
_NUMBERS = {b"nan", b"inf"}

_Line = tuple[int, bytes]
"""Place in the log and text."""


class _Series:
    """Lines of one form: all of them, then every second, every fourth, …, and always the newest."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._newest: _Line | None = None
        self._count = 0
        self._every = 1

    def add(self, line: _Line) -> None:
        """Add its next line."""
        if self._count % self._every == 0:
            self._lines.append(line)
        self._newest = line
        self._count += 1
        if len(self._lines) > 2 * PROGRESS_LINES:
            self._lines, self._every = self._lines[::2], 2 * self._every

    def replace(self, line: _Line) -> None:
        """Put a line in the place of the newest."""
        if self._lines and self._lines[-1] == self._newest:
            self._lines[-1] = line
        self._newest = line

    @property
    def lines(self) -> list[_Line]:
        """The lines that are kept."""
        newest = self._newest
        return self._lines if newest is None or self._lines[-1] == newest else [*self._lines, newest]


class _Form:
    """The lines of one form."""

    def __init__(self) -> None:
        self.count = 0
        self._epoch: bytes | None = None
        self._epochs = 0
        self._all, self._by_epoch = _Series(), _Series()

    def add(self, line: _Line) -> None:
        """Add its next line."""
        self.count += 1
        self._all.add(line)
        if (named := _EPOCH.search(line[1].lower())) is None:
            return  # a batch, or a table of scores
        if named[1] == self._epoch:
            self._by_epoch.replace(line)
        else:
            self._epoch = named[1]
            self._epochs += 1
            self._by_epoch.add(line)

    @property
    def lines(self) -> list[_Line]:
        """The last line of each epoch, where lines name several; else all that are kept."""
        return self._by_epoch.lines if self._epochs >= _RECURRING else self._all.lines


class ProgressLines:
    """Collects the lines that report progress, in bounded memory."""

    def __init__(self) -> None:
        self._forms: dict[bytes, _Form] = {}
        self._once: dict[bytes, _Line] = {}
        self._place = 0

    def add(self, text: bytes) -> None:
        """Examine the next line."""
        self._place += 1
        if len(text) > _LONGEST or (form := _form_of(text)) is None:
            return
        line = self._place, text
        known = self._forms.get(form)
        if known is None:
            if (before := self._once.pop(form, None)) is None:
                self._remember(form, line)
                return
            known = self._begin(form)
            known.add(before)
        known.add(line)

    def lines(self) -> list[bytes]:
        """Return the lines of progress in their order, at most `PROGRESS_LINES`."""
        recurring = [form.lines for form in self._forms.values() if form.count >= _RECURRING]
        chosen: list[_Line] = []
        for number, lines in enumerate(sorted(recurring, key=len)):
            room, others = PROGRESS_LINES - len(chosen), len(recurring) - number - 1
            chosen += _evenly(lines, max(room // (others + 1), room - _SHARE * others))
        return [text for _, text in sorted(chosen)]

    def _remember(self, form: bytes, line: _Line) -> None:
        if len(self._once) >= _ONCE:
            del self._once[next(iter(self._once))]
        self._once[form] = line

    def _begin(self, form: bytes) -> _Form:
        if len(self._forms) >= _FORMS:
            del self._forms[min(self._forms, key=lambda one: self._forms[one].count)]
        made = self._forms[form] = _Form()
        return made


def _evenly(lines: list[_Line], limit: int) -> list[_Line]:
    """Return at most `limit` of the lines, evenly spaced, the newest among them."""
    if len(lines) <= limit:
        return lines
    last, gaps = len(lines) - 1, max(1, limit - 1)
    return [lines[last - last * number // gaps] for number in range(limit)]


def _form_of(line: bytes) -> bytes | None:
    """Return the words of a line; none where it cannot report progress."""
    form = b" ".join([word for word in line.translate(_LETTERS).split() if len(word) > 1 and word not in _NUMBERS])
    if not form or not _DIGIT.search(line):
        return None
    return form if _names_progress(form) or _COUNTED.search(line) else None


def _names_progress(form: bytes) -> bool:
    return (  # a loop over the words takes twice the time
        b"epoch" in form
        or b"step" in form
        or b"iter" in form
        or b"val" in form  # and so `eval`
        or b"loss" in form
        or b"acc" in form
    )
