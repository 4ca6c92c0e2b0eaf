"""Rules for names: visible, distinguishable, of bounded length. Part of `rules.py`."""

from collections.abc import Iterator

from ledger.model.characters import composed, look_alikes, plain
from ledger.model.claims.facts import Facts
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.record import Record
from ledger.model.values import wrong_label


def wrong(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield names that are blank, too long, or hold invisible characters."""
    for field, text in facts.labels:
        if why := wrong_label(field, text):
            yield field, why


def too_many(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield the tags of a run beyond the allowed number."""
    document = facts.document
    if isinstance(document, Record) and len(document.tags) > MOST_TAGS:
        yield "tags", f"a run has at most {MOST_TAGS:,} tags, but this one has {len(document.tags):,}"


def mixed(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield names with letters of another alphabet that read as Latin."""
    seen: set[str] = set()
    for field, text in facts.labels:
        if text not in seen and (found := look_alikes(text)):
            yield field, f"{field} mixes letters that look alike: {found} in `{plain(text[:80])}`"
        seen.add(text)


def decomposed(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield names that are not in Unicode's form C: the same name in that form looks alike but is a different name."""
    for field, text in facts.labels:
        if composed(text) != text:
            yield (
                field,
                f"{field} is not in Unicode's form C, so it is not the name that it looks like: `{ascii(text)[1:-1]}`",
            )
