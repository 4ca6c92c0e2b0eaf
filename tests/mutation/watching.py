"""A plugin of pytest that writes down which lines of what decides each test runs in its own process."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest

from tests.mutation.chosen import PARTS


class Watched(msgspec.Struct, frozen=True):
    """What one test does."""

    seconds: float
    """How long it takes, slowed by being watched."""
    lines: dict[str, list[int]]
    """The lines that it runs, by file from the root of the checkout."""

    @property
    def count(self) -> int:
        """How many lines it runs: the fewer, the more particular it is."""
        return sum(map(len, self.lines.values()))


_seen: dict[str, Watched] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file that is written."""
    parser.addoption("--watched", type=Path, required=True, help="The file that is written.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch one test."""
    root = item.config.rootpath
    watched = {str(path) for part in PARTS.values() for pattern in part.files for path in root.glob(pattern)}
    ran: set[tuple[str, int]] = set()

    def line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            ran.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, _: str, __: object) -> Any:
        return line if frame.f_code.co_filename in watched else None

    began = time.monotonic()
    threading.settrace(call)
    sys.settrace(call)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        lines: dict[str, list[int]] = {}
        for file, number in sorted(ran):
            lines.setdefault(str(Path(file).relative_to(root)), []).append(number)
        _seen[item.nodeid] = Watched(time.monotonic() - began, lines)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was seen."""
    session.config.getoption("--watched").write_bytes(msgspec.json.encode(_seen))
