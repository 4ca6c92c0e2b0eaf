"""`ledger hooks`: git hooks that protect the ledger on push and in clones."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.commands.output import echo, say, write_json
from ledger.errors import LedgerError, UsageError
from ledger.repository.hooks import CLIENT, SERVER, Hook, install_hooks, read_hooks, uninstall_hooks
from ledger.repository.process import Git, quarantined_objects
from ledger.repository.repository import Repository
from ledger.settings import SITE_SETTING

REFUSED = 10
"""Exit code that tells a hook a bad push from a failing tool; Python's own codes are 1 and 2."""
_SHOWN = 20
"""Most refusals that are shown for one push."""

_server_option = click.option(
    "--server",
    type=click.Path(file_okay=False, exists=True),
    metavar="PATH",
    help="The hooks of the bare repository at PATH, to which people push.",
)


@click.group("hooks")
def hooks_command() -> None:
    """Install git hooks that keep the ledger whole wherever it arrives; hooks of others stay and run first."""


@hooks_command.command("install")
@_server_option
@click.option("--site", type=click.Path(file_okay=False), metavar="FOLDER", help="With --server: publish a site there.")
def install_command(server: str | None, site: str | None) -> int:
    """Install our hooks in front of existing ones; idempotent.

    In a clone, pre-push refuses to send a damaged ledger, and reference-transaction notes that it moved. On a
    server, pre-receive refuses what `ledger check` refuses, and post-receive puts the inbox on the branch and
    publishes the site. Exit code 1 when one of them could not be installed.

    Example: ledger hooks install
    """
    repository, names = _target(server)
    if site is not None and server is None:
        raise UsageError(
            "only the hooks of a server publish a site, so --site needs --server",
            hint="ledger hooks install --server PATH --site FOLDER",
        )
    _check_branch(repository)
    hooks = install_hooks(repository, names, sys.executable)
    for hook in hooks:
        say(_installed_text(hook))
    if site is not None:
        repository.git.output("config", SITE_SETTING, str(Path(site).absolute()))
        say(f"after each push of the ledger its site is published to {site}; now: ledger site publish {server}")
    return 0 if all(hook.state in {"installed", "wrapped"} for hook in hooks) else 1


@hooks_command.command("uninstall")
@_server_option
def uninstall_command(server: str | None) -> int:
    """Remove our hooks and restore the hooks from before, to the byte.

    A hook that somebody changed or wrapped since is named and left alone; the exit code is 1 then.

    Example: ledger hooks uninstall
    """
    repository, names = _target(server)
    left = 0
    for hook in uninstall_hooks(repository, names):
        if hook.state in {"changed", "wrapped"} or hook.before is not None:
            left += 1
            say(f"left alone: {_state_text(hook)}")
        else:
            say(f"{hook.name}: {'as it was before' if hook.state == 'foreign' else 'none'}")
    return 1 if left else 0


@hooks_command.command("status")
@_server_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status_command(server: str | None, as_json: bool) -> int:
    """Show which hooks are in place; exit code 1 when one of ours is missing.

    Example: ledger hooks status
    """
    repository, names = _target(server)
    hooks = read_hooks(repository, names)
    if as_json:
        write_json(hooks)
    else:
        for hook in hooks:
            echo(_state_text(hook))
    whole = all(hook.state in {"installed", "wrapped"} for hook in hooks)
    if not whole and not as_json:
        say("hint: ledger hooks install" + (f" --server {server}" if server else ""))
    return 0 if whole else 1


@hooks_command.command("run")
@click.argument("name", type=click.Choice(["pre-push", "pre-receive", "post-receive"]))
@click.argument("arguments", nargs=-1)
def run_command(name: str, arguments: Sequence[str]) -> int:  # noqa: ARG001  # git's arguments: a remote and its address
    """Do the work of the hook NAME, with git's data on stdin: for a hook of your own that calls it.

    Exit code 10 when the push is bad.

    Example: ledger hooks run pre-receive
    """
    if name == "post-receive":
        _publish_behind()
        return 0
    from ledger.store.sync.receive_rules import check_received, check_sent, load_updates

    sending = name == "pre-push"
    updates = load_updates(sys.stdin.buffer.read(), sending=sending)
    if sending:
        # Git says where the repository is when it was told so itself, as for files whose repository lies elsewhere.
        sender = _received() if "GIT_DIR" in os.environ else Repository.discover(Path())
        refusals = check_sent(sender, updates)
    else:
        refusals = check_received(_received().with_objects(quarantined_objects()), updates)
    for refusal in refusals[:_SHOWN]:
        echo(f"error: {_plain(refusal.ref)}: {_plain(refusal.message)}")
        if refusal.hint:
            echo(f"hint: {_plain(refusal.hint)}")
    if len(refusals) > _SHOWN:
        echo(f"error: and {len(refusals) - _SHOWN} more")
    return REFUSED if refusals else 0


def _received() -> Repository:
    """Return the repository whose hook this is: git runs it there, after checking its owner.

    Raises:
        UsageError: this is no repository, so somebody called it by hand.
    """
    folder = Path(os.environ.get("GIT_DIR", ".")).absolute()
    if not (folder / "HEAD").is_file():
        raise UsageError("git itself runs a server's hook, in the repository that receives the push")
    return Repository(Git(folder, {"GIT_DIR": str(folder)}), folder, folder, None, "")


def _publish_behind() -> None:
    """Fold and publish until nobody asks for more, in the background: the pusher does not wait."""
    from ledger.publish.site.background import build_while_asked, leave_terminal, publish_ledger, site_of, write_log
    from ledger.store.branch.branch import Branch

    repository = _received()
    leave_terminal()

    def notify(line: str) -> None:
        write_log(repository.state_dir, line)

    def build() -> None:
        try:
            publish_ledger(Branch(repository), site_of(repository), notify=notify)
        except (LedgerError, ImportError) as error:
            notify(f"not published: {error}")

    build_while_asked(repository.state_dir, build)


def _plain(text: str) -> str:
    from ledger.model.values import plain

    return plain(text).replace("\n", " ")


def _check_branch(repository: Repository) -> None:
    """Refuse a ledger branch with another name: the stubs know only `ledger`."""
    from ledger.store.branch.branch import BRANCH, main_branch

    if main_branch(repository) != BRANCH:
        raise LedgerError(
            f"the hooks work only with the branch `{BRANCH}`, and this ledger is on: `{main_branch(repository)}`",
            hint="git config --unset ledger.branch",
        )


def _target(server: str | None) -> tuple[Repository, Sequence[str]]:
    """Return the repository that is meant, and its kind of hooks.

    Raises:
        UsageError: people work in the repository that is named as a server's.
    """
    repository = Repository.discover(Path(server or "."))
    if server is None:
        return repository, CLIENT
    if repository.worktree is not None:
        raise UsageError(
            f"not a bare repository: `{server}`", hint="git init --bare PATH, or: ledger init --server PATH"
        )
    return repository, SERVER


def _installed_text(hook: Hook) -> str:
    if hook.state == "wrapped":
        return f"{hook.name}: another hook took its place and runs it; both are kept"
    return f"{hook.name}: installed" + (", and runs the earlier hook first" if hook.before else "")


def _state_text(hook: Hook) -> str:
    before = f" ({hook.before} is the hook from before)" if hook.before else ""
    words = {
        "absent": f"{hook.name}: none{before}",
        "installed": f"{hook.name}: installed{f', runs {hook.before} first' if hook.before else ''}",
        "changed": f"{hook.name}: installed by ledger, but changed since: {hook.path}",
        "wrapped": f"{hook.name}: installed, and run by another hook in its place: {hook.path}",
        "foreign": f"{hook.name}: not installed by ledger: {hook.path}{before}",
    }
    return words[hook.state]
