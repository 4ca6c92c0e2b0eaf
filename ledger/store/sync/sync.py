"""Makes the ledgers of a clone and a remote agree: fetch, put ours on top of theirs, push.

A push that is refused twice because others are faster goes to a ref of its own, the inbox, where nobody can be
first; whoever syncs next folds it into the branch. Nothing is ever dropped here: a remote that lost history, or
that holds another ledger, is refused with what to type. See `.github/decisions/sync.md`.
"""

import re
import time

from ledger.errors import LedgerError
from ledger.repository.hosts.remote import check_remote, choose_remote
from ledger.repository.locks import clear_dead_locks
from ledger.store.branch.branch import Branch
from ledger.store.branch.write_lock import queued
from ledger.store.sync.exchange import Exchange
from ledger.store.sync.sync_result import Synced

PUSH_SECONDS = 10.0
"""What a training waits for its push at most."""


def _sync_hint(hint: str | None) -> str:
    """Return what to type: what keeps an append waiting keeps a sync waiting, and is sent by the next one."""
    return re.sub(r"ledger recover(?! --)", "ledger sync", hint) if hint else "ledger sync"


def _locked_by(ledger: Branch, remote: str) -> tuple[str, ...]:
    """Return the refs that a sync writes besides the branch; deleting one takes the lock on all packed ones."""
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
    """Make this clone's ledger and a remote's agree; whatever fails, nothing local is lost.

    Args:
        ledger: the ledger of this clone.
        remote: name of the remote; by default the branch's own, else `origin`, else the only one.
        timeout_seconds: for everything together.
        fold: also put on the branch what waits in the remote's inbox.
        hurry: only bring ours to safety where many others sync right now, and receive nothing then.
        accept_redaction: take over a history that was rewritten by redactions, when nothing else in it changed.

    Returns:
        What was done; a remote that cannot be reached, or that is refused, is the state `failed`.

    Raises:
        NotFound: there is no remote of this name.
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
        # Pushes of one clone at the same time fail inside git before any of them is compared.
        with queued(ledger.repository.state_dir / "push.lock", timeout_seconds) as turn:
            if turn.died_ns is not None:
                clear_dead_locks(ledger.repository.common_dir, _locked_by(ledger, name), turn.died_ns)
            before = ledger.tip()
            done = Exchange(ledger, name, deadline, accept_redaction=accept_redaction).run(fold=fold, hurry=hurry)
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
