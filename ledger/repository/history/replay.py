"""Replay of the files of existing commits on another commit, as new commits with the same author, times and message.

No working tree, no index, no ref: one `git fast-import` that names the blobs by their ids.
"""

import os
import secrets
from collections.abc import Mapping, Sequence

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.repository.complaints import explain
from ledger.repository.process import DURABLE, git_error
from ledger.repository.repository import Repository

_KEPT = (b"author ", b"committer ")
_REGULAR = "100644"


class Replayed(Document, frozen=True, kw_only=True):
    """One commit to replay."""

    commit: str
    """The commit whose author, times and message are kept."""
    files: dict[str, str]
    """Blob of each file that it adds, by path."""


def replay(repository: Repository, onto: str, commits: Sequence[Replayed]) -> str:
    """Replay commits, oldest first, on `onto` and return the last new one; no ref moves.

    Every path must be plain ASCII without quotes or control characters. Signatures are not kept: they
    were made over the old parents.

    Raises:
        LedgerError: git could not write.
    """
    if not commits:
        return onto
    scratch = f"refs/ledger/scratch/{os.getpid()}-{secrets.token_hex(4)}"
    parts, parent = [], onto
    originals = repository.read_objects(made.commit for made in commits)
    for number, (made, original) in enumerate(zip(commits, originals, strict=True), start=1):
        if original is None:
            raise LedgerError(f"a commit of the ledger is missing: `{made.commit}`", hint="git fsck")
        parts.append(f"commit {scratch}\nmark :{number}\n".encode() + _head(original) + f"from {parent}\n".encode())
        parts += [f"M {_REGULAR} {blob} {path}\n".encode("ascii") for path, blob in sorted(made.files.items())]
        parent = f":{number}"
    # A ref that ends as nothing is never written: a crash leaves only unreachable objects, which git collects.
    parts.append(f"get-mark {parent}\nreset {scratch}\nfrom {'0' * len(onto)}\n\ndone\n".encode())
    return _imported(repository, b"".join(parts))


def join_commit(
    repository: Repository, first: str, second: str, files: Mapping[str, str], *, message: str, stamp: str
) -> str:
    """Return a new commit with both parents, the tree of `first` and `files` (blob by path); no ref moves.

    Raises:
        LedgerError: git could not write.
    """
    scratch = f"refs/ledger/scratch/{os.getpid()}-{secrets.token_hex(4)}"
    said = message.encode()
    stream = f"commit {scratch}\nmark :1\nauthor {stamp}\ncommitter {stamp}\ndata {len(said)}\n".encode() + said
    stream += f"\nfrom {first}\nmerge {second}\n".encode()
    stream += b"".join(f"M {_REGULAR} {blob} {path}\n".encode("ascii") for path, blob in sorted(files.items()))
    return _imported(repository, stream + f"get-mark :1\nreset {scratch}\nfrom {'0' * len(first)}\n\ndone\n".encode())


def _head(original: bytes) -> bytes:
    """Return author, committer, encoding and message of a commit object in the form of `fast-import`."""
    header, _, message = original.partition(b"\n\n")
    lines = header.split(b"\n")
    encoding = [line for line in lines if line.startswith(b"encoding ")]
    kept = [line for start in _KEPT for line in lines if line.startswith(start)]
    return b"\n".join([*kept, *encoding]) + b"\ndata %d\n%b\n" % (len(message), message)


def _imported(repository: Repository, stream: bytes) -> str:
    command = ("fast-import", "--quiet", "--done", "--date-format=raw")
    code, out, err = repository.git.attempt(*DURABLE, *command, stdin=stream)
    if code:
        raise explain(err.decode("utf-8", "replace"), git_error(command[0], code, err))
    return out.decode().strip()
