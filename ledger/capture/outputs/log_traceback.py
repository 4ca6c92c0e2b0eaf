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
"""Bytes at the end of a log that are read: the traceback of a failure is among the last things that Python prints."""
_START = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "([^"]{1,1000})", line (\d{1,9}), in (\S{1,200})')
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,100}(?:Error|Exception|Interrupt|Exit|Warning)?(?::(?: |$)|$)")
_CAUSED = "The above exception was the direct cause of the following exception:"
"""Between two tracebacks of one `raise … from …`. One that was handled while the next was raised is no cause."""
_LAUNCHERS = re.compile(r"torch\.distributed\.elastic\.\S{1,100}\.ChildFailedError:|subprocess\.CalledProcessError: ")
"""Exceptions of what started the training, printed after its own because it failed."""
_TOPS = {"<module>", "_run_module_as_main"}
"""Where a traceback begins that nobody caught; one of a thread, or of an `except` in a function, begins deeper."""
_OF_PROCESS = re.compile(r"-- Process \d{1,6} terminated with the following error:")
"""The line before the traceback of a process that `torch.multiprocessing.spawn` started: its parent dies of it."""
_HYDRA = "Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace."
"""What Hydra prints, and exits, after a traceback from which it took the frames of its own."""
_IGNORED = "Exception ignored in"
"""Begins the line before the traceback of an exception in a destructor, as the interpreter shuts down."""
_RANK = re.compile(r"\[(?:rank|default)?\d{1,6}\]:\s?")
_AT_EXIT = re.compile(
    r"|[WEI]\d{4} [\d:.]{5,20} \d+ \S*torch[/\\]distributed[/\\]\S+\] .*"
    r"|(?:WARNING|ERROR|INFO):torch\.distributed\.\S+:.*"
    r"|\[[\d\-: ,]{10,30}\] torch\.distributed\.\S+: \[(?:WARNING|ERROR|INFO)\] .*"
    r"|\[[\d\-: ,]{10,30}\] \[(?:ERROR|INFO)\] \[launch\.py:\d+:\S+\] .*"
    r"|\[[WE][\d :.]{5,40} ProcessGroup\w*\.cpp:\d+\] .*"
    r"|srun: (?:error: .* Exited with exit code \d+|Terminating .*|launch/.*)"
    r"|wandb:(?! (?:WARNING|ERROR)).*"
    r"|\S*resource_tracker(?:\.py)?:.*"
    r"|\s+warnings\.warn\(.*"
    rf"|{re.escape(_HYDRA)}|{re.escape(_IGNORED)}\b.*"
)
"""Lines that are known to follow the exception that ends a process: of launchers, trackers and the interpreter."""
_OF_TABLE = re.compile(
    r"={10,}|-{10,}|\S+ FAILED|Failures:|\s*<NO_OTHER_FAILURES>|Root Cause \(first observed failure\):|\[\d+\]:"
    r"|\s+(?:time|host|rank|exitcode|error_file|traceback)\s*: .*"
)
"""Lines of the table that torchrun prints below its own exception."""
_BAR = re.compile(r".{0,80}?\b(\d{1,3})%\|.{0,400}?(\d{1,12}/\d{1,12})")
"""A progress bar of tqdm, which is printed once more as the exception leaves its loop."""
_TORCH = re.compile(r"[/\\]torch[/\\]")
_LAYERS = re.compile(r"[/\\]torch[/\\]nn[/\\]modules[/\\](\w+)\.py$")
_KINDS = {
    "activation": "an activation or attention layer",
    "batchnorm": "a batch normalization",
    "conv": "a convolution",
    "instancenorm": "an instance normalization",
    "linear": "a linear layer",
    "loss": "a loss",
    "normalization": "a normalization layer",
    "padding": "a padding layer",
    "pooling": "a pooling layer",
    "rnn": "a recurrent layer",
    "sparse": "an embedding",
    "transformer": "a transformer layer",
    "upsampling": "an upsampling layer",
}
"""What users call the layers of a file of `torch.nn.modules`."""
_CALL = {"_wrapped_call_impl", "_call_impl", "__call__"}
"""Functions of torch that stand between a line that calls a layer and the layer's own `forward`."""
_MARKS = re.compile(r"\s*([~^]+)\s*")
_CALLED = re.compile(r"((?:[A-Za-z_]\w{0,80}(?:\[[^\[\]]{1,40}\])?\.)*[A-Za-z_]\w{0,80}(?:\[[^\[\]]{1,40}\])?)\(")
_LONGEST = 160
"""Most characters of a line of source."""
_MESSAGE = 300
_MOST = 20
"""Most tracebacks, and causes of one, that are looked at, the last first."""


class _Frame(NamedTuple):
    file: str
    line: str
    function: str
    source: str
    part: str | None
    """The part of the source that was at work, which Python marks below it; none where nothing is marked."""


class _Traceback(NamedTuple):
    frames: list[_Frame]
    error: str
    first: int
    """Number of the line with which it begins."""
    last: int
    """Number of the line with its exception."""


def failing_layer_in_log(log: Path, folder: Path) -> str | None:
    """Return the exception about shapes that ended a training, and the call of a layer that it came from.

    None where the log does not end with its traceback, apart from lines that are known to follow one, or it was
    handled: what is printed after it is then the reason. None too where the log cannot be read; never raises.

    Args:
        log: what the command printed.
        folder: folder that it ran in, to which paths of its files are shown relative.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = [clean(line) for line in file.read(_TAIL).splitlines()]
    except OSError:
        return None
    found = list(_tracebacks(lines))
    place = _fatal(lines, found)
    errors: list[str] = []
    while place is not None:
        errors.append(found[place].error[:_MESSAGE])
        if layer := _described(found[place], folder):
            return f"{', raised from '.join(errors)}; by the traceback in its log, {layer}"
        caused = place > 0 and len(errors) < _MOST and _is_cause(lines, found[place - 1], found[place])
        place = place - 1 if caused else None
    return None


def _fatal(lines: Sequence[str], found: Sequence[_Traceback]) -> int | None:
    """Return which traceback is that of the exception that ended the training; none where it cannot be known."""
    end = len(lines)
    for place in range(len(found) - 1, max(-1, len(found) - 1 - _MOST), -1):
        one = found[place]
        after = [_RANK.sub("", line, count=1) for line in lines[one.last + 1 : end]]
        launcher = _LAUNCHERS.match(one.error) is not None
        bars = [match for line in after if (match := _BAR.match(line))]
        went_on = len({match.group(2) for match in bars}) > 1 or any(match.group(1) == "100" for match in bars)
        if went_on or not all(_is_at_exit(line, launcher=launcher) for line in after):
            return None
        before = lines[one.first - 1] if one.first else ""
        if launcher or before.startswith(_IGNORED):
            end = one.first
            continue
        uncaught = bool(one.frames) and one.frames[0].function in _TOPS
        return place if uncaught or _HYDRA in after or _OF_PROCESS.fullmatch(before) else None
    return None


def _is_at_exit(line: str, *, launcher: bool) -> bool:
    """Return whether a line is known to be printed after the exception that ends a process."""
    patterns = (_AT_EXIT, _OF_TABLE) if launcher else (_AT_EXIT,)
    return any(pattern.fullmatch(line) for pattern in patterns) or _BAR.match(line) is not None


def _is_cause(lines: Sequence[str], one: _Traceback, following: _Traceback) -> bool:
    """Return whether the exception of a traceback is what that of the next one was raised from."""
    between = [_RANK.sub("", line, count=1) for line in lines[one.last + 1 : following.first]]
    return [line for line in between if line] == [_CAUSED]


def _tracebacks(lines: Sequence[str]) -> Iterator[_Traceback]:
    """Yield every whole traceback, in the order in which they were printed."""
    place = 0
    while place < len(lines):
        at = lines[place].find(_START)
        place += 1
        if at < 0:
            continue
        first, prefix = place - 1, lines[place - 1][:at]  # such as `[rank0]: `
        if place < len(lines) and _without(prefix, lines[place]) is None:
            prefix = ""  # a progress bar, whose line had no end yet
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
            yield _Traceback(frames, error, first, place)


def _source(below: Sequence[str]) -> tuple[str, str | None]:
    """Return the line of source below that of a frame, and the part of it that the next line marks."""
    if not below or not below[0][:1].isspace() or _FRAME.match(below[0]):
        return "", None
    marks = _MARKS.fullmatch(below[1]) if len(below) > 1 else None
    return below[0].strip(), below[0][marks.start(1) : marks.end(1)].strip() if marks else None


def _without(prefix: str, line: str) -> str | None:
    """Return a line without the prefix of its traceback; none for a line of something else."""
    if line.startswith(prefix):
        return line[len(prefix) :]
    return "" if line == prefix.rstrip() else None


def _described(one: _Traceback, folder: Path) -> str | None:
    """Return the innermost line outside of torch that was in `forward`, or called a layer, and which layer."""
    if not is_about_shapes(one.error):
        return None
    marks = any(frame.part is not None for frame in one.frames)
    for place in range(len(one.frames) - 1, -1, -1):
        frame = one.frames[place]
        if marks and frame.part is None:
            frame = frame._replace(part=frame.source)  # Python marks nothing where it would mark the whole line
        inner = one.frames[place + 1 :]
        if _TORCH.search(frame.file):
            continue
        calls = bool(inner) and inner[0].function in _CALL and _TORCH.search(inner[0].file) is not None
        if calls or frame.function == "forward":
            where = f"{_shown(frame.file, folder)}, line {frame.line}, in {frame.function}: `{frame.source[:_LONGEST]}`"
            return f"{_layer(frame, inner) if calls else _itself(inner)} {where}"
    return None


def _itself(inner: Sequence[_Frame]) -> str:
    """Return what failed in a line of `forward` that calls no layer."""
    helped = any(not _TORCH.search(one.file) for one in inner)
    return "in what this line of the forward pass calls:" if helped else "in the forward pass itself, at"


def _layer(frame: _Frame, inner: Sequence[_Frame]) -> str:
    """Return the layer that a line calls, by the marked part of its source, and what failed inside of it."""
    called = _called(frame)
    if any(not _TORCH.search(one.file) for one in inner):  # a hook, or a function that torch was given
        return f"in other code that the call of {f'`{called}`' if called else 'a layer'} runs, called at"
    calls = [place for place, one in enumerate(inner) if one.function == "_call_impl"]
    forwards = [one for one in inner[calls[-1] if calls else 0 :] if one.function == "forward"]
    kind = _KINDS.get(match.group(1)) if forwards and (match := _LAYERS.search(forwards[-1].file)) else None
    if len(calls) > 1:
        inside = f"inside, in {kind}" if kind else "inside"
        return f"the call of {f'`{called}`' if called else 'one of the layers of this line'} failed {inside}, called at"
    of_kind = f" ({kind})" if kind else ""
    return f"in layer `{called}`{of_kind}, called at" if called else f"in one of the layers of this line{of_kind}:"


def _called(frame: _Frame) -> str | None:
    """Return what a line calls: what is marked, or the only call of a line without marks; none where it is unclear."""
    if frame.part is not None:
        match = _CALLED.match(frame.part)
        return match.group(1) if match and _closed(frame.part, match.end()) in {len(frame.part), None} else None
    calls = list(_CALLED.finditer(frame.source))
    if len(calls) != 1:
        return None
    end = _closed(frame.source, calls[0].end())
    return None if end is not None and frame.source[end : end + 1] in {"(", "["} else calls[0].group(1)


def _closed(text: str, start: int) -> int | None:
    """Return the place after the bracket that closes the one before `start`; none where it is on another line."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if not depth:
            return place + 1
    return None


def _shown(file: str, folder: Path) -> str:
    """Return the path of a file of the training: relative to its folder, else the name alone."""
    path = Path(file)
    if path.is_absolute():
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
    return file
