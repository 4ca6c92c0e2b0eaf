"""Checkpoints: tags on the tip that state the number of entries and the hash over all of them.

Git's own ids chain history by SHA-1; the root here is BLAKE3 over every path and content, so it also proves,
after a redaction, that nothing but what its tombstone names has changed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from ledger import __version__
from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_bytes, merkle_root
from ledger.model.values import Document
from ledger.repository.history.walk import contains
from ledger.repository.repository import Repository, TreeFile
from ledger.repository.signing import signing_key
from ledger.repository.tags import Tag, is_signed_by, make_tag, read_tag, read_tags
from ledger.store.branch.branch import Branch
from ledger.store.sync.join import entries_in

_SAID = re.compile(r"^Entries: (?P<entries>\d{1,12})\nRoot: (?P<root>blake3:[0-9a-f]{64})$", re.MULTILINE)


_NAME = re.compile(r"checkpoint-\d{8}-\d{6}", re.ASCII)


class Checkpoint(Document, frozen=True, kw_only=True):
    """The statement of a checkpoint about one commit."""

    name: str
    """Its tag."""
    commit: str
    """Tip of the branch at that time."""
    entries: int
    """Number of entries at that time."""
    root: str
    """Merkle root over every path and content hash."""
    made_at: datetime
    """When, UTC."""
    signed: bool
    """Whether it is signed, by anybody."""


def make_checkpoint(
    ledger: Branch, read_blob: Callable[[str], bytes], now: datetime, *, signed: bool | None = None
) -> Checkpoint:
    """Make a checkpoint of the whole branch and return it.

    Args:
        ledger: the ledger.
        read_blob: returns the content of a blob id.
        now: time of the checkpoint, UTC, which also names it.
        signed: whether to sign it; by default where git is configured with an SSH key.

    Raises:
        NotFound: there is no ledger yet.
        LedgerError: it should be signed and cannot be.
    """
    tip = ledger.tip()
    if tip is None:
        raise NotFound("there is no ledger yet", hint="ledger init, or record a first run: ledger record --help")
    key = _key(ledger.repository, signed=signed)
    tree = ledger.repository.read_tree(tip)
    entries = len(entries_in([file.path for file in tree]))
    root = root_of(tree, read_blob)
    name = f"{ledger.branch}/checkpoint-{now:%Y%m%d-%H%M%S}"
    if ledger.repository.git.attempt("show-ref", "--verify", "--quiet", f"refs/tags/{ledger.branch}")[0] == 0:
        raise LedgerError(
            f"a tag named `{ledger.branch}` makes checkpoints impossible, and hides the branch from git",
            hint=f"git tag -d {ledger.branch}; where it was fetched from: git push REMOTE :refs/tags/{ledger.branch}",
        )
    message = (
        f"{entries} entries of the ledger\n\nEntries: {entries}\nRoot: {root}\nLedger-Tool: git-ledger {__version__}\n"
    )
    make_tag(ledger.repository, name, tip, message, key=key)
    return Checkpoint(name=name, commit=tip, entries=entries, root=root, made_at=now, signed=key is not None)


def _key(repository: Repository, *, signed: bool | None) -> str | None:
    if signed is False:
        return None
    try:
        return signing_key(repository)
    except LedgerError:
        if signed:
            raise
        return None


def root_of(tree: list[TreeFile], read_blob: Callable[[str], bytes], stood: Mapping[str, str] | None = None) -> str:
    """Return the Merkle root of a tree: one leaf `path NUL hash` per file, in the byte order of paths.

    Args:
        tree: every file of a commit.
        read_blob: returns the content of a blob id.
        stood: hash of the former content of paths that a redaction replaced.
    """
    taken: dict[str, str] = {}
    for file in tree:
        if file.blob not in taken:
            taken[file.blob] = hash_bytes(read_blob(file.blob))
    before = stood or {}
    leaves = ((file.path, before.get(file.path) or taken[file.blob]) for file in tree)
    return merkle_root(f"{path}\0{content}".encode("utf-8", "surrogateescape") for path, content in sorted(leaves))


def read_checkpoints(ledger: Branch) -> list[Checkpoint]:
    """Return every checkpoint of a ledger that this clone has, oldest first."""
    tags = read_tags(ledger.repository, f"{ledger.branch}/checkpoint-*")
    found = [_checkpoint(tag, said) for tag in tags if (said := _SAID.search(tag.message))]
    return sorted(found, key=lambda checkpoint: checkpoint.made_at)


def _checkpoint(tag: Tag, said: re.Match[str]) -> Checkpoint:
    return Checkpoint(
        name=tag.name,
        commit=tag.commit,
        entries=int(said["entries"]),
        root=said["root"],
        made_at=tag.made_at,
        signed=tag.signed,
    )


def wrong_with_checkpoint(
    repository: Repository,
    name: str,
    object_id: str,
    tip: str | None,
    signers: str,
    read_blob: Callable[[str], bytes],
) -> str | None:
    """Return why a tag is no true checkpoint of a ledger; none when it is one.

    Args:
        repository: repository with the tag's object; it need not have a ref yet.
        name: name of the tag.
        object_id: what it points to.
        tip: tip of the ledger.
        signers: allowed signers, one of whom must have signed it, as lines of an allowed-signers file; none for nobody.
        read_blob: returns the content of a blob id.

    Raises:
        LedgerError: git fails.
    """
    tag = read_tag(repository, name, object_id)
    said = _SAID.search(tag.message) if tag else None
    if not _NAME.fullmatch(name.rpartition("/")[2]) or tag is None or said is None:
        return "not a checkpoint, which is named checkpoint-DATE-TIME and states the number of entries and their root"
    if tip is None or not contains(repository, tip, tag.commit):
        return "its commit is not on the ledger"
    if signers and not (tag.signed and is_signed_by(repository, object_id, signers)):
        return "no signer named by the policy signed it"
    tree = repository.read_tree(tag.commit)
    if len(entries_in([file.path for file in tree])) != int(said["entries"]):
        return "the number of entries that it states is wrong"
    return None if root_of(tree, read_blob) == said["root"] else "its root is not that of the entries"


def is_trusted(ledger: Branch, checkpoint: Checkpoint) -> bool:
    """Return whether a checkpoint is signed by a signer of the policy.

    Raises:
        LedgerError: the policy cannot be read.
    """
    signers = ledger.policy.signatures.signers
    return bool(signers) and checkpoint.signed and is_signed_by(ledger.repository, checkpoint.name, signers)
