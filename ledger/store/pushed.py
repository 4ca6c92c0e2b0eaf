"""What a push may do to the refs of a ledger: asked by `pre-push` in a clone and by `pre-receive` on a server.

The branch only ever grows, proposals and what waits in the inbox are checked as if they stood on it, checkpoints do
not move. All other refs are none of our business. What entries may look like is decided by `store/check`.
"""

from collections.abc import Iterable, Iterator

from ledger.model.values import Document
from ledger.repository.kept_code import KEPT
from ledger.repository.repository import Repository
from ledger.repository.walk import contains, read_difference
from ledger.store.ledger import BRANCH

_LEDGER = f"refs/heads/{BRANCH}"
_PROPOSALS = f"refs/heads/{BRANCH}-review/"
_INBOX = "refs/ledger/inbox/"
_CHECKPOINTS = f"refs/tags/{BRANCH}/"
ACCEPT = "ledger.acceptredaction"
"""Setting of a server's repository, as git spells it: whether what `ledger redact` made again may replace the old."""


class Update(Document, frozen=True, kw_only=True):
    """What a push asks for one ref."""

    ref: str
    """Full name at the receiver."""
    old: str | None
    """Object that the receiver has there; none where there is no such ref yet."""
    new: str | None
    """Object to put there; none to delete the ref."""


class Refusal(Document, frozen=True, kw_only=True):
    """Why a push is refused."""

    ref: str
    """Full name of the ref."""
    message: str
    """What is wrong, commit and path named where there are any."""
    hint: str | None = None
    """What to do about it."""


def load_updates(lines: bytes, *, sending: bool) -> list[Update]:
    """Return the updates that git tells a hook on its stdin; lines of another shape say nothing.

    Args:
        lines: what git wrote.
        sending: whether they are those of `pre-push` (githooks(5): local ref, local object, remote ref, remote
            object), not of `pre-receive` (old object, new object, ref).
    """
    updates = []
    for line in lines.decode("utf-8", "surrogateescape").split("\n"):
        words = line.split(" ")
        if sending and len(words) == 4:  # noqa: PLR2004  # the four that the docstring names
            new, ref, old = words[1:]
        elif not sending and len(words) == 3:  # noqa: PLR2004  # the three that it names
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
            # What the receiver has may be unknown here; git itself refuses a push over it, and the receiver checks.
            old = update.old if update.old and repository.holds(update.old, "") else None
            known = Update(ref=update.ref, old=old, new=update.new)
            refusals += _check_branch(repository, known, accept_redaction=True)
    return refusals


def check_received(repository: Repository, updates: Iterable[Update]) -> list[Refusal]:
    """Return why a server should not take a push, all of it; empty when it may.

    Args:
        repository: which sees the objects of the push, wherever git keeps them for now.
        updates: everything that the push asks for.

    Raises:
        LedgerError: git cannot read what was pushed.
    """
    updates = list(updates)
    tip = repository.resolve(_LEDGER)
    for update in updates:
        if update.ref == _LEDGER:
            tip = update.new or tip
    refusals: list[Refusal] = []
    for update in updates:
        if update.ref == _LEDGER:
            accepts = "true" in {value for _, value in repository.config(f"^{ACCEPT}$")}
            refusals += _check_branch(repository, update, accept_redaction=accepts)
        elif update.ref.startswith((_PROPOSALS, _INBOX)):
            refusals += _check_beside(repository, update, tip)
        elif update.ref == KEPT and update.old and not (update.new and contains(repository, update.new, update.old)):
            refusals.append(
                Refusal(ref=update.ref, message="the code of runs is kept, and what is pushed lets go of some")
            )
        elif update.ref.startswith(_CHECKPOINTS) and update.old is not None:
            said = "is deleted" if update.new is None else "is moved"
            refusals.append(Refusal(ref=update.ref, message=f"a checkpoint never changes, and this one {said}"))
    return refusals


def _check_branch(repository: Repository, update: Update, *, accept_redaction: bool) -> Iterator[Refusal]:
    """Yield what is wrong with a new tip of the ledger: it must contain the old one."""
    if update.new is None:
        yield Refusal(ref=update.ref, message="the ledger is deleted; it only ever grows")
        return
    if update.old is not None and not contains(repository, update.new, update.old):
        from ledger.store.redactions import only_redacted

        redacted = only_redacted(repository, update.old, update.new)
        if not redacted:
            yield Refusal(
                ref=update.ref,
                message=f"the ledger only ever grows, and commit {update.old[:10]} is not in what is pushed",
                hint="ledger sync puts yours on top of theirs",
            )
            return
        if not accept_redaction:
            yield Refusal(
                ref=update.ref,
                message="a redaction made the history of the ledger again; this server takes that only when told to",
                hint=f"on the server, for this one push: git config {ACCEPT} true",
            )
            return
        yield from _findings(repository, update.ref, update.new, None)  # a new history, so all of it is looked at
        return
    yield from _findings(repository, update.ref, update.new, update.old)


def _check_beside(repository: Repository, update: Update, tip: str | None) -> Iterator[Refusal]:
    """Yield what is wrong with a proposal, or with what waits in the inbox, on top of the ledger."""
    if update.new is not None:
        yield from _findings(repository, update.ref, update.new, tip, proposed=True)
    if update.ref.startswith(_INBOX) and update.old is not None:
        kept = [commit for commit in (tip, update.new) if commit is not None]
        lost = _missing(repository, update.old, kept)
        if lost is not None:
            yield Refusal(
                ref=update.ref,
                message=f"commit {update.old[:10]} waits here with what the ledger does not hold yet: {lost}",
                hint="ledger sync folds it into the ledger",
            )


def _missing(repository: Repository, commit: str, kept: Iterable[str]) -> str | None:
    """Return a path of a commit that none of those kept holds, or none."""
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
    from ledger.store.check import check_range

    for finding in check_range(repository, tip, since, ref=ref, proposed=proposed).findings:
        if finding.severity == "error":
            where = [f"commit {finding.commit[:10]}"] if finding.commit else []
            place = ": ".join([*where, *([finding.path] if finding.path else [])])
            yield Refusal(
                ref=ref, message=f"{place}: {finding.message}" if place else finding.message, hint=finding.hint
            )
