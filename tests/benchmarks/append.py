"""The git part of one append, at 0 and at 10,000 records, beside the fewest git processes that could do it.

`--many` adds a ledger of 100,000 records, which takes two minutes to make once.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import DAYS, entry_of, ledger_of
from tests.benchmarks.measuring import Case, interleaved, milliseconds, run, show, sized, verdict, workplace
from tests.samples import START

FEW, MANY = sized(10_000, 30), 100_000
REPETITIONS = sized(21)
LIMIT_SECONDS = 0.025
LIMIT_RATIO = 1.3


def appending(ledger: Branch) -> Case:
    """Return the case that appends one new entry to a ledger."""

    def prepare(repetition: int) -> Callable[[], object]:
        entry = entry_of(MANY + repetition, at=START + timedelta(days=DAYS, minutes=repetition))
        return lambda: ledger.append(entry)

    return prepare


def by_hand(folder: Path) -> Case:
    """Return the floor: the same files as blobs, one flat tree, one commit, one ref, in four git processes."""
    run(["git", "init", "--quiet", "--bare", "."], folder)

    def prepare(repetition: int) -> Callable[[], object]:
        entry = entry_of(MANY + repetition, at=START + timedelta(days=DAYS, minutes=repetition))
        files = [folder / f"file-{number}" for number in range(len(entry.files))]
        for file, content in zip(files, entry.files.values(), strict=True):
            file.write_bytes(content)

        def work() -> None:
            blobs = run(["git", "hash-object", "-w", "--no-filters", *files], folder).decode().split()
            listing = "".join(f"100644 blob {blob}\tfile-{number}\n" for number, blob in enumerate(blobs))
            tree = run(["git", "mktree"], folder, stdin=listing.encode()).decode().strip()
            commit = run(["git", "commit-tree", "-m", entry.message, tree], folder).decode().strip()
            run(["git", "update-ref", "refs/heads/ledger", commit], folder)

        return work

    return prepare


def main() -> None:
    """Measure and print."""
    counts = (FEW, MANY) if "--many" in sys.argv else (FEW,)
    with workplace() as home:
        (home / "hand").mkdir()
        (home / "empty").mkdir()
        run(["git", "init", "--quiet", "--bare", "."], home / "empty")
        empty = Branch.open(home / "empty")
        empty.create(empty.repository.author(), START)
        cases = {"four git processes by hand": by_hand(home / "hand"), "append to no records": appending(empty)}
        for count in counts:
            cases[f"append to {count:,} records"] = appending(ledger_of(count, home / f"full-{count}"))
        samples = interleaved(cases, REPETITIONS)
    floor, none, *full = (sample.median for sample in samples.values())
    show(
        f"git part of one append, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best", "to the floor"),
        (
            (name, milliseconds(sample.median), milliseconds(sample.best), f"{sample.median / floor:.2f}")
            for name, sample in samples.items()
        ),
    )
    rows = [("CPU ms at none", milliseconds(none), milliseconds(LIMIT_SECONDS), verdict(none, LIMIT_SECONDS))]
    for count, cost in zip(counts, full, strict=True):
        at, ratio = f"at {count:,}", cost / none
        rows.append((f"CPU ms {at}", milliseconds(cost), milliseconds(LIMIT_SECONDS), verdict(cost, LIMIT_SECONDS)))
        rows.append((f"{at} to none", f"{ratio:.2f}", f"{LIMIT_RATIO}", verdict(ratio, LIMIT_RATIO)))
    show("limits", ("", "measured", "limit", ""), rows)


if __name__ == "__main__":
    main()
