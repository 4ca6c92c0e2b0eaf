"""Reads the tombstones of a ledger: what was taken out of its history, and what stands there instead."""

from collections.abc import Mapping

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import Problem, Redaction
from ledger.repository.repository import Repository
from ledger.repository.walk import read_difference


def tombstones(repository: Repository, tip: str) -> list[Redaction]:
    """Return every tombstone on a branch, oldest first; those that cannot be read say nothing.

    Raises:
        LedgerError: git cannot read the branch.
    """
    tree = {file.path: file.blob for file in repository.read_tree(tip, ["redactions/"])}
    found, _ = read_redactions(repository, tree)
    return sorted(found.values(), key=lambda redaction: redaction.redacted_at)


def only_redacted(repository: Repository, before: str, tip: str) -> list[Redaction]:
    """Return the tombstones that explain every difference of `tip` from `before` but additions; none when one is not.

    Args:
        repository: holds both histories.
        before: what this clone knows.
        tip: what is said to stand in its place.

    Raises:
        LedgerError: git cannot read one of them.
    """
    found = tombstones(repository, tip)
    steps = {(file.path, file.before): file.after for redaction in found for file in redaction.files}
    for change in read_difference(repository, before, tip):
        if change.status == "A" or paths.is_agreed(change.path):
            continue
        was = hash_bytes(repository.read_object(f"{before}:{change.path}"))
        now = None if change.status == "D" else hash_bytes(repository.read_object(change.blob))
        current, seen = was, {was}
        while current != now and (after := steps.get((change.path, current))) and after not in seen:
            current = after
            seen.add(after)
        if current != now:
            return []
    return found


def read_redactions(repository: Repository, tree: Mapping[str, str]) -> tuple[dict[str, Redaction], list[Problem]]:
    """Return every tombstone by its path, and what is wrong with those that cannot be read.

    Args:
        repository: where the objects are.
        tree: path to blob id of the branch.

    Raises:
        LedgerError: git fails on the way.
    """
    files = {
        path: blob for path, blob in sorted(tree.items()) if path.startswith("redactions/") and path.endswith(".json")
    }
    found: dict[str, Redaction] = {}
    problems = []
    for path, data in zip(files, repository.read_objects(files.values()), strict=True):
        try:
            if data is None:
                raise LedgerError("the object is missing from this clone")  # noqa: TRY301  # one place makes problems
            redaction = load(data, Redaction, source=path)
            if path != paths.redaction_path(redaction.id):
                raise LedgerError("the document says that it is another entry")  # noqa: TRY301  # as above
        except LedgerError as error:
            problems.append(Problem(path=path, message=error.message.removeprefix(f"{path}: ")))
        else:
            found[path] = redaction
    return found, problems
