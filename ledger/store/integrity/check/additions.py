"""The additions of a range of commits: every path with its object, who added it and when, and its size."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ledger.model import paths
from ledger.model.values import Document
from ledger.repository.blobs import read_facts
from ledger.repository.history.walk import CommitStep
from ledger.repository.repository import Repository
from ledger.store.integrity.path_rules import wrong_mode, wrong_path
from ledger.store.integrity.signatures import document_of
from ledger.store.integrity.verify.history import moment_of


class AddedFile(Document, frozen=True, kw_only=True):
    """One file that a range adds."""

    path: str
    """Path on the branch."""
    blob: str
    """Object id."""
    commit: str
    """Commit that adds it."""
    committed: datetime
    """When that commit was made, UTC."""


class ProposedChange(Document, frozen=True, kw_only=True):
    """Commits that are proposed for the ledger."""

    repository: Repository
    """Repository with the objects."""
    tip: str
    """Their last commit."""
    since: str | None
    """Commit that is known to be good; none where everything is new."""
    steps: Sequence[CommitStep]
    """All of the commits, newest first."""
    added: dict[str, AddedFile]
    """File added at each path, sorted by path; only paths that the ledger allows."""
    elsewhere: tuple[str, ...] = ()
    """Commits that hold the present content of the ledger, beside `tip`."""

    def standing(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of some paths that are on the ledger or are added, each with its object."""
        asked = list(dict.fromkeys(names))
        found = {path: self.added[path].blob for path in asked if path in self.added}
        for commit in (*self.elsewhere, self.tip):
            rest = [path for path in asked if path not in found and "\n" not in path]
            facts = read_facts(self.repository, (f"{commit}:{path}" for path in rest))
            found |= {path: fact.id for path, fact in zip(rest, facts, strict=True) if fact is not None}
        return found


def read_proposal(
    repository: Repository, tip: str, since: str | None, steps: Sequence[CommitStep], *, beside: bool
) -> ProposedChange:
    """Return the additions of commits.

    Args:
        repository: repository with the commits.
        tip: the last of them.
        since: commit that is known to be good.
        steps: the commits, newest first.
        beside: whether `tip` is not based on `since`, so that each holds a part of the ledger.

    Raises:
        LedgerError: git fails.
    """
    added: dict[str, AddedFile] = {}
    for step in steps:
        committed = moment_of(step.seconds)
        for change in step.changes:
            good = change.status == "A" and wrong_mode(change.mode) is None
            # A merge repeats the additions of its sides: the oldest commit is the one that added.
            if good and wrong_path(change.path) is None:
                added[change.path] = AddedFile(
                    path=change.path, blob=change.blob, commit=step.commit, committed=committed
                )
    if since is not None and (beside or any(len(step.parents) > 1 for step in steps)):
        # A merge adds to one parent what the other has: no addition where the ledger has it.
        names = list(added)
        facts = read_facts(repository, (f"{since}:{path}" for path in names))
        for path, fact in zip(names, facts, strict=True):
            if fact is not None and fact.id == added[path].blob:
                del added[path]
    return ProposedChange(
        repository=repository,
        tip=tip,
        since=since,
        steps=steps,
        added=dict(sorted(added.items())),
        elsewhere=(since,) if since is not None and beside else (),
    )


def owner_of(path: str) -> str | None:
    """Return the document of the entry that a file belongs to; none for files of the ledger itself."""
    if path.startswith(f"{paths.SHARDS}/"):
        return "/".join(["datasets", *path.split("/")[1:3], paths.DATASET_FILE])
    return document_of(path)
