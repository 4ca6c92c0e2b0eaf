"""The failing layer in the log of a training that nobody edited: read from the traceback that Python printed.

Only text is read: the objects are gone. What it says is a guess from the lines of the source, and is called that.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.capture.outputs.failing_layer import is_about_shapes
from ledger.capture.outputs.log_lines import clean

_TAIL = 256 << 10
"""Bytes at the end of a log that are read: the traceback of a failure is the last thing that Python prints."""
_START = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "([^"]{1,1000})", line (\d{1,9}), in (\S{1,200})')
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,100}(?:Error|Exception|Interrupt|Exit|Warning)?(?:: |$)")
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_LAUNCHERS = re.compile(r"torch\.distributed\.elastic|ChildFailedError|subprocess\.CalledProcessError|SystemExit")
"""Exceptions of what started the training, printed after its own."""
_TORCH = re.compile(r"[/\\]torch[/\\]")
_CALL = {"_wrapped_call_impl", "_call_impl", "__call__"}
"""Functions of torch that stand between a line that calls a layer and the layer's own `forward`."""
_MARKS = re.compile(r"\s*([~^]+)\s*")
_CALLED = re.compile(r"((?:[A-Za-z_]\w{0,80}(?:\[[^\[\]]{1,40}\])?\.)*[A-Za-z_]\w{0,80}(?:\[[^\[\]]{1,40}\])?)\(")
_LONGEST = 160
"""Most characters of a line of source."""
_MESSAGE = 300
_MOST = 20
"""Most tracebacks that are looked at, the last first."""


class _Frame(NamedTuple):
    file: str
    line: str
    function: str
    source: str
    part: str
    """The part of the source that was at work, which Python marks below it; the whole where nothing is marked."""


class _Traceback(NamedTuple):
    frames: list[_Frame]
    error: str
    chained: bool
    """Whether it is the cause of the one after it."""


def failing_layer_in_log(log: Path, folder: Path) -> str | None:
    """Return the exception about shapes that ended a training, and the call of a layer that it came from.

    None where the log ends with no such traceback, or cannot be read; never raises.

    Args:
        log: what the command printed.
        folder: folder that it ran in, to which paths of its files are shown relative.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = [clean(line) for line in file.read(_TAIL).split(b"\n")]
    except OSError:
        return None
    last = True
    for one in list(_tracebacks(lines))[: -_MOST - 1 : -1]:
        if not (last or one.chained):
            return None  # it was printed before the end, so that the training went on
        if said := _described(one, folder):
            return said
        last = _LAUNCHERS.search(one.error) is not None
    return None


def _tracebacks(lines: Sequence[str]) -> Iterator[_Traceback]:
    """Yield every whole traceback, in the order in which they were printed."""
    place = 0
    while place < len(lines):
        at = lines[place].find(_START)
        place += 1
        if at < 0:
            continue
        prefix = lines[place - 1][:at]  # such as `[rank0]: `
        frames: list[_Frame] = []
        while place < len(lines) and (text := _without(prefix, lines[place])) is not None:
            if text and not text[0].isspace():
                break
            if match := _FRAME.match(text):
                below = [_without(prefix, line) or "" for line in lines[place + 1 : place + 3]]
                file, line, function = match.groups()
                source, part = _source(below)
                frames.append(_Frame(file, line, function, source, part))
            place += 1
        error = (_without(prefix, lines[place]) or "") if place < len(lines) else ""
        if _ERROR.match(error):
            after = [_without(prefix, line) or "" for line in lines[place + 1 : place + 4]]
            yield _Traceback(frames, error, chained=any(line.strip() in _CHAINED for line in after))


def _source(below: Sequence[str]) -> tuple[str, str]:
    """Return the line of source below that of a frame, and the part of it that the next line marks."""
    if not below or not below[0][:1].isspace() or _FRAME.match(below[0]):
        return "", ""
    marks = _MARKS.fullmatch(below[1]) if len(below) > 1 else None
    part = below[0][marks.start(1) : marks.end(1)] if marks else below[0]
    return below[0].strip(), part.strip()


def _without(prefix: str, line: str) -> str | None:
    """Return a line without the prefix of its traceback; none for a line of something else."""
    if line.startswith(prefix):
        return line[len(prefix) :]
    return "" if line == prefix.rstrip() else None


def _described(one: _Traceback, folder: Path) -> str | None:
    """Return the exception and the innermost line outside of torch that was in `forward`, or called a layer."""
    if not is_about_shapes(one.error):
        return None
    for place in range(len(one.frames) - 1, -1, -1):
        frame = one.frames[place]
        inner = one.frames[place + 1 :]
        if _TORCH.search(frame.file):
            continue
        calls = bool(inner) and inner[0].function in _CALL and _TORCH.search(inner[0].file) is not None
        if calls or frame.function == "forward":
            where = f"{_shown(frame.file, folder)}, line {frame.line}, in {frame.function}: `{frame.source[:_LONGEST]}`"
            what = f"{_layer(frame, inner)}, called at" if calls else "in the forward pass itself, at"
            return f"{one.error[:_MESSAGE]}; by the traceback in its log, {what} {where}"
    return None


def _layer(frame: _Frame, inner: Sequence[_Frame]) -> str:
    """Return the layer that a line calls, by the marked part of its source, and the file of torch that failed."""
    names = {match.group(1) for match in _CALLED.finditer(frame.part)}
    first = _CALLED.match(frame.part)
    called = first.group(1) if first else next(iter(names)) if len(names) == 1 else None
    deepest = next((one for one in reversed(inner) if one.function == "forward"), None)
    kind = re.split(r"[/\\]", deepest.file)[-1].removesuffix(".py") if deepest else ""
    of_torch = f" ({kind} of torch)" if kind else ""
    return f"in layer `{called}`{of_torch}" if called else f"in one of the layers of this line{of_torch}"


def _shown(file: str, folder: Path) -> str:
    """Return the path of a file of the training: relative to its folder, else the name alone."""
    path = Path(file)
    if path.is_absolute():
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
    return file
