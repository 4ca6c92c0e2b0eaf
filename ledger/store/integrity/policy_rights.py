"""Who may change what a team agreed on: the policy, and what CI does with the ledger.

The policy itself says it (`changes.by`): anybody who may write the branch, the signers that it names, or nobody
without a review. A signer's word stands beside, in `law/`, and says what became of what: so it holds for that one
change, and commits can still be made again when clones are joined.
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
"""Where signatures of changes lie."""
_PLACES = (paths.POLICY_FILE, ".github/", ".forgejo/", ".gitlab-ci.yml")
"""Where what a team agreed on lies, as git's pathspecs."""
_NEW = b""
"""What stood where nothing stood."""


def signed_change(
    repository: Repository, policy: Policy, path: str, before: bytes | None, after: bytes
) -> dict[str, bytes]:
    """Return the signature that the policy asks for a change of what was agreed on; nothing where it asks for none.

    Raises:
        LedgerError: only signers may change it, and git is told of no key to sign with.
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

    What cannot be read names no signers, so whoever mends it needs none.
    """
    if commit is None:
        return Policy()
    (data,) = repository.read_objects([f"{commit}:{paths.POLICY_FILE}"])
    try:
        return load_policy(data) if data is not None else Policy()
    except InvalidDocument:
        return Policy()


def agreed_changes(repository: Repository, before: str, after: str) -> dict[str, str]:
    """Return what two commits differ in of what a team agreed on: path to the object that stands there after."""
    changes = read_difference(repository, before, after, _PLACES)
    return {change.path: change.blob for change in changes if paths.is_agreed(change.path) and change.status != "D"}


def carries_law(repository: Repository, commit: str, tip: str) -> str | None:
    """Return a path by which commits that the ledger lacks change what a team agreed on; none where none does.

    The policy that a ledger begins with is no change: whoever joins two beginnings keeps the other.

    Args:
        repository: which holds both.
        commit: the last of those commits.
        tip: where the ledger is.

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
    """Yield changes of what a team agreed on that nobody signed who may make them.

    Each is held against the policy that stood before it. History is followed by first parents; where it does not lead
    to what is known that way, all of it counts as one change.

    Args:
        repository: where the commits are.
        tip: the last one.
        since: commit that is known to be good; none where everything is looked at.
        steps: the commits between, in any order.

    Raises:
        LedgerError: git fails, or `ssh-keygen` is not there.
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
                    message="only signers may change this, by the policy that stood, and none of them signed it",
                    hint="a signer makes the change: ledger policy set, ledger ci install",
                )
