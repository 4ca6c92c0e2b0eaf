"""What verification answers with."""

from ledger.model.values import Document
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_approval import Relied


class Verification(Document, frozen=True, kw_only=True):
    """What verification found."""

    tip: str | None
    """Commit that was verified; none for a ledger without entries."""
    commits: int
    """Commits walked."""
    entries: int
    """Entries read: runs, dataset versions, evaluations, notes, redactions."""
    findings: tuple[Finding, ...]
    """What is wrong; empty when all is well."""
    open: tuple[str, ...]
    """What this clone cannot tell, and why."""
    since: str | None = None
    """Commit that verification began after: the one asked for, or a trusted checkpoint's."""
    checkpoints: int = 0
    """Checkpoints that history was proved to contain."""
    signatures: int = 0
    """Entries whose signature was found good."""
    redactions: tuple[Relied, ...] = ()
    """Redactions on the ledger that the answer relies on, oldest first."""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong with what could be seen: there may be warnings."""
        return not any(finding.severity == "error" for finding in self.findings)
