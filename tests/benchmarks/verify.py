"""Verifying a whole ledger, beside what git alone costs to walk its history."""

import subprocess
import tempfile
from pathlib import Path

from ledger.repository.blobs import blob_reader
from ledger.repository.process import Git
from ledger.store.ledger import Ledger
from ledger.store.verify import Verdict, verify
from ledger.store.waiting import Entry
from tests.benchmarks.ledgers import entry_of
from tests.benchmarks.measuring import cpu_seconds, quiet_world

COMMITS = 2_000
LIMIT_SECONDS_PER_COMMIT = 4 / 10_000


def grown(folder: Path) -> Ledger:
    """Return a ledger of many commits, each appended as users append them."""
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    ledger = Ledger.open(folder)
    for number in range(COMMITS):
        entry: Entry = entry_of(number)
        ledger.append(entry)
    Git(folder).output("gc", "--quiet")
    return ledger


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="ledger-benchmark-") as scratch:
        home = Path(scratch)
        quiet_world(home / "home")
        ledger = grown(home / "ledger")
        before = cpu_seconds()
        with blob_reader(ledger.repository) as read_blob:
            verdict: Verdict = verify(ledger, read_blob)
        whole = cpu_seconds() - before
        before = cpu_seconds()
        ledger.repository.git.output("log", "-m", "--raw", "--no-abbrev", "--no-renames", "-z", str(ledger.tip()))
        walking = cpu_seconds() - before
        per_commit = whole / verdict.commits
        print(f"{verdict.commits} commits, {verdict.entries} entries, {len(verdict.findings)} findings")
        print(f"verify       {whole:6.2f} s of CPU, {per_commit * 1e6:6.0f} µs a commit")
        print(f"git log raw  {walking:6.2f} s of CPU, ratio {whole / walking:.1f}")
        ratio = per_commit / LIMIT_SECONDS_PER_COMMIT
        print(f"limit        {LIMIT_SECONDS_PER_COMMIT * 1e6:6.0f} µs a commit, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
