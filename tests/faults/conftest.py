"""The figures of all faults of a session, printed at its end; `make faults` asks for the large numbers."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.faults.account import Figures
from tests.serve.servers import serve, serve_in

__all__ = ["serve", "serve_in"]

KILLS = int(os.environ.get("FAULT_KILLS", "30"))
"""Kills of a whole session; 30 for `make test`."""
SEED = int(os.environ.get("FAULT_SEED", time.time_ns() % 1_000_000))
"""Of moments and manners: FAULT_SEED does the same again, as far as the machine does."""

_FIGURES = pytest.StashKey[dict[str, Figures]]()
_SAID = {
    "damaged": "fsck errors",
    "left_locked": "locks left by a kill",
    "stale_locks": "stale locks after the next command",
    "repairs": "commands that needed a repair",
}


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """The figures of one test; they must be clean at its end."""
    made = Figures()
    started = time.monotonic()
    yield made
    made.seconds = time.monotonic() - started
    kept = request.config.stash.setdefault(_FIGURES, {})
    kept[request.node.name] = made
    assert made.clean, (made, f"FAULT_SEED={SEED}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was done to the store, and what became of it."""
    kept = config.stash.get(_FIGURES, {})
    if not kept:
        return
    total = Figures()
    terminalreporter.section("figures of the faults")
    for made in kept.values():
        total.add(made)
    for each in fields(Figures):
        value = getattr(total, each.name)
        shown = f"{value:.0f}" if isinstance(value, float) else str(value)
        terminalreporter.write_line(f"{_SAID.get(each.name, each.name):<36}{shown:>7}")
    terminalreporter.write_line(f"{'seed':<36}{SEED:>7}")


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small disk of memory on a folder; skip where that is not allowed."""
    import subprocess

    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    with mounted(tmp_path / "disk", 4) as folder:
        yield folder
