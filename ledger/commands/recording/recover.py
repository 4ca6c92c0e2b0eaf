"""`ledger recover`: list and finish what a crash left behind."""

from pathlib import Path

import click

from ledger.commands.output import say, write_json, write_table
from ledger.commands.workplace import recover_and_print
from ledger.formatting import duration
from ledger.model.values import counted
from ledger.session.spool.recovery import WaitingRun, what_waits
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import homeless_dir


@click.command("recover")
@click.option("--list", "listed", is_flag=True, help="Only list what waits, and the living runs.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Also the runs of this host, which is gone; `all` for every host.",
)
@click.option("--homeless", is_flag=True, help="Also add runs that were made outside of any repository.")
@click.option("--branch", is_flag=True, help="Restore what a commit made by hand removed from the ledger branch.")
@click.option("--json", "as_json", is_flag=True, help="With --list: print JSON.")
def recover_command(listed: bool, hosts: tuple[str, ...], homeless: bool, branch: bool, as_json: bool) -> int:
    """Record the runs of this host whose process died, and append the records that wait.

    Living runs are left alone, and so are those of other hosts: only you can know that a host or container is
    gone, and name it with --host. Exit code 1 when something still waits.

    With --branch it repairs the ledger branch instead: a commit made by hand that removed or changed entries is
    undone, its changes of the policy stay, and the former branch is kept under refs/ledger/before.

    Example: ledger recover
    """
    ledger = Branch.open(Path())
    if branch:
        _rescue(ledger)
        return 0
    places = [ledger.repository.state_dir, *([homeless_dir()] if homeless else [])]
    waiting = [one for place in places for one in what_waits(place)]
    if listed:
        _list(waiting, as_json=as_json)
        return 0
    if all(one.state == "alive" for one in waiting):
        say("no run is waiting to be recorded")
    still = sum(recover_and_print(ledger, place, hosts, resumable=True) for place in places)
    elsewhere = [one for place in places for one in what_waits(place) if one.state == "elsewhere"]
    for host in sorted({one.host or "" for one in elsewhere}):
        runs = [one for one in elsewhere if one.host == host]
        silent = duration(min(one.silence_seconds or 0.0 for one in runs))
        say(f"{len(runs)} run{'s' * (len(runs) != 1)} of host {host} left alone, silent for {silent}")
        say(f"hint: if that host is gone: ledger recover --host {host}")
    return 1 if still else 0


def _rescue(ledger: Branch) -> None:
    from ledger.store.branch.rescue import rescue_branch

    done = rescue_branch(ledger)
    if done.before is None:
        say("nothing was removed or changed on the branch")
        return
    commits = ", ".join(commit[:10] for commit in done.commits)
    say(f"restored {counted(len(done.entries), 'entry')} that {commits} removed or changed")
    say(f"the branch as it was: {done.before}; next: ledger sync")


def _list(waiting: list[WaitingRun], *, as_json: bool) -> None:
    if as_json:
        write_json(waiting)
    elif waiting:
        words = {
            "entry": "waits to be appended",
            "dead": "its process is gone",
            "alive": "lives",
            "rank": "part of a job that rank 0 records",
            "attempt": "waits for its next attempt",
        }
        rows = [
            [
                one.id,
                words.get(one.state, "on another host"),
                one.host or "",
                "" if one.silence_seconds is None else duration(one.silence_seconds),
            ]
            for one in waiting
        ]
        write_table(["id", "state", "host", "silent for"], rows)
    else:
        say("no run is waiting to be recorded")
