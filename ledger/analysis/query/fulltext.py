"""The words of a run for full-text search.

Id, status, experiment, tags, notes, params, metrics, datasets, authors, commit and warnings of the log, and later
said later. The site is given the same words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from ledger.model.entries import StoredRun

_WORD = re.compile(r"[^\W_]+")
BREAK = "\u2758"
"""Separator of two texts, so that no phrase matches across them; part of no word."""
_WORD_OR_BREAK = re.compile(rf"[^\W_]+|{BREAK}")


def words_in(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits."""
    return _WORD.findall(text.lower())


def spoken(run: StoredRun) -> str:
    """Return the words of a run in one text, separated by spaces."""
    return _BETWEEN.join((_kept_words(run.record.id), *words_beside_id(run)))


def words_beside_id(run: StoredRun) -> list[str]:
    """Return the words of each text of a run except its id; texts that runs of a sweep share are cached."""
    return list(dict.fromkeys(words for text in _texts(run) if (words := _words_of(text))))


def _words_of(text: str | tuple[str, ...]) -> str:
    if isinstance(text, tuple):
        return _words_of_all(text)
    return _kept_words(text) if len(text) <= _KEPT else _word_text(text)


@lru_cache(maxsize=1024)
def _words_of_all(texts: tuple[str, ...]) -> str:
    """Return the words of several texts; runs of a sweep have the same names."""
    return _BETWEEN.join(map(_words_of, texts))


def _word_text(text: str) -> str:
    return " ".join(_WORD_OR_BREAK.findall(text.lower()))


_BETWEEN = f" {BREAK} "
_KEPT = 100
"""Most characters of a text that is likely to come again, such as the name of a param."""
_kept_words = lru_cache(maxsize=4096)(_word_text)


def _texts(run: StoredRun) -> Iterator[str | tuple[str, ...]]:
    record = run.record
    yield record.status
    yield record.experiment
    yield f"{record.author.name} {record.author.email}"
    yield (record.code.commit or "").removeprefix("git:")
    if record.note:
        yield record.note
    yield from run.tags
    yield tuple(f"{name} {value}" if isinstance(value, str) else name for name, value in record.params.values.items())
    metrics = run.metrics()
    names = [*(use.label for use in record.datasets.used), *(metric.dataset or "" for metric in metrics)]
    yield tuple(dict.fromkeys([*(metric.key for metric in metrics), *filter(None, names)]))
    yield from record.logs.warnings
    yield from _texts_said_later(run)


def _texts_said_later(run: StoredRun) -> Iterator[str]:
    for evaluation in run.evaluations:
        yield evaluation.author.name
        if evaluation.note:
            yield evaluation.note
    for note in run.notes:
        yield note.author.name
        if note.kind in {"comment", "retraction"}:
            yield note.text
        if note.kind == "retraction":
            yield "retracted"
