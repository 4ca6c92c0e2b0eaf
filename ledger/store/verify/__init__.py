"""Answers for every entry ever made: the branch only grew, and what it holds is what it says.

History is walked commit by commit against every parent; the documents at the tip are read and their
hashes taken again. What a shallow or partial clone cannot show is said, not passed over. A checkpoint that
a trusted signer signed vouches for what came before it.
"""

from collections.abc import Callable, Iterator, Sequence

from ledger.errors import NotFound
from ledger.model.entries import Contents
from ledger.repository.repository import Repository
from ledger.repository.walk import contains, walk
from ledger.store.checkpoint import Checkpoint, is_trusted, read_checkpoints
from ledger.store.findings import Finding
from ledger.store.join import entries_in
from ledger.store.ledger import Ledger
from ledger.store.reader import folders_of, read_contents
from ledger.store.redactions import read_redactions
from ledger.store.verify.contents import Hashes, Replaced, check_contents, check_redactions
from ledger.store.verify.findings import Verdict
from ledger.store.verify.history import check_history, dates_of
from ledger.store.verify.memory import remember, remembered
from ledger.store.verify.vouched import Signed, check_checkpoints, check_roots

__all__ = ["Finding", "Verdict", "verify"]


def verify(
    ledger: Ledger, read_blob: Callable[[str], bytes], since: str | None = None, *, whole: bool = False
) -> Verdict:
    """Verify a ledger; a clean one is remembered, so that a rewound branch is noticed the next time.

    Args:
        ledger: the ledger.
        read_blob: blob id to content.
        since: look only at what came after this commit; by default the latest checkpoint that a signer of the
            policy signed, where there is one.
        whole: look at everything, and take the roots of all checkpoints again.

    Raises:
        NotFound: `since` is no commit of this repository.
        LedgerError: the history or the branch cannot be read at all.
    """
    tip = ledger.tip()
    if tip is None:
        return Verdict(tip=None, commits=0, entries=0, findings=tuple(_against_memory(ledger, None)), open=())
    ledger.check_format(tip)
    repository = ledger.repository
    checkpoints = read_checkpoints(ledger)
    start = _start(ledger, tip, checkpoints, since, whole=whole)
    steps = list(walk(repository, tip, start))
    changed = {change.path for step in steps for change in step.changes if change.status != "D"}
    contents = read_contents(repository, tip, changed if start else None)
    redactions, unreadable = read_redactions(repository, _tree(repository, tip, ["redactions/"]))
    replaced = Replaced(redactions)
    tree = _tree(repository, tip, folders_of(changed | replaced.first().keys()) if start else None)
    hashes = Hashes(tree, read_blob, lambda path: start is not None and repository.holds(tip, path))
    dates = dates_of(steps)
    signed = Signed(repository, ledger.policy.signatures, hashes, read_blob, replaced.first())
    findings = [
        *_against_memory(ledger, tip, known={redaction.before for redaction in redactions.values()}),
        *check_history(steps, whole=start is None),
        *(
            Finding(rule="document", path=problem.path, message=problem.message)
            for problem in (*contents.problems, *unreadable)
        ),
        *check_contents(contents, hashes, replaced, dates),
        *check_redactions(redactions, hashes, replaced, lambda commit: contains(repository, tip, commit)),
        *signed.check(changed if start else tree, steps, dates),
        *check_checkpoints(repository, tip, checkpoints, redactions),
        *(check_roots(repository, checkpoints, redactions, read_blob) if start is None else ()),
    ]
    if not findings:
        remember(ledger, tip)
    return Verdict(
        tip=tip,
        commits=len(steps),
        entries=len(entries_in([path for path in (changed if start else tree) if path in tree])),
        findings=tuple(findings),
        open=tuple(_unseen(ledger, contents)),
        since=start,
        checkpoints=len(checkpoints),
        signatures=signed.good,
        redactions=len(redactions),
    )


def _tree(repository: Repository, tip: str, folders: Sequence[str] | None) -> dict[str, str]:
    """Return path to blob of what lies in these folders; none means everything."""
    files = repository.read_tree(tip, folders or ()) if folders is None or folders else []
    return {file.path: file.blob for file in files}


def _start(ledger: Ledger, tip: str, checkpoints: list[Checkpoint], since: str | None, *, whole: bool) -> str | None:
    """Return the commit after which verification begins; none for the first one."""
    if since is not None:
        start = ledger.repository.resolve(since)
        if start is None:
            raise NotFound(f"no such commit: `{since}`")
        return start
    if whole:
        return None
    trusted = (checkpoint for checkpoint in reversed(checkpoints) if is_trusted(ledger, checkpoint))
    latest = next(trusted, None)
    return latest.commit if latest and contains(ledger.repository, tip, latest.commit) else None


def _unseen(ledger: Ledger, contents: Contents) -> Iterator[str]:
    """Say what this clone cannot tell."""
    repository = ledger.repository
    if (repository.common_dir / "shallow").exists():
        yield "this clone is shallow: what came before its oldest commit was not walked; git fetch --unshallow"
    if (repository.common_dir / "info" / "grafts").exists():
        yield "this repository has grafts: they were ignored, and other tools may show another history"
    commits = {run.record.code.commit.removeprefix("git:") for run in contents.runs if run.record.code.commit}
    names = sorted(commits)
    missing = sum(content is None for content in repository.read_objects(names)) if names else 0
    if missing:
        yield f"{missing} of {len(names)} code commits are not in this clone; git fetch origin refs/ledger/kept"


def _against_memory(
    ledger: Ledger, tip: str | None, known: frozenset[str] | set[str] = frozenset()
) -> Iterator[Finding]:
    before = remembered(ledger)
    if before is None or (tip is not None and contains(ledger.repository, tip, before)):
        return
    # A clone that took over a redaction made its old commits again; only a tip that a tombstone names may go.
    if any(before == one or contains(ledger.repository, one, before) for one in known):
        return
    message = "the branch no longer contains the commit that was last verified: it was rewound or rewritten"
    yield Finding(rule="history", path=ledger.ref, commit=before, message=message)
