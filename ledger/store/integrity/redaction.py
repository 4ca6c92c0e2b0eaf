"""Redaction: removal of content from the ledger's history, with a tombstone that records it.

No other operation changes what is on the branch. It changes nothing but what the tombstone names: every other
file, author, time and message stays, and the roots of checkpoints prove it. See `.github/decisions/redaction.md`.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from ledger import __version__
from ledger.errors import InvalidDocument, LedgerError
from ledger.model import paths
from ledger.model.document import dump
from ledger.model.entries import REDACTION_FORMAT, MadeAgain, Redaction, ReplacedCheckpoint
from ledger.model.ids import new_id
from ledger.model.values import Document, counted
from ledger.repository.blobs import blob_reader
from ledger.repository.history.rewrite import refs_reaching, remove_objects, rewrite
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry, read_waiting, waiting_files, write_waiting
from ledger.store.index.file import FILE
from ledger.store.integrity.checkpoint import read_checkpoints
from ledger.store.integrity.policy_rights import policy_at
from ledger.store.integrity.redaction_approval import accept
from ledger.store.integrity.redaction_plan import Needles, Plan
from ledger.store.integrity.redaction_proof import afters_of
from ledger.store.integrity.signatures import signature_files
from ledger.store.integrity.tombstones import tombstones
from ledger.store.integrity.verify import Finding, verify
from ledger.store.integrity.verify.last_verified import forget


class Redacted(Document, frozen=True, kw_only=True):
    """The result of a redaction."""

    redaction: Redaction | None
    """The tombstone; none where nobody else has seen the redacted content."""
    tip: str
    """Tip of the branch after it."""
    remain: list[str] = []
    """Objects with redacted content that could not be removed from this clone."""
    refs: list[str] = []
    """Refs that still reach the former history."""


def redact(ledger: Branch, plan: Plan, needles: Needles, *, reason: str, now: datetime) -> Redacted:
    """Carry out a plan: rewrite history, add the tombstone, and remove what was replaced from this clone.

    The branch moves once, atomically, from the old history to the new one with its tombstone: a crash before that
    leaves everything as it was, and a crash after it leaves objects that the same command removes. Before it moves,
    the new history is verified.

    Raises:
        LedgerError: the branch has moved since, git cannot write, nobody can sign where the policy requires it, or
            the ledger would not be intact any more.
    """
    repository = ledger.repository
    made = rewrite(repository, plan.tip, plan.blobs, needles.replaced)
    again = made.get(plan.tip)
    if again is None:
        raise LedgerError("there is nothing to redact")
    said = needles.replaced(reason.encode()).decode()
    redaction = None if plan.unsent else _tombstone(ledger, plan, made, reason=said, now=now)
    aside = Branch(repository, f"{ledger.branch}-redaction")
    repository.git.output("update-ref", aside.ref, again)
    try:
        tip = aside.append(_entry(ledger, redaction)).commit if redaction else again
        if redaction:
            accept(repository, {redaction.id: dump(redaction)})
        _check_whole(ledger, aside)
        replaced = [f"refs/tags/{one.name}" for one in redaction.checkpoints] if redaction else []
        _switch(ledger, plan.tip, tip, [*(_reminders(ledger) if redaction else ()), aside.ref, *replaced])
    except LedgerError:
        repository.git.attempt("update-ref", "-d", aside.ref)
        raise
    _redact_waiting(ledger, needles)
    remain = purge(ledger, [*plan.blobs, *made])
    return Redacted(
        redaction=redaction, tip=tip, remain=remain, refs=refs_reaching(repository, _present(repository, made))
    )


def _tombstone(ledger: Branch, plan: Plan, made: Mapping[str, str], *, reason: str, now: datetime) -> Redaction:
    replaced = [one for one in read_checkpoints(ledger) if one.commit in made]
    named = dict.fromkeys(
        commit for one in tombstones(ledger.repository, plan.tip) for commit in (one.after, *afters_of(one))
    )
    taken = {one.commit for one in replaced} | {plan.tip}
    return Redaction(
        format=REDACTION_FORMAT,
        id=new_id(now, os.urandom(4)),
        reason=reason,
        files=plan.files,
        before=plan.tip,
        after=made[plan.tip],
        checkpoints=[
            ReplacedCheckpoint(
                name=one.name, before=one.commit, after=made[one.commit], entries=one.entries, root=one.root
            )
            for one in replaced
        ],
        made_again=[
            MadeAgain(before=commit, after=made[commit]) for commit in named if commit in made and commit not in taken
        ],
        author=ledger.author(),
        redacted_at=now,
        tool=f"git-ledger {__version__}",
    )


def _entry(ledger: Branch, redaction: Redaction) -> Entry:
    """Return the tombstone as an entry, signed where the policy names signers: without that it would not be accepted.

    Raises:
        LedgerError: git is not configured with a signing key.
    """
    path = paths.redaction_path(redaction.id)
    files = {path: dump(redaction)}
    policy = policy_at(ledger.repository, redaction.before).signatures
    if policy.signers and not policy.required:
        files |= signature_files(ledger.repository, files)
    subject = f"redaction of {counted(len(redaction.files), 'file')}: {redaction.reason.splitlines()[0]}"
    said = f"{subject}\n\nLedger-Entry: {path}\nLedger-Tool: {redaction.tool}\n"
    return Entry(id=redaction.id, files=files, message=said, author=redaction.author, made_at=redaction.redacted_at)


def _check_whole(ledger: Branch, aside: Branch) -> None:
    """Verify the rewritten history.

    Raises:
        LedgerError: a new problem was found, or nobody who may vouches for it.
    """
    found = _findings(aside)
    forget(aside)
    known = {(one.rule, one.path, one.message) for one in _findings(ledger)} if found else set()
    new = [one for one in found if (one.rule, one.path, one.message) not in known]
    if new:
        raise LedgerError(
            f"the ledger would be damaged, so nothing was changed: {new[0].path}: {new[0].message}",
            hint=new[0].hint or "give more of the text around the secret, or a whole file: ledger redact --file PATH",
        )


def _findings(ledger: Branch) -> Sequence[Finding]:
    fresh = Branch(ledger.repository, ledger.branch)
    with blob_reader(ledger.repository) as read_blob:
        return verify(fresh, read_blob, whole=True).findings


def _reminders(ledger: Branch) -> Iterator[str]:
    """Yield the refs that remember other repositories' state, which would keep the old history alive."""
    names = ("refs/ledger/seen", "refs/ledger/incoming", f"refs/remotes/*/{ledger.branch}")
    out = ledger.repository.git.output("for-each-ref", "--format=%(refname)", *names)
    return iter(os.fsdecode(out).split())


def _switch(ledger: Branch, old: str, new: str, dropped: Sequence[str]) -> None:
    moves = [f"update {ledger.ref} {new} {old}", *(f"delete {name}" for name in dropped)]
    code, _, err = ledger.repository.git.attempt("update-ref", "--stdin", stdin=os.fsencode("\n".join(moves) + "\n"))
    if code:
        why = err.decode("utf-8", "replace").strip().splitlines()[-1:] or ["git gave no reason"]
        raise LedgerError(f"the branch was not moved, nothing was changed: {why[0]}", hint="run ledger redact again")


def _redact_waiting(ledger: Branch, needles: Needles) -> None:
    for file in waiting_files(ledger.repository.state_dir):
        with suppress(InvalidDocument, OSError):  # `ledger recover` reports damaged files
            entry = read_waiting(file)
            clean = {path: needles.replaced(content) for path, content in entry.files.items()}
            if clean != entry.files:
                message = needles.replaced(entry.message.encode()).decode()
                write_waiting(
                    ledger.repository.state_dir,
                    Entry(
                        id=entry.id,
                        files=clean,
                        message=message,
                        author=entry.author,
                        made_at=entry.made_at,
                        keep=entry.keep,
                    ),
                )


def purge(ledger: Branch, objects: Collection[str]) -> list[str]:
    """Remove from this clone what a redaction replaced, and return what could not be removed.

    Raises:
        LedgerError: git cannot repack.
    """
    repository = ledger.repository
    forget(ledger)
    for file in repository.state_dir.glob(f"{FILE}*"):
        with suppress(OSError):
            file.unlink()
    tracking = repository.git.output("for-each-ref", "--format=%(refname)", f"refs/remotes/*/{ledger.branch}")
    for name in (ledger.ref, f"{ledger.ref}-redaction", *os.fsdecode(tracking).split()):
        repository.git.attempt("reflog", "expire", "--expire=now", "--expire-unreachable=now", name)
    return remove_objects(repository, objects)


def follow_redaction(ledger: Branch, before: str) -> list[str]:
    """Remove from this clone what redactions of others replaced, and return what could not be removed.

    Args:
        ledger: ledger, already at the rewritten history.
        before: tip before that.

    Raises:
        LedgerError: git fails.
    """
    repository, tip = ledger.repository, ledger.tip()
    if tip is None or tip == before:
        return []
    found = tombstones(repository, tip)
    objects = set(repository.git.output("rev-list", "--end-of-options", before, f"^{tip}", "--").decode().split())
    for file in (file for redaction in found for file in redaction.files):
        code, out, _ = repository.git.attempt("rev-parse", "--verify", "--quiet", f"{before}:{file.path}")
        if code == 0:
            objects.add(out.decode().strip())
    for one in (one for redaction in found for one in redaction.checkpoints):
        if repository.resolve(f"refs/tags/{one.name}") == one.before:
            repository.git.attempt("update-ref", "-d", f"refs/tags/{one.name}")
    kept = {file.blob for file in repository.read_tree(tip)}
    return purge(ledger, objects - kept)


def _present(repository: Repository, commits: Mapping[str, str]) -> list[str]:
    found = repository.git.output("cat-file", "--batch-check", stdin="\n".join([*commits, ""]).encode()).decode()
    return [line.split()[0] for line in found.splitlines() if not line.endswith(" missing")]
