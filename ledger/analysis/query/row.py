"""Rows of `ledger list`: the text of each cell, safe for a terminal."""

from functools import lru_cache

from ledger.analysis.query.fields import show_value
from ledger.analysis.query.table import BETWEEN, EXACTLY, Line
from ledger.formatting import duration, money
from ledger.model.entries import StoredRun
from ledger.model.values import ORIGIN_MARK, ParamValue, plain


def line_of(run: StoredRun) -> Line:
    """Return the row of a run as one line; no cell and no name can control a terminal or hold a tab."""
    record, headline = run.record, run.record.headline
    cells = [
        record.status if run.standing == record.status else f"{record.status}, {run.standing}",
        plain(record.experiment),
        plain(f"{show_value(headline.number)} {headline.key}{ORIGIN_MARK[headline.origin]}") if headline else "",
        plain(headline.dataset or "unknown") if headline else "",
        duration(record.timing.took),
        plain(money(record.cost.amount, record.cost.currency)),
    ]
    values = record.params.values
    names, order = _names(tuple(values))
    # 0.0 and -0.0 are one key of a cache, but two values; a list is no key.
    cells += [
        _kept_cell(value) if value and not isinstance(value, list) else _make_cell(value)
        for value in map(values.__getitem__, order)
    ]
    return record.id, names, BETWEEN.join(cells)


@lru_cache(maxsize=1024)
def _names(names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return names in shown form, in one text, and in original form, in the same order: runs often share them."""
    order = sorted(names, key=plain)
    return BETWEEN.join(plain(name) for name in order), order


def _make_cell(value: ParamValue) -> str:
    shown, exact = plain(show_value(value)), repr(value)
    if isinstance(value, str) and shown == value:
        exact = "'"
    return shown if shown == exact else f"{shown}{EXACTLY}{exact}"


_kept_cell = lru_cache(maxsize=4096, typed=True)(_make_cell)
"""Caches cells: most params of a sweep take few values."""
