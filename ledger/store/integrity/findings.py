"""What `ledger verify` and `ledger check` answer with: something that should not be so, and its mend."""

from collections.abc import Iterable

from ledger.model.claims.rules import Weight
from ledger.model.values import Document

MOST = 50
"""Findings of one rule that are told; the rest are counted."""


class Finding(Document, frozen=True, kw_only=True):
    """Something that should not be so."""

    rule: str
    """Rule that it breaks: `history`, `tree`, `size`, `document`, `content`, `reference`, `claim`, `text`, `secret`,
    `policy`, `signature`, `plausible`, `checkpoint`."""
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


def limited(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without repeats, errors first, at most fifty of each rule and a line that counts the others."""
    shown: list[Finding] = []
    counts: dict[tuple[str, Weight], int] = {}
    for finding in dict.fromkeys(findings):
        key = finding.rule, finding.severity
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= MOST:
            shown.append(finding)
    shown += [
        Finding(rule=rule, severity=severity, message=f"and {count - MOST} more that break this rule")
        for (rule, severity), count in counts.items()
        if count > MOST
    ]
    return tuple(sorted(shown, key=lambda finding: finding.severity))
