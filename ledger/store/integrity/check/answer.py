"""What a check answers with: findings, and what was looked at."""

from ledger.model.values import Document
from ledger.store.integrity.findings import Finding


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
