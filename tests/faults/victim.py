"""A process that writes to a ledger until somebody kills it, and says after each step what it was promised.

`python -m tests.faults.victim WORK FOLDER FIRST PROMISES`: what was acknowledged stands in the file PROMISES, one
line each, written by one `os.write` after the call returned: a kill cannot take it back.
"""

import itertools
import os
import random
import sys
from datetime import timedelta
from pathlib import Path

from ledger.errors import LedgerError
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.index.index import ask
from ledger.store.sync.sync import sync
from tests.benchmarks.ledgers import entry_of
from tests.samples import START

CLONE_STEP = 1_000_000
"""Numbers that each clone, or each process in one, has for itself."""


def numbered(number: int) -> Entry:
    """Return the whole, realistic entry of a number: the same in every process."""
    # Numbers go into the millions: what was made in the future is refused.
    return entry_of(number, START + timedelta(seconds=17 * (number % 10_000)))


def write(work: str, folder: Path, first: int, promises: Path) -> None:
    """Append, sync or ask the index, over and over; ends only when the process does."""
    ledger = Branch.open(folder)
    entries = (numbered(number) for number in itertools.count(first))
    chance = random.Random(first)  # noqa: S311  # which way it goes, no secret
    entry = next(entries)
    file = os.open(promises, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    print("begun", flush=True)  # noqa: T201  # whoever started it waits for this line
    while True:
        try:
            ledger.append(entry)
        except LedgerError:  # its git was killed: nothing was promised, so it is tried again
            continue
        os.write(file, f"appended {entry.id}\n".encode())
        entry = next(entries)
        if work == "sync":
            done = sync(ledger, timeout_seconds=30, hurry=chance.random() < 0.5, fold=chance.random() < 0.8)
            if done.safe:
                os.write(file, "".join(f"sent {path.rpartition('/')[2]}\n" for path in done.sent).encode())
        elif work == "index":
            ask(ledger, lambda index: index.select(None, "started", reverse=True, limit=5))


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
