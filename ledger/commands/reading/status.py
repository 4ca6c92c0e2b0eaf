"""`ledger status`: the runs that live now."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from ledger.commands.output import echo, say, write_json
from ledger.commands.reading.living_text import living_text
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound
from ledger.formatting import duration
from ledger.model.characters import escaped
from ledger.model.ids import resolve
from ledger.model.values import counted
from ledger.session.live.living import Living, living_runs
from ledger.session.spool.recovery import what_waits
from ledger.store.branch.pending import homeless_dir

_SILENT_SECONDS = 60.0
"""Runs of other hosts that were heard of more recently count as living."""


@click.command("status")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("-w", "--watch", is_flag=True, help="Show it again and again, until Ctrl-C or the end of the named runs.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, metavar="SECONDS", help="With --watch."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --watch one document per line.")
def status_command(runs: Sequence[str], watch: bool, every: float, as_json: bool) -> None:
    """Show the runs that live now: how far, how fast, and when they will be done.

    All of this repository, or those that RUN names: an id or a part of one. The time left is what it takes if a run
    goes on as it did, with its 95 % prediction interval; by a log, which tells less, between the soonest and the
    latest. Where the run does not state its number of steps (`ledger.run(total_steps=…)`), the line names where it
    was found.

    Example: ledger status --watch
    """
    folders = list(dict.fromkeys([open_ledger().repository.state_dir, homeless_dir()]))
    living = _look(folders)
    chosen = [_choose(living, name) for name in runs]
    if not watch:
        _show([one for one in living if not runs or one.id in chosen], as_json=as_json, of_all=not runs)
        if not runs and not as_json:
            _say_what_waits(folders[0])
        return
    _watch(folders, chosen, every, as_json=as_json)


def _look(folders: Sequence[Path]) -> list[Living]:
    return [one for folder in folders for one in living_runs(folder)]


def _choose(living: Sequence[Living], name: str) -> str:
    """Return the id of the living run that a name means.

    Raises:
        NotFound: no living run has it, or several.
    """
    try:
        return resolve(name, [one.id for one in living])
    except NotFound as error:
        raise NotFound(
            f"no living run has this id: `{ascii(name)[1:-1]}`",
            hint="what lives: ledger status; what has ended: ledger list",
        ) from error


def _watch(folders: Sequence[Path], chosen: Sequence[str], every: float, *, as_json: bool) -> None:
    """Show the runs until all that are chosen have ended; without any, until Ctrl-C."""
    from rich.live import Live
    from rich.text import Text

    with Live(auto_refresh=False, screen=False) as screen:
        while True:
            living = [one for one in _look(folders) if not chosen or one.id in chosen]
            if chosen and not living:
                break
            if as_json:
                click.echo(escaped(msgspec.json.encode(living).decode()))
            elif sys.stdout.isatty():
                screen.update(Text.from_ansi(_text(living)), refresh=True)
            else:
                _show(living, as_json=False, of_all=not chosen)
            time.sleep(every)
    for run in chosen:
        say(f"{run} has ended; next: ledger show {run[16:]}")


def _show(living: Sequence[Living], *, as_json: bool, of_all: bool) -> None:
    if as_json:
        write_json(living)
    elif living or of_all:
        echo(_text(living))


def _text(living: Sequence[Living]) -> str:
    return "\n\n".join(map(living_text, living)) if living else "no run lives here now"


def _say_what_waits(state_dir: Path) -> None:
    """Say what neither lives nor is recorded: runs of hosts that are silent, and attempts that wait for the next."""
    waiting = what_waits(state_dir)
    for one in waiting:
        if one.state == "elsewhere" and one.silence_seconds is not None and one.silence_seconds > _SILENT_SECONDS:
            say(
                f"{one.id} on {one.host}: no sign of life for {duration(one.silence_seconds)}; if that host is gone:"
                f" ledger recover --host {one.host}"
            )
    if attempts := sum(one.state == "attempt" for one in waiting):
        say(f"waiting for a next attempt: {counted(attempts, 'run')}; to record them as they are: ledger recover")
