"""What a run pays for what is found by itself: `ledger run -- true` with the search and without, files, logs, lines."""

import sys
from collections.abc import Callable
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from ledger.capture.harvest.findings import find
from ledger.capture.harvest.known_files import NAMES, check_formats
from ledger.capture.harvest.left_files import find_left_files
from ledger.capture.harvest.log_curves import read_log_curves
from ledger.capture.harvest.search import TrainingPlace
from tests.benchmarks.measuring import (
    command,
    cpu_seconds,
    interleaved,
    milliseconds,
    run,
    show,
    sized,
    verdict,
    workplace,
)

REPETITIONS = sized(15)
LIMIT_MORE = 0.020
"""Most CPU seconds more than without the search."""
FILES = sized(50_000, 200)
SCALARS = sized(1_000_000, 2_000)
LIMIT_MILLION = 3.0
LINES = sized(200_000, 200)
LIMIT_LINE = 100e-6
"""Most CPU seconds for a line of a log, whatever stands in it."""
LIMIT_LONG = 0.01
"""Most CPU seconds for a line of 2,000 characters that was made to be slow."""
LOGS: dict[str, Callable[[int], str]] = {
    "values in each line": lambda n: f"2026-01-01 00:00:00,123 INFO train: step {n} loss {1 / (n + 1):.5f} lr 1e-4\n",
    "words like metrics": lambda n: (
        f"loading item {n} of iterator from /data/x/y/z/{n}.jpg with size 224x224 accessed\n"
    ),
    "nothing": lambda n: f"2026-01-01 00:00:00,123 INFO mod.file: request {n} done in {n % 7} ms\n",
}
SLOW = (" ", "1", "1,", "1/", "a ", "a/", "[ ", "- ", "is ", "step ", "epoch 1/", "INFO ", '{"a":')
"""What a line repeats, so that a pattern would try everything."""


def start_of_runs(folder: Path) -> None:
    """Measure `ledger run -- true` in a small repository."""
    (folder / "src").mkdir(parents=True)
    for number in range(50):
        (folder / "src" / f"{number}.py").write_text("print('training')\n", encoding="utf-8")
    run(["git", "init", "--quiet"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Begin"], folder)
    line = [sys.executable, "-m", "ledger", "run", "--harvest"]
    samples = interleaved(
        {choice: command([*line, choice, "--", "true"], folder) for choice in ("off", "auto")}, REPETITIONS
    )
    show(
        f"`ledger run -- true`, CPU ms of {REPETITIONS} repetitions",
        ("--harvest", "median", "best"),
        ((name, milliseconds(sample.median), milliseconds(sample.best)) for name, sample in samples.items()),
    )
    more = samples["auto"].median - samples["off"].median
    print(f"more: {milliseconds(more)} ms, at most {milliseconds(LIMIT_MORE)}: {verdict(more, LIMIT_MORE)}")


def many_files(folder: Path) -> float:
    """Return the CPU seconds of a look through many files."""
    for number in range(FILES):
        if number % 500 == 0:
            (folder / f"{number // 500}").mkdir(parents=True)
        (folder / f"{number // 500}" / f"{number}.csv").touch()
    began = cpu_seconds()
    find_left_files([folder], NAMES, 0.0, 1.0)
    return cpu_seconds() - began


def event_files(folder: Path) -> float:
    """Return the CPU seconds for a million scalars of event files."""
    with SummaryWriter(str(folder)) as writer:
        for step in range(SCALARS):
            writer.add_scalar(f"series {step % 5}", 1 / (step + 1), step // 5)
    began = cpu_seconds()
    found = find(TrainingPlace(folder=folder, begun=0.0, ended=1e12), check_formats("tfevents"), ["curves"])
    spent = cpu_seconds() - began
    return spent / sum(len(point.values) for point in found.points) * 1e6


def log_of(path: Path, lines: int, line: Callable[[int], str]) -> float:
    """Return the CPU seconds for a line of a log."""
    path.write_text("".join(line(number) for number in range(lines)), encoding="utf-8")
    began = cpu_seconds()
    read_log_curves(path)
    return (cpu_seconds() - began) / lines


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        start_of_runs(folder / "repository")
        looked = many_files(folder / "files")
        million = event_files(folder / "events")
        logs = {name: log_of(folder / "log.txt", LINES, line) for name, line in LOGS.items()}
        count = sized(200, 5)
        slow = {
            unit: log_of(folder / "log.txt", count, lambda _, unit=unit: f"step 1 loss{unit * 2000}"[:1990] + "x\n")  # type: ignore[misc]  # mypy cannot infer the default
            for unit in SLOW
        }
    worst = max(slow, key=slow.__getitem__)
    show(
        f"a log, CPU µs a line of {LINES:,}",
        ("", "µs", "limit", ""),
        [
            *((name, f"{cost * 1e6:.1f}", f"{LIMIT_LINE * 1e6:.0f}", verdict(cost, LIMIT_LINE))
              for name, cost in logs.items()),
            (f"worst of {len(slow)} made to be slow: {worst!r}", f"{slow[worst] * 1e6:.0f}", f"{LIMIT_LONG * 1e6:.0f}",
             verdict(slow[worst], LIMIT_LONG)),
        ],
    )  # fmt: skip
    print(f"a look at {FILES:,} files: {looked:.2f} s of CPU, at most 1: {verdict(looked, 1.0)}")
    print(f"1,000,000 scalars of event files: {million:.1f} s, at most 3: {verdict(million, LIMIT_MILLION)}")


if __name__ == "__main__":
    main()
