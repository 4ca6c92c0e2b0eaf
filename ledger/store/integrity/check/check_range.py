"""The check of a range of commits before it enters the ledger: everything that is wrong with it.

`verify` looks at what is on the ledger; this looks at a proposal, by the policy of the branch it is for. Sizes are
known before anything is read, each object is read once, nothing is written and no content is executed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.model import paths
from ledger.repository.blobs import ObjectFacts, read_facts
from ledger.repository.history.walk import AS_IT_IS, contains, walk
from ledger.repository.repository import Repository
from ledger.store.branch.policy import POLICY_BYTES, Policy, load_policy
from ledger.store.integrity.check.additions import ProposedChange, owner_of, read_proposal
from ledger.store.integrity.check.answer import Checked
from ledger.store.integrity.check.append_only import check_contained, check_growth
from ledger.store.integrity.check.contents import Examined
from ledger.store.integrity.check.sizes import Weighed
from ledger.store.integrity.findings import Finding, limited
from ledger.store.integrity.policy_rights import FOLDER, check_law
from ledger.store.sync.join import entries_in


def check_range(
    repository: Repository,
    tip: str,
    since: str | None,
    *,
    ref: str = "refs/heads/ledger",
    proposed: bool = False,
    apart: Literal["proposals", "commits"] = "proposals",
    now: datetime | None = None,
) -> Checked:
    """Return everything that is wrong with the commits that lead to `tip` and not to `since`.

    Args:
        repository: repository with both; nothing is written to it.
        tip: last commit of the proposal.
        since: commit that is known to be good, whose policy applies; none where everything is new.
        ref: the branch that is to hold them.
        proposed: whether `tip` need not contain `since`: a proposal that was made before others were merged.
        apart: whether policy and workflows must be changed in a proposal of their own, or, where many were merged
            since, in a commit of its own.
        now: present time; the clock's when none.

    Raises:
        NotFound: one of the commits does not exist.
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
    findings = list(check_contained(proposal, ref, proposed=proposed)) if beside else []
    findings += _of_ref(ref)
    policy, policy_findings = _policy(proposal)
    weighed = Weighed(proposal, policy.limits)
    examined = Examined(proposal, weighed.readable(), policy)
    changes = _agreed(proposal)
    findings += [
        *policy_findings,
        *check_growth(proposal, now or datetime.now(UTC)),
        *weighed.check(),
        *_of_agreed(proposal, changes, apart),
        *check_law(repository, tip, since, steps),
        *examined.check(),
    ]
    return Checked(
        findings=limited(_with_origin(findings, proposal)),
        commits=len(steps),
        entries=len(entries_in(list(proposal.added))),
        runs=tuple(sorted(run.record.id for run in examined.contents.runs)),
        policy_changed=bool(changes) and since is not None,
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


def _policy(proposal: ProposedChange) -> tuple[Policy, list[Finding]]:
    """Return the policy that applies: that of the commit known to be good."""
    if proposal.since is None:
        return Policy(), []
    (data,) = proposal.repository.read_objects([f"{proposal.since}:{paths.POLICY_FILE}"])
    try:
        return (load_policy(data) if data is not None else Policy()), []
    except InvalidDocument as error:
        said = f"the current policy cannot be read, so the defaults apply: {'; '.join(error.problems)}"
        finding = Finding(rule="policy", severity="warning", path=paths.POLICY_FILE, message=said)
        return Policy(), [finding]


def _agreed(proposal: ProposedChange) -> dict[tuple[str, str], str]:
    """Return the latest commit of each change to policy and workflows, by path and object."""
    changes = {
        (change.path, change.blob): step.commit
        for step in reversed(proposal.steps)
        for change in step.changes
        if paths.is_agreed(change.path) and change.status in {"A", "M"}
    }
    if proposal.since is None:
        return changes
    names = sorted({path for path, _ in changes})
    facts = read_facts(proposal.repository, (f"{proposal.since}:{path}" for path in names))
    stood = {(path, fact.id) for path, fact in zip(names, facts, strict=True) if fact is not None}
    return {change: commit for change, commit in changes.items() if change not in stood}


def _of_agreed(
    proposal: ProposedChange, changes: Mapping[tuple[str, str], str], apart: Literal["proposals", "commits"]
) -> Iterator[Finding]:
    """Yield what is wrong with a change of the policy or of workflows."""
    policies = {blob: commit for (path, blob), commit in changes.items() if path == paths.POLICY_FILE}
    facts = read_facts(proposal.repository, policies)
    for (blob, commit), fact in zip(policies.items(), facts, strict=True):
        if problem := _wrong_policy(proposal, blob, fact):
            hint = "see the handbook's page on policy"
            yield Finding(rule="policy", path=paths.POLICY_FILE, commit=commit, message=problem, hint=hint)
    if proposal.since is None:
        return
    mixed = {step.commit for step in proposal.steps if any(_is_entrys(change.path) for change in step.changes)}
    if mixed and apart == "proposals":
        mixed = {step.commit for step in proposal.steps}
    for path, commit in {path: commit for (path, _), commit in changes.items() if commit in mixed}.items():
        what = "the policy" if path == paths.POLICY_FILE else "a CI workflow"
        yield Finding(
            rule="policy",
            path=path,
            commit=commit,
            message=f"{what} is changed together with records",
            hint=f"change {path} in a proposal of its own",
        )


def _is_entrys(path: str) -> bool:
    return not paths.is_agreed(path) and path != paths.FORMAT_FILE and not path.startswith(FOLDER)


def _wrong_policy(proposal: ProposedChange, blob: str, fact: ObjectFacts | None) -> str | None:
    if fact is None or fact.kind != "blob":
        return "its content is missing"
    if fact.bytes > POLICY_BYTES:
        return f"{fact.bytes:,} bytes, but at most {POLICY_BYTES:,} are allowed"
    try:
        load_policy(proposal.repository.read_object(blob))
    except InvalidDocument as error:
        return "; ".join(error.problems)
    return None


_MENDS = {
    "content": "record the run again: an entry and its files are written together",
    "reference": "record it first, or name another",
    "plausible": "look at it; record it again where it is wrong",
    "signature": "ledger sign, with a key that policy.yaml names",
}
"""Fix for findings without one of their own, as those of `verify`, which are about what cannot be fixed any more."""


def _with_origin(findings: list[Finding], proposal: ProposedChange) -> Iterator[Finding]:
    """Yield findings with a fix, and with the commit that added their path."""
    commits = {path: one.commit for path, one in proposal.added.items()}
    for path, one in proposal.added.items():
        commits.setdefault(owner_of(path) or path, one.commit)
    for finding in findings:
        commit = finding.commit or commits.get(finding.path) or commits.get(owner_of(finding.path) or "")
        hint = finding.hint or _MENDS.get(finding.rule)
        yield msgspec.structs.replace(finding, commit=commit, hint=hint)
