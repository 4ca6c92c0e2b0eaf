"""`ledger demo`: the whole path, played with real models."""

import os
import tempfile
from pathlib import Path

import click

from ledger.commands.output import say
from ledger.commands.progress import Bar
from ledger.commands.site import build_now
from ledger.demo import play
from ledger.store.ledger import Ledger


@click.command("demo")
@click.argument("folder", required=False, type=click.Path(file_okay=False))
def demo_command(folder: str | None) -> None:
    """Train small real models on handwritten digits, record them, and build their site.

    Works in FOLDER, or in a new temporary one; takes one to three minutes on two cores.
    """
    where = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="ledger-demo-"))
    with Bar("demo") as bar:
        play(where, bar.show)
    os.chdir(where)
    report = build_now(Ledger.open(), Path("build/site"), title="Digits: experiment ledger", repository_url=None)
    say(f"built {report.written} pages in {report.seconds:.1f} s")
    click.echo(f"open   {Path('build/site/index.html').resolve().as_uri()}")
    click.echo(f"or     cd {where} && ledger site serve")
    click.echo(f"try    cd {where} && ledger list --sort metrics.validation/accuracy")
