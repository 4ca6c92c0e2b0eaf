"""The commit that was last verified as clean, kept outside the branch: a rewound branch must pass by it."""

import contextlib
import re
from pathlib import Path

from ledger.model.values import slug
from ledger.store.branch.branch import Branch


def _file(ledger: Branch) -> Path:
    return ledger.repository.state_dir / f"verified-{slug(ledger.branch)}"


def remembered(ledger: Branch) -> str | None:
    """Return the commit that was last verified as clean, none when there is none."""
    try:
        before = _file(ledger).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return before if re.fullmatch(r"[0-9a-f]{40,64}", before) else None


def remember(ledger: Branch, tip: str) -> None:
    """Remember a clean tip, where this clone can be written to."""
    file = _file(ledger)
    with contextlib.suppress(OSError):  # a read-only clone verifies all the same
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{tip}\n", encoding="ascii")


def forget(ledger: Branch) -> None:
    """Forget what was remembered: this clone itself is about to make those commits again."""
    with contextlib.suppress(OSError):
        _file(ledger).unlink(missing_ok=True)


def follow(ledger: Branch, tip: str) -> None:
    """Forget what was remembered as clean where `sync` has just made those commits again on top of others'."""
    before = remembered(ledger)
    if before and ledger.repository.git.attempt("merge-base", "--is-ancestor", before, tip)[0]:
        forget(ledger)
