"""What pages know of the rest of the ledger: who stands beside whom, on which board, measured on what."""

from datetime import timedelta

import pytest

from ledger.analysis.comparing.comparable import group_of
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Contents, DatasetVersion, Evaluation, Note, StoredRun
from ledger.publish.site import site_data
from ledger.publish.site.site_data import Atlas, board_name, board_path, board_path_of, survey
from tests.minimal import ADA, NOW, TOOL, minimal_record

HASH = f"blake3:{'1' * 64}"


def run(number: int, *metrics: Metric, headline: str | None = None, **changes: object) -> StoredRun:
    results = Results(metrics=list(metrics), headline=headline)
    record = minimal_record(id=f"20261120-1948{number:02}-abcdef", results=results, **changes)
    return StoredRun(record=record, path=f"runs/{number}", files={})


def metric(name: str = "f1", value: float = 1.0, content: str | None = HASH, **fields: object) -> Metric:
    return Metric(name=name, value=value, dataset="d@v1", dataset_hash=content, direction="higher", **fields)  # type: ignore[arg-type]  # by name


def atlas(*runs: StoredRun, **contents: object) -> Atlas:
    return survey(Contents(tip="t", runs=runs, **contents), [], None)  # type: ignore[arg-type]  # by name


def test_runs_stand_oldest_first_and_the_experiment_of_the_latest_run_first() -> None:
    found = atlas(run(3, experiment="a"), run(1, experiment="a"), run(2, experiment="b"), run(9, experiment="b"))
    assert list(found.by_id) == [one.record.id for one in found.runs] == sorted(found.by_id)
    assert [(name, len(members)) for name, members in found.experiments.items()] == [("b", 2), ("a", 2)]


def test_a_run_has_the_neighbours_of_its_own_experiment() -> None:
    found = atlas(run(1, experiment="a"), run(2, experiment="b"), run(3, experiment="a"), run(4, experiment="a"))
    first, only, middle, last = (one.record.id for one in found.runs)
    assert found.neighbours == {
        first: (None, middle), middle: (first, last), last: (middle, None), only: (None, None),
    }  # fmt: skip


@pytest.mark.parametrize("bad", ["", "../x", "20261120-194801-abcdeu", "20261120-194801-ABCDEF"])
def test_a_run_that_cannot_name_a_page_is_reported_and_the_others_are_shown(bad: str) -> None:
    good = run(1)
    broken = StoredRun(record=minimal_record(id=bad), path="runs/bad", files={})
    found = atlas(broken, good)
    assert [one.record.id for one in found.runs] == [good.record.id]
    assert [problem.path for problem in found.problems] == ["runs/bad"]


def test_of_two_records_of_one_id_the_first_is_shown_and_the_other_reported() -> None:
    one, other = run(1, note="one"), StoredRun(record=run(1, note="other").record, path="runs/other", files={})
    found = atlas(one, other)
    assert [shown.record.note for shown in found.runs] == ["one"]
    assert [problem.path for problem in found.problems] == ["runs/other"]


def test_a_headline_has_a_page_of_its_own_and_so_has_what_runs_share(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = (
        run(1, metric("head"), metric("often"), metric("both"), metric("alone"), headline="head"),
        run(2, metric("often"), metric("both")),
        run(3, metric("often")),
    )
    assert {board.group.key for board in atlas(*runs).own_pages} == {"head", "often", "both"}
    assert {board.group.key for board in atlas(*runs).listed} == {"alone"}
    monkeypatch.setattr(site_data, "SHARED_PAGES", 1)
    found = atlas(*runs)
    assert {board.group.key for board in found.own_pages} == {"head", "often"}, "the most shared come first"
    assert found.address_of(group_of(metric("both"))).endswith(f"#{board_name(group_of(metric('both')))}")
    assert found.address_of(group_of(metric("unknown"))) == ""
    assert board_path_of(metric("often", content=None), found) == ""
    assert board_path_of(metric("often"), found) == board_path(group_of(metric("often")))


def test_a_board_keeps_its_address_whatever_its_data_is_called_and_no_two_have_one() -> None:
    renamed = Metric(name="f1", value=1.0, dataset="other@v9", dataset_hash=HASH)
    assert board_path(group_of(metric())) == board_path(group_of(renamed))
    different = [
        metric(), metric("F1"), metric(split="test"), metric(content=f"blake3:{'2' * 64}"), metric(evaluator="e"),
        metric("f1/e"), metric("../x"),
    ]  # fmt: skip
    paths = [board_path(group_of(one)) for one in different]
    assert len({path.lower() for path in paths}) == len(paths)
    assert all(".." not in path for path in paths)


def test_measurements_on_a_version_are_in_order_of_time_and_of_runs_that_count() -> None:
    later = Evaluation(
        format=1, id="20261120-194809-abcdef", run="r", metrics=[metric(value=0.3), metric(content=None)], author=ADA,
        evaluated_at=NOW - timedelta(days=1), tool=TOOL,
    )  # fmt: skip
    own = run(1, metric(value=0.1))
    own = StoredRun(record=own.record, path=own.path, files={}, evaluations=(later,))
    found = atlas(own, run(2, metric(value=0.2)), run(3, metric(value=9.0), status="failed"))
    assert [one.metric.value for one in found.measurements[HASH]] == [0.3, 0.1, 0.2]
    assert set(found.measurements) == {HASH}


def test_a_run_is_referred_to_its_own_baseline_then_its_experiments_then_its_parent() -> None:
    base = run(1)
    note = Note(
        format=1, id=base.record.id, run=base.record.id, kind="baseline", text="b", author=ADA, noted_at=NOW, tool=TOOL
    )
    base = StoredRun(record=base.record, path=base.path, files={}, notes=(note,))
    plain, own, other = run(2), run(3, baseline="mine"), run(4, experiment="y", parent="p")
    found = atlas(base, plain, own, other)
    assert found.reference_of(plain) == (base.record.id, "baseline")
    assert found.reference_of(own) == ("mine", "baseline")
    assert found.reference_of(other) == ("p", "parent")
    assert found.reference_of(base) is None, "the baseline is not compared with itself"


def test_versions_stand_in_the_order_of_their_days_under_the_names_in_theirs() -> None:
    made = [
        DatasetVersion(
            format=1, name=name, version=version, role="test", hash=HASH, files=1, bytes=1, author=ADA, tool=TOOL,
            added_at=NOW + timedelta(days=day),
        )
        for name, version, day in (("b", "v10", 1), ("b", "v9", 0), ("a", "y", 0), ("a", "x", 0))
    ]  # fmt: skip
    found = atlas(datasets=tuple(made))
    assert {name: [one.version for one in versions] for name, versions in found.datasets.items()} == {
        "a": ["x", "y"], "b": ["v9", "v10"],
    }  # fmt: skip
    assert list(found.datasets) == ["a", "b"]
