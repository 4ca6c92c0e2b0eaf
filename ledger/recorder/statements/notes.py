"""Notes on a run: comments, tags, a retraction, a milestone. Nothing on the ledger is ever edited."""

import os
from collections.abc import Sequence
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
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.branch.run_ids import resolve_run

_TEXT_LENGTH = 10_000


def add_notes(
    ledger: Branch,
    run: str,
    kind: NoteKind,
    texts: Sequence[str],
    *,
    stage: int | None = None,
    model: str | None = None,
    elsewhere: bool = False,
) -> list[Note]:
    """Append one note per text to a run and return them; secrets in them are replaced.

    Args:
        ledger: the ledger.
        run: id of the run, or a part of it.
        kind: kind of the notes.
        texts: comments, tags, or the reason.
        stage: product stage of a milestone.
        model: model that reached it; by default the one that the run's experiment is named after.
        elsewhere: the run is part of a proposal, named by its whole id: it need not be on this ledger.

    Raises:
        NotFound: there is no such run.
        LedgerError: a text is empty or too long, or a tag or a name holds control characters.
    """
    run_id = run if elsewhere else resolve_run(ledger, run)
    author, redactor = ledger.author(), redactor_for(ledger)
    checked = [checked_text(kind, redactor.text(text)) for text in texts]
    if model is not None:
        model = check_label("model", redactor.text(model))
    if not checked:
        raise LedgerError("no text was given to note")
    notes = []
    for text in checked:
        now = datetime.now(UTC)
        note = Note(
            format=NOTE_FORMAT,
            id=new_id(now, os.urandom(4)),
            run=run_id,
            kind=kind,
            stage=stage,
            model=model,
            text=text,
            author=author,
            noted_at=now,
            tool=TOOL,
        )
        note = redact_document(note, redactor)
        path = paths.note_path(note.id)
        refuse_claims(note)
        message = redactor.text(note_message(note, path))
        ledger.append(Entry(id=note.id, files={path: dump(note)}, message=message, author=author, made_at=now))
        notes.append(note)
    return notes


def join_attempts(ledger: Branch, earlier: str, later: str, text: str) -> list[Note]:
    """Append that one run continued the training of another, on both, and return the two notes.

    Args:
        ledger: the ledger.
        earlier: id of the run that was stopped, or a part of it.
        later: that of the run that went on.
        text: how this is known.

    Raises:
        NotFound: there is no such run.
        LedgerError: a run cannot be continued by an earlier one or by itself, or the text is empty.
    """
    from ledger.store.index.selection import find_runs  # SQLite: no other note needs it

    author, redactor = ledger.author(), redactor_for(ledger)
    first, second = find_runs(ledger, [earlier])[0], find_runs(ledger, [later])[0]
    if first.record.timing.started_at >= second.record.timing.started_at:
        raise LedgerError(
            f"a run is continued by one that began later: `{second.record.id}` did not",
            hint=f"ledger note {second.record.id[16:]} TEXT --continued-by {first.record.id[16:]}",
        )
    now = datetime.now(UTC)
    sides: tuple[tuple[str, NoteKind, str], ...] = (
        (first.record.id, "continued", second.record.id),
        (second.record.id, "continues", first.record.id),
    )
    notes = [
        redact_document(
            Note(
                format=NOTE_FORMAT,
                id=new_id(now, os.urandom(4)),
                run=run,
                kind=kind,
                attempt=other,
                text=checked_text(kind, redactor.text(text)),
                author=author,
                noted_at=now,
                tool=TOOL,
            ),
            redactor,
        )
        for run, kind, other in sides
    ]
    for note in notes:
        refuse_claims(note)
    files = {paths.note_path(note.id): dump(note) for note in notes}
    message = redactor.text(note_message(notes[0], paths.note_path(notes[0].id)))
    ledger.append(Entry(id=notes[0].id, files=files, message=message, author=author, made_at=now))
    return notes


def checked_text(kind: NoteKind, text: str) -> str:
    """Return the text of a note, or of a tag.

    Raises:
        LedgerError: it is empty or too long, or a tag that is no label.
    """
    if kind in {"tag", "untag"}:
        return check_label("tag", text)
    if not text.strip():
        raise LedgerError("the text of a note is empty")
    if len(text) > _TEXT_LENGTH:
        raise LedgerError(f"the text of a note is longer than {_TEXT_LENGTH} characters: `{text[:40]}…`")
    return text
