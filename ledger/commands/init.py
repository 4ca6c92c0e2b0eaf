"""`ledger init`: begin a ledger."""

from datetime import UTC, datetime
from pathlib import Path

import click

from ledger.commands.output import say
from ledger.errors import NotFound
from ledger.store.ledger import BRANCH, Ledger


@click.command("init")
@click.argument("path", required=False, type=click.Path(file_okay=False))
def init_command(path: str | None) -> None:
    """Begin a ledger in the repository of this folder, or of PATH.

    Where PATH is in no git repository, one for the ledger alone is made in PATH/.ledger. Doing it twice
    changes nothing; `ledger record` does it by itself in a repository.
    """
    try:
        ledger = Ledger.open(Path(path or "."))
    except NotFound:
        if path is None:
            raise
        from ledger.repository.making import create_embedded

        ledger = Ledger(create_embedded(Path(path)))
    commit = ledger.create(ledger.repository.author(), datetime.now(UTC))
    where = ledger.repository.worktree or ledger.repository.git_dir
    if commit:
        say(f"began a ledger on the branch `{BRANCH}` of {where}; next: ledger record --help")
    else:
        say(f"there is a ledger already on the branch `{BRANCH}` of {where}")
