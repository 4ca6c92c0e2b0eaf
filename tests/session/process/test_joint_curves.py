"""The curves of several ranks are what one process would have that knew the values of all."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.data.curves import Gathered
from ledger.model.document import encode
from ledger.model.values import Number, Reduction, number
from ledger.recorder.record.draft import Rank
from ledger.session.process.parts import Part
from ledger.session.spool.events import Logged, Start
from ledger.session.spool.joint_curves import AttemptPoints, joint_curves
from ledger.session.spool.spool import read_points

NOW = datetime.now(UTC)
pytestmark = pytest.mark.filterwarnings("error")


class Call(NamedTuple):
    """One call of `run.log`."""

    step: int | None
    values: dict[str, float]
    reduce: Reduction | None = "mean"


def joined(folder: Path, ranks: Sequence[Sequence[Call]]) -> tuple[Gathered | None, list[str]]:
    parts = []
    for rank, calls in enumerate(ranks):
        path = folder / f"events-{rank}.jsonl"
        lines = []
        for place, call in enumerate(calls):
            values: dict[str, Number] = {name: number(value) for name, value in call.values.items()}
            lines.append(encode(Logged(seconds=place, step=call.step, values=values, reduce=call.reduce)) + b"\n")
        path.write_bytes(b"".join(lines))
        said = Rank(rank=rank, processes=len(ranks), launcher="torchrun", group="g")
        start = Start(id=f"r{rank}", host="h", pid=1, started_at=NOW, experiment="e", rank=said)
        parts.append(Part(path, [], "r0", start if rank else None))
    curves, problems = joint_curves([AttemptPoints(parts, NOW)])
    return curves, [problem.message for problem in problems]


def values_of(curves: Gathered | None, name: str) -> list[float]:
    return [point.values[name] for point in curves.points if name in point.values] if curves else []


def test_values_of_the_same_step_are_joined_whatever_the_order_of_calls(tmp_path: Path) -> None:
    leading = [Call(step, {"a": 1.0, "b": 2.0}) for step in range(5)]
    turned = [Call(step, {"b": 4.0, "a": 3.0}) for step in range(5)]
    apart = [call for step in range(5) for call in (Call(step, {"b": 6.0}), Call(step, {"a": 5.0}))]
    curves, problems = joined(tmp_path, [leading, turned, apart])
    assert values_of(curves, "a") == [3.0] * 5
    assert values_of(curves, "b") == [4.0] * 5
    assert problems == []


def test_steps_that_a_rank_left_out_are_counted_and_the_next_are_joined_again(tmp_path: Path) -> None:
    leading = [Call(step, {"a": 0.0}) for step in range(6)]
    other = [Call(step, {"a": 2.0}) for step in (0, 1, 4, 5)]
    early = [Call(step, {"a": 2.0}) for step in (*range(-3, 0), *range(6))]
    curves, problems = joined(tmp_path, [leading, other])
    assert values_of(curves, "a") == [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]
    assert problems == ["2 points without the value of some rank"]
    assert values_of(joined(tmp_path, [leading, early])[0], "a") == [1.0] * 6


@pytest.mark.parametrize(("reduce", "expected"), [("mean", "nan"), ("sum", "nan"), ("max", "inf"), ("min", "1.0")])
def test_what_is_no_finite_number_is_joined_too(tmp_path: Path, reduce: Reduction, expected: str) -> None:
    bad = math.inf if reduce in {"max", "min"} else math.nan
    curves, _ = joined(tmp_path, [[Call(0, {"a": 1.0}, reduce), Call(1, {"a": 1.0}, reduce)]] * 2)
    assert values_of(curves, "a") == ([2.0, 2.0] if reduce == "sum" else [1.0, 1.0])
    curves, problems = joined(
        tmp_path,
        [
            [Call(0, {"a": 1.0}, reduce), Call(1, {"a": 1.0}, reduce)],
            [Call(0, {"a": bad}, reduce), Call(1, {"a": 1.0}, reduce)],
        ],
    )
    assert str(values_of(curves, "a")[0]) == expected
    assert math.isfinite(values_of(curves, "a")[1])
    assert problems == []


def test_a_nan_in_one_series_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    leading = [Call(step, {"a": 1.0, "b": 1.0}) for step in range(3)]
    other = [Call(step, {"a": 3.0, "b": math.nan if step == 1 else 3.0}) for step in range(3)]
    curves, _ = joined(tmp_path, [leading, other])
    assert values_of(curves, "a") == [2.0] * 3
    assert [str(value) for value in values_of(curves, "b")] == ["2.0", "nan", "2.0"]


def test_the_points_of_one_process_are_read_as_they_are(tmp_path: Path) -> None:
    calls = [
        Call(1, {"a": 1.0, 'odd "name"': 2.0}),
        Call(2, {"a": math.nan, "b": 1.0}),
        Call(None, {"a": 3.0, "\n": 4.0}),
    ]
    curves, problems = joined(tmp_path, [calls])
    path = tmp_path / "events-0.jsonl"
    path.write_bytes(b'{"is":"end"}\n{"is":"log","torn' + path.read_bytes()[:9] + b"\n" + path.read_bytes())
    again, _ = joint_curves([AttemptPoints([Part(path, [], "r0")], NOW)])
    for one in (curves, again):
        assert one is not None
        assert [str(value) for value in values_of(one, "a")] == ["1.0", "nan", "3.0"]
        assert set(one.statistics.series) == {"a", "b", 'odd "name"', "\\n"}
        assert [(point.step, point.seconds) for point in one.points] == [(1, 0.0), (2, 1.0), (None, 2.0)]
        assert (one.statistics.steps, one.statistics.series["a"].not_finite) == (2, 1)
    assert problems == []


NAMES = st.sampled_from(["a", "b", 'c "quoted"', "\n"])
CALLS = st.lists(
    st.builds(
        Call,
        step=st.integers(0, 3),
        values=st.dictionaries(NAMES, st.floats(-10, 10), min_size=1, max_size=3),
        reduce=st.just("sum"),
    ),
    max_size=6,
)


@given(calls=CALLS)
def test_ranks_that_do_the_same_double_every_value(tmp_path_factory: pytest.TempPathFactory, calls: list[Call]) -> None:
    alone, _ = joined(tmp_path_factory.mktemp("one"), [calls])
    both, problems = joined(tmp_path_factory.mktemp("two"), [calls, calls])
    assert problems == []
    shown = [{name: 2 * value for name, value in point.values.items()} for point in (alone.points if alone else [])]
    assert [point.values for point in (both.points if both else [])] == shown


def test_series_of_another_rank_are_found_between_those_that_rank_0_has(tmp_path: Path) -> None:
    leading = [Call(step, {"a": 1.0}, None) for step in range(3)]
    other = [Call(0, {"a": 9.0}, None), Call(0, {"a": 9.0}, None), Call(1, {"a": 9.0, "own": 5.0}, None)]
    curves, _ = joined(tmp_path, [leading, [*other, Call(2, {'"': 7.0}, None), Call(3, {"a": 9.0}, None)]])
    assert values_of(curves, "a") == [1.0] * 3
    assert values_of(curves, "own") == [5.0]
    assert values_of(curves, '"') == [7.0]
    assert [event.step for event in read_points(tmp_path / "events-1.jsonl", {"a"})] == [0, 1, 2]
