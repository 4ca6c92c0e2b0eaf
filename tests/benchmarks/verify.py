"""Verifying a whole ledger, beside what git alone costs to walk its history.

`--many` adds a ledger of 100,000 commits, which takes two minutes to make once.
"""

import sys
import tempfile
from pathlib import Path

from ledger.repository.blobs import blob_reader
from ledger.store.verify import verify
from tests.benchmarks.ledgers import ledger_of
from tests.benchmarks.measuring import cpu_seconds, quiet_world, show
from tests.benchmarks.measuring import verdict as kept

FEW, MANY = 10_000, 100_000
LIMIT_SECONDS = {FEW: 4.0, MANY: 30.0}


def measure(count: int, folder: Path) -> None:
    """Verify a ledger of `count` commits and print."""
    ledger = ledger_of(count, folder)
    before = cpu_seconds()
    with blob_reader(ledger.repository) as read_blob:
        verdict = verify(ledger, read_blob)
    whole = cpu_seconds() - before
    before = cpu_seconds()
    ledger.repository.git.output("log", "-m", "--raw", "--no-abbrev", "--no-renames", "-z", str(ledger.tip()))
    walking = cpu_seconds() - before
    limit = LIMIT_SECONDS[count]
    show(
        f"verify: {verdict.commits:,} commits, {verdict.entries:,} entries, {len(verdict.findings)} findings",
        ("", "CPU s", "µs a commit", "limit", ""),
        [
            ("verify", f"{whole:.2f}", f"{whole / count * 1e6:.0f}", f"{limit:.0f}", kept(whole, limit)),
            (
                "git log --raw alone",
                f"{walking:.2f}",
                f"{walking / count * 1e6:.0f}",
                "",
                f"{whole / walking:.1f} times",
            ),
        ],
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ledger-benchmark-") as scratch:
        quiet_world(Path(scratch) / "home")
        for count in (FEW, MANY) if "--many" in sys.argv else (FEW,):
            measure(count, Path(scratch) / f"ledger-{count}")


if __name__ == "__main__":
    main()
