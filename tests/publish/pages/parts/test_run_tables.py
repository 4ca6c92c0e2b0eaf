"""A table of runs shows what tells them apart: params that differ, and the groups that most were measured in."""

import msgspec

from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Contents, Note, StoredRun
from ledger.model.values import ParamValue
from ledger.publish.pages.parts.run_tables import common_groups, run_table
from ledger.publish.site.site_data import survey
from tests.minimal import ADA, NOW, TOOL, minimal_record


def stored(
    number: int, params: dict[str, ParamValue] | None = None, headline: str | None = None, *names: str
) -> StoredRun:
    """Return a run that measured these metrics, each as its own number."""
    metrics = [Metric(name=name, value=float(number)) for name in names]
    record = minimal_record(
        id=f"20261120-1948{number:02}-abcdef",
        params=Params(values=params or {}),
        results=Results(headline=headline, metrics=metrics),
    )
    return StoredRun(record=record, path=f"runs/{number}", files={})


def withdrawn(run: StoredRun) -> StoredRun:
    note = Note(
        format=1, id="n", run=run.record.id, kind="retraction", text="leak", author=ADA, noted_at=NOW, tool=TOOL
    )
    return msgspec.structs.replace(run, notes=(note,))


def keys(*runs: StoredRun) -> list[str]:
    return [group.key for group in common_groups(runs)]


def test_groups_of_headline_metrics_come_first_and_then_the_most_frequent() -> None:
    runs = [stored(0, {}, "f1", "loss", "auc", "f1"), stored(1, {}, None, "auc", "loss"), stored(2, {}, None, "auc")]
    assert keys(*runs) == ["f1", "auc", "loss"]
    assert keys(stored(0, {}, None, "b", "a")) == ["a", "b"]


def test_a_metric_that_is_the_headline_of_one_run_stands_once() -> None:
    assert keys(stored(0, {}, "f1", "f1"), stored(1, {}, None, "f1")) == ["f1"]


def test_a_run_that_was_withdrawn_brings_no_column() -> None:
    assert keys(withdrawn(stored(0, {}, "f1", "f1")), stored(1, {}, None, "auc")) == ["auc"]


def test_the_newest_runs_are_shown_and_all_are_counted() -> None:
    runs = [stored(number, {"lr": number}, "f1", "f1") for number in range(5)]
    table = run_table(runs, survey(Contents(tip=None, runs=tuple(runs)), [], None), limit=2)
    assert [row.run.record.id for row in table.rows] == [runs[4].record.id, runs[3].record.id]
    assert (table.total, table.params) == (5, ("lr",))
    assert [(row.params, row.values) for row in table.rows] == [(("4",), (4.0,)), (("3",), (3.0,))]
    assert table.metrics[0].path.startswith("leaderboards/f1-")


def test_a_table_of_no_runs_and_one_of_none_to_show_are_empty() -> None:
    runs = [stored(number, {"lr": number}, "f1", "f1") for number in range(3)]
    atlas = survey(Contents(tip=None, runs=tuple(runs)), [], None)
    nothing = run_table(runs, atlas, limit=0)
    assert (nothing.rows, nothing.params, nothing.metrics, nothing.total) == ((), (), (), 3)
    assert run_table([], atlas, limit=9).rows == ()


def test_what_a_run_does_not_have_is_an_empty_cell() -> None:
    runs = [stored(0, {"lr": 1, "wd": 1}, "f1", "f1"), stored(1, {"lr": 2, "wd": 2}, "f1", "f1"), stored(2, {"lr": 3})]
    table = run_table(runs, survey(Contents(tip=None, runs=tuple(runs)), [], None), limit=9, params=2)
    assert (table.rows[0].params, table.rows[0].values) == (("3", ""), (None,))


def test_no_more_columns_stand_than_are_asked_for() -> None:
    runs = [stored(number, dict.fromkeys("abcd", number), None, "m1", "m2", "m3") for number in range(2)]
    table = run_table(runs, survey(Contents(tip=None, runs=tuple(runs)), [], None), limit=9, params=1, metrics=2)
    assert (table.params, len(table.metrics)) == (("a",), 2)
