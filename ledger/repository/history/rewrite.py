"""Rewrite of a history with other contents, and removal of objects for good, for what must not have been committed.

Everything else stays: order, parents, authors, times, and every commit before the first that changes.
"""

import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from ledger.errors import LedgerError
from ledger.repository.history.walk import CommitStep, PathChange, read_difference, walk
from ledger.repository.repository import Repository

_GONE = "000000"
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')
"""Bytes that need no escape in a quoted path: printable ASCII."""


def write_blob(repository: Repository, content: bytes) -> str:
    """Write a blob and return its id; idempotent.

    Raises:
        LedgerError: git cannot write.
    """
    return repository.git.output("hash-object", "-w", "-t", "blob", "--stdin", stdin=content).decode().strip()


def rewrite(
    repository: Repository,
    tip: str,
    blobs: Mapping[str, str],
    say: Callable[[bytes], bytes],
) -> dict[str, str]:
    """Rewrite the commits that lead to `tip` where their blobs or messages change; no ref moves.

    Args:
        repository: where they are.
        tip: the last commit.
        blobs: blob id to the one that stands in its place.
        say: commit message to what it says now.

    Returns:
        Every commit that was made again, old id to new; empty when none was.

    Raises:
        LedgerError: an object is missing, or git cannot write.
    """
    steps = list(_in_order(repository, tip))
    originals = repository.read_objects(step.commit for step in steps)
    scratch = f"refs/ledger/scratch/{os.getpid()}-{secrets.token_hex(4)}"
    made: dict[str, str] = {}
    parts: list[bytes] = []
    for step, original in zip(steps, originals, strict=True):
        if original is None:
            raise LedgerError(f"a commit of the ledger is missing: `{step.commit}`", hint="git fetch --unshallow")
        head, _, message = original.partition(b"\n\n")
        said = say(message)
        touched = any(change.blob in blobs for change in step.changes)
        if not touched and said == message and not any(parent in made for parent in step.parents):
            continue
        number = len(made) + 1
        parts.append(_commit(repository, step, scratch, number, head, said, blobs, made))
        made[step.commit] = f":{number}"
    if not made:
        return {}
    # A ref that ends as nothing is never written: a crash leaves only objects.
    parts += [f"get-mark {mark}\n".encode() for mark in made.values()]
    parts.append(f"reset {scratch}\nfrom {'0' * len(tip)}\n\ndone\n".encode())
    out = repository.git.output("fast-import", "--quiet", "--done", "--date-format=raw", stdin=b"".join(parts))
    return dict(zip(made, out.decode().split(), strict=True))


def _in_order(repository: Repository, tip: str) -> Iterator[CommitStep]:
    by_commit = {step.commit: step for step in walk(repository, tip)}
    out = repository.git.output("rev-list", "--topo-order", "--reverse", "--end-of-options", tip, "--")
    return (by_commit[commit] for commit in out.decode().split())


def _commit(
    repository: Repository,
    step: CommitStep,
    scratch: str,
    number: int,
    head: bytes,
    message: bytes,
    blobs: Mapping[str, str],
    made: Mapping[str, str],
) -> bytes:
    kept = [line for line in head.split(b"\n") if line.startswith((b"author ", b"committer ", b"encoding "))]
    # Without `from`, a commit would continue whatever this branch was last.
    fresh = "" if step.parents else f"reset {scratch}\n\n"
    parts = [
        f"{fresh}commit {scratch}\nmark :{number}\n".encode(),
        b"\n".join(kept),
        b"\ndata %d\n%b\n" % (len(message), message),
    ]
    for word, parent in zip(["from", *["merge"] * len(step.parents)], step.parents, strict=False):
        parts.append(f"{word} {made.get(parent, parent)}\n".encode())
    changes = step.changes if len(step.parents) <= 1 else read_difference(repository, step.parents[0], step.commit)
    parts += [_change(change, blobs) for change in changes]
    return b"".join(parts)


def _change(change: PathChange, blobs: Mapping[str, str]) -> bytes:
    path = _quoted(change.path)
    if change.mode == _GONE:
        return b"D %b\n" % path
    return f"M {change.mode} {blobs.get(change.blob, change.blob)} ".encode() + path + b"\n"


def _quoted(path: str) -> bytes:
    """Return a path in the form in which `fast-import` reads any path: quoted, special bytes in octal."""
    said = (chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in os.fsencode(path))
    return f'"{"".join(said)}"'.encode()


def remove_objects(repository: Repository, objects: Collection[str]) -> list[str]:
    """Remove objects from this repository for good, and return those that remain.

    They must be reachable from nothing: what a ref, a reflog or a worktree's index reaches stays. Other unreachable
    objects, such as a user's lost commits, stay as they are.

    Raises:
        LedgerError: git cannot repack.
    """
    if not objects:
        return []
    # Whatever is unreachable becomes loose, one file each; only the given ones are removed then.
    repository.git.output("repack", "-A", "-d", "-q", "--no-write-bitmap-index")
    reachable = set(_reachable(repository))
    for name in set(objects) - reachable:
        _loose_file(repository, name).unlink(missing_ok=True)
    found = repository.git.output("cat-file", "--batch-check", stdin="\n".join([*objects, ""]).encode()).decode()
    return [line.split()[0] for line in found.splitlines() if not line.endswith(" missing")]


def _reachable(repository: Repository) -> Iterator[str]:
    out = repository.git.output("rev-list", "--objects", "--all", "--reflog", "--indexed-objects", "--no-object-names")
    return iter(out.decode().split())


def _loose_file(repository: Repository, name: str) -> Path:
    return repository.common_dir / "objects" / name[:2] / name[2:]


def refs_reaching(repository: Repository, commits: Collection[str]) -> list[str]:
    """Return the refs of this repository that reach one of these commits, by name."""
    found: set[str] = set()
    for commit in commits:
        out = repository.git.output("for-each-ref", "--format=%(refname)", f"--contains={commit}")
        found.update(os.fsdecode(out).split())
    return sorted(found)
