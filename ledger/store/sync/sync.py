"""Synchronisation of the ledgers of a clone and a remote: fetch, put ours on top of theirs, push.

A push that is refused twice because others are faster goes to a ref of its own, the inbox, where nobody
competes; the next sync of anybody folds it into the branch. No entry is ever dropped here: a remote that lost history,
or that holds another ledger, is refused with a hint. See `.github/decisions/sync.md`.
"""

import re
import time

from ledger.errors import GitKilled, LedgerError
from ledger.repository.hosts.remote import check_remote, choose_remote
from ledger.repository.locks import clear_dead_locks
from ledger.store.branch.branch import Branch
from ledger.store.branch.write_lock import queued
from ledger.store.sync.exchange import Exchange
from ledger.store.sync.sync_result import Synced


def _sync_hint(hint: str | None) -> str:
    """Return the command to type: after a failed append, too, the next append or sync sends all."""
    return re.sub(r"ledger recover(?! --)", "ledger sync", hint) if hint else "ledger sync"


def _locked_by(ledger: Branch, remote: str) -> tuple[str, ...]:
    """Return the refs that a sync writes besides the branch; deleting one locks all packed refs."""
    tracking = f"refs/remotes/{remote}/{ledger.branch}"
    return ("refs/ledger/seen/**/*", "refs/ledger/incoming/**/*", tracking, "packed-refs")


def sync(
    ledger: Branch,
    remote: str | None = None,
    *,
    timeout_seconds: float,
    fold: bool = True,
    hurry: bool = False,
    accept_redaction: bool = False,
) -> Synced:
    """Synchronise this clone's ledger with a remote's; on any failure, nothing local is lost.

    Args:
        ledger: the ledger of this clone.
        remote: name of the remote; by default the branch's own, else `origin`, else the only one.
        timeout_seconds: time limit for everything together.
        fold: also put the entries in the remote's inbox on the branch.
        hurry: only bring ours to safety where many others sync right now, and then receive nothing.
        accept_redaction: accept a history that was rewritten by redactions, when nothing else in it changed.

    Returns:
        The result; for a remote that cannot be reached, or that is refused, its state is `failed`.

    Raises:
        NotFound: there is no remote with this name.
    """
    deadline = time.monotonic() + timeout_seconds
    name = check_remote(ledger.repository, remote) if remote else None
    try:
        name = name or choose_remote(ledger.repository, ledger.branch)
        if name is None:
            hint = "git remote add origin URL, then: ledger sync"
            return Synced(
                state="no remote", message="this repository has no remote to share its ledger with", hint=hint
            )
        # Simultaneous pushes of one clone fail inside git before refs are compared.
        with queued(ledger.repository.state_dir / "push.lock", timeout_seconds) as turn:
            if turn.died_ns is not None:
                clear_dead_locks(ledger.repository.common_dir, _locked_by(ledger, name), turn.died_ns)
            before = ledger.tip()
            try:
                done = Exchange(ledger, name, deadline, accept_redaction=accept_redaction).run(fold=fold, hurry=hurry)
            except GitKilled:
                if turn.begun_ns is not None:
                    clear_dead_locks(ledger.repository.common_dir, _locked_by(ledger, name), turn.begun_ns)
                raise
            if accept_redaction and before is not None and done.safe:
                from ledger.store.integrity.redaction import follow_redaction
                from ledger.store.integrity.redaction_approval import accept_all

                if (tip := ledger.tip()) is not None:
                    accept_all(ledger.repository, tip)
                follow_redaction(ledger, before)
            return done
    except LedgerError as error:
        message = f"not synced with {name or 'a remote'}: {error.message}"
        return Synced(state="failed", remote=name, message=message, hint=_sync_hint(error.hint))
