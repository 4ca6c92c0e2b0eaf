"""Rights to change what a team agreed on: the policy, and what CI does with the ledger.

The policy itself decides (`changes.by`): everybody who may write the branch, the signers that it names, or nobody
without a review. A signer's approval lies beside it, in `law/`, and states both the old and the new content: so it
holds for that one change, and commits can still be remade when clones are joined.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ledger.errors import InvalidDocument, LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.repository.blobs import read_facts
from ledger.repository.history.walk import CommitStep, read_difference, walk
from ledger.repository.repository import Repository
from ledger.repository.signing import Signers, public_key, sign, signing_key
from ledger.store.branch.policy import Policy, load_policy
from ledger.store.integrity.findings import Finding

FOLDER = "law/"
"""Folder of the signatures of changes."""
_PLACES = (paths.POLICY_FILE, ".github/", ".forgejo/", ".gitlab-ci.yml")
"""Paths of policy and workflows, as git's pathspecs."""
_NEW = b""
"""The former content of a new file."""


def signed_change(
    repository: Repository, policy: Policy, path: str, before: bytes | None, after: bytes
) -> dict[str, bytes]:
    """Return the signature that the policy requires for a change of it or of workflows; empty where it requires none.

    Raises:
        LedgerError: only signers may change it, and git is not configured with a signing key.
    """
    if policy.changes.by != "signers":
        return {}
    said = _payload(path, before, after)
    try:
        signature = sign(signing_key(repository), said)
    except LedgerError as error:
        raise LedgerError(f"only signers may change `{path}`, and {error.message}", hint=error.hint) from error
    key = public_key(signature) or b""
    with Signers(policy.signatures.signers) as signers:
        if signers.signer(said, signature, datetime.now(UTC)) is None:
            raise LedgerError(
                f"only signers may change `{path}`, and the policy does not name the owner of this key",
                hint="a signer proposes it: ledger policy propose",
            )
    return {f"{FOLDER}{hash_bytes(key + said).removeprefix('blake3:')[:16]}.sig": signature}


def _payload(path: str, before: bytes | None, after: bytes) -> bytes:
    lines = ("ledger law 1", path, hash_bytes(before or _NEW), hash_bytes(after), "")
    return "\n".join(lines).encode()


def policy_at(repository: Repository, commit: str | None) -> Policy:
    """Return the policy of a commit; the defaults where it has none, or none that can be read.

    A policy that cannot be read names no signers, so nobody needs a signature to fix it.
    """
    if commit is None:
        return Policy()
    (data,) = repository.read_objects([f"{commit}:{paths.POLICY_FILE}"])
    try:
        return load_policy(data) if data is not None else Policy()
    except InvalidDocument:
        return Policy()


def agreed_changes(repository: Repository, before: str, after: str) -> dict[str, str]:
    """Return the differences of two commits in policy and workflows: the new object at each path."""
    changes = read_difference(repository, before, after, _PLACES)
    return {change.path: change.blob for change in changes if paths.is_agreed(change.path) and change.status != "D"}


def carries_law(repository: Repository, commit: str, tip: str) -> str | None:
    """Return a path of policy or workflows that commits which the ledger lacks change; none where there is none.

    The first policy of a ledger is no change: of two beginnings that are joined, the other one's is kept.

    Args:
        repository: repository with both.
        commit: the last of those commits.
        tip: tip of the ledger.

    Raises:
        LedgerError: git cannot read them.
    """
    changed = {
        change.path: change.blob
        for step in walk(repository, commit, tip)
        for change in step.changes
        if paths.is_agreed(change.path) and (step.parents or change.path != paths.POLICY_FILE)
    }
    facts = read_facts(repository, (f"{tip}:{path}" for path in changed))
    for (path, blob), fact in zip(changed.items(), facts, strict=True):
        if fact is None or fact.id != blob:
            return path
    return None


def check_law(repository: Repository, tip: str, since: str | None, steps: Sequence[CommitStep]) -> Iterator[Finding]:
    """Yield changes of policy and workflows without the signature of somebody who may make them.

    Each is checked against the policy before it. History is followed by first parents; where that path does not reach
    the commit known to be good, everything counts as one change.

    Args:
        repository: repository with the commits.
        tip: the last one.
        since: commit that is known to be good; none where everything is checked.
        steps: the commits in between, in any order.

    Raises:
        LedgerError: git fails, or `ssh-keygen` is missing.
    """
    by_commit = {step.commit: step for step in steps}
    chain: list[CommitStep] = []
    at: str | None = tip
    while at is not None and at in by_commit:
        chain.append(by_commit[at])
        at = by_commit[at].parents[0] if by_commit[at].parents else None
    if since is not None and at != since:
        yield from _unsigned(repository, tip, since, tip, datetime.now(UTC))
        return
    for step in reversed(chain):
        if step.parents and any(paths.is_agreed(change.path) for change in step.changes):
            made_at = datetime.fromtimestamp(max(0, min(step.seconds, 253_370_764_799)), tz=UTC)
            yield from _unsigned(repository, tip, step.parents[0], step.commit, made_at)


def _unsigned(repository: Repository, tip: str, before: str, after: str, at: datetime) -> Iterator[Finding]:
    policy = policy_at(repository, before)
    if policy.changes.by != "signers":
        return
    changes = agreed_changes(repository, before, after)
    if not changes:
        return
    signatures = [repository.read_object(file.blob) for file in repository.read_tree(tip, [FOLDER])]
    with Signers(policy.signatures.signers) as signers:
        for path, blob in changes.items():
            (was,) = repository.read_objects([f"{before}:{path}"])
            said = _payload(path, was, repository.read_object(blob))
            if not any(signers.signer(said, signature, at) for signature in signatures):
                yield Finding(
                    rule="policy",
                    path=path,
                    commit=after,
                    message="only signers may change this, by the policy before the change, and none of them signed it",
                    hint="a signer makes the change: ledger policy set, ledger ci install",
                )
