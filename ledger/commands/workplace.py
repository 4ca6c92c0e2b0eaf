"""The first steps of every command that reads or writes a ledger."""

from collections.abc import Collection
from pathlib import Path

from ledger.commands.output import say
from ledger.store.branch.branch import Branch


def open_ledger(*, writing: bool = False) -> Branch:
    """Open the ledger of the current folder and finish what a crash left on this host, printing that.

    Args:
        writing: whether the command will append; somebody who has the branch checked out is warned.

    Raises:
        NotFound: there is no repository.
    """
    ledger = Branch.open(Path())
    if writing and ledger.repository.is_checked_out(ledger.ref):
        say(f"warning: the branch `{ledger.branch}` is checked out; git status there will show new entries as deleted")
        say("hint: switch to another branch there, and read entries with ledger show")
    state_dir = ledger.repository.state_dir
    # Waiting items are in folders of their kind; where these are empty, the 8 ms of the session's imports are saved.
    if not any(state_dir.glob("*/*")):
        return ledger
    from ledger.session.spool.recovery import is_anything_left

    if is_anything_left(state_dir):
        recover_and_print(ledger, state_dir)
    return ledger


def recover_and_print(ledger: Branch, state_dir: Path, hosts: Collection[str] = (), *, resumable: bool = False) -> int:
    """Recover, print one line for each, and return how many still wait.

    Args:
        ledger: where to.
        state_dir: where things wait.
        hosts: other hosts that are gone.
        resumable: record attempts that wait for a next one, too.
    """
    from ledger.session.spool.recovery import recover

    still = 0
    for found in recover(ledger, state_dir, hosts, resumable=resumable):
        if found.problem:
            still += 1
            say(f"warning: {found.id} still waits: {found.problem}")
            if found.hint:
                say(f"hint: {found.hint}")
        elif found.status:
            say(f"recorded {found.id}: it had ended as {found.status} (ledger show {found.id[16:]})")
        else:
            say(f"recorded {found.id}, which was waiting (ledger show {found.id[16:]})")
    return still
