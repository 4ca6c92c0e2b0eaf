"""`ledger note`: say something about a run, later."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.workplace import open_ledger
from ledger.model.entries import Note
from ledger.model.values import NoteKind
from ledger.recorder.notes import add_notes


@click.command("note")
@click.argument("run")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print the note as JSON.")
def note_command(run: str, text: str, as_json: bool) -> None:
    """Add TEXT to what is said about RUN; the record itself never changes.

    Example: ledger note x7k2qf "the labels of class 3 were wrong until Tuesday"
    """
    tell_notes(run, "comment", [text], as_json=as_json)


def tell_notes(run: str, kind: NoteKind, texts: list[str], *, as_json: bool) -> None:
    """Append notes and say so.

    Raises:
        NotFound: there is no such run.
        LedgerError: a text cannot stand in a note.
    """
    notes: list[Note] = add_notes(open_ledger(writing=True), run, kind, texts)
    if as_json:
        write_json(notes)
        return
    done = {"comment": "noted on", "tag": "tagged", "untag": "took a tag from", "retraction": "retracted"}[kind]
    for note in notes:
        say(f"{done} {note.run}: {note.text.splitlines()[0]}")
