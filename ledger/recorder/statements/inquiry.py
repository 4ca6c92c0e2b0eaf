"""Statements about an experiment: what it asks, what is expected, what it showed. None is ever edited."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.claims.rules import refuse_claims
from ledger.model.document import dump
from ledger.model.entries import NOTE_FORMAT, Note
from ledger.model.ids import new_id
from ledger.model.values import NoteKind, check_label
from ledger.recorder.message import TOOL, note_message
from ledger.recorder.record.redaction import redact_document, redactor_for
from ledger.recorder.statements.notes import checked_text
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry


def add_statements(ledger: Branch, experiment: str, texts: Mapping[NoteKind, str], *, begun: bool) -> list[Note]:
    """Append statements about an experiment in one commit and return them; secrets in them are replaced.

    Args:
        ledger: ledger of the experiment.
        experiment: its name.
        texts: text of each kind: `question`, `hypothesis`, `conclusion`.
        begun: whether it has a run; one that has none may be asked about, and not concluded.

    Raises:
        LedgerError: a text is empty or too long, the name is no label, or nothing was run yet to conclude from.
    """
    author, redactor, now = ledger.author(), redactor_for(ledger), datetime.now(UTC)
    name = check_label("experiment", experiment)
    if "conclusion" in texts and not begun:
        raise LedgerError(f"nothing was run yet to conclude from: `{name}`", hint=f"ledger run -e {name} -- COMMAND")
    if not texts:
        raise LedgerError("no text was given to state")
    notes = []
    for kind, text in texts.items():
        note = Note(
            format=NOTE_FORMAT,
            id=new_id(now, os.urandom(4)),
            experiment=name,
            kind=kind,
            text=checked_text(kind, redactor.text(text)),
            author=author,
            noted_at=now,
            tool=TOOL,
        )
        notes.append(redact_document(note, redactor))
        refuse_claims(notes[-1])
    files = {paths.note_path(note.id): dump(note) for note in notes}
    message = redactor.text(note_message(notes[-1], paths.note_path(notes[-1].id)))
    ledger.append(Entry(id=notes[-1].id, files=files, message=message, author=author, made_at=now))
    return notes
