"""`ledger demo`: the whole workflow with real models."""

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import click

from ledger.commands.output import echo, say
from ledger.commands.progress import Bar
from ledger.commands.setup.site import build_now
from ledger.demo.story import play
from ledger.formatting import duration
from ledger.store.branch.branch import Branch


@click.command("demo")
@click.argument("folder", required=False, type=click.Path(file_okay=False))
def demo_command(folder: str | None) -> None:
    """Train small real models on handwritten digits, record them, and build their site.

    Works in FOLDER, or in a new temporary one; takes one to three minutes on two cores. It needs PyTorch, scikit-learn
    and matplotlib: pip install 'git-ledger[demo]'.

    Example: ledger demo
    """
    where = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="ledger-demo-"))
    with Bar("demo") as bar:
        play(where, bar.show)
    os.chdir(where)
    report = build_now(Branch.open(), Path("build/site"), title="Digits: experiment ledger", repository_url=None)
    say(f"built {report.written} pages in {duration(report.seconds)}")
    echo(f"open   {Path('build/site/index.html').resolve().as_uri()}")
    ledger = shlex.join([_program(), "-C", str(where)])
    echo(f"or     {ledger} site serve")
    echo(f"try    {ledger} list --sort validation/accuracy")


def _program() -> str:
    """Return how to type this program: its name where the shell finds it, else its path."""
    return "ledger" if shutil.which("ledger") else str(Path(sys.executable).with_name("ledger"))
