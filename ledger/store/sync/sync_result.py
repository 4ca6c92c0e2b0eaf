"""The result of a sync, as a value and as a sentence."""

from typing import Literal

from ledger.model.values import Document

State = Literal["up to date", "sent", "received", "both", "inbox", "no remote", "failed"]


class Synced(Document, frozen=True, kw_only=True, omit_defaults=False):
    """The result of a sync."""

    state: State
    """State of the two ledgers; `inbox`: the remote has everything, but not yet on the branch."""
    message: str
    """The result as a sentence."""
    remote: str | None = None
    """Name of the remote."""
    sent: list[str] = []
    """Entries that the remote received, as paths on the branch without suffix."""
    received: list[str] = []
    """Entries that this clone received."""
    folded: list[str] = []
    """Refs of the remote's inbox whose entries are on the branch now."""
    tip: str | None = None
    """Tip of the branch, where both agree."""
    hint: str | None = None
    """What to type after a failure."""

    @property
    def safe(self) -> bool:
        """Whether the remote holds everything that this clone holds."""
        return self.state not in {"no remote", "failed"}


def in_words(made: Synced, *, moved: bool = False) -> str:
    """Return the result of a successful sync in one line; `moved`: whether the branch of this clone moved."""
    sent, received = _count(made.sent), _count(made.received)
    also = f", {len(made.folded)} of its inbox folded in" if made.folded else ""
    if made.state == "inbox":
        return (
            f"others keep {made.remote} busy: {sent} wait in its inbox, and whoever syncs next puts them on the branch"
        )
    if made.state == "both":
        return f"sent {sent} to {made.remote}, received {received}{also}"
    if made.state == "sent":
        return f"sent {sent} to {made.remote}{also}"
    if made.state == "received":
        return f"received {received} from {made.remote}{also}"
    return f"took over what {made.remote} has{also}" if moved else f"up to date with {made.remote}{also}"


def _count(entries: list[str]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
