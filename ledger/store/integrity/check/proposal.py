"""What a range of commits would add: every path with its object, who added it and when, and how large it is."""

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
    """When that was made, UTC."""


class ProposedChange(Document, frozen=True, kw_only=True):
    """Commits that somebody wants on the ledger."""

    repository: Repository
    """Where the objects are."""
    tip: str
    """Their last commit."""
    since: str | None
    """Commit that is known to be good; none where everything is new."""
    steps: Sequence[CommitStep]
    """The commits, newest first."""
    added: dict[str, AddedFile]
    """Path to what is added there, in order of the paths; only what may stand there at all."""
    elsewhere: tuple[str, ...] = ()
    """Commits that hold what is on the ledger already, beside `tip`."""

    def standing(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of some paths that stand on the ledger or are added, each with its object."""
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
    """Return what commits add.

    Args:
        repository: where they are.
        tip: the last of them.
        since: commit that is known to be good.
        steps: the commits, newest first.
        beside: whether `tip` does not stand on `since`, so that both hold a part of the ledger.

    Raises:
        LedgerError: git fails.
    """
    added: dict[str, AddedFile] = {}
    for step in steps:
        committed = moment_of(step.seconds)
        for change in step.changes:
            good = change.status == "A" and wrong_mode(change.mode) is None
            # A merge adds what a side added before: the oldest commit is the one that did.
            if good and wrong_path(change.path) is None:
                added[change.path] = AddedFile(
                    path=change.path, blob=change.blob, commit=step.commit, committed=committed
                )
    if since is not None and (beside or any(len(step.parents) > 1 for step in steps)):
        # A merge adds to one parent what stands on the other: that is no news where the ledger has it.
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
    """Return the document of the entry that a file belongs to, none for what belongs to the ledger itself."""
    if path.startswith(f"{paths.SHARDS}/"):
        return "/".join(["datasets", *path.split("/")[1:3], paths.DATASET_FILE])
    return document_of(path)
