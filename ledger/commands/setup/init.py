"""`ledger init`: begin a ledger."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from ledger.capture.secrets.redactor import Redactor
from ledger.commands.output import echo, say
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.settings import SITE_SETTING
from ledger.store.branch.branch import Branch
from ledger.store.sync.consent import WHAT_GOES, give_consent, read_consent


@click.command("init")
@click.argument("path", required=False, type=click.Path(file_okay=False))
@click.option("--server", type=click.Path(file_okay=False), metavar="PATH", help="Create a bare repository to push to.")
@click.option("--site", type=click.Path(file_okay=False), metavar="FOLDER", help="With --server: folder of its site.")
@click.option(
    "--object-format",
    type=click.Choice(["sha1", "sha256"]),
    default="sha1",
    show_default=True,
    help="With --server: git's hash algorithm.",
)
def init_command(path: str | None, server: str | None, site: str | None, object_format: str) -> None:
    """Begin a ledger in the repository of this folder, or of PATH.

    Where PATH is in no git repository, one for the ledger alone is created in PATH/.ledger. Repeating it
    changes nothing; `ledger record` does it automatically in a repository.

    With --server PATH it creates a ledger that a team hosts itself: a bare repository with hooks that refuse anything
    that would damage the ledger, and a site that is published after each push.

    Example: ledger init --server /srv/ledger.git
    """
    if server is not None:
        if path is not None:
            raise UsageError("give a folder or --server, not both", hint="ledger init --server PATH")
        _begin_server(Path(server), Path(site) if site else None, object_format)
        return
    try:
        ledger = Branch.open(Path(path or "."))
    except NotFound:
        if path is None:
            raise
        from ledger.repository.making import create_embedded

        ledger = Branch(create_embedded(Path(path)))
    commit = ledger.create(ledger.author(), datetime.now(UTC))
    where = ledger.repository.worktree or ledger.repository.git_dir
    if commit:
        say(f"began a ledger on the branch `{ledger.branch}` of {where}; next: ledger record --help")
    else:
        say(f"there is a ledger already on the branch `{ledger.branch}` of {where}")
    give_consent(ledger.repository)
    _announce_remote(ledger)


def _announce_remote(ledger: Branch) -> None:
    """Print what will be sent, and where, before anything is sent."""
    try:
        consent = read_consent(ledger)
    except LedgerError as error:
        say(f"warning: {error.message}")
        return
    if consent.refused:
        say("nothing is sent by itself: git config ledger.push is false here; to send: ledger sync")
    elif consent.remote and consent.url:
        say(f"what is recorded is sent to {consent.remote} ({Redactor().url(consent.url)}) {WHAT_GOES}")
        say("hint: to keep it here: git config ledger.push false")


def _begin_server(folder: Path, site: Path | None, object_format: str) -> None:
    """Create a repository to push to, with hooks, a first commit and a site; idempotent.

    Raises:
        LedgerError: something else exists there, or it cannot be written.
    """
    from ledger.publish.site.background import CURRENT, building, publish_ledger, site_of
    from ledger.repository.hooks import SERVER, install_hooks
    from ledger.repository.making import create_server

    repository = create_server(folder, object_format)
    where = repository.git_dir.resolve()
    ledger = Branch(repository)
    install_hooks(repository, SERVER, sys.executable)
    ledger.create(repository.author(), datetime.now(UTC))
    wanted = site.absolute() if site else site_of(repository) or where.with_name(f"{where.stem}-site")
    repository.git.output("config", SITE_SETTING, str(wanted))
    echo(f"a ledger to push to:  {where}")
    try:
        with building(repository.state_dir):
            publish_ledger(ledger, wanted, notify=lambda _line: None)
    except (LedgerError, ImportError) as error:
        say(f"warning: its site is not published yet: {error}")
        say('hint: pip install "git-ledger[site]"; then: ledger site publish ' + shlex.quote(str(where)))
    echo(f"clone it:             git clone {shlex.quote(str(where))}   (from elsewhere: USER@HOST:{where})")
    echo(f"or add it to yours:   git remote add origin USER@HOST:{where}; ledger sync")
    echo("send what you record: ledger record does, and ledger sync")
    echo(f"serve its site:       python3 -m http.server --directory {shlex.quote(str(wanted / CURRENT))}")
