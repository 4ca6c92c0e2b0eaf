"""Where a model is weak: slices, classes, pairs and single mistakes, and what changed against another run.

Everything is counted from tables that the run kept; nothing is trained or measured. What to change next is a guess
from stated rules: `next_changes.py`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from ledger.analysis.data.prediction_statistics import (
    is_share_of,
    newcombe_interval,
    sign_test,
    wilson_interval,
)
from ledger.analysis.weak.metric_tables import Kind, MetricTables
from ledger.analysis.weak.step_changes import changed_steps, other_differences
from ledger.analysis.weak.weak_points import ConfusedPair, Flips, Mistake, SampleThumbnail, WeakPoints, WeakShare
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.paths import dataset_path
from ledger.model.tables import Cells, number_in

MOST = 5
"""Most slices, classes, pairs and mistakes that are returned by default."""
_LEVEL = 0.95
_CHANCE = 0.05
"""Probability of a false alarm for all slices together, and for all classes: divided by their number (Bonferroni)."""


class Reference(NamedTuple):
    """The run to compare with."""

    run: StoredRun
    word: str
    tables: MetricTables | None


def find_weak_points(
    run: StoredRun,
    tables: MetricTables,
    reference: Reference | None = None,
    versions: Sequence[DatasetVersion] = (),
    *,
    baseline: str | None = None,
    most: int = MOST,
) -> WeakPoints:
    """Return where a model is weak, without guesses: worst slices and classes, pairs, mistakes, and what changed.

    Args:
        run: the run.
        tables: its tables about one metric.
        reference: run to compare with, and its tables about the same.
        versions: versions of the dataset, oldest first, up to the one it was measured on: their pictures are used.
        baseline: run that its experiment is compared with, to say why there is no run to compare with.
        most: most entries of each list.
    """
    before = reference.tables.cells if reference and reference.tables else {}
    value = tables.metric.number if tables.metric else None
    lower = tables.metric is not None and tables.metric.direction == "lower"
    slices = _shares(tables.cells.get("slices"), before.get("slices"), 1, 2, value, lower=lower)
    classes = _shares(tables.cells.get("classes"), before.get("classes"), 2, 4, None, lower=False)
    mistakes = _mistakes(run, tables.cells.get("mistakes"), versions, most)
    return WeakPoints(
        run=run.record.id,
        metric=tables.group.key,
        dataset=tables.dataset,
        value=value,
        against=reference.run.record.id if reference else None,
        word=reference.word if reference else None,
        slices=slices[:most],
        classes=classes[:most],
        pairs=_pairs(tables.cells)[:most],
        mistakes=mistakes,
        flips=_flips(tables.cells, before.get("samples"), most),
        moved=[one for one in (*slices, *classes) if one.moved][:most],
        steps=changed_steps(run, reference.run) if reference else [],
        beside=other_differences(run, reference.run) if reference else [],
        missing=_missing(tables) | _why_not_compared(run, tables, reference, baseline),
    )


def versions_until(versions: Iterable[DatasetVersion], content: str) -> list[DatasetVersion]:
    """Return the versions of the dataset that has some content, oldest first, up to the one with that content."""
    known = list(versions)
    judged = next((one for one in known if content and one.hash == content), None)
    if judged is None:
        return []
    same = [one for one in known if one.name == judged.name and one.added_at <= judged.added_at]
    return sorted(same, key=lambda one: (one.added_at, one.version))


def _shares(
    cells: Cells | None, before: Cells | None, at: int, support: int, overall: float | None, *, lower: bool
) -> list[WeakShare]:
    """Return the slices or classes of a table, the worst first."""
    read = _values(cells, at, support)
    then = {name: (value, samples) for name, value, samples in _values(before, at, support)}
    share = all(is_share_of(value, samples) for _, value, samples in read)
    level = 1 - _CHANCE / max(1, len(read))
    sign = -1 if lower else 1
    found = []
    for name, value, samples in read:
        one = WeakShare(name=name, value=value, samples=samples)
        was = then.get(name)
        if share and samples:
            low, high = wilson_interval(value, samples)
            one = replace(one, low=low, high=high, weak=_is_weak(value, samples, overall, level, sign))
            if was is not None and was[1] and is_share_of(*was):
                one = replace(one, moved=_moved(value, samples, *was, level, sign))
        found.append(replace(one, before=was[0] if was else None))
    return sorted(found, key=lambda one: (sign * one.value, -one.samples, one.name))


def _values(cells: Cells | None, at: int, support: int) -> list[tuple[str, float, int]]:
    rows = cells.rows if cells else []
    read = ((row[0], number_in(row[at]), int(row[support])) for row in rows)
    return [(name, value, samples) for name, value, samples in read if value is not None and math.isfinite(value)]


def _is_weak(value: float, samples: int, overall: float | None, level: float, sign: int) -> bool:
    if overall is None or not 0 <= overall <= 1:
        return False
    low, high = wilson_interval(value, samples, level)
    return high < overall if sign > 0 else low > overall


def _moved(
    value: float, samples: int, before: float, before_samples: int, level: float, sign: int
) -> Literal["better", "worse"] | None:
    low, high = newcombe_interval(value, samples, before, before_samples, level)
    if low <= 0 <= high:
        return None
    return "better" if (low > 0) == (sign > 0) else "worse"


def _pairs(cells: Mapping[Kind, Cells]) -> list[ConfusedPair]:
    """Return confused pairs, the most frequent first: of the matrix, else of the table of pairs."""
    matrix, pairs, classes = cells.get("confusion"), cells.get("pairs"), cells.get("classes")
    counts: list[tuple[str, str, int]] = []
    support: dict[str, int] = {}
    if matrix is not None:
        for row in matrix.rows:
            support[row[0]] = sum(map(int, row[1:]))
            counts += [(row[0], name, int(count)) for name, count in zip(matrix.columns[1:], row[1:], strict=True)]
    elif pairs is not None:
        support = {name: samples for name, _, samples in _values(classes, 2, 4)}
        counts = [(row[0], row[1], int(number_in(row[2]) or 0)) for row in pairs.rows]
    wrong = sorted((one for one in counts if one[0] != one[1] and one[2]), key=lambda one: (-one[2], *one[:2]))
    return [_pair(*one, support.get(one[0], 0)) for one in wrong]


def _pair(truth: str, predicted: str, count: int, support: int) -> ConfusedPair:
    if not 0 < count <= support:
        return ConfusedPair(truth=truth, predicted=predicted, count=count)
    share = count / support
    low, high = wilson_interval(share, support)
    return ConfusedPair(truth=truth, predicted=predicted, count=count, share=share, low=low, high=high)


def _mistakes(run: StoredRun, cells: Cells | None, versions: Sequence[DatasetVersion], most: int) -> list[Mistake]:
    found = [
        Mistake(sample=sample, truth=truth, predicted=predicted, confidence=value)
        for sample, truth, predicted, confidence in (cells.rows if cells else ())
        if (value := _share(confidence)) is not None
    ]
    own = {
        figure.title: SampleThumbnail(path=f"{run.path}/{figure.file}", hash=figure.hash)
        for figure in run.record.results.figures
    }
    kept = _pictures(versions)
    surest = sorted(found, key=lambda one: -one.confidence)[:most]
    return [replace(one, picture=own.get(one.sample) or kept(one.sample)) for one in surest]


def _share(cell: str) -> float | None:
    value = number_in(cell)
    return value if value is not None and 0 <= value <= 1 else None


def _pictures(versions: Sequence[DatasetVersion]) -> Callable[[str], SampleThumbnail | None]:
    """Return a function from a sample's id to its picture: by its path, else by the only file of that name or stem."""
    by_path: dict[str, SampleThumbnail | None] = {}
    by_name: dict[str, set[str]] = {}
    for version in versions:
        for one in version.change.pictures if version.change else ():
            file = f"{dataset_path(version.name, version.version)}/{one.file}"
            shown = SampleThumbnail(dataset=version.name, path=file, hash=one.hash)
            by_path[one.sample] = None if one.change == "removed" else shown
            name = one.sample.rpartition("/")[2]
            for short in (name, name.rpartition(".")[0]):
                by_name.setdefault(short, set()).add(one.sample)

    def find(sample: str) -> SampleThumbnail | None:
        if sample in by_path:
            return by_path[sample]
        alike = by_name.get(sample, set())
        return by_path[next(iter(alike))] if len(alike) == 1 else None

    return find


def _flips(cells: Mapping[Kind, Cells], before: Cells | None, most: int) -> Flips | None:
    """Return the samples that changed between right and wrong; none where both runs do not have such values."""
    ours, theirs = _right(cells.get("samples")), _right(before)
    if not ours or not theirs or ours.keys().isdisjoint(theirs):
        return None
    both = [name for name in ours if name in theirs]
    broken = [name for name in both if theirs[name] and not ours[name]]
    mended = [name for name in both if ours[name] and not theirs[name]]
    mistakes = cells.get("mistakes")
    sure = {row[0]: place for place, row in enumerate(mistakes.rows if mistakes else ())}
    broken.sort(key=lambda name: sure.get(name, len(sure)))
    return Flips(
        broken=len(broken),
        mended=len(mended),
        p_value=sign_test(len(broken), len(mended)),
        broken_samples=broken[:most],
        mended_samples=mended[:most],
    )


def _right(cells: Cells | None) -> dict[str, bool]:
    """Return whether each sample is right; empty where the values are not only 0 and 1."""
    found = {row[0]: _RIGHT.get(row[1]) for row in (cells.rows if cells else ())}
    known = {name: right for name, right in found.items() if right is not None}
    return known if len(known) == len(found) else {}


_RIGHT = {"1": True, "1.0": True, "0": False, "0.0": False}
"""Cells of a wrong and of a right sample."""


_RECORDED: Mapping[Kind, str] = {
    "slices": "run.predictions(truth, predicted, slices=…)",
    "classes": "run.predictions(truth, predicted)",
    "samples": "run.predictions(truth, predicted, samples=ids)",
    "mistakes": "run.predictions(truth, predicted, confidence=probabilities.max(1), samples=ids)",
}
"""Call that records each kind of table."""


def _missing(tables: MetricTables) -> dict[str, str]:
    wanted: Iterable[Kind] = ("slices", "classes", "samples", "mistakes")
    right = tables.metric is not None and tables.metric.number == 1 and tables.metric.direction == "higher"
    found: dict[str, str] = {
        kind: f"not recorded: {_RECORDED[kind]}"
        for kind in wanted
        if kind not in tables.cells and kind not in tables.left and not (kind == "mistakes" and right)
    }
    return found | {name: f"cannot be read: {why}" for name, why in tables.problems.items()}


def _why_not_compared(
    run: StoredRun, tables: MetricTables, reference: Reference | None, baseline: str | None
) -> dict[str, str]:
    """Return why nothing is compared, by the name `comparison`; empty where something is."""
    if reference is None:
        return {"comparison": f"{_why_alone(run, baseline)}, or --against RUN"}
    if reference.tables is not None:
        return {}
    other, content = reference.run, tables.group.dataset_hash
    named = "the run compared with" if reference.word == "given" else f"the {reference.word}"
    if not content:
        return {"comparison": "the dataset version that this run is measured on is unknown"}
    where = tables.dataset or "this dataset version"
    measured = any(metric.key == tables.group.key and metric.dataset_hash == content for metric in other.metrics())
    why = f"kept no such tables on {where}" if measured else f"is not measured on {where}"
    return {"comparison": f"{named} {other.record.id} {why}"}


def _why_alone(run: StoredRun, baseline: str | None) -> str:
    record = run.record
    if record.baseline:
        return f"its baseline {record.baseline} is not on this ledger: ledger baseline RUN"
    if baseline == record.id:
        return "this run is the baseline of its experiment: ledger baseline RUN names another"
    if record.parent:
        return f"this experiment has no baseline, and the parent {record.parent} is not on this ledger"
    return "this experiment has no baseline: ledger baseline RUN"
