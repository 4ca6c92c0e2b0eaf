"""Decides what may be put on the ledger: everything that is wrong with a range of commits, before it stands there.

`verify` answers for what stands; this asks of what is proposed, by the policy of what it is proposed to. Sizes are
known before anything is read, each object is read once, nothing is written and nothing of it is run.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.model import paths
from ledger.repository.blobs import read_facts
from ledger.repository.repository import Repository
from ledger.repository.walk import AS_IT_IS, walk
from ledger.store.check.checked import Checked, limited
from ledger.store.check.contents import Examined
from ledger.store.check.growth import check_contained, check_growth
from ledger.store.check.proposal import Proposal, owner_of, read_proposal
from ledger.store.check.sizes import POLICY_BYTES, Weighed
from ledger.store.findings import Finding
from ledger.store.join import contains, entries_in
from ledger.store.policy import Policy, load_policy

__all__ = ["Checked", "Finding", "check_range"]


def check_range(
    repository: Repository,
    tip: str,
    since: str | None,
    *,
    ref: str = "refs/heads/ledger",
    proposed: bool = False,
    now: datetime | None = None,
) -> Checked:
    """Return everything that is wrong with the commits that lead to `tip` and not to `since`.

    Args:
        repository: holds both; nothing is written there.
        tip: last commit of what is proposed.
        since: commit that is known to be good, whose policy counts; none where everything is new.
        ref: the branch that is to hold them.
        proposed: whether `tip` need not contain `since`: a proposal that was made before others were taken in.
        now: the moment that counts as now; the clock's when none.

    Raises:
        NotFound: one of the commits is not there.
        LedgerError: git fails.
    """
    repository = repository.with_objects(AS_IT_IS)
    tip, since = _commit(repository, tip), _commit(repository, since) if since else None
    beside = since is not None and not contains(repository, tip, since)
    try:
        steps = list(walk(repository, tip, since))
    except LedgerError:
        return _unreadable(tip)
    proposal = read_proposal(repository, tip, since, steps, beside=beside)
    findings = [check_contained(proposal, ref)] if beside and not proposed else []
    findings += _of_ref(ref)
    policy, policy_findings = _policy(proposal)
    weighed = Weighed(proposal, policy.limits)
    examined = Examined(proposal, weighed.readable(), policy)
    changed, of_change = _policy_change(proposal)
    findings += [
        *policy_findings,
        *check_growth(proposal, now or datetime.now(UTC)),
        *weighed.check(),
        *of_change,
        *examined.check(),
    ]
    return Checked(
        findings=limited(_told(findings, proposal)),
        commits=len(steps),
        entries=len(entries_in(list(proposal.added))),
        runs=tuple(sorted(run.record.id for run in examined.contents.runs)),
        policy_changed=changed,
    )


def _commit(repository: Repository, name: str) -> str:
    commit = repository.resolve(name)
    if commit is None:
        raise NotFound(f"no such commit: `{ascii(name)[1:-1]}`")
    return commit


def _unreadable(tip: str) -> Checked:
    finding = Finding(
        rule="history",
        commit=tip,
        message="git cannot read this history: a commit or a tree in it is missing or malformed",
        hint="git fsck",
    )
    return Checked(findings=(finding,), commits=0, entries=0, runs=())


def _of_ref(ref: str) -> list[Finding]:
    name = ref.removeprefix("refs/heads/")
    if not name.startswith("-") and "/-" not in name and name.isprintable():
        return []
    said = f"a branch of this name would be taken for an option: `{ascii(name)[1:-1]}`"
    return [Finding(rule="history", path=ref, message=said, hint="give the branch another name")]


def _policy(proposal: Proposal) -> tuple[Policy, list[Finding]]:
    """Return the policy that counts: that of the commit which is known to be good."""
    if proposal.since is None:
        return Policy(), []
    (data,) = proposal.repository.read_objects([f"{proposal.since}:{paths.POLICY_FILE}"])
    try:
        return (load_policy(data) if data is not None else Policy()), []
    except InvalidDocument as error:
        said = f"the policy that stands cannot be read, so the defaults count: {'; '.join(error.problems)}"
        finding = Finding(rule="policy", severity="warning", path=paths.POLICY_FILE, message=said)
        return Policy(), [finding]


def _policy_change(proposal: Proposal) -> tuple[bool, list[Finding]]:
    """Return whether the policy is changed, and what is wrong with that."""
    changes = [
        (change.blob, step.commit)
        for step in proposal.steps
        for change in step.changes
        if change.path == paths.POLICY_FILE and change.status in {"A", "M"}
    ]
    names = [f"{proposal.since}:{paths.POLICY_FILE}"] if proposal.since else []
    stood = next(iter(read_facts(proposal.repository, names)), None)
    changes = [(blob, commit) for blob, commit in changes if stood is None or stood.id != blob]
    findings = list(_of_policies(proposal, changes))
    others = any(path not in {paths.POLICY_FILE, paths.FORMAT_FILE} for path in proposal.added)
    if changes and proposal.since is not None and others:
        findings.append(
            Finding(
                rule="policy",
                path=paths.POLICY_FILE,
                commit=changes[0][1],
                message="the policy is changed among records",
                hint="change policy.yaml in a proposal of its own",
            )
        )
    return bool(changes) and proposal.since is not None, findings


def _of_policies(proposal: Proposal, changes: list[tuple[str, str]]) -> Iterator[Finding]:
    by_blob = dict(reversed(changes))
    facts = read_facts(proposal.repository, by_blob)
    for (blob, commit), fact in zip(by_blob.items(), facts, strict=True):
        problem = None
        if fact is None or fact.kind != "blob":
            problem = "its content is missing"
        elif fact.bytes > POLICY_BYTES:
            problem = f"{fact.bytes:,} bytes, and {POLICY_BYTES:,} are allowed"
        else:
            try:
                load_policy(proposal.repository.read_object(blob))
            except LedgerError as error:
                problem = "; ".join(error.problems) if isinstance(error, InvalidDocument) else error.message
        if problem:
            yield Finding(
                rule="policy",
                path=paths.POLICY_FILE,
                commit=commit,
                message=problem,
                hint="see the handbook's page on policy",
            )


_MENDS = {
    "content": "record the run again: an entry and its files are written together",
    "reference": "record it first, or name another",
    "plausible": "look at it; record it again where it is wrong",
    "signature": "ledger sign, with a key that policy.yaml names",
}
"""The mend where a finding has none of its own, as `verify` finds what cannot be mended any more."""


def _told(findings: list[Finding], proposal: Proposal) -> Iterator[Finding]:
    """Yield findings with the commit that added what they are about, and a mend."""
    commits = {path: one.commit for path, one in proposal.added.items()}
    for path, one in proposal.added.items():
        commits.setdefault(owner_of(path) or path, one.commit)
    for finding in findings:
        commit = finding.commit or commits.get(finding.path) or commits.get(owner_of(finding.path) or "")
        hint = finding.hint or _MENDS.get(finding.rule)
        yield msgspec.structs.replace(finding, commit=commit, hint=hint)
