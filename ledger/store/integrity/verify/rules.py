"""Existing entries, checked by the rules of new ones: `ledger check` and `ledger verify` agree.

Rules that apply only to new entries (`integrity/rules.py`) are skipped: the policy of that time decided then.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from ledger.model.entries import Contents
from ledger.repository.history.walk import CommitStep
from ledger.repository.repository import Repository
from ledger.store.branch.policy import Limits, Policy
from ledger.store.integrity.check.additions import read_proposal
from ledger.store.integrity.check.append_only import check_future, check_owners, check_tree
from ledger.store.integrity.check.contents import Examined
from ledger.store.integrity.check.documents import document_kind
from ledger.store.integrity.check.sizes import Weighed
from ledger.store.integrity.findings import Finding


class StandingRules:
    """The additions of commits to the branch, read once.

    Args:
        repository: repository with the commits.
        tip: last commit.
        since: commit that they follow; none where they are all there are.
        steps: the commits, newest first.
    """

    def __init__(self, repository: Repository, tip: str, since: str | None, steps: Sequence[CommitStep]) -> None:
        self.proposal = read_proposal(repository, tip, since, steps, beside=False)
        self._weighed = Weighed(self.proposal, Limits())
        documents = {path: one for path, one in self._weighed.whole().items() if document_kind(path) is not None}
        self._examined = Examined(self.proposal, documents, Policy(), arriving=False)

    @property
    def contents(self) -> Contents:
        """Every document that can be read."""
        return self._examined.contents

    def check(self, redacted: Collection[str]) -> Iterator[Finding]:
        """Yield what is wrong with them, except in files that a redaction replaced.

        Args:
            redacted: paths of those files.
        """
        yield from check_future(self.proposal.steps, datetime.now(UTC))
        yield from check_tree(self.proposal)
        yield from check_owners(self.proposal, set(redacted))
        for finding in (*self._weighed.missing(), *self._examined.check_documents()):
            if finding.path not in redacted:
                yield finding
