"""The words of a run that full-text search finds: id, experiment, params, tags, notes, authors, log warnings."""

import re
from collections.abc import Iterator
from functools import lru_cache

from ledger.model.entries import StoredRun

_WORD = re.compile(r"[^\W_]+")
BREAK = "\u2758"
"""Stands between two texts, so that no phrase reaches from one into the next; it is part of no word."""
_WORD_OR_BREAK = re.compile(rf"[^\W_]+|{BREAK}")


def words_in(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits."""
    return _WORD.findall(text.lower())


def spoken(run: StoredRun) -> str:
    """Return the words of a run in one text, parted by spaces."""
    return f" {BREAK} ".join(_kept_words(text) if len(text) <= _KEPT else _words(text) for text in _texts(run))


def _words(text: str) -> str:
    return " ".join(_WORD_OR_BREAK.findall(text.lower()))


_KEPT = 100
"""Characters of a text that is likely to come again, such as the name of a param."""
_kept_words = lru_cache(maxsize=4096)(_words)


def _texts(run: StoredRun) -> Iterator[str]:
    record = run.record
    yield record.id
    yield record.experiment
    yield f"{record.author.name} {record.author.email}"
    if record.note:
        yield record.note
    yield from run.tags
    for name, value in record.params.values.items():
        yield f"{name} {value}" if isinstance(value, str) else name
    yield from record.logs.warnings
    for evaluation in run.evaluations:
        yield evaluation.author.name
        if evaluation.note:
            yield evaluation.note
    for note in run.notes:
        yield note.author.name
        if note.kind in {"comment", "retraction"}:
            yield note.text
