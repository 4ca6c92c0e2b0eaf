"""Plays a page of the handbook in a terminal, in a real repository, and finds what does not print what stands there.

A page holds files (```` ```python title="train.py" ````) and consoles (```` ```console ````): lines that begin with
`$ ` are typed, what follows is what they print. What differs each time is compared by its kind and its order alone: ids
of runs, commits, times, seconds, money, the number of pages of a site, the folder. Runs of blanks count as one blank,
since columns are as wide as their cells, and progress bars are left out. A line `…` stands for any number of lines. A
command that fails must be followed by `$ echo $?`.
"""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

HOME = "/home/ada"
"""What the page calls the folder in which it is played."""
_COLUMNS = 100
_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b\d{8}-\d{6}-[0-9a-hjkmnp-tv-z]{6}\b")
_PATIENT = """#!/bin/bash
sleep "$(printf '0.%09d' $(((1000000000 - 10#$(date +%N)) % 1000000000)))"
exec "{python}" "$@"
"""
"""A `python` that begins in a second of its own: ids of runs that begin in one second come in any order, and with them
all that goes by the newest run."""
_BAR = re.compile("^.*━━.*\n\n?", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_KINDS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z)?"), "TIME"),
    (re.compile(r"<?\b\d+(\.\d+)?(e-\d+)? (USD|EUR)\b"), "MONEY"),
    (re.compile(r"\b(\d+ (d|h|min) )?\d+(\.\d+)? (ms|s|min|h)\b"), "SECONDS"),
    (re.compile(r"(?<![:\w-])[0-9a-f]{7,40}(?![\w-])…?"), "COMMIT"),
    (re.compile(r"\b\d+ pages\b"), "PAGES"),  # of a site: with each page of the handbook there is one more
    (re.compile("─+"), "─"),
    (re.compile(r"[ \t]+"), " "),
)
"""What differs each time, and what stands for it."""


class Step(NamedTuple):
    """A file to write, or a command to type, as it stands on a page."""

    start: int
    """Where its text begins on the page: that of the file, or what the command prints."""
    end: int
    """Where it ends."""
    command: str | None = None
    """What is typed; none for a file."""
    path: str | None = None
    """The file; none for a command."""


class Difference(NamedTuple):
    """A command that did not print what stands on the page."""

    step: Step
    expected: str
    """What stands on the page."""
    printed: str
    """What it printed, with the names that the page has for its runs."""


def steps_of(page: str) -> Iterator[Step]:
    """Yield what a page writes and types, in order."""
    for block in _BLOCK.finditer(page):
        if block[2] is not None:
            yield Step(block.start(3), block.end(3), path=block[2])
        elif block[1] == "console":
            yield from _commands(block[3], block.start(3))


def _commands(text: str, start: int) -> Iterator[Step]:
    typed: list[str] = []
    begun = at = start
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            if typed:
                yield Step(begun, at, command="\n".join(typed))
            typed, begun = [line[2:].rstrip("\n")], at + len(line)
        elif typed and begun == at and (typed[-1].endswith("\\") or line.startswith("> ")):
            typed.append(line.rstrip("\n").removeprefix("> "))
            begun = at + len(line)
        at += len(line)
    if typed:
        yield Step(begun, at, command="\n".join(typed))


class Names:
    """What runs are called on the page and here: the first that the page names is the first that is recorded here."""

    def __init__(self) -> None:
        self.ours: list[str] = []
        self.theirs: list[str] = []

    def learn(self, theirs: str, ours: str) -> None:
        for known, text in ((self.theirs, theirs), (self.ours, ours)):
            known += [name for name in dict.fromkeys(_ID.findall(text)) if name not in known]

    def to_ours(self, text: str) -> str:
        return _renamed(text, dict(zip(self.theirs, self.ours, strict=False)))

    def to_theirs(self, text: str) -> str:
        return _renamed(text, dict(zip(self.ours, self.theirs, strict=False)))


def _renamed(text: str, names: Mapping[str, str]) -> str:
    every = {**names, **{old[16:]: new[16:] for old, new in names.items()}}
    if not every:
        return text
    return re.sub("|".join(sorted(map(re.escape, every), key=len, reverse=True)), lambda found: every[found[0]], text)


def play(page: str, home: Path) -> Iterator[Difference]:
    """Play a page in an empty folder, and yield each difference.

    Raises:
        AssertionError: a command failed, and the page does not ask for its exit code.
    """
    names, folder, code = Names(), home, 0
    patient = home / ".bin" / "python"
    patient.parent.mkdir(exist_ok=True)
    patient.write_text(_PATIENT.format(python=sys.executable))
    patient.chmod(0o755)
    steps = list(steps_of(page))
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        text = page[step.start : step.end]
        if step.path is not None:
            (folder / step.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.path).write_text(text, "utf-8")
            continue
        assert step.command is not None
        if step.command.startswith("cd "):
            folder = folder / step.command.removeprefix("cd ")
            continue
        code, printed = _type(f"(exit {code}); {names.to_ours(step.command)}", folder, patient.parent)
        printed = printed.replace(str(home), HOME)
        asked = after is not None and after.command == "echo $?"
        assert code == 0 or asked, f"{step.command}: exit code {code}\n{printed}"
        names.learn(text, printed)
        printed = names.to_theirs(printed)
        if not _alike(text, printed):
            yield Difference(step, text, shortened(printed, text))


def _type(command: str, folder: Path, first: Path) -> tuple[int, str]:
    """Run a command in a terminal of its own, programs of `first` before others; return its exit code and the text."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (50, _COLUMNS))
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(first), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TERM": "dumb",
        "COLUMNS": str(_COLUMNS),
        "LINES": "50",
        "LC_ALL": "C.UTF-8",
    }
    with subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ) as process:
        os.close(its)
        said = b"".join(_read(ours))
    os.close(ours)
    text = _BAR.sub("", _ANSI.sub("", said.decode()).replace("\r\n", "\n"))
    lines = (line.rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return process.returncode, "\n".join(lines).strip("\n") + "\n" if text.strip() else ""


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux says so where the other end was closed
            return
        if not data:
            return
        yield data


def _alike(expected: str, printed: str) -> bool:
    return _matches(_plain(expected), _plain(printed))


def _plain(text: str) -> list[str]:
    for kind, name in _KINDS:
        text = kind.sub(name, text)
    return [line.strip() for line in text.strip().splitlines()]


def _matches(expected: Sequence[str], printed: Sequence[str]) -> bool:
    if not expected:
        return not printed
    if expected[0] == "…":
        return any(_matches(expected[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and expected[0] == printed[0] and _matches(expected[1:], printed[1:])


def shortened(printed: str, expected: str) -> str:
    """Return what was printed, left out between the same lines as on the page where both are there."""
    lines, wanted = printed.splitlines(), expected.splitlines()
    at = 0
    for number, line in enumerate(wanted):
        if line != "…":
            continue
        before = next((one for one in reversed(wanted[:number]) if one.strip()), None)
        after = next((one for one in wanted[number + 1 :] if one.strip()), None)
        begin = at if before is None else _find(lines, before, at) + 1
        end = len(lines) if after is None else _find(lines, after, begin)
        if 0 < begin < end:
            lines[begin:end] = ["", "…"] if after is None else ["", "…", ""]
            at = begin + 2
    return "".join(f"{line}\n" for line in lines)


def _find(lines: Sequence[str], wanted: str, start: int) -> int:
    """Return where a line stands, as far as such lines can be compared; -1 where it does not."""
    plain = _plain(wanted)
    return next((at for at in range(start, len(lines)) if _plain(lines[at]) == plain), -1)


def rewritten(page: str, differences: Sequence[Difference]) -> str:
    """Return the page with what its commands print now."""
    for difference in sorted(differences, key=lambda one: one.step.start, reverse=True):
        page = page[: difference.step.start] + difference.printed + page[difference.step.end :]
    return page
