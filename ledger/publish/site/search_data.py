"""The data that the table, the search and the compare page scan: one column after the other, words once each.

Decided in `.github/decisions/search.md`. A script, not JSON, because pages opened from a folder may
load scripts but not fetch files.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from ledger.analysis.comparing.comparable import group_of
from ledger.formatting import utc
from ledger.model.boxes import GroupId
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue
from ledger.publish.pages.run_tables import common_groups, varied_params
from ledger.publish.site.site_data import Atlas, board_name
from ledger.publish.text import one_line, param_text, short_currency, short_hash, visible

PATH = "data/runs.js"

_NOTE_LENGTH = 200
_PARAM_LENGTH = 120
_SPARSE_BELOW = 0.4
"""Share of rows with a value under which a column lists its rows: two short numbers beat a run of nulls."""


class Words(Document, frozen=True, kw_only=True):
    """A column of repeated words: each once, and which one stands in each row (-1 for none)."""

    words: list[str]
    """Words in the order they first appear."""
    codes: list[int]
    """Row to index of its word."""


class WordLists(Document, frozen=True, kw_only=True):
    """A column of several words a row."""

    words: list[str]
    """Words in the order they first appear."""
    codes: list[list[int]]
    """Row to indexes of its words."""


class ParamColumn(Document, frozen=True, kw_only=True):
    """One param, as typed."""

    name: str
    """Its name."""
    words: list[str]
    """Values in the order they first appear."""
    codes: list[int]
    """Row to index of its value; -1 where the run had no such param."""


class MetricValues(Document, frozen=True, kw_only=True):
    """One comparable group."""

    id: str
    """What tells it from all others, and never changes: addresses name their columns by it."""

    key: str
    """Metric and split."""
    dataset: str
    """Dataset version."""
    evaluator: str
    """Evaluator version; empty when none was given."""
    known: bool
    """Whether values may be compared at all."""
    direction: str
    """Which values are better; empty when nobody said."""
    page: str
    """Where its leaderboard stands; empty where no run in it counts."""
    leading: str
    """For each of `values` 1 where the setting of the run may be the best of its board, else 0; empty for none."""
    rows: list[int] | None
    """Rows that have a value; none when every row is listed in `values`."""
    values: list[float | str | None]
    """Six significant digits each."""


class RunColumns(Document, frozen=True, kw_only=True, omit_defaults=False):
    """Every run, newest first, column by column."""

    rows: int
    """How many runs."""
    id: list[str]
    """Run ids."""
    status: Words
    """How each ended."""
    experiment: Words
    """Experiment."""
    author: Words
    """Name of the author."""
    commit: Words
    """Commit, shortened."""
    tags: WordLists
    """Tags."""
    note: Words
    """Note, shortened."""
    started: list[int]
    """Seconds since 1970."""
    duration: list[float | None]
    """Seconds."""
    cost: list[float | None]
    """Amount."""
    currency: Words
    """Currency of the amount."""
    setting: list[int]
    """Number of the setting: repeats have the same."""
    trained: Words
    """Dataset versions it was trained on."""
    seed: Words
    """Random seed."""
    changes: Words
    """Uncommitted changes, shortened."""
    curves: list[int]
    """1 where the run kept curves."""
    headline: list[int]
    """Which of `metrics` is the headline metric as the run measured it; -1 for none."""
    pages: list[str]
    """Experiment pages, in the order of the words of `experiment`."""
    shown_params: list[str]
    """Params that the table shows at first."""
    params: list[ParamColumn]
    """Every param."""
    metrics: list[MetricValues]
    """Every comparable group, those of headline metrics first."""


def _trained_on(run: StoredRun) -> str:
    return ", ".join(sorted(use.label for use in run.record.datasets.used if use.role == "train"))


def _said_of(run: StoredRun) -> str:
    """Return what its author and others said about a run, for search."""
    return " ".join([run.record.note or "", *(note.text for note in run.notes if note.kind != "untag")]).strip()


def render_columns(atlas: Atlas, experiment_page: Callable[[str], str]) -> bytes:
    """Return the data of every run as a script."""
    runs = list(reversed(atlas.runs))
    experiment = _words(run.record.experiment for run in runs)
    order = {identity: at for at, identity in enumerate(_order(runs))}
    columns = RunColumns(
        rows=len(runs),
        id=[run.record.id for run in runs],
        status=_words("retracted" if run.retraction else run.record.status for run in runs),
        experiment=Words(words=[visible(word) for word in experiment.words], codes=experiment.codes),
        author=_words(visible(run.record.author.name) for run in runs),
        commit=_words(short_hash(run.record.code.commit or "", 12) for run in runs),
        tags=_word_lists([visible(tag) for tag in run.tags] for run in runs),
        note=_words(one_line(_said_of(run), _NOTE_LENGTH) for run in runs),
        started=[int(utc(run.record.timing.started_at).timestamp()) for run in runs],
        duration=[
            None if (seconds := run.record.timing.took) is None else round(seconds, 1 if seconds >= 1 else 3)
            for run in runs
        ],
        cost=[None if (amount := run.record.cost.amount) is None else _six_digits(amount) for run in runs],
        currency=_words(visible(short_currency(run.record.cost.currency)) for run in runs),
        setting=[atlas.settings[run.record.id] for run in runs],
        trained=_words(visible(_trained_on(run)) for run in runs),
        seed=_words("" if run.record.seed is None else str(run.record.seed) for run in runs),
        changes=_words(short_hash(run.record.code.patch.hash, 12) if run.record.code.patch else "" for run in runs),
        curves=[int(run.record.results.curves is not None) for run in runs],
        headline=[order.get(best.group_id, -1) if (best := run.record.headline) else -1 for run in runs],
        pages=[experiment_page(word) for word in experiment.words],
        shown_params=[visible(name) for name in varied_params(runs[:2000])[:3]],
        params=_params(runs),
        metrics=_metrics(runs, atlas, list(order)),
    )
    return b'ledgerData("runs", ' + msgspec.json.encode(columns) + b");\n"


def _words(values: Iterable[str]) -> Words:
    index: dict[str, int] = {}
    codes = [index.setdefault(value, len(index)) if value else -1 for value in values]
    return Words(words=list(index), codes=codes)


def _word_lists(values: Iterable[Sequence[str]]) -> WordLists:
    index: dict[str, int] = {}
    codes = [[index.setdefault(value, len(index)) for value in row] for row in values]
    return WordLists(words=list(index), codes=codes)


def _params(runs: Sequence[StoredRun]) -> list[ParamColumn]:
    indexes: dict[str, dict[str, int]] = {}
    codes: dict[str, list[int]] = {}
    written: dict[tuple[type, ParamValue], str] = {}
    for row, run in enumerate(runs):
        for name, value in run.record.params.values.items():
            index = indexes.setdefault(name, {})
            column = codes.setdefault(name, [])
            column.extend([-1] * (row - len(column)))
            column.append(index.setdefault(_param_word(value, written), len(index)))
    for column in codes.values():
        column.extend([-1] * (len(runs) - len(column)))
    return [ParamColumn(name=visible(name), words=list(indexes[name]), codes=codes[name]) for name in sorted(codes)]


def _param_word(value: ParamValue, written: dict[tuple[type, ParamValue], str]) -> str:
    """Return a param as the table shows it; each different value is written once (`True` and `1` are different)."""
    if isinstance(value, list):
        return one_line(param_text(value), _PARAM_LENGTH)
    key = (type(value), value)
    if key not in written:
        written[key] = one_line(param_text(value), _PARAM_LENGTH)
    return written[key]


def _order(runs: Sequence[StoredRun]) -> list[GroupId]:
    """Return the comparable groups in the order of their columns, each once whatever people name its dataset."""
    return list(dict.fromkeys(group.id for group in common_groups(runs)))


def _metrics(runs: Sequence[StoredRun], atlas: Atlas, order: Sequence[GroupId]) -> list[MetricValues]:
    boards = {board.group.id: board for board in atlas.boards}
    groups = {group.id: group for run in runs for group in map(group_of, run.metrics())}
    leading = {
        identity: {run for place in board.places if place.leading for run in place.runs}
        for identity, board in atlas.ranked.items()
    }
    ids = [run.record.id for run in runs]
    found: dict[GroupId, dict[int, float | str]] = {}
    for row, run in enumerate(runs):
        for metric in run.metrics():
            identity = metric.group_id
            found.setdefault(identity, {})[row] = (
                value if isinstance(value := metric.value, str) else _six_digits(value)
            )
    columns = []
    for identity in order:
        board, values, stars = boards.get(identity), found[identity], leading.get(identity)
        group = board.group if board else groups[identity]
        rows = sorted(values)
        sparse = len(rows) < _SPARSE_BELOW * len(runs)
        columns.append(
            MetricValues(
                id=board_name(group),
                key=visible(group.key),
                dataset=visible(group.dataset),
                evaluator=visible(group.evaluator),
                known=group.known,
                direction=(board.direction if board else None) or "",
                page=atlas.address_of(group),
                leading="".join("1" if ids[row] in stars else "0" for row in (rows if sparse else range(len(runs))))
                if stars
                else "",
                rows=rows if sparse else None,
                values=[values[row] for row in rows] if sparse else [values.get(row) for row in range(len(runs))],
            )
        )
    return columns


def _six_digits(value: float) -> float:
    """Return the value with six significant digits, more than any table shows."""
    return float(f"{value:.6g}")
