"""Tombstones of a ledger: what redactions removed from its history and put in its place."""

from collections.abc import Mapping

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import Problem, Redaction
from ledger.model.values import Document
from ledger.repository.repository import Repository
from ledger.store.integrity.redaction_proof import Unproved, circle_in, unproved, wrong_with


def tombstones(repository: Repository, tip: str) -> list[Redaction]:
    """Return every tombstone on a branch, oldest first; unreadable ones are skipped.

    Raises:
        LedgerError: git cannot read the branch.
    """
    tree = {file.path: file.blob for file in repository.read_tree(tip, ["redactions/"])}
    found, _ = read_redactions(repository, tree)
    return sorted(found.values(), key=lambda redaction: redaction.redacted_at)


class Explained(Document, frozen=True, kw_only=True):
    """Differences of a history that does not contain the known one."""

    redactions: tuple[Redaction, ...]
    """Tombstones that are new in it, oldest first; none where no redaction is stated as the reason."""
    unproved: tuple[Unproved, ...]
    """Differences that they do not explain."""

    @property
    def proved(self) -> bool:
        """Whether redactions removed something, and nothing else changed."""
        return bool(self.redactions) and not self.unproved


def explain_difference(repository: Repository, before: str, tip: str, *, law_stands: bool = False) -> Explained:
    """Return whether redactions explain every difference between `before` and `tip`, additions apart.

    Args:
        repository: repository with both histories.
        before: tip that this clone knows.
        tip: tip that is said to replace it.
        law_stands: whether policy and workflows must be those of `before`.

    Raises:
        LedgerError: git cannot read one of them.
    """
    known = {one.id for one in tombstones(repository, before)}
    found = tombstones(repository, tip)
    new = tuple(one for one in found if one.id not in known)
    if not new:
        return Explained(redactions=(), unproved=())
    wrong = [Unproved(path=paths.redaction_path(one.id), message=why) for one in new for why in wrong_with(one)]
    if circle_in(found):
        wrong.append(Unproved(path="redactions", message="the replacements that redactions name form a circle"))
    if not wrong:
        wrong = list(unproved(repository, before, tip, found, law_stands=law_stands))
    return Explained(redactions=new, unproved=tuple(wrong))


def read_redactions(repository: Repository, tree: Mapping[str, str]) -> tuple[dict[str, Redaction], list[Problem]]:
    """Return every tombstone by its path, and the problems of unreadable ones.

    Args:
        repository: repository with the objects.
        tree: blob ids of the branch, by path.

    Raises:
        LedgerError: git fails while reading.
    """
    files = {
        path: blob for path, blob in sorted(tree.items()) if path.startswith("redactions/") and path.endswith(".json")
    }
    found: dict[str, Redaction] = {}
    problems = []
    for path, data in zip(files, repository.read_objects(files.values()), strict=True):
        try:
            if data is None:
                raise LedgerError("the object is missing from this clone")  # noqa: TRY301  # all problems are made in one place
            redaction = load(data, Redaction, source=path)
            if path != paths.redaction_path(redaction.id):
                raise LedgerError("the document belongs at another path")  # noqa: TRY301  # the same
            if wrong := wrong_with(redaction):
                raise LedgerError("; ".join(wrong))  # noqa: TRY301  # the same
        except LedgerError as error:
            problems.append(Problem(path=path, message=error.message.removeprefix(f"{path}: ")))
        else:
            found[path] = redaction
    return found, problems
