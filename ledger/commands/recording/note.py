"""`ledger note`: add a note to a run."""

import click

from ledger.commands.output import say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.model.entries import Note
from ledger.model.values import NoteKind
from ledger.recorder.statements.notes import add_notes, join_attempts


@click.command("note")
@click.argument("run")
@click.argument("text")
@click.option("--continued-by", "later", metavar="RUN", help="Both are attempts of one training, and RUN is the later.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the note as JSON.")
def note_command(run: str, text: str, later: str | None, push: bool | None, push_timeout: float, as_json: bool) -> None:
    """Add TEXT as a note on RUN; the record itself never changes.

    With --continued-by it joins two attempts of one training that were recorded apart: the later one speaks for both,
    and the earlier one is no result and no repeat of its own.

    Example: ledger note x7k2qf "the labels of class 3 were wrong until Tuesday"
    """
    if later is not None:
        ledger = open_ledger(writing=True)
        notes = join_attempts(ledger, run, later, text)
        if as_json:
            write_json(notes)
        else:
            say(f"{notes[0].run} and {notes[1].run} are attempts of one training; the later one speaks for both")
        push_recorded(ledger, push=push, push_timeout=push_timeout)
        return
    append_notes(run, "comment", [text], push=push, push_timeout=push_timeout, as_json=as_json)


def append_notes(
    run: str,
    kind: NoteKind,
    texts: list[str],
    *,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
    stage: int | None = None,
    model: str | None = None,
) -> None:
    """Append notes, print that, and send them to the remote.

    Raises:
        NotFound: there is no such run.
        LedgerError: a note cannot hold a text.
    """
    ledger = open_ledger(writing=True)
    notes: list[Note] = add_notes(ledger, run, kind, texts, stage=stage, model=model)
    if as_json:
        write_json(notes)
    else:
        for note in notes:
            say(f"{_DONE[kind]} {note.run}: {note.text.splitlines()[0]}")
    push_recorded(ledger, push=push, push_timeout=push_timeout)


_DONE: dict[NoteKind, str] = {
    "comment": "noted on",
    "tag": "tagged",
    "untag": "took a tag from",
    "retraction": "retracted",
    "baseline": "others of its experiment are compared with",
    "retirement": "retired",
    "milestone": "named as evidence:",
    "acceptance": "accepted",
    "rejection": "rejected",
    "retest": "asked to repeat",
    "continued": "continued:",
    "continues": "continues another:",
    "question": "asked of",
    "hypothesis": "expected of",
    "conclusion": "concluded of",
}
