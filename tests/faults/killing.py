"""Kills processes as crashes and machines do: with SIGKILL, and all of them, or only one of a family."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tests.conftest import ROOT

Manner = Literal["everything", "parent", "git"]
_TAG = "FAULT_FAMILY"
"""Variable that all processes of a family inherit, git's and those of a remote included."""
_PATIENCE_SECONDS = 10.0


def start(family: str, work: str, folder: Path, first: int, promises: Path) -> "subprocess.Popen[str]":
    """Start a victim and return when it has begun to write."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim", work, str(folder), str(first), str(promises)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), _TAG: family},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def kill(process: "subprocess.Popen[str]", family: str, manner: Manner) -> None:
    """Kill a family as `manner` says; whoever is left of it afterwards lives."""
    if manner == "git":
        _kill_a_child(process.pid)
        return
    if manner == "everything":
        os.killpg(process.pid, signal.SIGKILL)
        kill_family(family)
    _reap(process)


def end(process: "subprocess.Popen[str]", family: str) -> None:
    """Let what is left of a family finish, but the victim itself, and return when nobody is left."""
    _reap(process)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(_family(family)):
        if time.monotonic() > deadline:
            kill_family(family)
        time.sleep(0.005)


def _reap(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait(_PATIENCE_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def kill_family(family: str) -> None:
    """Kill everybody who inherited the tag, and whoever they start meanwhile."""
    while pids := list(_family(family)):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _family(family: str) -> Iterator[int]:
    wanted = f"{_TAG}={family}\0".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # gone meanwhile, or somebody else's
                if wanted in (folder / "environ").read_bytes() + b"\0":
                    yield int(folder.name)


def _kill_a_child(pid: int) -> None:
    """Kill one git process that the victim runs now, or one that this one runs."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        below = list(_below(pid))
        if below:
            with suppress(ProcessLookupError):
                os.kill(random.choice(below), signal.SIGKILL)  # noqa: S311  # no secret
            return


def _below(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _below(int(child))
