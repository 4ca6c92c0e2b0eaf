"""Many clones record and sync to one remote at once: pushes per record, seconds per record, records lost."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from ledger.repository import remote as remote_module
from ledger.store import exchange
from ledger.store.ledger import Ledger
from ledger.store.sync import sync
from tests.benchmarks.ledgers import entry_of
from tests.benchmarks.measuring import quiet_world, run, show, verdict

CLONES = 16
RECORDS = 5
LIMIT_PUSHES = 1.5
TIMEOUT_SECONDS = 60.0


def write(folder: Path, number: int) -> None:
    """Record and sync in one clone, and print for each record its seconds, its pushes and what became of it."""
    ledger = Ledger.open(folder)
    pushes = 0
    original = remote_module.push

    def counted(*arguments: object, **options: object) -> object:
        nonlocal pushes
        pushes += 1
        return original(*arguments, **options)  # type: ignore[arg-type]  # as given

    exchange.__dict__["push"] = counted
    for record in range(RECORDS):
        ledger.append(entry_of(number * RECORDS + record, count=CLONES * RECORDS))
        before, started = pushes, time.perf_counter()
        done = sync(ledger, timeout_seconds=TIMEOUT_SECONDS, hurry=True)
        print(time.perf_counter() - started, pushes - before, done.state.replace(" ", "-"), flush=True)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ledger-benchmark-") as scratch:
        home = Path(scratch)
        quiet_world(home / "home")
        run(["git", "init", "--quiet", "--bare", "hub.git"], home)
        for number in range(CLONES):
            run(["git", "clone", "--quiet", "hub.git", f"clone{number}"], home)
        writers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.sync", str(home / f"clone{number}"), str(number)],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(CLONES)
        ]
        lines = [line.split() for writer in writers for line in writer.communicate()[0].splitlines()]
        last = Ledger.open(home / "clone0")
        sync(last, timeout_seconds=TIMEOUT_SECONDS)
        tree = run(["git", "ls-tree", "-r", "--name-only", "ledger"], home / "hub.git").decode().splitlines()
        present = sum(path.endswith("/record.json") for path in tree)
        left = run(["git", "for-each-ref", exchange.INBOX], home / "hub.git").decode().splitlines()
    records = CLONES * RECORDS
    seconds = sorted(float(line[0]) for line in lines)
    pushes = sum(int(line[1]) for line in lines) / records
    inbox = sum(line[2] == "inbox" for line in lines)
    show(
        f"{CLONES} clones x {RECORDS} records to one remote, all at once",
        ("", "value"),
        [
            ("pushes per record", f"{pushes:.2f}"),
            (f"limit {LIMIT_PUSHES}", verdict(pushes, LIMIT_PUSHES)),
            ("seconds per sync, median", f"{median(seconds):.2f}"),
            ("seconds per sync, slowest", f"{seconds[-1]:.2f}"),
            ("syncs that used the inbox", f"{inbox} of {records}"),
            ("inbox refs left after one more sync", str(len(left))),
            ("records lost", str(records - present)),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
