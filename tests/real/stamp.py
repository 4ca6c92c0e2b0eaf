"""Says whether what a slow group tests has changed since it passed last: a hash of those files, kept beside it.

`python -m tests.real.stamp GROUP` exits with 1 where it has; `--write` keeps the hash, as `make GROUP` does when it
passed. The groups are `real` and `integrations`.
"""

import subprocess
import sys
from pathlib import Path

from ledger.hashing import hash_bytes

ROOT = Path(__file__).parents[2]
RECORDING = (
    "ledger/capture",
    "ledger/compat",
    "ledger/formats",
    "ledger/integrations",
    "ledger/model",
    "ledger/recorder",
    "ledger/repository",
    "ledger/session",
)
"""What a record of a real training depends on."""
ADAPTERS = (
    "ledger/engine.py",
    "ledger/integrations",
    "ledger/publish/site/elsewhere.py",
    "ledger/session/run",
    "tests/integrations",
    "tests/real/conftest.py",
)
"""What the adapters of large packages, and work on a Ray cluster, depend on."""
TESTED = {"real": (*RECORDING, "tests/real"), "integrations": ADAPTERS}


def stamp(group: str) -> Path:
    """Return the file with the hash of a group."""
    return ROOT / "tests" / group / "passed"


def state(group: str) -> str:
    """Return the hash of all that a group tests, as it stands in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *TESTED[group]],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    stamps = {stamp(one) for one in TESTED}
    names = sorted({name for name in listed.stdout.decode().split("\0") if name and (ROOT / name) not in stamps})
    content = b"".join(name.encode() + b"\0" + (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file())
    return hash_bytes(content)


def main(group: str, *options: str) -> int:
    """Compare, or write."""
    if "--write" in options:
        stamp(group).write_text(f"{state(group)}\n", "ascii")
        return 0
    return 0 if stamp(group).is_file() and stamp(group).read_text("ascii").strip() == state(group) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
