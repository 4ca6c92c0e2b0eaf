"""Findings of `ledger verify` and `ledger check`: a problem and its fix."""

from collections.abc import Iterable

from ledger.model.claims.rules import Weight
from ledger.model.values import Document

MOST = 50
"""Most findings of one rule that are shown; the rest are counted."""


class Finding(Document, frozen=True, kw_only=True):
    """A problem that was found."""

    rule: str
    """Rule that it breaks: `history`, `tree`, `size`, `document`, `content`, `reference`, `claim`, `text`, `secret`,
    `policy`, `signature`, `plausible`, `checkpoint`."""
    severity: Weight = "error"
    """Whether it keeps the entry off the ledger."""
    message: str
    """The problem and its meaning, in one line."""
    path: str = ""
    """Path on the branch, or the ref."""
    commit: str | None = None
    """Commit that caused it, where there is one."""
    field: str | None = None
    """Field of the document, where it is about one."""
    hint: str | None = None
    """The fix."""


def limited(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without repeats, errors first, at most fifty of each rule, with a line that counts the rest."""
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
