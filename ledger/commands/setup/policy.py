"""`ledger policy`: show or change the team's policy without a checkout."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import click

from ledger.commands.output import echo, say
from ledger.commands.review.proposal_output import send_branch
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.errors import InvalidDocument, LedgerError, UsageError
from ledger.model.values import plain
from ledger.recorder.statements.proposal import begin_proposal
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import load_policy
from ledger.store.branch.policy_edit import change_policy, read_policy_text, replaced, with_value, without_value


@click.group("policy")
def policy_command() -> None:
    """Show or change the team's policy: directions, limits, prices, what is code, what is private.

    A change is one commit on the ledger branch; nothing is checked out, so no entry can be lost. Where
    changes need a review, `ledger policy propose` puts it on a branch of its own.

    Example: ledger policy set directions.validation/score higher
    """


@policy_command.command("show")
def show_command() -> None:
    """Print policy.yaml as it is on the ledger.

    Example: ledger policy show
    """
    text = read_policy_text(open_ledger())
    for line in text.splitlines():
        echo(plain(line))
    if not text:
        say("there is no policy yet, so the defaults apply; to begin one: ledger policy edit")


@policy_command.command("set")
@click.argument("key")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@push_options
def set_command(key: str, values: tuple[str, ...], push: bool | None, push_timeout: float) -> None:
    """Set KEY to VALUE; for a list, such as code.ignore, the VALUEs are added.

    Example: ledger policy set code.ignore metrics.json
    """
    _commit(lambda text: with_value(text, key, values), f"policy: set {key}", push, push_timeout)


@policy_command.command("unset")
@click.argument("key")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@push_options
def unset_command(key: str, values: tuple[str, ...], push: bool | None, push_timeout: float) -> None:
    """Remove KEY from the policy, so that the default applies, or VALUEs from a list.

    Example: ledger policy unset code.ignore metrics.json
    """
    _commit(lambda text: without_value(text, key, values), f"policy: unset {key}", push, push_timeout)


@policy_command.command("edit")
@push_options
def edit_command(push: bool | None, push_timeout: float) -> None:
    """Open the policy in git's editor and commit the saved text.

    Example: ledger policy edit
    """
    ledger = open_ledger(writing=True)
    ledger.create(ledger.author(), datetime.now(UTC))  # the text that a new ledger begins with
    before = read_policy_text(ledger)
    _commit(replaced(before, _edited(ledger, before)), "policy: edit", push, push_timeout)


@policy_command.command("propose")
@click.argument("key", required=False)
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--name", help="Name of the proposal. Default: the time.")
@push_options
def propose_command(
    key: str | None, values: tuple[str, ...], name: str | None, push: bool | None, push_timeout: float
) -> None:
    """Propose a change for review: KEY and VALUE as for `set`; without them, the text saved in the editor.

    Example: ledger policy propose require.seed true
    """
    ledger = open_ledger(writing=True)
    ledger.create(ledger.author(), datetime.now(UTC))
    before = read_policy_text(ledger)
    change: Callable[[str], str]
    change = (lambda text: with_value(text, key, values)) if key else replaced(before, _edited(ledger, before))
    if change(before) == before:
        say("the policy is unchanged")
        return
    load_policy(change(before).encode())
    name = name or f"policy-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    place = begin_proposal(ledger, name)
    title = f"policy: set {key}" if key else "policy: edit"
    change_policy(place, change, title)
    say(f"proposed on {place.branch}: {title}")
    send_branch(ledger, name, title, push=push, seconds=push_timeout)


def _commit(change: Callable[[str], str], message: str, push: bool | None, push_timeout: float) -> None:
    ledger = open_ledger(writing=True)
    if change_policy(ledger, change, message) is None:
        say("the policy is unchanged")
        return
    say(f"{message}; it holds for what is recorded from now on")
    push_recorded(ledger, push=push, push_timeout=push_timeout)


def _edited(ledger: Branch, before: str) -> str:
    """Return the text saved in git's editor.

    Raises:
        UsageError: the editor failed, or nothing was saved.
        LedgerError: it is no valid policy; the file that keeps it is named.
    """
    editor = os.environ.get("GIT_EDITOR") or ledger.repository.git.output("var", "GIT_EDITOR").decode().strip()
    draft = ledger.repository.state_dir / "policy-draft.yaml"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(before, "utf-8")
    # As git itself starts it: this setting may hold options, and whole scripts (git-var, GIT_EDITOR).
    done = subprocess.run(["sh", "-c", f'{editor} "$@"', editor, str(draft)], check=False)
    after = draft.read_text("utf-8", "replace")
    if done.returncode or after == before:
        draft.unlink()
        why = f"the editor failed: `{editor}`" if done.returncode else "nothing was saved, so nothing was changed"
        raise UsageError(why, hint="git config core.editor NAME" if done.returncode else None)
    try:
        load_policy(after.encode())
    except InvalidDocument as error:
        raise LedgerError(f"{error.message}; nothing was changed, your text is in: `{draft}`") from error
    draft.unlink()
    return after
