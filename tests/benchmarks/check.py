"""Checking what is pushed, as a server's hook does: a thousand new records at once, and a single one.

Through the command line, the start of the interpreter included, beside what git alone costs to list what is new, and in
a process that has started already.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.repository.repository import Repository
from ledger.store.branch.branch import FORMAT
from ledger.store.integrity.check import check_range
from tests.benchmarks.ledgers import entry_of
from tests.benchmarks.measuring import command, cpu_seconds, interleaved, milliseconds, run, show, sized, workplace
from tests.benchmarks.measuring import verdict as kept
from tests.conftest import ROOT

MANY = sized(1000, 10)
LIMIT_SECONDS = {MANY: 1.5, 1: 0.4}
REPETITIONS = sized(5)
_LEDGER = [sys.executable, "-m", "ledger"]


def make(folder: Path) -> None:
    """Make a ledger of two thousand runs of the last days, a commit each."""
    run(["git", "init", "--quiet", "--bare", str(folder)], folder.parent)
    stream = folder / "stream"
    with stream.open("wb") as file:
        file.writelines(_stream())
    with stream.open("rb") as file:
        subprocess.run(["git", "fast-import", "--quiet", "--done"], cwd=folder, stdin=file, check=True)
    stream.unlink()


def _stream() -> Iterator[bytes]:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    for number in range(2 * MANY):
        entry = entry_of(number, at=begin + timedelta(minutes=20 * number))
        stamp = f"{entry.author.name} <{entry.author.email}> {int(entry.made_at.timestamp())} +0000"
        yield f"commit refs/heads/ledger\nauthor {stamp}\ncommitter {stamp}\n".encode() + _data(entry.message.encode())
        for path, content in (entry.files if number else {"format": FORMAT, **entry.files}).items():
            yield f"M 100644 inline {path}\n".encode() + _data(content)
    yield b"done\n"


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def measure(folder: Path) -> None:
    """Check a thousand records and one, and print."""
    world = {"PYTHONPATH": str(ROOT)}
    cases = {
        f"ledger check, {count} records": command([*_LEDGER, "check", f"ledger~{count}..ledger"], folder, world)
        for count in LIMIT_SECONDS
    }
    cases |= {
        "ledger --version": command([*_LEDGER, "--version"], folder, world),
        "git log --raw alone": command(["git", "log", "--raw", "-r", "-z", f"ledger~{MANY}..ledger"], folder),
    }
    found = interleaved(cases, REPETITIONS)
    repository = Repository.discover(folder)
    before = cpu_seconds()
    checked = check_range(repository, "ledger", f"ledger~{MANY}")
    warm = cpu_seconds() - before
    limits = {f"ledger check, {count} records": limit for count, limit in LIMIT_SECONDS.items()}
    rows = [
        (
            name,
            milliseconds(sample.median),
            f"{sample.median / found['ledger --version'].median:.1f}",
            f"{limits[name] * 1e3:.0f}" if name in limits else "",
            kept(sample.median, limits[name]) if name in limits else "",
        )
        for name, sample in found.items()
    ]
    rows.append(("check_range, started already", milliseconds(warm), "", "", ""))
    show(
        f"check: {checked.commits:,} commits, {checked.entries:,} entries, {len(checked.findings)} findings",
        ("", "CPU ms", "of a start", "limit", ""),
        rows,
    )


def main() -> None:
    """Measure and print."""
    with workplace() as place:
        make(place / "hub.git")
        measure(place / "hub.git")


if __name__ == "__main__":
    main()
