"""What a check answers with: findings, at most fifty of one rule, and what was looked at."""

from collections.abc import Iterable

from ledger.model.values import Document
from ledger.store.findings import Finding, Weight

MOST = 50
"""Findings of one rule that are told; the rest are counted."""


class Checked(Document, frozen=True, kw_only=True):
    """What a check found."""

    findings: tuple[Finding, ...]
    """What is wrong; empty when all is well."""
    commits: int
    """Commits walked."""
    entries: int
    """Entries that they add."""
    runs: tuple[str, ...]
    """Ids of the runs among them, oldest first."""
    policy_changed: bool = False
    """Whether `policy.yaml` or a workflow is changed."""

    @property
    def ok(self) -> bool:
        """Whether nothing keeps this off the ledger: there may be warnings."""
        return not any(finding.severity == "error" for finding in self.findings)


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
