"""The last commit that verified as clean, stored outside the branch, so that a rewind of the branch is noticed."""

import contextlib
import re
from pathlib import Path

from ledger.model.values import slug
from ledger.store.branch.branch import Branch


def _file(ledger: Branch) -> Path:
    return ledger.repository.state_dir / f"verified-{slug(ledger.branch)}"


def remembered(ledger: Branch) -> str | None:
    """Return the last commit that verified as clean; none when there is none."""
    try:
        before = _file(ledger).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return before if re.fullmatch(r"[0-9a-f]{40,64}", before) else None


def remember(ledger: Branch, tip: str) -> None:
    """Remember a clean tip, where this clone is writable."""
    file = _file(ledger)
    with contextlib.suppress(OSError):  # a read-only clone verifies all the same
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{tip}\n", encoding="ascii")


def forget(ledger: Branch) -> None:
    """Forget the remembered tip: this clone itself is about to remake those commits."""
    with contextlib.suppress(OSError):
        _file(ledger).unlink(missing_ok=True)


def follow(ledger: Branch, tip: str) -> None:
    """Forget the remembered tip where `sync` has just remade those commits on top of others'."""
    before = remembered(ledger)
    if before and ledger.repository.git.attempt("merge-base", "--is-ancestor", before, tip)[0]:
        forget(ledger)
