"""The index: making it from cold, one new record, a leaderboard, and a list against a bare Python start.

What ranks is held against git for the runs that it shows, so a list sorted by a metric has a row of its own.

`--many` adds a ledger of 100,000 records, which takes minutes to make once.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from ledger.analysis.query.language import parse_query
from ledger.store.branch.branch import Branch
from ledger.store.index.file import FILE
from ledger.store.index.index import ask
from ledger.store.index.selection import select_runs
from tests.benchmarks.ledgers import entry_of, ledger_of
from tests.benchmarks.measuring import (
    Sample,
    command,
    cpu_seconds,
    interleaved,
    milliseconds,
    show,
    sized,
    verdict,
    workplace,
)

FEW, MANY = sized(10_000, 30), 100_000
REPETITIONS = sized(11)
METRIC = "metrics.validation/metric_0"
"""The headline of the runs that `tests/benchmarks/ledgers.py` makes."""
LISTING = ("list", "--limit", "20")
RANKED = ("list", "--sort", METRIC, "--limit", "20")
ORDINARY = "import sys; from ledger.cli import run; sys.exit(run(sys.argv[1:]))"
"""Loads the command line, as every other command does."""
LIMIT_COLD_SECONDS = 15.0
"""For 100,000 records; a tenth of it for 10,000."""
LIMIT_NEW_SECONDS = 0.1
LIMIT_RATIO = 3.0
BOARD = ("leaderboard", "--metric", METRIC.removeprefix("metrics."))
LIMIT_BOARD_SECONDS = 2.0
"""For 100,000 records: start-up, ranking every setting of the group, and printing."""
COST = ("cost", "--by", "person")
LIMIT_COST_SECONDS = 1.0
"""For 100,000 records: sums over all of them."""


def seconds_of(work: Callable[[], object]) -> float:
    """Return the CPU seconds that a piece of work takes, children included."""
    before = cpu_seconds()
    work()
    return cpu_seconds() - before


def after_append(ledger: Branch, count: int, folder: Path, program: list[str]) -> Callable[[int], Callable[[], object]]:
    """Return the case of the first command after one record was appended, which is not measured."""

    def prepare(repetition: int) -> Callable[[], object]:
        ledger.append(entry_of(count + repetition + 1, count=count))
        return command([*program, *LISTING], folder)(repetition)

    return prepare


def measure(count: int, folder: Path) -> None:
    """Measure with a ledger of `count` runs and print."""
    ledger = ledger_of(count, folder)
    cold = seconds_of(lambda: ask(ledger, lambda _: True))
    size = (ledger.repository.state_dir / FILE).stat().st_size
    asked = {
        "first sort by a metric": lambda: select_runs(ledger, sort=METRIC, limit=20),
        "the same again": lambda: select_runs(ledger, sort=METRIC, limit=20),
        "first word": lambda: select_runs(ledger, parse_query("experiment"), limit=20),
        "the same word again": lambda: select_runs(ledger, parse_query("experiment"), limit=20),
    }
    inside = [(name, milliseconds(seconds_of(question))) for name, question in asked.items()]
    show(f"{count:,} records, {size / 1e6:.0f} MB, CPU ms inside one process", ("", "CPU ms"), inside)
    python = sys.executable
    # The command as it is installed: `python -m ledger` looks for the module first, 1 ms.
    program = [str(Path(python).with_name("ledger"))]
    imports = "import ledger.__main__, ledger.commands.quick.answer, ledger.commands.quick.look"
    samples = interleaved(
        {
            "python -c pass": command([python, "-c", "pass"], folder),
            "and the imports": command([python, "-c", imports], folder),
            "whole command": command([*program, *LISTING], folder),
            "the same, the ordinary way": command([python, "-c", ORDINARY, *LISTING], folder),
            "sorted by a metric": command([*program, *RANKED], folder),
            "a leaderboard of all": command([*program, *BOARD], folder),
            "what all of them cost": command([*program, *COST], folder),
            "after one new record": after_append(ledger, count, folder, program),
        },
        REPETITIONS,
    )
    report(count, cold, samples)


def report(count: int, cold: float, samples: dict[str, Sample]) -> None:
    """Print what the commands cost, and whether the limits are kept."""
    bare = samples["python -c pass"].median
    show(
        f"ledger {' '.join(LISTING)}, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best", "to a bare interpreter"),
        (
            (name, milliseconds(sample.median), milliseconds(sample.best), f"{sample.median / bare:.2f}")
            for name, sample in samples.items()
        ),
    )
    whole, loaded = samples["whole command"].median, samples["and the imports"].median
    parts = (("interpreter", bare), ("imports", loaded - bare), ("looking, asking, printing", whole - loaded))
    show("of it", ("", "CPU ms"), [(name, milliseconds(part)) for name, part in parts])
    board, cost = samples["a leaderboard of all"].median, samples["what all of them cost"].median
    limit, new = LIMIT_COLD_SECONDS * count / MANY, samples["after one new record"].median
    show(
        "limits",
        ("", "measured", "limit", ""),
        [
            ("CPU s from cold", f"{cold:.2f}", f"{limit:.1f}", verdict(cold, limit)),
            ("CPU ms after one new record", milliseconds(new), "100.0", verdict(new, LIMIT_NEW_SECONDS)),
            ("CPU s of a leaderboard", f"{board:.2f}", f"{LIMIT_BOARD_SECONDS}", verdict(board, LIMIT_BOARD_SECONDS)),
            ("CPU s of all costs", f"{cost:.2f}", f"{LIMIT_COST_SECONDS}", verdict(cost, LIMIT_COST_SECONDS)),
            ("list to a bare interpreter", f"{whole / bare:.2f}", f"{LIMIT_RATIO}", verdict(whole / bare, LIMIT_RATIO)),
        ],
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    with workplace() as place:
        for count in (FEW, MANY) if "--many" in sys.argv else (FEW,):
            measure(count, place / f"ledger-{count}")


if __name__ == "__main__":
    main()
