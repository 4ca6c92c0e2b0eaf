"""What `run.log` of five metrics costs the training loop, beside one json.dumps and one os.write.

Not called `logging.py`: Python puts a script's folder first, and the standard library needs its own.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import ledger
from ledger.session.spool.draft import read_draft
from ledger.session.spool.spool import event_files, read_events
from tests.benchmarks.measuring import (
    Case,
    Sample,
    cpu_seconds,
    interleaved,
    microseconds,
    run,
    show,
    sized,
    workplace,
)

CALLS = sized(5_000, 50)
"""Calls in one repetition."""
REPETITIONS = sized(9)
NAMES = ("train/loss", "train/accuracy", "validation/loss", "validation/accuracy", "lr")


def repeated(call: Callable[[int], object]) -> Case:
    """Return the case that makes many calls in a row."""

    def work() -> None:
        for step in range(CALLS):
            call(step)

    return lambda _: work


def median_wall(call: Callable[[int], object]) -> float:
    """Return the wall seconds of the call in the middle, each measured alone."""
    seen = []
    for step in range(CALLS):
        before = time.perf_counter_ns()
        call(step)
        seen.append(time.perf_counter_ns() - before)
    return median(seen) * 1e-9


def compare(started: ledger.Run, floor_file: Path) -> None:
    """Measure both in turns and print the table."""
    descriptor = os.open(floor_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def values(step: int) -> dict[str, float]:
        return {name: 1.0 / (step + position + 1) for position, name in enumerate(NAMES)}

    calls: dict[str, Callable[[int], object]] = {
        "run.log": lambda step: started.log(values(step), step=step),
        "json.dumps and os.write": lambda step: os.write(
            descriptor, json.dumps({"step": step, "values": values(step)}).encode() + b"\n"
        ),
        "os.write alone": lambda _: os.write(descriptor, b'{"is":"log","seconds":0.1}\n'),
        "making the five values": values,
    }
    samples: dict[str, Sample] = interleaved({name: repeated(call) for name, call in calls.items()}, REPETITIONS)
    walls = {name: median_wall(call) for name, call in calls.items()}
    os.close(descriptor)
    floor = samples["json.dumps and os.write"].median
    show(
        f"one step of {len(NAMES)} metrics, µs, {REPETITIONS} repetitions of {CALLS:,} calls",
        ("", "median wall", "CPU median", "CPU best", "to json and write"),
        (
            (
                name,
                microseconds(walls[name]),
                microseconds(sample.median / CALLS),
                microseconds(sample.best / CALLS),
                f"{sample.median / floor:.2f}",
            )
            for name, sample in samples.items()
        ),
    )


def tell_reading(spool: Path) -> int:
    """Print what reading the spool back costs, and return how many points it holds."""
    samples = interleaved(
        {
            "read_events": lambda _: lambda: [list(read_events(path)) for path in event_files(spool)],
            "read_draft": lambda _: lambda: read_draft(spool),
        },
        sized(3),
    )
    curves = read_draft(spool).curves
    points = curves.logged if curves else 0
    size = sum(path.stat().st_size for path in spool.glob("events*.jsonl"))
    show(
        f"reading {points:,} points back ({size / points:.0f} bytes each)",
        ("", "CPU ms", "µs a point"),
        (
            (name, f"{sample.median * 1e3:.0f}", microseconds(sample.median / points))
            for name, sample in samples.items()
        ),
    )
    return points


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        repository = folder / "repository"
        repository.mkdir()
        run(["git", "init", "--quiet"], repository)
        run(["git", "commit", "--quiet", "--allow-empty", "--message", "Begin"], repository)
        started = ledger.run("benchmark", folder=repository)
        compare(started, folder / "floor.jsonl")
        points = tell_reading(repository / ".git" / "ledger" / "spool" / started.id)
        before = cpu_seconds()
        started.finish()
        print(f"\nending the run and recording its {points:,} points: {cpu_seconds() - before:.2f} s of CPU")


if __name__ == "__main__":
    main()
