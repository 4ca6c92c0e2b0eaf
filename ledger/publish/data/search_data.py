"""The data that the table, the search and the compare page scan: column by column, each word once, in parts.

Decided in `.github/decisions/search.md`. Scripts, not JSON, because pages opened from a folder may load scripts but not
fetch files. What queries ask of stands here whole, and every character can be seen; the numbers that they compare are
in scripts of their own (`query_numbers.py`). `assets/ledger/columns.js` puts the parts together.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from ledger.analysis.comparing.comparable import Group, group_of
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.query.fields import FIELDS, Value, own_fields
from ledger.analysis.query.fulltext import words_beside_id
from ledger.formatting import utc
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue
from ledger.publish.data.search_columns import (
    FieldColumn,
    GroupColumn,
    GroupHead,
    ParamColumn,
    RunColumns,
    TableHead,
    TablePart,
    WordLists,
    Words,
)
from ledger.publish.pages.parts.run_tables import common_groups
from ledger.publish.site.site_data import Atlas, board_name
from ledger.publish.text import one_line, param_text, short_currency, short_hash, visible

PATH = "data/runs.js"

_NOTE_LENGTH = 200
_RANKED = 2000
"""Newest runs by which params are ranked: enough for an order, and quick."""
_SHOWN_PARAMS, _TOLD_PARAMS, _SHOWN_METRICS = 3, 12, 2
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)
"""Words that scripts read as a number, as `repr` writes those that are finite."""
_PARAM_LENGTH = 120
_SPARSE_BELOW = 0.4
"""Share of rows with a value under which a column lists its rows: two short numbers beat a run of nulls."""


def _trained_on(run: StoredRun) -> str:
    return ", ".join(sorted(use.label for use in run.record.datasets.used if use.role == "train"))


def _gpus_of(run: StoredRun) -> str:
    """Return the GPUs of a run by name, with how many of each there are."""
    found = Counter(gpu.name for gpu in run.record.hardware.gpus)
    return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in found.items())


def first_groups(runs: Sequence[StoredRun], atlas: Atlas) -> list[Group]:
    """Return the comparable groups of headline metrics, the newest dataset version first.

    The headline of most runs comes first; of its groups the one whose dataset version was added last, then those on
    data that the ledger does not know, and those on a version that was retired at the end.
    """
    heads = Counter(group_of(head) for run in runs if run.retraction is None and (head := run.record.headline))
    keys: Counter[str] = Counter()
    for group, count in heads.items():
        keys[group.key] += count

    def place(group: Group) -> tuple[int, str, bool, float, int, Group]:
        retired = group.dataset in atlas.retired
        return (-keys[group.key], group.key, retired, -atlas.age_of(group), -heads[group], group)

    return sorted(heads, key=place)


def _statements_of(run: StoredRun) -> str:
    """Return what its author and others said about a run, for search."""
    return " ".join([run.record.note or "", *(note.text for note in run.notes if note.kind != "untag")]).strip()


def render_head(atlas: Atlas, parts: Sequence[TablePart]) -> bytes:
    """Return what the parts of the table have in common as a script."""
    runs = list(reversed(atlas.runs))
    told = [visible(name) for name in rank_params(runs[:_RANKED])]
    head = TableHead(
        rows=len(runs),
        older=atlas.older,
        parts=list(parts),
        shown_params=told[:_SHOWN_PARAMS],
        told_params=told[:_TOLD_PARAMS],
        shown_metrics=[board_name(group) for group in first_groups(runs, atlas)[:_SHOWN_METRICS]],
        metrics=_heads(runs, atlas),
        keys=[visible(key) for key in sorted({metric.key for run in runs for metric in run.metrics()})],
        splits=dict(atlas.splits),
    )
    return b'ledgerData("runs", ' + msgspec.json.encode(head) + b");\n"


def render_part(name: str, runs: Sequence[StoredRun], atlas: Atlas, experiment_page: Callable[[str], str]) -> bytes:
    """Return the columns of some runs, newest first, as a script of that name."""
    return b'ledgerData("runs:%s", %s);\n' % (
        name.encode(),
        msgspec.json.encode(columns_of(runs, atlas, experiment_page)),
    )


def columns_of(runs: Sequence[StoredRun], atlas: Atlas, experiment_page: Callable[[str], str]) -> RunColumns:
    """Return the columns of some runs, newest first."""
    own = [own_fields(run) for run in runs]
    experiment = _encode_words(run.record.experiment for run in runs)
    measured = _measured(runs)
    order = {identity: at for at, identity in enumerate(measured)}
    return RunColumns(
        rows=len(runs),
        id=[run.record.id for run in runs],
        name=[one_line(atlas.names[run.record.id], _PARAM_LENGTH) for run in runs],
        status=_encode_words(run.standing for run in runs),
        experiment=Words(words=[visible(word) for word in experiment.words], codes=experiment.codes),
        author=_encode_words(visible(run.record.author.name) for run in runs),
        commit=_encode_words(short_hash(run.record.code.commit or "", 12) for run in runs),
        tags=_word_lists([visible(tag) for tag in run.tags] for run in runs),
        note=_encode_words(one_line(_statements_of(run), _NOTE_LENGTH) for run in runs),
        started=[int(utc(run.record.timing.started_at).timestamp()) for run in runs],
        duration=[
            None if (seconds := run.record.timing.took) is None else round(seconds, 1 if seconds >= 1 else 3)
            for run in runs
        ],
        cost=[None if (amount := run.record.cost.amount) is None else _six_digits(amount) for run in runs],
        currency=_encode_words(visible(short_currency(run.record.cost.currency)) for run in runs),
        setting=[atlas.settings[run.record.id] for run in runs],
        ranks=[row for row, run in enumerate(runs) if run.record.id in atlas.ranks],
        trained=_encode_words(visible(_trained_on(run)) for run in runs),
        seed=_encode_words("" if run.record.seed is None else str(run.record.seed) for run in runs),
        changes=_encode_words(
            short_hash(run.record.code.patch.hash, 12) if run.record.code.patch else "" for run in runs
        ),
        curves=[int(run.record.results.curves is not None) for run in runs],
        headline=[order.get(best.group_id, -1) if (best := run.record.headline) else -1 for run in runs],
        pages=[experiment_page(word) for word in experiment.words],
        gpus=_encode_words(visible(_gpus_of(run)) for run in runs),
        energy=[None if (used := run.record.cost.energy_kwh) is None else _six_digits(used) for run in runs],
        params=_params(runs),
        metrics=[_values(group, measured[group.id], len(runs)) for group in _groups(runs, measured)],
        fields=[_field(name, [values[name] for values in own]) for name in FIELDS if name not in _ELSEWHERE],
        spoken=_word_lists(words_beside_id(run) for run in runs),
    )


def _encode_words(values: Iterable[str]) -> Words:
    index: dict[str, int] = {}
    codes = [index.setdefault(value, len(index)) if value else -1 for value in values]
    return Words(words=list(index), codes=codes)


def _word_lists(values: Iterable[Sequence[str]]) -> WordLists:
    index: dict[str, int] = {}
    codes = [[index.setdefault(value, len(index)) for value in row] for row in values]
    return WordLists(words=list(index), codes=codes)


_ELSEWHERE = {"id", "started", "ended", "duration", "cost"}
"""Fields that are complete elsewhere."""


def _seen(value: Value) -> ParamValue:
    """Return a value with visible characters only; scripts convert it back before they compare."""
    if isinstance(value, list):
        return [visible(item) if isinstance(item, str) else item for item in value]
    return visible(str(value)) if isinstance(value, str | datetime) else value


def _field(name: str, values: Sequence[Value]) -> FieldColumn:
    index: dict[str, int] = {}
    found: list[ParamValue] = []
    codes = []
    for value in values:
        key = repr(value)
        if value is not None and key not in index:
            index[key] = len(found)
            found.append(_seen(value))
        codes.append(-1 if value is None else index[key])
    return FieldColumn(name=name, values=found, codes=codes if found and any(codes) else [])


def _params(runs: Sequence[StoredRun]) -> list[ParamColumn]:
    indexes: dict[str, dict[tuple[type, object], int]] = {}
    values: dict[str, list[ParamValue]] = {}
    codes: dict[str, list[int]] = {}
    for row, run in enumerate(runs):
        for name, value in run.record.params.values.items():
            index = indexes.setdefault(name, {})
            column = codes.setdefault(name, [])
            column.extend([-1] * (row - len(column)))
            # `True` and `1` are equal, and two values; a list is no key.
            key = (type(value), repr(value) if isinstance(value, list) else value)
            if key not in index:
                index[key] = len(index)
                values.setdefault(name, []).append(value)
            column.append(index[key])
    for column in codes.values():
        column.extend([-1] * (len(runs) - len(column)))
    return [_param(name, values[name], codes[name]) for name in sorted(codes)]


def _param(name: str, values: Sequence[ParamValue], codes: list[int]) -> ParamColumn:
    words = [one_line(param_text(value), _PARAM_LENGTH) for value in values]
    exact = {
        str(at): _seen(value)
        for at, (value, word) in enumerate(zip(values, words, strict=True))
        if not _is_plain(value, word)
    }
    return ParamColumn(name=visible(name), words=words, exact=exact, codes=codes)


def _is_plain(value: ParamValue, word: str) -> bool:
    """Return whether a script can restore the value from its shown form."""
    if isinstance(value, str):
        return word == value and not _NUMBER.fullmatch(word)
    return not isinstance(value, bool) and isinstance(value, int | float) and _NUMBER.fullmatch(word) is not None


def _measured(runs: Sequence[StoredRun]) -> dict[GroupId, dict[int, float | str]]:
    """Return the value of each row in each comparable group, the latest where it was measured more than once."""
    found: dict[GroupId, dict[int, float | str]] = {}
    for row, run in enumerate(runs):
        for metric in run.metrics():
            value = metric.value
            found.setdefault(metric.group_id, {})[row] = value if isinstance(value, str) else _six_digits(value)
    return found


def _groups(runs: Sequence[StoredRun], measured: Iterable[GroupId]) -> list[Group]:
    """Return the groups with these identities, in their order."""
    found = {metric.group_id: metric for run in runs for metric in run.metrics()}
    return [group_of(found[identity]) for identity in measured]


def _values(group: Group, values: Mapping[int, float | str], count: int) -> GroupColumn:
    rows = sorted(values)
    if len(rows) < _SPARSE_BELOW * count:
        return GroupColumn(id=board_name(group), rows=rows, values=[values[row] for row in rows])
    return GroupColumn(id=board_name(group), rows=None, values=[values.get(row) for row in range(count)])


def _heads(runs: Sequence[StoredRun], atlas: Atlas) -> list[GroupHead]:
    """Return the comparable groups in the order of their columns, each once, whatever name its dataset has."""
    boards = {board.group.id: board for board in atlas.boards}
    found: dict[GroupId, Group] = {}
    for group in common_groups(runs):
        found.setdefault(group.id, group)
    heads = []
    for group in found.values():
        board = boards.get(group.id)
        shown = board.group if board else group
        heads.append(
            GroupHead(
                id=board_name(shown),
                key=visible(shown.key),
                dataset=visible(shown.dataset),
                evaluator=visible(shown.evaluator),
                known=shown.known,
                direction=(board.direction if board else None) or "",
                page=atlas.address_of(shown),
            )
        )
    return heads


def _six_digits(value: float) -> float:
    """Return the value with six significant digits, so that rounding it again gives what rounding it once gives.

    Tables show five. Where the sixth is a 0 or 5 that the value itself has not, it goes one towards the value (rounding
    to sticky: 0.0836475003 is 0.083648 in five digits, and 0.0836475 may be 0.083647).
    """
    size = abs(value)
    mantissa, exponent = f"{size:.5e}".split("e")
    rounded = float(f"{mantissa}e{exponent}")
    if rounded != size and mantissa[-1] in "05":
        digits = 10 * int(mantissa.replace(".", "")) + (10 if size > rounded else -1 if mantissa == "1.00000" else -10)
        rounded = float(f"{digits}e{int(exponent) - 6}")
    return math.copysign(rounded, value)
