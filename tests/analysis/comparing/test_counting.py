"""Which runs count: what did not finish, or was withdrawn, is never the best of anything."""

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from ledger.analysis.advice.experiment_advice import best_of
from ledger.analysis.comparing.comparable import counts, leaderboards
from ledger.analysis.comparing.compare import compare
from ledger.analysis.comparing.error_rate import outside_range
from ledger.analysis.comparing.settings import settings_of
from ledger.analysis.judging.judgement import best_other, gather
from ledger.analysis.query.language import parse_query, statuses_asked
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Note, StoredRun
from ledger.model.record import Author
from ledger.model.values import Status
from tests.asking import setting_boards, sort_runs
from tests.samples import sample_ledger

KEY = "validation/accuracy"
UNFINISHED = [status for status in get_args(Status) if status != "finished"]


def run(
    number: int, value: float, status: Status = "finished", *, retracted: bool = False, width: int = 0
) -> StoredRun:
    base = sample_ledger()[0].runs[0]
    metric = Metric(
        name="accuracy", split="validation", value=value, direction="higher", dataset="d@v1", dataset_hash="blake3:1"
    )
    record = msgspec.structs.replace(
        base.record,
        id=f"20261120-194812-{number:06d}",
        status=status,
        seed=number,
        params=Params(values={"width": width or number}),
        results=Results(metrics=[metric], headline=KEY),
    )
    note = Note(
        format=1,
        id="20261121-090000-dddddd",
        run=record.id,
        kind="retraction",
        text="wrong",
        author=Author(name="Ada", email="ada@example.org"),
        noted_at=datetime(2026, 11, 21, tzinfo=UTC),
        tool="t",
    )
    return msgspec.structs.replace(base, record=record, evaluations=(), notes=(note,) if retracted else ())


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_run_that_did_not_finish_is_the_best_nowhere(status: Status) -> None:
    good, lost = run(1, 0.5), run(2, 1.0, status)
    runs = [good, lost]
    assert (counts(good), counts(lost), counts(lost, {status})) == (True, False, True)
    assert [one.run.record.id for one in leaderboards(runs)[0].standings] == [good.record.id]
    (board,) = setting_boards(runs, KEY)
    assert [place.runs for place in board.places] == [(good.record.id,)]
    assert [(one.run, one.why) for one in board.withdrawn] == [(lost.record.id, status)]
    assert [each.record.id for setting in settings_of(runs) for each in setting.runs] == [good.record.id]
    assert lost.record.id not in next(iter(gather(runs).values())).place
    assert [one.record.id for one in sort_runs(runs, KEY).runs] == [good.record.id, lost.record.id]
    assert [one.record.id for one in sort_runs(runs, KEY, reverse=True).runs] == [good.record.id, lost.record.id]
    assert compare(runs).metrics[0].best is None
    found = best_of(runs)
    assert found is not None
    assert found[0].record.id == good.record.id


@pytest.mark.parametrize("status", UNFINISHED)
def test_it_counts_for_those_who_name_how_it_ended(status: Status) -> None:
    runs = [run(1, 0.5), run(2, 0.9, status), run(3, 0.95, status, retracted=True)]
    (board,) = setting_boards(runs, KEY, {status})
    assert [place.runs[0][-1] for place in board.places] == ["2", "1"]
    assert [(one.run[-1], one.why) for one in board.withdrawn] == [("3", "retracted")]
    tried = next(iter(gather(runs, include={status}).values()))
    assert best_other(runs[0].record.id, tried) == runs[1].record.id
    assert statuses_asked(parse_query(f"experiment = e and (status = {status} or seed = 1)")) == {status}
    assert statuses_asked(parse_query(f"not status = {status}")) == frozenset()
    assert statuses_asked(parse_query(f"status != {status}")) == frozenset()


def test_a_retracted_run_is_never_the_best_of_a_comparison() -> None:
    (row,) = compare([run(1, 0.99, retracted=True), run(2, 0.9)]).metrics
    assert row.best is None
    assert "was retracted" in str(row.refused)
    (row,) = compare([run(1, 0.99, retracted=True), run(2, 0.9), run(3, 0.8)]).metrics
    assert row.best == 1


@pytest.mark.parametrize(
    ("key", "values", "outside"),
    [
        (KEY, [0.92, 0.91, 93.1], [2]),
        (KEY, [0.92, 93.1], [1]),
        (KEY, [92.0, 91.0, 0.93], [2]),
        (KEY, [92.0, 91.0, 93.1], []),
        (KEY, [0.5, -0.1], [1]),
        ("validation/loss", [0.5, 0.6, 0.7, 60.0], []),
        ("validation/quality", [0.5, 0.6, 0.7, 60.0], [3]),
        ("validation/quality", [0.5, 0.6, 0.7, 1.3], []),
        ("validation/quality", [0.5, 60.0], []),
    ],
)
def test_what_lies_outside_of_the_range_that_the_others_keep(key: str, values: list[float], outside: list[int]) -> None:
    direction = "lower" if key.endswith("loss") else "higher"
    found = outside_range(key, values, direction)
    assert [at for at, one in enumerate(found) if one] == outside


def test_a_value_outside_of_the_range_is_named_and_never_the_best() -> None:
    runs = [run(1, 0.92), run(2, 93.1), run(3, 0.9)]
    (board,) = setting_boards(runs, KEY)
    assert [place.runs[0][-1] for place in board.places] == ["1", "3"]
    assert [one.run[-1] for one in board.outside] == ["2"]
    best = leaderboards(runs)[0].best
    assert best is not None
    assert best.run.record.id == runs[0].record.id
    tried = next(iter(gather(runs).values()))
    assert best_other(runs[2].record.id, tried) == runs[0].record.id
    assert compare(runs).metrics[0].best is None
