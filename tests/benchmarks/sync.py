"""Many clones record and sync to one remote at once: pushes per record, seconds per record, records lost.

`--clones 32 --records 10` is the size of the promise; the default takes less time and tells the same.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from ledger.repository.hosts import remote as remote_module
from ledger.store.branch.branch import Branch
from ledger.store.sync import exchange
from ledger.store.sync.sync import sync
from tests.benchmarks.ledgers import entry_of
from tests.benchmarks.measuring import options_of, run, show, sized, verdict, workplace

LIMIT_PUSHES = 1.5
TIMEOUT_SECONDS = 60.0


def write(folder: Path, number: int, clones: int, records: int) -> None:
    """Record and sync in one clone, and print for each record its seconds, its pushes and what became of it."""
    ledger = Branch.open(folder)
    pushes = 0
    original = remote_module.push

    def counted(*arguments: object, **options: object) -> object:
        nonlocal pushes
        pushes += 1
        return original(*arguments, **options)  # type: ignore[arg-type]  # as given

    exchange.__dict__["push"] = counted
    for record in range(records):
        ledger.append(entry_of(number * records + record, count=clones * records, days=1))
        before, started = pushes, time.perf_counter()
        done = sync(ledger, timeout_seconds=TIMEOUT_SECONDS, hurry=True)
        print(time.perf_counter() - started, pushes - before, done.state.replace(" ", "-"), flush=True)


def measure(clones: int, each: int) -> None:
    """Measure and print."""
    with workplace() as home:
        run(["git", "init", "--quiet", "--bare", "hub.git"], home)
        for number in range(clones):
            run(["git", "clone", "--quiet", "hub.git", f"clone{number}"], home)
        writers = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.sync",
                    "--clones",
                    str(clones),
                    "--records",
                    str(each),
                    "--write",
                    str(home / f"clone{number}"),
                    str(number),
                ],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(clones)
        ]
        lines = [line.split() for writer in writers for line in writer.communicate()[0].splitlines()]
        last = Branch.open(home / "clone0")
        sync(last, timeout_seconds=TIMEOUT_SECONDS)
        tree = run(["git", "ls-tree", "-r", "--name-only", "ledger"], home / "hub.git").decode().splitlines()
        present = sum(path.endswith("/record.json") for path in tree)
        left = run(["git", "for-each-ref", exchange.INBOX], home / "hub.git").decode().splitlines()
    records = clones * each
    seconds = sorted(float(line[0]) for line in lines)
    pushes = sum(int(line[1]) for line in lines) / records
    inbox = sum(line[2] == "inbox" for line in lines)
    show(
        f"{clones} clones x {each} records to one remote, all at once",
        ("", "value"),
        [
            ("pushes per record", f"{pushes:.2f}"),
            (f"limit {LIMIT_PUSHES}", verdict(pushes, LIMIT_PUSHES)),
            ("seconds per sync, median", f"{median(seconds):.2f}"),
            ("seconds per sync, slowest", f"{seconds[-1]:.2f}"),
            ("syncs that used the inbox", f"{inbox} of {records}"),
            ("inbox refs left after one more sync", str(len(left))),
            ("records lost", f"{records - present}: {verdict(records - present, 0)}"),
        ],
    )


def main() -> None:
    """Measure, or be one of the clones."""
    parser = options_of(__doc__)
    parser.add_argument("--clones", type=int, default=sized(16, 2), metavar="N")
    parser.add_argument("--records", type=int, default=sized(5, 1), metavar="N", help="How many each of them makes.")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        folder, number = options.write
        write(Path(folder), int(number), options.clones, options.records)
    else:
        measure(options.clones, options.records)


if __name__ == "__main__":
    main()
