"""A plugin of pytest that writes down which functions each test calls in its own process, and how long it takes."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import msgspec
import pytest


class Watched(msgspec.Struct, frozen=True):
    """What one test does."""

    seconds: float
    """How long it takes, slowed by being watched."""
    calls: list[tuple[str, int]]
    """The functions that it calls: file, from the root of the checkout, and first line."""


_seen: dict[str, Watched] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--watched", type=Path, required=True, help="The file that is written.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    codes: set[CodeType] = set()

    def notice(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    began = time.monotonic()
    threading.setprofile(notice)
    sys.setprofile(notice)
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # none is what takes it away
        package = str(item.config.rootpath / "ledger") + "/"
        ours = sorted(
            (str(Path(code.co_filename).relative_to(item.config.rootpath)), code.co_firstlineno)
            for code in codes
            if code.co_filename.startswith(package)
        )
        _seen[item.nodeid] = Watched(time.monotonic() - began, ours)


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.getoption("--watched").write_bytes(msgspec.json.encode(_seen))
