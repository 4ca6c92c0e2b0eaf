"""Says whether what a slow group tests has changed since it passed last: a hash of those files, kept beside it.

`python -m tests.real.stamp` exits with 1 where it has; `--write` keeps the hash, as `make real` does when it passed.
"""

import subprocess
import sys
from pathlib import Path

from ledger.hashing import hash_bytes

ROOT = Path(__file__).parents[2]
STAMP = Path(__file__).parent / "passed"
TESTED = (
    "ledger/capture",
    "ledger/formats",
    "ledger/model",
    "ledger/recorder",
    "ledger/repository",
    "ledger/session",
    "tests/real",
)
"""What a record of a real training depends on."""


def state() -> str:
    """Return the hash of all that is tested, as it stands in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *TESTED],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = sorted({name for name in listed.stdout.decode().split("\0") if name and (ROOT / name) != STAMP})
    content = b"".join(name.encode() + b"\0" + (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file())
    return hash_bytes(content)


def main(arguments: list[str]) -> int:
    """Compare, or write."""
    if "--write" in arguments:
        STAMP.write_text(f"{state()}\n", "ascii")
        return 0
    return 0 if STAMP.is_file() and STAMP.read_text("ascii").strip() == state() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
