"""`ledger ci`: workflows that check, review and publish, and the comment that one of them writes."""

import os
from pathlib import Path

import click
import msgspec

from ledger.commands.output import say, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.values import counted
from ledger.recorder.workflows import CI_HOSTS, CiHost, install_workflows
from ledger.store.branch.branch import BRANCH
from ledger.store.integrity.check.answer import Checked

_LONGEST = 65_000
"""Most characters of a comment at GitHub, less a margin for other ways of counting."""


@click.group("ci")
def ci_command() -> None:
    """Install the workflows that check, review and publish; each of their steps is a command that also runs locally."""


@ci_command.command("install")
@click.argument("host", type=click.Choice(CI_HOSTS))
@click.option("--force", is_flag=True, help="Replace workflows that somebody changed.")
@click.option("--json", "as_json", is_flag=True, help="Print what was installed as JSON.")
def install_command(host: CiHost, force: bool, as_json: bool) -> None:
    """Put the workflows of HOST on the ledger branch and, where no proposal may change them, in the working tree.

    Example: ledger ci install github
    """
    ledger = open_ledger(writing=True)
    if ledger.branch != BRANCH:
        raise UsageError(
            f"the workflows work only with the branch `{BRANCH}`, and this ledger is on: `{ledger.branch}`"
        )
    made = install_workflows(ledger, host, force=force)
    if as_json:
        write_json(made)
        return
    for place in made.on_ledger:
        say(f"on the branch {ledger.branch}: {place}")
    for place in made.in_tree:
        say(f"in the working tree: {place}")
    if not (made.on_ledger or made.in_tree):
        say("every workflow is in place")
        return
    commit = f"commit {', '.join(made.in_tree)} to the default branch, then: " if made.in_tree else ""
    say(f"next: {commit}git push origin {ledger.branch}; the handbook's page on reviews says what to protect")


def _read_checked(file: str) -> Checked:
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=Checked)
    except FileNotFoundError as error:
        raise NotFound(f"no such file: `{file}`", hint="ledger check RANGE --json --output FILE") from error
    except (OSError, msgspec.DecodeError) as error:
        raise LedgerError(f"not a result of `ledger check --json`: `{file}`") from error


@ci_command.command("comment")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--request", type=click.IntRange(min=1), metavar="NUMBER", help="Pull request it belongs to.")
@click.option("--source", metavar="OWNER:BRANCH", help="Instead of the number: branch that the pull request is from.")
@click.option("--commit", metavar="ID", help="With --source: commit that its branch must be at.")
@click.option("--base", default="ledger", show_default=True, help="With --source: branch it is to be merged into.")
@click.option(
    "--check", "checked", type=click.Path(dir_okay=False), metavar="FILE", help="With --commit: also set its status."
)
def comment_command(
    file: str, request: int | None, source: str | None, commit: str | None, base: str, checked: str | None
) -> None:
    """Write FILE, made by `ledger review`, as the one comment of a pull request, or update it.

    With --check FILE, made by `ledger check --json`, the commit also gets the status `ledger`, which a rule of the
    host can require: a workflow that no proposal reaches sets it. For CI jobs of GitHub, GitLab and Forgejo: what is
    written to is taken from their environment.

    Example: ledger ci comment review.md
    """
    from ledger.publish.review.comment import MARKER
    from ledger.repository.hosts.comments import STATUS, comment_place, find_request, set_status, write_comment

    if (request is None) == (source is None) or (source is None) != (commit is None):
        raise UsageError("name the pull request by --request NUMBER, or by --source OWNER:BRANCH and --commit ID")
    if checked is not None and commit is None:
        raise UsageError("--check sets the status of a commit: give --source and --commit too")
    result = _read_checked(checked) if checked is not None else None
    try:
        body = Path(file).read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"no such file: `{file}`", hint="ledger review RANGE --output FILE") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"the review cannot be read: `{file}`") from error
    if not body.startswith(MARKER) or len(body) > _LONGEST:
        raise LedgerError(f"not a review: `{file}`", hint="ledger review RANGE --output FILE")
    place = comment_place(os.environ)
    if result is not None and commit is not None:
        errors = sum(finding.severity == "error" for finding in result.findings)
        told = counted(errors, "error") if errors else f"{counted(result.entries, 'entry')}: no errors"
        set_status(place, commit, passes=result.ok, said=told)
        say(f"the status {STATUS} of {commit[:12]}: {'passes' if result.ok else 'fails'}, {told}")
    number = request if request is not None else find_request(place, source or "", commit or "", base)
    updated = write_comment(place, number, MARKER, body)
    say(f"{'updated' if updated else 'wrote'} the comment of {number}")
