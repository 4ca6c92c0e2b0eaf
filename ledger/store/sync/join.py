"""Join of two histories of one ledger: the commits that one lacks go on top of it, with their authors and times.

Entries never share a path, so there is nothing to merge. A change or loss of an entry is refused here,
before it can reach anybody else. Knows nothing of remotes.
"""

import re
from collections.abc import Collection, Sequence

from ledger.errors import Conflict, LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.document import load
from ledger.model.entries import DatasetVersion
from ledger.model.values import Document
from ledger.repository.history.replay import Replayed, join_commit, replay
from ledger.repository.history.walk import CommitStep, PathChange, contains, read_difference, walk
from ledger.repository.repository import Repository
from ledger.store.integrity.tombstones import tombstones

_PATH = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[A-Za-z0-9][A-Za-z0-9._/-]*")
"""Form of every path of an entry; nothing else is put into a stream for git."""

_ENTRY = re.compile(
    rf"(runs/.+)/{re.escape(paths.RECORD_FILE)}"
    rf"|(datasets/.+)/{re.escape(paths.DATASET_FILE)}"
    r"|((?:evaluations|notes|redactions|cases|hosts)/.+)\.json"
)
"""The main document of each entry."""


class JoinedHistory(Document, frozen=True, kw_only=True):
    """One history on top of another."""

    tip: str
    """Commit that contains both."""
    added: list[str]
    """Entries that `onto` lacked."""


def entries_in(files: Sequence[str]) -> list[str]:
    """Return the entries that files belong to, each once, sorted by name."""
    found = (_ENTRY.fullmatch(path) for path in files)
    return sorted(match[1] or match[2] or match[3] for match in found if match)


def join(repository: Repository, onto: str, tip: str, shared: Sequence[str] = ()) -> JoinedHistory:
    """Put what `tip` has and `onto` lacks on top of `onto`; no ref moves; idempotent.

    Args:
        repository: repository with both.
        onto: history that remains as it is.
        tip: history whose own commits are remade, unless it is already on top of `onto`.
        shared: commits that others have; their ancestors are not remade but merged.

    Raises:
        Conflict: both have different content at one path, or one of them changes an entry.
        LedgerError: git fails.
    """
    if contains(repository, onto, tip):
        return JoinedHistory(tip=onto, added=[])
    steps = oldest_first(repository, onto, tip)
    _check_only_grew(steps)
    changes = read_difference(repository, onto, tip)
    ours = {change.path: change.blob for change in changes if change.status == "A"}
    if contains(repository, tip, onto):
        return JoinedHistory(tip=tip, added=entries_in(list(ours)))
    redacted = _redacted(repository, onto)
    ours = {
        path: blob for path, blob in ours.items() if (path, _hash_of(repository, path, blob, redacted)) not in redacted
    }
    for change in changes:
        if (change.path, _hash_of(repository, change.path, change.blob, redacted)) in redacted:
            continue  # a redaction put something else in its place there
        if change.status in {"M", "T"} and _is_ours(repository, onto, tip, change, steps):
            ours[change.path] = change.blob
    if _is_any_shared(repository, onto, tip, shared, len(steps)):
        made = _merge(repository, onto, tip, ours)
    else:
        made = replay(repository, onto, _replayed(steps, ours))
    return JoinedHistory(tip=made, added=entries_in(list(ours)))


def _redacted(repository: Repository, tip: str) -> set[tuple[str, str]]:
    """Return path and hash of everything that redactions removed from a history."""
    return {(file.path, file.before) for redaction in tombstones(repository, tip) for file in redaction.files}


def _hash_of(repository: Repository, path: str, blob: str, redacted: Collection[tuple[str, str]]) -> str:
    """Return the content hash of a blob; empty where no redaction names its path: most need not be read."""
    return hash_bytes(repository.read_object(blob)) if any(path == named for named, _ in redacted) else ""


def common_base(repository: Repository, one: str, other: str) -> str | None:
    """Return the last commit that two histories share, none when they share none."""
    code, out, _ = repository.git.attempt("merge-base", one, other)
    return None if code else out.decode().split("\n", 1)[0]


def check_only_grew(repository: Repository, tip: str) -> None:
    """Return when no commit of a whole history removed or changed an entry.

    Raises:
        Conflict: one did.
    """
    _check_only_grew(oldest_first(repository, None, tip))


def oldest_first(repository: Repository, onto: str | None, tip: str) -> list[CommitStep]:
    """Return the commits that lead to `tip` and not to `onto`, parents before children."""
    by_commit = {step.commit: step for step in walk(repository, tip, onto)}
    left_out = [f"^{onto}"] if onto else []
    out = repository.git.output("rev-list", "--topo-order", "--reverse", tip, *left_out, "--")
    return [by_commit[commit] for commit in out.decode().split() if commit in by_commit]


def _is_any_shared(repository: Repository, onto: str, tip: str, shared: Sequence[str], count: int) -> bool:
    if not shared:
        return False
    excluded = [f"^{commit}" for commit in (onto, *shared)]
    return int(repository.git.output("rev-list", "--count", tip, *excluded, "--")) < count


def _check_only_grew(steps: Sequence[CommitStep]) -> None:
    for step in steps:
        for change in step.changes:
            allowed = change.status == "A" or (change.status == "M" and paths.is_agreed(change.path))
            if not allowed:
                raise Conflict(
                    f"commit {step.commit[:10]} changes what was recorded: `{ascii(change.path)[1:-1]}`",
                    hint="ledger recover --branch puts it back; ledger verify says what is wrong",
                )
            if change.mode != "100644" or not (_PATH.fullmatch(change.path) or paths.is_agreed(change.path)):
                raise Conflict(
                    f"commit {step.commit[:10]} adds something that is not an entry: `{ascii(change.path)[1:-1]}`"
                )


def _replayed(steps: Sequence[CommitStep], ours: dict[str, str]) -> list[Replayed]:
    """Return the remaining additions of each commit; commits that add nothing new are skipped."""
    done: dict[str, str] = {}
    commits = []
    for step in steps:
        files = {
            change.path: change.blob
            for change in step.changes
            if change.path in ours and done.get(change.path) != change.blob
        }
        if files:
            done |= files
            commits.append(Replayed(commit=step.commit, files=files))
    if done != ours:
        lost = next(path for path in ours if done.get(path) != ours[path])
        raise Conflict(
            f"the history is incomplete, so no commit adds this file: `{lost}`", hint="git fetch --unshallow"
        )
    return commits


def _merge(repository: Repository, onto: str, tip: str, ours: dict[str, str]) -> str:
    stamp = repository.git.output("var", "GIT_COMMITTER_IDENT").decode("utf-8", "replace").strip()
    message = "ledger: join two remotes\n\nBoth histories are shared already, so neither can be made again.\n"
    return join_commit(repository, onto, tip, ours, message=message, stamp=stamp)


def _is_ours(repository: Repository, onto: str, tip: str, change: PathChange, steps: Sequence[CommitStep]) -> bool:
    """Return whether our content of a path that both hold is the newer one; false when theirs is.

    Raises:
        Conflict: neither is.
    """
    path = change.path
    theirs, mine = repository.read_object(f"{onto}:{path}"), repository.read_object(change.blob)
    if paths.is_agreed(path):
        return _is_our_word(repository, onto, tip, steps, path, (theirs, mine))
    if path.startswith("datasets/") and path.endswith(f"/{paths.DATASET_FILE}"):
        if load(theirs, DatasetVersion, source=path).hash == load(mine, DatasetVersion, source=path).hash:
            return False  # one version added twice: content decides, not who added it when
        label = "@".join(path.split("/")[1:3])
        raise Conflict(
            f"the other ledger has other data under this dataset version: `{label}`",
            hint="give yours another version; to see the runs that use it: ledger list 'dataset = {label}'",
        )
    if (path, hash_bytes(theirs)) in _redacted(repository, tip):
        raise Conflict(
            f"a redaction removed this here, but the other ledger still holds it: `{path}`",
            hint=f"git push --force-with-lease=BRANCH:{onto} REMOTE BRANCH",
        )
    raise Conflict(f"the other ledger holds something else at this path: `{path}`")


def _is_our_word(
    repository: Repository, onto: str, tip: str, steps: Sequence[CommitStep], path: str, contents: tuple[bytes, bytes]
) -> bool:
    """Return whether our policy or workflow at a path that both sides have is the newer one."""
    theirs, mine = contents
    edited = [step for step in steps for change in step.changes if change.path == path]
    base = common_base(repository, onto, tip)
    if base is None:  # two first commits, each with the policy that its version of the tool wrote
        if all(change.status == "A" for step in edited for change in step.changes if change.path == path):
            return False
        before = _read_at(repository, edited[0].commit, path)
    else:
        before = _read_at(repository, base, path)
    if mine == before:
        return False
    if theirs == before:
        return True
    raise Conflict(
        f"both ledgers changed this file by hand: `{path}`",
        hint="ledger policy show, and git show REMOTE/ledger:policy.yaml; make them the same with ledger policy edit",
    )


def _read_at(repository: Repository, commit: str, path: str) -> bytes | None:
    try:
        return repository.read_object(f"{commit}:{path}")
    except LedgerError:
        return None
