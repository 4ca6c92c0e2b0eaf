"""What `ledger verify` and `ledger check` answer with: something that should not be so, and its mend."""

from typing import Literal

from ledger.model.values import Document

Weight = Literal["error", "warning"]
"""Whether a finding keeps an entry off the ledger, or is only told."""


class Finding(Document, frozen=True, kw_only=True):
    """Something that should not be so."""

    rule: str
    """Rule that it breaks: `history`, `tree`, `size`, `document`, `content`, `reference`, `text`, `secret`, `policy`,
    `signature`, `plausible`, `checkpoint`."""
    severity: Weight = "error"
    """Whether it keeps the entry off the ledger."""
    message: str
    """What is wrong, and what it means, in one line."""
    path: str = ""
    """Path on the branch, or the ref."""
    commit: str | None = None
    """Commit that did it, where one did."""
    field: str | None = None
    """Field of the document, where it is one field."""
    hint: str | None = None
    """The mend."""
