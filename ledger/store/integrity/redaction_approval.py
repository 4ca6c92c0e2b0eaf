"""Approval of a redaction: by a signer of the policy, or by a person at this clone who accepted it."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.entries import Redaction
from ledger.model.values import Document
from ledger.repository.repository import Repository
from ledger.repository.signing import Signers
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import Signatures
from ledger.store.integrity.signatures import document_of, is_signature, payload
from ledger.store.integrity.tombstones import read_redactions

_FILE = "accepted-redactions"


class Relied(Document, frozen=True, kw_only=True, omit_defaults=False):
    """A redaction that a result depends on."""

    id: str
    """Id of its tombstone."""
    reason: str
    """The reason, in the redactor's words."""
    author: str
    """Who states to have made it."""
    redacted_at: datetime
    """When, UTC."""
    files: int
    """Number of files that it replaced."""
    vouched: str | None
    """Who vouches for it: `signed by NAME` or `accepted in this clone`; none when nobody does."""


def vouch(
    repository: Repository,
    redactions: Mapping[str, Redaction],
    tree: Mapping[str, str],
    read_blob: Callable[[str], bytes],
    policy: Signatures,
) -> list[Relied]:
    """Return every redaction with who vouches for it, oldest first.

    Where the policy names signers, one of them must have signed it; only without signers is an acceptance enough.

    Args:
        repository: repository in which some may have been accepted.
        redactions: tombstones by path.
        tree: blob id of everything below `redactions/`, by path.
        read_blob: returns the content of a blob id.
        policy: whose signatures count.

    Raises:
        LedgerError: `ssh-keygen` or an object is missing.
    """
    accepted = _accepted(repository)
    beside: dict[str | None, list[str]] = {}
    for path in filter(is_signature, tree):
        beside.setdefault(document_of(path), []).append(path)
    found = []
    with contextlib.ExitStack() as stack:
        signers = stack.enter_context(Signers(policy.signers)) if policy.signers and redactions else None
        for path, redaction in redactions.items():
            content = hash_bytes(read_blob(tree[path]))
            by = None
            if signers is not None:
                signatures = [read_blob(tree[one]) for one in beside.get(path, ())]
                by = _signed_by(signers, payload(path, {path: content}), signatures, redaction.redacted_at, policy)
            elif accepted.get(redaction.id) == content:
                by = "accepted in this clone"
            found.append(_relied(redaction, by))
    return sorted(found, key=lambda one: one.redacted_at)


def vouch_at(repository: Repository, tip: str, policy: Signatures) -> list[Relied]:
    """Return every redaction of a history with who vouches for it.

    Args:
        repository: repository with the history.
        tip: its last commit.
        policy: whose signatures count: the policy from before the redaction.

    Raises:
        LedgerError: git fails, or `ssh-keygen` is missing.
    """
    tree = {file.path: file.blob for file in repository.read_tree(tip, ["redactions/"])}
    redactions, _ = read_redactions(repository, tree)
    return vouch(repository, redactions, tree, repository.read_object, policy)


def _signed_by(
    signers: Signers, said: bytes, signatures: Iterable[bytes], at: datetime, policy: Signatures
) -> str | None:
    for signature in signatures:
        name = signers.signer(said, signature, at)
        if name is not None and (not policy.redactors or name in policy.redactors):
            return f"signed by {name}"
    return None


def _relied(redaction: Redaction, by: str | None) -> Relied:
    return Relied(
        id=redaction.id,
        reason=redaction.reason,
        author=redaction.author.name,
        redacted_at=redaction.redacted_at,
        files=len(redaction.files),
        vouched=by,
    )


def accept(repository: Repository, redactions: Mapping[str, bytes]) -> None:
    """Remember that a person at this clone accepted redactions, by id and content of their tombstones.

    Raises:
        LedgerError: it cannot be written.
    """
    known = _accepted(repository) | {name: hash_bytes(content) for name, content in redactions.items()}
    file = repository.state_dir / _FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{name} {content}\n" for name, content in sorted(known.items())), encoding="ascii")
    except OSError as error:
        raise LedgerError(f"cannot write which redactions are accepted ({error.strerror}): `{file}`") from error


def accept_all(repository: Repository, tip: str) -> None:
    """Remember that a person at this clone accepted every redaction of a history.

    Raises:
        LedgerError: git fails, or it cannot be written down.
    """
    files = [file for file in repository.read_tree(tip, ["redactions/"]) if file.path.endswith(".json")]
    contents = repository.read_objects(file.blob for file in files)
    names = (file.path.rpartition("/")[2].removesuffix(".json") for file in files)
    accept(repository, {name: content for name, content in zip(names, contents, strict=True) if content is not None})


def accept_named(ledger: Branch, names: Sequence[str]) -> None:
    """Remember that a person at this clone accepted some redactions, by their ids.

    Raises:
        NotFound: there is no redaction with that id.
        LedgerError: it cannot be written.
    """
    for name in names:
        content = ledger.read(paths.redaction_path(name))
        if content is None:
            raise NotFound(f"no such redaction: `{ascii(name)[1:-1]}`", hint="ledger verify names them")
        accept(ledger.repository, {name: content})


def _accepted(repository: Repository) -> dict[str, str]:
    try:
        lines = (repository.state_dir / _FILE).read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return dict(line.split(" ", 1) for line in lines if line.count(" ") == 1)
