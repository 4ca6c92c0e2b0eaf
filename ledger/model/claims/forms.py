"""Rules for the form of numbers, times, hashes, dataset names and related runs. Part of `rules.py`."""

import re
from collections.abc import Iterator
from datetime import datetime

from ledger.model.boxes.inputs import DatasetUse
from ledger.model.claims.facts import COMMITS, HASHES, SIGNED, Facts
from ledger.model.entries import Case, DatasetVersion, Evaluation
from ledger.model.record import Record

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years that a plausible time lies in: a clock that was never set says 1970."""
_WHOLE = 1 << 63
_HASH = re.compile(r"(?:blake3|sha256):[0-9a-f]{64}|md5:[0-9a-f]{32}|declared:.+", re.DOTALL)
_COMMIT = re.compile(r"git:[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NO_NAME = re.compile(r"[\\@]|\.\.|^[-./]|/$|^\s|\s$")


def negative(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield counts, sizes, energies and prices below zero."""
    for one in facts.stated:
        if isinstance(one.value, int | float) and one.value < 0 and one.name not in SIGNED:
            yield one.field, f"{one.field} is negative: {one.value:g}"


def too_large(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield whole numbers that 64 bits do not hold."""
    for one in facts.stated:
        if isinstance(one.value, int) and not -_WHOLE <= one.value < _WHOLE:
            yield one.field, f"{one.field} does not fit in 64 bits: a number of {len(str(abs(one.value)))} digits"


def _times(facts: Facts) -> Iterator[tuple[str, datetime]]:
    return ((one.field, one.value) for one in facts.stated if isinstance(one.value, datetime))


def far_times(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield times in years in which no run can have been made."""
    for field, moment in _times(facts):
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            yield field, f"{field} is in the year {moment.year}"


def other_zones(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield times that are not in UTC: two records of one moment would read as two moments."""
    for field, moment in _times(facts):
        if moment.utcoffset():
            yield field, f"{field} is not in UTC: {moment.isoformat()}"


def wrong_hashes(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield hashes, commits and trees in a form that ledger does not write."""
    for one in facts.stated:
        if not isinstance(one.value, str):
            continue
        if one.name in HASHES and not _HASH.fullmatch(one.value):
            yield one.field, f"{one.field} is not a hash: `{ascii(one.value)[1:-1][:80]}`"
        elif one.name in COMMITS and isinstance(facts.document, Record) and not _COMMIT.fullmatch(one.value):
            said = ascii(one.value)[1:-1][:80]
            yield one.field, f"{one.field} is not `git:` followed by the full id of a git object: `{said}`"


def wrong_currency(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield a currency that does not exist."""
    document = facts.document
    if not isinstance(document, Record):
        return
    cost = document.cost
    stated = [("cost.currency", cost.currency), ("cost.energy_currency", cost.energy_currency)]
    stated += [("cost.row.currency", cost.row.currency)] if cost.row else []
    for field, currency in stated:
        if currency is not None and not _CURRENCY.fullmatch(currency):
            yield field, f"{field} is not a currency: `{ascii(currency)[1:-1][:20]}`"


def wrong_prices(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield a row of prices that holds on no day or for no one thing, and a site that uses less than its machines."""
    document = facts.document
    if not isinstance(document, Record):
        return
    row, pue = document.cost.row, document.cost.pue
    if row is not None:
        if row.valid_to is not None and row.valid_to < row.valid_from:
            yield "cost.row.valid_to", f"cost.row.valid_to is before its first day: {row.valid_to}"
        if sum(one is not None for one in (row.instance, row.gpu, row.partition)) != 1:
            yield "cost.row", "cost.row is not for exactly one of instance, gpu and partition"
        if row.owned is not None and not (row.owned.years > 0 and 0 < row.owned.use <= 1):
            yield "cost.row.owned", "cost.row.owned is spread over no time, or used more than always"
    if pue is not None and pue < 1:
        yield "cost.pue", f"cost.pue is less than 1: {pue:g}"


def wrong_datasets(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield names and versions of datasets that lead out of their folder or read as several datasets."""
    for field, text, whole in _dataset_names(facts.document):
        if _NO_NAME.search(text) or (whole and "/" in text):
            yield field, f"{field} cannot be the name of a dataset or a version: `{ascii(text)[1:-1][:80]}`"


def _dataset_names(document: object) -> Iterator[tuple[str, str, bool]]:
    """Yield the field and text of each name, and whether a path is made from it."""
    if isinstance(document, DatasetVersion):
        yield from (("name", document.name, True), ("version", document.version, True))
    elif isinstance(document, Case):
        yield "dataset", document.dataset, True
    for start, use in _uses(document):
        # Data that was only declared keeps its name from elsewhere, as `org/name` on a hub; no path is made from it.
        if use.name is not None and not use.declared:
            yield f"{start}.name", use.name, use.version is not None
        if use.version is not None and not use.declared:
            yield f"{start}.version", use.version, True


def _uses(document: object) -> Iterator[tuple[str, DatasetUse]]:
    start, uses = ("datasets.used", document.datasets.used) if isinstance(document, Record) else ("datasets", [])
    if isinstance(document, Evaluation):
        uses = document.datasets
    return ((f"{start}[{position}]", use) for position, use in enumerate(uses))


def own_relatives(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield related runs of a run that are the run itself."""
    document = facts.document
    if not isinstance(document, Record):
        return
    for field, named in (("parent", document.parent), ("baseline", document.baseline)):
        if named == document.id:
            yield field, f"{field}: a run is not its own {field}"
    if document.id in document.children:
        yield "children", "children: a run is not its own child"
