"""The result of verification."""

from ledger.model.values import Document
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_approval import Relied


class Verification(Document, frozen=True, kw_only=True):
    """The result of verification."""

    tip: str | None
    """Commit that was verified; none for a ledger without entries."""
    commits: int
    """Number of commits verified."""
    entries: int
    """Number of entries read: runs, dataset versions, evaluations, notes, redactions."""
    findings: tuple[Finding, ...]
    """Problems found; empty when all is well."""
    open: tuple[str, ...]
    """What this clone cannot tell, and why."""
    since: str | None = None
    """Commit after which verification began: the requested one, or a trusted checkpoint's."""
    checkpoints: int = 0
    """Number of checkpoints proved to be in the history."""
    signatures: int = 0
    """Number of entries with a good signature."""
    redactions: tuple[Relied, ...] = ()
    """Redactions on the ledger that the result depends on, oldest first."""

    @property
    def clean(self) -> bool:
        """Whether there is no error in what could be seen: warnings are allowed."""
        return not any(finding.severity == "error" for finding in self.findings)
