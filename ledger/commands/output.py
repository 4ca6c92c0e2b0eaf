"""Output of commands: data on stdout as text, JSON or CSV; messages on stderr."""

import csv
import re
import sys
from collections.abc import Iterable, Sequence

import click
import msgspec

from ledger.model.characters import escaped, plain

_COLOURS = re.compile("(\x1b\\[[0-9;]{0,20}m)")
"""The codes with which `click.style` surrounds a text."""


def echo(text: object = "", *, nl: bool = True) -> None:
    """Print on stdout; of invisible characters only our own colours pass, whatever a record holds. Bytes are data."""
    if isinstance(text, bytes):
        click.echo(text, nl=nl)
        return
    parts = _COLOURS.split(str(text))
    click.echo("".join(part if at % 2 else plain(part) for at, part in enumerate(parts)), nl=nl)


def say(message: str) -> None:
    """Print a message for people on stderr."""
    click.echo(plain(message), err=True)


def one_line(text: str) -> str:
    """Return text as one line that cannot control a terminal."""
    return plain(text).replace("\n", "\\n")


def write_json(value: object) -> None:
    """Write one JSON document on stdout."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        from ledger.model.document import encode

        data = encode(value)
    click.echo(escaped(msgspec.json.format(data, indent=2).decode()))


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table as CSV on stdout; a leading `=`, `+`, `-` or `@` of a text cannot become a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([_inert(cell) for cell in header])
    writer.writerows([_inert(cell) for cell in row] for row in rows)


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, needed: int | None = None) -> None:
    """Write a table for people; except on a terminal nothing is cut, left out or coloured.

    Args:
        header: names of the columns.
        rows: cells, as plain text.
        needed: number of columns from the left that are always shown; the others give way in a narrow terminal.
    """
    table = [[plain(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in (header, *rows)]
    if not sys.stdout.isatty():
        for row in table:
            click.echo("\t".join(row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    shown = len(header)
    widths = [max(cell_len(row[index]) for row in table) + _GAP for index in range(shown)]
    while shown > (needed or len(header)) and sum(widths[:shown]) > console.width:
        shown -= 1
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for index, name in enumerate(table[0][:shown]):
        drawn.add_column(Text(name), overflow="fold", no_wrap=index == 0)
    for row in table[1:]:
        drawn.add_row(*(Text(cell, style=_STATUS_STYLE.get(cell, "")) for cell in row[:shown]))
    console.print(drawn)
    if shown < len(header):
        say(f"columns that do not fit the terminal: {', '.join(header[shown:])} (--columns, --csv)")


_GAP = 3
"""Characters between two columns."""

_STATUS_STYLE = {
    "finished": "green",
    "failed": "red",
    "killed": "red",
    "lost": "red",
    "interrupted": "yellow",
    "preempted": "yellow",
    "pruned": "yellow",
}


def _inert(cell: str) -> str:
    text = plain(cell)
    numeric = text.lstrip("+-").replace(".", "", 1).replace("e", "", 1).replace("-", "").isdigit()
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} and not numeric else text
