"""All digits of the numbers that queries compare, as scripts for the site.

They stand apart from the columns that the table shows, where six digits are enough: every digit doubles what a reader
loads, and few queries ask for a number. Decided in `.github/decisions/query-language.md`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ledger.analysis.comparing.comparable import Group, group_of
from ledger.analysis.query.fields import metrics_of
from ledger.formatting import utc
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import StoredRun
from ledger.publish.data.search_columns import MetricNumbers, Numbers
from ledger.publish.site.site_data import board_name
from ledger.publish.text import visible

_SPARSE_BELOW = 0.4
"""Share of rows with a value below which a metric lists its rows."""


def render_numbers(name: str, runs: Sequence[StoredRun]) -> bytes:
    """Return the numbers of a part's runs as a script, in the order of its columns: newest first."""
    found: dict[str, dict[int, Metric]] = {}
    for row, run in enumerate(runs):
        for key, metric in metrics_of(run).items():
            found.setdefault(key, {})[row] = metric
    numbers = Numbers(
        rows=len(runs),
        started=[_seconds(run.record.timing.started_at) for run in runs],
        ended=[_seconds(run.record.timing.ended_at) for run in runs],
        duration=[run.record.timing.took for run in runs],
        cost=[run.record.cost.amount for run in runs],
        metrics=[_metric(key, found[key], len(runs)) for key in sorted(found)],
    )
    return b'ledgerData("numbers:%s", %s);\n' % (name.encode(), msgspec.json.encode(numbers))


def _metric(key: str, measured: Mapping[int, Metric], rows: int) -> MetricNumbers:
    samples: dict[GroupId, Metric] = {}
    for one in measured.values():
        samples.setdefault(one.group_id, one)
    places = {identity: place for place, identity in enumerate(samples)}
    sparse = len(measured) < _SPARSE_BELOW * rows
    shown = [*measured.values()] if sparse else [measured.get(row) for row in range(rows)]
    return MetricNumbers(
        key=visible(key),
        rows=list(measured) if sparse else None,
        values=[one.value if one else None for one in shown],
        groups=[_told(group_of(one)) for one in samples.values()],
        codes=[places[one.group_id] if one else -1 for one in shown],
    )


def _told(group: Group) -> tuple[str, str]:
    by = f" by {visible(group.evaluator)}" if group.evaluator else ""
    return board_name(group), visible(group.dataset) + by


def _seconds(time: datetime) -> float:
    """Return seconds since 1970: a 64-bit float holds them to the microsecond until the year 2242."""
    seconds = utc(time).timestamp()
    return int(seconds) if seconds.is_integer() else seconds
