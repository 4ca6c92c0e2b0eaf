"""Verification of the whole ledger: the branch only grew, and its files agree with its documents.

History is walked commit by commit against every parent; the documents at the tip are read and their
hashes recomputed. What a shallow or partial clone cannot show is reported, not skipped. A checkpoint that
a trusted signer signed vouches for everything before it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ledger.errors import NotFound
from ledger.model import paths
from ledger.model.document import uncollected
from ledger.model.entries import Contents, Redaction
from ledger.model.values import counted
from ledger.repository.history.walk import contains, walk
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import folders_of
from ledger.store.index.file import FILE
from ledger.store.index.index import remove_index
from ledger.store.index.proof import differing
from ledger.store.integrity.checkpoint import Checkpoint, is_trusted, read_checkpoints
from ledger.store.integrity.findings import Finding, limited
from ledger.store.integrity.policy_rights import check_law
from ledger.store.integrity.redaction_approval import Relied, vouch
from ledger.store.integrity.redaction_proof import Steps
from ledger.store.integrity.tombstones import explain_difference, read_redactions
from ledger.store.integrity.verify.answer import Verification
from ledger.store.integrity.verify.contents import Hashes, check_contents, check_redactions
from ledger.store.integrity.verify.history import check_history, dates_of
from ledger.store.integrity.verify.last_verified import remember, remembered
from ledger.store.integrity.verify.signatures import Signed, check_checkpoints, check_roots
from ledger.store.sync.join import entries_in
from ledger.store.sync.remote_tip import Recalled, is_continued

__all__ = ["Finding", "Verification", "verify"]


def verify(
    ledger: Branch,
    read_blob: Callable[[str], bytes],
    since: str | None = None,
    *,
    whole: bool = False,
    recalled: Recalled | None = None,
) -> Verification:
    """Verify a ledger and remember a clean tip, so that a later rewind of the branch is noticed.

    Args:
        ledger: the ledger.
        read_blob: returns the content of a blob id.
        since: verify only what came after this commit; by default the latest checkpoint that a signer of the
            policy signed, where there is one.
        whole: verify everything, and recompute the roots of all checkpoints.
        recalled: what a remote remembers of the branch, where it was asked.

    Raises:
        NotFound: `since` is no commit of this repository.
        LedgerError: the history or the branch cannot be read at all.
    """
    with uncollected():
        return _verify(ledger, read_blob, since, whole=whole, recalled=recalled)


def _verify(
    ledger: Branch, read_blob: Callable[[str], bytes], since: str | None, *, whole: bool, recalled: Recalled | None
) -> Verification:
    from ledger.store.integrity.verify.rules import StandingRules  # it imports `integrity/check`, which imports this

    tip = ledger.tip()
    if tip is None:
        return Verification(tip=None, commits=0, entries=0, findings=tuple(_against_memory(ledger, None)), open=())
    ledger.check_format(tip)
    repository = ledger.repository
    checkpoints = read_checkpoints(ledger)
    start = _start(ledger, tip, checkpoints, since, whole=whole)
    steps = list(walk(repository, tip, start))
    changed = {change.path for step in steps for change in step.changes if change.status != "D"}
    standing = StandingRules(repository, tip, start, steps)
    contents = standing.contents
    tombs = _tree(repository, tip, ["redactions/"])
    redactions, unreadable = read_redactions(repository, tombs)
    replaced = Steps(list(redactions.values()))
    tree = _tree(repository, tip, folders_of(changed | replaced.first().keys()) if start else None)
    hashes = Hashes(tree, read_blob, lambda path: start is not None and repository.holds(tip, path))
    dates = dates_of(steps)
    relied = vouch(repository, redactions, tombs, read_blob, ledger.policy.signatures)

    def contained(commit: str) -> bool:
        return contains(repository, tip, commit)

    signed = Signed(repository, ledger.policy.signatures, hashes, read_blob, replaced.first())
    findings = [
        *_against_memory(ledger, tip, redactions),
        *_against_recalled(ledger, tip, recalled),
        *check_law(repository, tip, start, steps),
        *_unreadable_policy(ledger),
        *(_of_index(ledger, tip) if start is None else ()),
        *check_history(steps, whole=start is None),
        *standing.check(replaced.first().keys()),
        *(Finding(rule="document", path=problem.path, message=problem.message) for problem in unreadable),
        *check_contents(contents, hashes, replaced, dates),
        *check_redactions(redactions, hashes, replaced, contained),
        *_not_vouched(relied, redactions),
        *signed.check(changed if start else tree, steps, dates),
    ]
    of_checkpoints = [
        *check_checkpoints(repository, tip, checkpoints, redactions),
        *(check_roots(repository, checkpoints, redactions, read_blob, contained) if start is None else ()),
    ]
    ignored = _ignored(ledger, checkpoints, of_checkpoints)
    findings += [one for one in of_checkpoints if one.path not in ignored]
    if not any(finding.severity == "error" for finding in findings):
        remember(ledger, tip)
    return Verification(
        tip=tip,
        commits=len(steps),
        entries=len(entries_in([path for path in (changed if start else tree) if path in tree])),
        findings=limited(findings),
        open=(
            *_unseen(ledger, contents),
            *_not_known(recalled, checkpoints),
            *(
                f"{name} is wrong, and was ignored as no signer named by the policy signed it"
                for name in sorted(ignored)
            ),
        ),
        since=start,
        checkpoints=len(checkpoints),
        signatures=signed.good,
        redactions=tuple(relied),
    )


def _tree(repository: Repository, tip: str, folders: Sequence[str] | None) -> dict[str, str]:
    """Return the blob of each path in these folders; none means everything."""
    files = repository.read_tree(tip, folders or ()) if folders is None or folders else []
    return {file.path: file.blob for file in files}


def _start(ledger: Branch, tip: str, checkpoints: list[Checkpoint], since: str | None, *, whole: bool) -> str | None:
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


def _unseen(ledger: Branch, contents: Contents) -> Iterator[str]:
    """Return what this clone cannot tell."""
    repository = ledger.repository
    if (repository.common_dir / "shallow").exists():
        yield "this clone is shallow: what came before its oldest commit was not walked; git fetch --unshallow"
    if (repository.common_dir / "info" / "grafts").exists():
        yield "this repository has grafts: they were ignored, and other tools may show another history"
    replacing = repository.git.output("for-each-ref", "--format=%(refname)", "refs/replace").decode().split()
    if replacing:
        many = counted(len(replacing), "replace ref")
        yield f"this repository has {many}, {replacing[0]} first: ignored, and other tools may show another history"
    if repository.git.attempt("show-ref", "--verify", "--quiet", f"refs/tags/{ledger.branch}")[0] == 0:
        yield f"a tag has the name of the branch: git shows it in its place, and we do not; git tag -d {ledger.branch}"
    commits = {run.record.code.commit.removeprefix("git:") for run in contents.runs if run.record.code.commit}
    names = sorted(commits)
    missing = sum(content is None for content in repository.read_objects(names)) if names else 0
    if missing:
        yield f"{missing} of {len(names)} code commits are not in this clone; git fetch origin refs/ledger/kept"


def _against_memory(
    ledger: Branch, tip: str | None, redactions: Mapping[str, Redaction] | None = None
) -> Iterator[Finding]:
    """Yield contradictions to what this clone has seen: its last clean tip, and replaced objects."""
    repository = ledger.repository
    before = remembered(ledger)
    if before is not None and (tip is None or not contains(repository, tip, before)):
        message = "the branch no longer contains the commit that was last verified: it was rewound or rewritten"
        yield from _not_continued(ledger, before, tip, message)
    for path, redaction in (redactions or {}).items():
        if tip is None or redaction.before == before or not repository.holds(redaction.before, ""):
            continue
        # The former history is still here, so the redaction's statement on it can be checked.
        for one in explain_difference(repository, redaction.before, tip).unproved:
            yield Finding(rule="redaction", path=one.path or path, commit=redaction.before, message=one.message)


def _not_continued(ledger: Branch, before: str, tip: str | None, message: str) -> Iterator[Finding]:
    """Yield how a branch fails to continue its remembered tip, unless redactions explain it."""
    lost = Finding(rule="history", path=ledger.ref, commit=before, message=message)
    if tip is None or not ledger.repository.holds(before, ""):
        yield lost
        return
    explained = explain_difference(ledger.repository, before, tip)
    if not explained.proved:
        yield lost
    for one in explained.unproved:
        yield Finding(rule="redaction", path=one.path or ledger.ref, commit=before, message=one.message)


def _against_recalled(ledger: Branch, tip: str, recalled: Recalled | None) -> Iterator[Finding]:
    """Yield contradictions to what a remote remembers."""
    if recalled is not None and recalled.commit is not None and not is_continued(ledger, tip, recalled.commit):
        message = (
            f"{recalled.remote} remembers a commit that the branch no longer contains: it was rewound or rewritten"
        )
        yield from _not_continued(ledger, recalled.commit, tip, message)


def _ignored(ledger: Branch, checkpoints: Sequence[Checkpoint], findings: Sequence[Finding]) -> set[str]:
    """Return the tags of checkpoints that are wrong and that no signer of the policy signed.

    Where the policy names none, every checkpoint counts.
    """
    named = {f"refs/tags/{one.name}": one for one in checkpoints}
    wrong = {finding.path for finding in findings} & named.keys()
    return {name for name in wrong if ledger.policy.signatures.signers and not is_trusted(ledger, named[name])}


def _of_index(ledger: Branch, tip: str) -> Iterator[Finding]:
    """Yield that the index of this clone contradicts git, and remove it."""
    unlike = differing(ledger, tip)
    if unlike:
        remove_index(ledger)
        said = f"it contradicted git, first about `{ascii(unlike[0])[1:-1]}`; it was removed, and will be rebuilt"
        yield Finding(rule="index", path=str(ledger.repository.state_dir / FILE), message=said)


def _unreadable_policy(ledger: Branch) -> Iterator[Finding]:
    if ledger.unreadable is not None:
        said = f"it cannot be read: {'; '.join(ledger.unreadable.problems)}"
        yield Finding(rule="policy", path=paths.POLICY_FILE, message=said, hint="ledger policy edit")


def _not_known(recalled: Recalled | None, checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """Return what a clone that never verified before cannot know."""
    if recalled is None or recalled.commit is not None:
        return
    if recalled.problem:
        yield f"whether the branch was rewound before: {recalled.remote} could not be reached ({recalled.problem})"
    elif not checkpoints:
        yield "whether the branch was rewound before: nothing here or at a remote remembers it; next: ledger checkpoint"


def _not_vouched(relied: Sequence[Relied], redactions: Mapping[str, Redaction]) -> Iterator[Finding]:
    where = {redaction.id: path for path, redaction in redactions.items()}
    for one in relied:
        if one.vouched is None:
            yield Finding(
                rule="redaction",
                path=where[one.id],
                message=f"nobody vouches for this redaction ({one.author}: {one.reason.splitlines()[0]})",
                hint="a signer of policy.yaml: ledger sign; without signers, whoever knows of it:"
                f" ledger verify --accept-redaction {one.id}",
            )
