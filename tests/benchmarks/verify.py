"""Verifying a whole ledger, beside what git alone costs to walk its history.

`--many` adds a ledger of 100,000 commits, which takes two minutes to make once.
"""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from ledger.model.paths import POLICY_FILE
from ledger.repository.blobs import blob_reader
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.integrity.checkpoint import make_checkpoint
from ledger.store.integrity.verify import verify
from tests.benchmarks.ledgers import entry_of, ledger_of
from tests.benchmarks.measuring import cpu_seconds, show, sized, workplace
from tests.benchmarks.measuring import verdict as kept

FEW, MANY = sized(10_000, 30), 100_000
AFTER = 10
"""Entries that come after the checkpoint."""
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
    making, after, verified = after_checkpoint(ledger, count)
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
            ("making a checkpoint", f"{making:.2f}", f"{making / count * 1e6:.0f}", "", ""),
            (f"verify, {verified} entries after it", f"{after:.2f}", "", "", f"{after / whole:.2f} of the whole"),
        ],
    )


def after_checkpoint(ledger: Branch, count: int) -> tuple[float, float, int]:
    """Return the CPU seconds of a signed checkpoint, those of verifying what came after it, and how much that is."""
    key = ledger.repository.git_dir / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    ledger.repository.git.output("config", "user.signingKey", str(key))
    ledger.repository.git.output("config", "gpg.format", "ssh")
    signers = f"signatures:\n  signers: |\n    ada@example.com {key.with_suffix('.pub').read_text()}"
    append_commit(
        ledger.repository,
        ledger.ref,
        parent=ledger.tip(),
        files={POLICY_FILE: signers.encode()},
        message="policy\n",
        author=ledger.repository.author(),
        now=datetime.now(UTC),
    )
    with blob_reader(ledger.repository) as read_blob:
        before = cpu_seconds()
        make_checkpoint(Branch(ledger.repository), read_blob, datetime.now(UTC), signed=True)
        making = cpu_seconds() - before
        for number in range(AFTER):
            ledger.append(entry_of(count + number, count=count))
        before = cpu_seconds()
        verdict = verify(Branch(ledger.repository), read_blob)
        return making, cpu_seconds() - before, verdict.entries


def main() -> None:
    """Measure and print."""
    with workplace() as place:
        for count in (FEW, MANY) if "--many" in sys.argv else (FEW,):
            measure(count, place / f"ledger-{count}")


if __name__ == "__main__":
    main()
