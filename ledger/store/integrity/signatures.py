"""Signatures of entries.

The entry is signed, not its commit: commits are remade when clones are joined, entries never change. A
signature lies beside the document it is about and covers every file of the entry.
"""

import re
from collections.abc import Iterable, Mapping

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.repository.repository import Repository
from ledger.repository.signing import public_key, sign, signing_key

_SIGNATURE = re.compile(r"(.+\.json)\.([0-9a-f]{16})\.sig")


def is_signature(path: str) -> bool:
    """Return whether a path on the branch is a signature's."""
    return path.endswith(".sig") and _SIGNATURE.fullmatch(path) is not None


def document_of(path: str) -> str | None:
    """Return the main document of the entry that a path belongs to; none for a path outside of entries."""
    if match := _SIGNATURE.fullmatch(path):
        return match[1]
    kind, _, rest = path.partition("/")
    if kind == "runs":
        return "/".join(path.split("/")[:5]) + f"/{paths.RECORD_FILE}" if rest.count("/") >= 4 else None  # noqa: PLR2004  # date and id
    if kind == "datasets":
        return "/".join(path.split("/")[:3]) + f"/{paths.DATASET_FILE}" if rest.count("/") >= 2 else None  # noqa: PLR2004  # name and version
    return path if kind in {"notes", "evaluations", "redactions", "cases", "hosts"} and path.endswith(".json") else None


def payload(document: str, hashes: Mapping[str, str]) -> bytes:
    """Return the payload of an entry's signature: the path of its main document, then path and hash of each file.

    Args:
        document: main document of the entry.
        hashes: content hash of every file of the entry, by path; signatures among them are skipped.
    """
    lines = [f"{path} {content}" for path, content in sorted(hashes.items()) if not is_signature(path)]
    return "\n".join(["ledger entry 1", document, *lines, ""]).encode()


def signature_files(repository: Repository, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return one signature for each entry among new files, made with the signing key of git's configuration.

    Raises:
        LedgerError: there is no such key, or it cannot sign.
    """
    entries: dict[str, dict[str, str]] = {}
    for path, content in files.items():
        document = document_of(path)
        if document is not None and document in files and not is_signature(path):
            entries.setdefault(document, {})[path] = hash_bytes(content)
    return dict(signature_of(repository, document, hashes) for document, hashes in entries.items())


def signature_of(repository: Repository, document: str, hashes: Mapping[str, str]) -> tuple[str, bytes]:
    """Return path and content of a signature of one entry, made with the signing key of git's configuration.

    Two people, or two clones, that sign one entry never share a path, and neither do two signatures of one person
    before and after a redaction.

    Raises:
        LedgerError: there is no such key, or it cannot sign.
    """
    said = payload(document, hashes)
    signature = sign(signing_key(repository), said)
    key = public_key(signature)
    if key is None:
        raise LedgerError("the output of ssh-keygen is not a signature", hint="ssh-keygen -Y sign -n ledger -f KEY")
    return paths.signature_path(document, hash_bytes(key + said).removeprefix("blake3:")), signature


def entries_of(tree: Iterable[str]) -> dict[str, list[str]]:
    """Return each entry's main document and all its files, signatures included, in the order of the tree."""
    entries: dict[str, list[str]] = {}
    for path in tree:
        if document := document_of(path):
            entries.setdefault(document, []).append(path)
    return entries
