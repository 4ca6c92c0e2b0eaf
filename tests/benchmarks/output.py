"""What it costs to keep the output of a run: CPU for each line of 80 characters, beside `tee`, and without either.

The copying program is nobody's child, so its CPU time is read from `/proc` and added.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil

from ledger.session.process.output import Output
from tests.benchmarks.measuring import (
    QUICK,
    cpu_seconds,
    microseconds,
    options_of,
    run,
    show,
    sized,
    verdict,
    workplace,
)

LINES = sized(100_000, 200)
REPETITIONS = sized(7)
LIMIT = 2e-6
"""CPU seconds that a line may cost beside `tee`."""
_LINE = "epoch 3 step 12345 train/loss 0.41234 train/accuracy 0.88123 lr 0.000300 ".ljust(79, ".") + "\n"

_PRINTING = """
import sys
line, count, pause = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for _ in range(count):
    print(line, end="", flush=pause == "each")
"""


def kept(how: str, folder: Path) -> float:
    """Return the CPU seconds of a process that prints all lines into the copy, and of the copy."""
    shown, log = os.dup(1), folder / "log.txt"
    with Path(os.devnull).open("wb") as nobody:
        os.dup2(nobody.fileno(), 1)
    output = Output("benchmark", log)
    try:
        if (why := output.start()) is not None:
            raise RuntimeError(why)
        copying = [one for one in psutil.process_iter(["cmdline"]) if output.mark.hex() in (one.info["cmdline"] or [])]
        looking = cpu_seconds()
        subprocess.run(_command(how), check=True)
        while log.stat().st_size < LINES * len(_LINE):
            time.sleep(0.001)
        beside = sum(_on_cpu(one) for one in copying)
        return cpu_seconds() - looking + beside
    finally:
        output.stop()
        os.dup2(shown, 1)
        os.close(shown)


def through_tee(how: str, folder: Path) -> float:
    """Return the same for `tee`."""
    before = cpu_seconds()
    run(["sh", "-c", f'"$@" | tee -a {folder}/tee.txt > /dev/null', "sh", *_command(how)], folder)
    return cpu_seconds() - before


def alone(how: str, folder: Path) -> float:
    """Return the same for a process that prints to nobody."""
    before = cpu_seconds()
    run(["sh", "-c", '"$@" > /dev/null', "sh", *_command(how)], folder)
    return cpu_seconds() - before


def _command(how: str) -> list[str]:
    return [sys.executable, "-c", _PRINTING, _LINE, str(LINES), how]


def _on_cpu(process: psutil.Process) -> float:
    """Return the CPU seconds of another process, to the nanosecond; `stat` counts in hundredths."""
    try:
        return int(Path(f"/proc/{process.pid}/schedstat").read_text("ascii").split()[0]) * 1e-9
    except OSError:
        return 0.0


def measure(how: str, title: str, folder: Path) -> None:
    """Measure in turns, and print one table."""
    cases: dict[str, Callable[[str, Path], float]] = {"nobody": alone, "tee": through_tee, "kept by a run": kept}
    seen: dict[str, list[float]] = {name: [] for name in cases}
    for repetition in range(REPETITIONS + (0 if QUICK else 1)):
        for name, case in cases.items():
            seconds = case(how, folder) / LINES
            if repetition or QUICK:
                seen[name].append(seconds)
        for path in folder.glob("*.txt"):
            path.unlink()
    beside = median(one - other for one, other in zip(seen["kept by a run"], seen["tee"], strict=True))
    show(
        f"{LINES:,} lines of {len(_LINE)} characters, {title}, µs of CPU a line, {REPETITIONS} repetitions",
        ("printed to", "median", "best", "to tee"),
        (
            (name, microseconds(median(one)), microseconds(min(one)), f"{median(one) / median(seen['tee']):.2f}")
            for name, one in seen.items()
        ),
    )
    print(f"beside tee: {microseconds(beside)} µs a line, at most {microseconds(LIMIT)}: {verdict(beside, LIMIT)}")


def main() -> None:
    """Measure and print."""
    options_of(__doc__).parse_args()
    with workplace() as folder:
        measure("buffered", "as Python prints to a pipe", folder)
        measure("each", "each flushed at once", folder)


if __name__ == "__main__":
    main()
