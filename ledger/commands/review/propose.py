"""`ledger propose`: put runs on a branch of their own, for a review before they are merged."""

import click

from ledger.commands.output import echo, say, write_json
from ledger.commands.review.proposal_output import send
from ledger.commands.sending import push_options
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.model.values import plain
from ledger.recorder.statements.proposal import proposal_text, propose_runs, read_proposals, withdraw
from ledger.store.review.proposals import PROPOSALS


@click.command("propose")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--name", metavar="NAME", help="Name of the proposal. Default: the first run's id.")
@click.option(
    "--withdraw", "withdrawn", metavar="NAME", help="Withdraw a proposal: delete its branch, here and at the remote."
)
@click.option("--list", "listing", is_flag=True, help="List the open proposals.")
@click.option("--open/--no-open", "opening", default=True, help="Open a pull request where the host allows it.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def propose_command(
    runs: tuple[str, ...],
    name: str | None,
    withdrawn: str | None,
    listing: bool,
    opening: bool,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Propose RUNs that only this clone has: their entries move to the branch ledger-review/NAME, which is sent.

    `ledger record --review` proposes a run as it is recorded, and puts it nowhere else. Where the host is GitHub,
    GitLab or Forgejo, the pull request is opened with gh, glab, tea, or a token in GH_TOKEN, GITLAB_TOKEN or
    FORGEJO_TOKEN; else the page or the command to do it is printed.

    Example: ledger propose x7k2qf 9fw3aa --name learning-rates
    """
    if sum((bool(runs), withdrawn is not None, listing)) != 1:
        raise UsageError("name runs, or --list, or --withdraw NAME", hint="ledger propose RUN...")
    ledger = open_ledger(writing=not listing)
    if listing:
        names = read_proposals(ledger)
        if as_json:
            write_json(names)
        else:
            for one in names:
                echo(plain(one))
            if not names:
                say("no proposal waits for a review")
        return
    if withdrawn is not None:
        gone = withdraw(ledger, withdrawn, timeout_seconds=push_timeout)
        if as_json:
            write_json(gone)
        say(f"withdrew {PROPOSALS}{withdrawn}: its branch is gone {' and at '.join(gone)}")
        return
    name, found = propose_runs(ledger, runs, name)
    say(proposal_text(name, found))
    ids = [run.record.id for run in found]
    send(ledger, name, ids, opening=opening, push=push, seconds=push_timeout, as_json=as_json)
