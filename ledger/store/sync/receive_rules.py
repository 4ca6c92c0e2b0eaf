"""What a push may do to the refs of a ledger, for `pre-push` in a clone and `pre-receive` on a server.

The branch only ever grows, proposals and inbox commits are checked as if they were on it, checkpoints are
true and do not move, and no replacement refs are accepted. All other refs are ignored. What
entries may look like is decided by `integrity/check`, who may change the policy by `integrity/policy_rights`.
"""

from collections.abc import Iterable, Iterator, Sequence

from ledger.model.entries import Redaction
from ledger.model.values import Document
from ledger.repository.history.walk import contains, read_difference
from ledger.repository.repository import Repository
from ledger.repository.worktree.code_ref import KEPT
from ledger.settings import ACCEPT_REDACTION_SETTING
from ledger.store.branch.branch import BRANCH
from ledger.store.sync.remote_tip import REMEMBERED

_LEDGER = f"refs/heads/{BRANCH}"
_PROPOSALS = f"refs/heads/{BRANCH}-review/"
_INBOX = "refs/ledger/inbox/"
_CHECKPOINTS = f"refs/tags/{BRANCH}/"


class Update(Document, frozen=True, kw_only=True):
    """The requested change of one ref."""

    ref: str
    """Full name of the ref at the receiver."""
    old: str | None
    """Object that the receiver has there; none where the ref does not exist yet."""
    new: str | None
    """New object; none to delete the ref."""


class Refusal(Document, frozen=True, kw_only=True):
    """The reason why a push is refused."""

    ref: str
    """Full name of the ref."""
    message: str
    """What is wrong, with commit and path where there are any."""
    hint: str | None = None
    """What to do about it."""


def load_updates(lines: bytes, *, sending: bool) -> list[Update]:
    """Return the updates that git passes to a hook on stdin; lines of another form are skipped.

    Args:
        lines: lines that git wrote.
        sending: whether they are those of `pre-push` (githooks(5): local ref, local object, remote ref, remote
            object), not of `pre-receive` (old object, new object, ref).
    """
    updates = []
    for line in lines.decode("utf-8", "surrogateescape").split("\n"):
        words = line.split(" ")
        if sending and len(words) == 4:  # noqa: PLR2004  # the four in the docstring
            new, ref, old = words[1:]
        elif not sending and len(words) == 3:  # noqa: PLR2004  # the three in the docstring
            old, new, ref = words
        else:
            continue
        updates.append(Update(ref=ref, old=_object(old), new=_object(new)))
    return updates


def _object(name: str) -> str | None:
    return name if name.strip("0") else None


def check_sent(repository: Repository, updates: Iterable[Update]) -> list[Refusal]:
    """Return why a clone should not send its ledger branch; empty when it may.

    Raises:
        LedgerError: git cannot read what is sent.
    """
    refusals: list[Refusal] = []
    for update in updates:
        if update.ref == _LEDGER:
            # The receiver's object may be unknown here; git itself refuses such a push, and the receiver checks.
            old = update.old if update.old and repository.holds(update.old, "") else None
            known = Update(ref=update.ref, old=old, new=update.new)
            refusals += _check_branch(repository, known, accepts=None)
    return refusals


def check_received(repository: Repository, updates: Iterable[Update]) -> list[Refusal]:
    """Return why a server should not accept a push as a whole; empty when it may.

    Args:
        repository: repository that sees the objects of the push, wherever git keeps them meanwhile.
        updates: all ref changes of the push.

    Raises:
        LedgerError: git cannot read the pushed objects.
    """
    updates = list(updates)
    tip = repository.resolve(_LEDGER)
    for update in updates:
        if update.ref == _LEDGER:
            tip = update.new or tip
    refusals: list[Refusal] = []
    for update in updates:
        if update.ref == _LEDGER:
            accepts = repository.setting(ACCEPT_REDACTION_SETTING) == "true"
            refusals += _check_branch(repository, update, accepts=accepts)
        elif update.ref.startswith((_PROPOSALS, _INBOX)):
            refusals += _check_beside(repository, update, tip)
        else:
            refusals += _check_other(repository, update, tip)
    return refusals


def _check_other(repository: Repository, update: Update, tip: str | None) -> Iterator[Refusal]:
    """Yield what is wrong with refs without entries: kept code, the remembered tip, checkpoints, replacements."""
    ref, old, new = update.ref, update.old, update.new
    if ref.startswith("refs/replace/") and new is not None:
        said = "a replaced object shows others a different history"
        yield Refusal(ref=ref, message=said, hint=f"git update-ref -d {ref}")
    elif ref == KEPT and old and not (new and contains(repository, new, old)):
        yield Refusal(ref=ref, message="the code of runs is kept for ever, but this push drops some of it")
    elif ref == REMEMBERED:
        yield from _check_remembered(repository, update, tip)
    elif ref == _CHECKPOINTS.rstrip("/") and new is not None:
        said = f"a tag named `{BRANCH}` hides the branch, and makes checkpoints impossible"
        yield Refusal(ref=ref, message=said, hint="give the tag another name")
    elif ref.startswith(_CHECKPOINTS):
        if old is not None:
            said = "is deleted" if new is None else "is moved"
            yield Refusal(ref=ref, message=f"a checkpoint never changes, but this one {said}")
        elif new is not None:
            yield from _check_checkpoint(repository, ref, new, tip)


def _check_remembered(repository: Repository, update: Update, tip: str | None) -> Iterator[Refusal]:
    """Yield why the remembered tip may not be set so: it follows the branch, and is never deleted."""
    follows = update.new is not None and tip is not None and contains(repository, tip, update.new)
    if not follows:
        said = "the remembered tip must be a commit of the ledger, and is never deleted"
        yield Refusal(ref=update.ref, message=said, hint="ledger sync")


def _check_checkpoint(repository: Repository, ref: str, new: str, tip: str | None) -> Iterator[Refusal]:
    from ledger.repository.blobs import blob_reader
    from ledger.store.integrity.checkpoint import wrong_with_checkpoint
    from ledger.store.integrity.policy_rights import policy_at

    with blob_reader(repository) as read_blob:
        signers = policy_at(repository, tip).signatures.signers
        why = wrong_with_checkpoint(repository, ref.removeprefix("refs/tags/"), new, tip, signers, read_blob)
    if why is not None:
        yield Refusal(
            ref=ref, message=why, hint=f"git tag -d {ref.removeprefix('refs/tags/')}; then: ledger checkpoint"
        )


def _check_branch(repository: Repository, update: Update, *, accepts: bool | None) -> Iterator[Refusal]:
    """Yield what is wrong with a new tip of the ledger: it must contain the old one.

    Args:
        repository: repository with both.
        update: requested change.
        accepts: whether this server accepts a redaction; none in a sending clone, which does not decide.
    """
    if update.new is None:
        yield Refusal(ref=update.ref, message="this push deletes the ledger, which only ever grows")
        return
    if update.old is not None and not contains(repository, update.new, update.old):
        refusal = _refuse_rewrite(repository, update.ref, update.old, update.new, accepts=accepts)
        if refusal is not None:
            yield refusal
        else:
            yield from _findings(repository, update.ref, update.new, None)  # a new history, so all of it is checked
        return
    yield from _findings(repository, update.ref, update.new, update.old)
    if accepts is not None and update.old is not None:
        yield from _not_reviewed(repository, update.ref, update.old, update.new)


def _refuse_rewrite(repository: Repository, ref: str, old: str, new: str, *, accepts: bool | None) -> Refusal | None:
    """Return why a history without the old one is refused; none for an accepted redaction."""
    from ledger.store.integrity.tombstones import explain_difference

    explained = explain_difference(repository, old, new, law_stands=True)
    if not explained.redactions:
        return Refusal(
            ref=ref,
            message=f"the ledger only ever grows, but commit {old[:10]} is missing from what is pushed",
            hint="ledger sync puts yours on top of theirs",
        )
    if explained.unproved:
        one = explained.unproved[0]
        where = ascii(one.path)[1:-1] or "the history"
        return Refusal(
            ref=ref,
            message=f"a redaction is given as the reason, but does not explain everything: {where}: {one.message}",
            hint="redact what the server holds, and nothing else: ledger sync, then ledger redact",
        )
    if accepts is False:
        return Refusal(
            ref=ref,
            message="a redaction rewrote the history of the ledger; this server is not configured to accept that",
            hint=f"on the server, for this one push: git config {ACCEPT_REDACTION_SETTING} true",
        )
    return _not_signed(repository, ref, old, new, explained.redactions) if accepts else None


def _not_signed(
    repository: Repository, ref: str, old: str, new: str, redactions: Sequence[Redaction]
) -> Refusal | None:
    """Return why redactions are refused that no signer signed; without signers, the server's setting decides."""
    from ledger.store.integrity.policy_rights import policy_at
    from ledger.store.integrity.redaction_approval import accept_all, vouch_at

    policy = policy_at(repository, old).signatures
    if not policy.signers:
        accept_all(repository, new)
        return None
    ids = {one.id for one in redactions}
    unsigned = [one.id for one in vouch_at(repository, new, policy) if one.id in ids and one.vouched is None]
    if unsigned:
        said = f"no signer named by the policy signed this redaction: {unsigned[0]}"
        return Refusal(ref=ref, message=said, hint="ledger sign, then push again")
    return None


def _not_reviewed(repository: Repository, ref: str, old: str, new: str) -> Iterator[Refusal]:
    """Yield changes of policy and workflows that are in no proposal here, where the policy requires one."""
    from ledger.repository.blobs import read_facts
    from ledger.store.integrity.policy_rights import agreed_changes, policy_at

    if policy_at(repository, old).changes.by != "review":
        return
    changed = agreed_changes(repository, old, new)
    if not changed:
        return
    out = repository.git.output("for-each-ref", "--format=%(objectname)", _PROPOSALS)
    for path, blob in changed.items():
        facts = read_facts(repository, (f"{commit}:{path}" for commit in out.decode().split()))
        if blob not in {fact.id for fact in facts if fact is not None}:
            yield Refusal(
                ref=ref,
                message=f"{path} may change only by review, but this change is in no proposal here",
                hint="ledger policy propose; then merge what was proposed",
            )


def _check_beside(repository: Repository, update: Update, tip: str | None) -> Iterator[Refusal]:
    """Yield what is wrong with a proposal or an inbox commit, on top of the ledger."""
    if update.new is not None:
        yield from _findings(repository, update.ref, update.new, tip, proposed=True)
    if update.ref.startswith(_INBOX):
        from ledger.store.integrity.policy_rights import carries_law

        if update.new is not None and tip is not None and (path := carries_law(repository, update.new, tip)):
            yield Refusal(
                ref=update.ref,
                message=f"the inbox is for entries only, but commit {update.new[:10]} changes {path}",
                hint="ledger policy propose, or try again when the branch is less busy: ledger sync",
            )
        if update.old is not None:
            kept = [commit for commit in (tip, update.new) if commit is not None]
            lost = _missing(repository, update.old, kept)
            if lost is not None:
                yield Refusal(
                    ref=update.ref,
                    message=f"commit {update.old[:10]} waits here with content that the ledger does not hold: {lost}",
                    hint="ledger sync folds it into the ledger",
                )


def _missing(repository: Repository, commit: str, kept: Iterable[str]) -> str | None:
    """Return a path of a commit that none of the kept commits has, or none."""
    missing: set[str] | None = None
    for other in kept:
        gone = {change.path for change in read_difference(repository, other, commit) if change.status == "A"}
        missing = gone if missing is None else missing & gone
    if missing is None:
        return "all of it"
    return min(missing, default=None)


def _findings(
    repository: Repository, ref: str, tip: str, since: str | None, *, proposed: bool = False
) -> Iterator[Refusal]:
    from ledger.store.integrity.check import check_range

    for finding in check_range(repository, tip, since, ref=ref, proposed=proposed).findings:
        if finding.severity == "error":
            where = [f"commit {finding.commit[:10]}"] if finding.commit else []
            place = ": ".join([*where, *([finding.path] if finding.path else [])])
            yield Refusal(
                ref=ref, message=f"{place}: {finding.message}" if place else finding.message, hint=finding.hint
            )
