"""How the benchmarks measure: CPU seconds, interleaved, shown as ratios. Nothing here ever fails on a time.

Wall time on a shared machine says little: CPU seconds (user and system, children included) and the
ratio of two things measured in turns say what a change did.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from tests.leftovers import at_work_in

Case = Callable[[int], Callable[[], object]]
"""Prepares repetition number n, unmeasured, and returns the work to measure."""


QUICK = "--quick" in sys.argv[1:]
"""Whether a benchmark only shows that it still works: everything small and once, and no limit is judged."""


def sized(full: int, quick: int = 1) -> int:
    """Return how much or how often is measured."""
    return quick if QUICK else full


def options_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="Everything small and once; no limit is judged.")
    return parser


class Sample(NamedTuple):
    """What one case cost over all repetitions."""

    cpu: list[float]
    """CPU seconds of each repetition."""
    wall: list[float]
    """Wall seconds of each repetition."""

    @property
    def median(self) -> float:
        """The CPU seconds in the middle."""
        return median(self.cpu)

    @property
    def best(self) -> float:
        """The fewest CPU seconds."""
        return min(self.cpu)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of every child that was waited for."""
    return own_seconds() + child_seconds()


def own_seconds() -> float:
    """Return the CPU seconds of this process alone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def child_seconds() -> float:
    """Return the CPU seconds of every child that was waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interleaved(cases: Mapping[str, Case], repetitions: int) -> dict[str, Sample]:
    """Measure the cases in turns, so that load on the machine falls on all of them; one warm-up is thrown away."""
    samples = {name: Sample([], []) for name in cases}
    warm = 0 if QUICK else 1
    for repetition in range(repetitions + warm):
        for name, prepare in cases.items():
            work = prepare(repetition)
            wall, cpu = time.perf_counter(), cpu_seconds()
            work()
            cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
            if repetition >= warm:
                samples[name].cpu.append(cpu)
                samples[name].wall.append(wall)
    return samples


def command(arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Case:
    """Return the case that runs one command in a folder and fails when the command does."""

    def prepare(_: int) -> Callable[[], object]:
        return lambda: run(arguments, folder, environment)

    return prepare


def run(
    arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, stdin: bytes = b""
) -> bytes:
    """Run a command and return what it prints.

    Raises:
        RuntimeError: it exits with an error; what it said is the message.
    """
    done = subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds with what digits a measurement has."""
    return f"{seconds * 1e3:.1f}"


def microseconds(seconds: float) -> str:
    """Return seconds as microseconds with what digits a measurement has."""
    return f"{seconds * 1e6:.2f}"


def verdict(value: float, limit: float) -> str:
    """Say whether a limit is kept; a benchmark tells, it never fails."""
    if QUICK:
        return "not judged"
    return "kept" if value <= limit else "MISSED"


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print one small table: the first column is text, the others stand to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    print(f"\n{title}")
    for line in lines:
        first, *rest = line
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    sys.stdout.flush()


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder to work in and a quiet world; wait for who still works there before it goes.

    A hook of a server starts its builder as nobody's child, which may write when all is measured.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-benchmark-") as name:
        quiet_world(Path(name) / "home")
        yield Path(name)
        psutil.wait_procs(list(at_work_in([Path(name)])), timeout=60)


def quiet_world(home: Path) -> None:
    """Keep the user's git configuration and environment out of the numbers, and the numbers out of theirs."""
    for name in list(os.environ):
        # Without byte code every start compiles the package anew, which no installed program does.
        if name.startswith(("GIT_", "LEDGER_", "DVC_")) or name == "PYTHONDONTWRITEBYTECODE":
            del os.environ[name]
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n",
        encoding="utf-8",
    )
    os.environ |= {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_STATE_HOME": str(home / "state"),
    }
