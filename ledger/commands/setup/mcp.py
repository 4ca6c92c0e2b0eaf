"""`ledger mcp`: the ledger for agents that speak the Model Context Protocol, over stdin and stdout."""

from pathlib import Path

import click

from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError


@click.command("mcp")
@click.option("--write", is_flag=True, help="Also offer a tool that records a run; nothing is sent to a remote.")
def mcp_command(write: bool) -> None:
    """Serve the ledger to an agent over stdin and stdout: list, show, compare, judge, leaderboard, advise, loop report.

    Read-only without --write. Answers are short, and everything from a record is marked as data.

    Example: ledger mcp --write
    """
    open_ledger()
    try:
        from ledger.mcp.server import make_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise UsageError("this needs the package mcp", hint="pip install 'git-ledger[mcp]'") from error
    make_server(Path.cwd(), write=write).run("stdio")
