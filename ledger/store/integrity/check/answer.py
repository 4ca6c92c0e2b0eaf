"""The result of a check: its findings and what was checked."""

from ledger.model.values import Document
from ledger.store.integrity.findings import Finding


class Checked(Document, frozen=True, kw_only=True):
    """The result of a check."""

    findings: tuple[Finding, ...]
    """Problems found; empty when all is well."""
    commits: int
    """Number of commits checked."""
    entries: int
    """Number of entries that they add."""
    runs: tuple[str, ...]
    """Ids of the runs among these, oldest first."""
    policy_changed: bool = False
    """Whether `policy.yaml` or a workflow is changed."""

    @property
    def ok(self) -> bool:
        """Whether there is no error: warnings are allowed."""
        return not any(finding.severity == "error" for finding in self.findings)
