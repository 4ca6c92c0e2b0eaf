"""What later statements make of a run, of a dataset version and of an experiment."""

from datetime import timedelta

import pytest

from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Contents, DatasetVersion, Evaluation, Note, StoredRun
from ledger.model.ids import new_id
from ledger.model.values import NoteKind, Status
from tests.minimal import ADA, NOW, TOOL, minimal_record


def note(kind: NoteKind, text: str = "why", *, after: int = 0, **fields: object) -> Note:
    """Return a note that was made `after` seconds."""
    at = NOW + timedelta(seconds=after)
    values: dict[str, object] = {"run": "r", "noted_at": at, "id": new_id(at, bytes(4)), **fields}
    return Note(format=1, kind=kind, text=text, author=ADA, tool=TOOL, **values)  # type: ignore[arg-type]  # by name


def stored(*notes: Note, **changes: object) -> StoredRun:
    return StoredRun(record=minimal_record(**changes), path="runs/x", files={}, notes=notes)


def test_tags_are_those_of_the_record_and_what_notes_added_and_took_away_in_order() -> None:
    run = stored(
        note("tag", "new"), note("untag", "old"), note("tag", "kept"), note("untag", "never there"),
        note("tag", "gone"), note("untag", "gone"), tags=["kept", "old"],
    )  # fmt: skip
    assert run.tags == ["kept", "new"]


def test_a_tag_that_was_taken_away_and_given_again_is_there_once() -> None:
    assert stored(note("untag", "a"), note("tag", "a"), note("tag", "a"), tags=["a", "b"]).tags == ["b", "a"]


def test_other_statements_change_no_tag() -> None:
    assert stored(note("comment", "a"), note("baseline", "b"), tags=["a"]).tags == ["a"]


def test_the_latest_retraction_is_the_one_that_speaks() -> None:
    assert stored(note("comment")).retraction is None
    run = stored(note("retraction", "leak"), note("comment"), note("retraction", "two leaks"), note("comment"))
    assert run.retraction is not None
    assert run.retraction.text == "two leaks"


@pytest.mark.parametrize("status", ["failed", "interrupted", "killed", "preempted", "pruned", "lost"])
def test_a_run_that_did_not_finish_says_how_it_ended_where_others_are_ranked(status: Status) -> None:
    assert stored(status=status).unranked == status
    assert stored(note("retraction"), status=status).unranked == "retracted"


def test_a_finished_run_is_ranked_until_it_is_withdrawn() -> None:
    assert stored().unranked is None
    assert stored(note("comment")).unranked is None
    assert stored(note("retraction")).unranked == "retracted"


def test_the_measurements_of_a_run_are_its_own_and_then_the_later_ones() -> None:
    own, later, last = (Metric(name=name, value=1.0) for name in ("own", "later", "last"))
    evaluations = tuple(
        Evaluation(format=1, id="e", run="r", metrics=[one], author=ADA, evaluated_at=NOW, tool=TOOL)
        for one in (later, last)
    )
    record = minimal_record(results=Results(metrics=[own]))
    run = StoredRun(record=record, path="runs/x", files={}, evaluations=evaluations)
    assert run.metrics() == [own, later, last]
    assert stored().metrics() == []


def test_a_run_is_found_by_its_whole_id_only() -> None:
    contents = Contents(tip="t", runs=(stored(id="a"), stored(id="ab")))
    found = contents.run("ab")
    assert found is not None
    assert found.record.id == "ab"
    assert contents.run("b") is None


def test_a_version_is_retired_by_a_statement_about_that_version() -> None:
    said = (
        note("comment", dataset="digits@v1", run=""),
        note("retirement", "wrong labels", dataset="digits@v1", run=""),
        note("retirement", "again", dataset="digits@v1", run=""),
    )
    contents = Contents(tip="t", said=said)
    assert contents.retirement("digits@v1") == said[1]
    assert contents.retirement("digits@v2") is None


def test_the_baseline_of_an_experiment_is_the_latest_that_was_named_whichever_run_comes_first() -> None:
    early = stored(note("baseline", after=20), id="early", experiment="a")
    late = stored(note("baseline", after=10), id="late", experiment="a")
    other = stored(note("baseline", after=5), id="other", experiment="b")
    found = Contents(tip="t", runs=(early, late, other, stored(experiment="c"))).baselines()
    assert {experiment: run.record.id for experiment, run in found.items()} == {"a": "early", "b": "other"}


def test_within_one_second_the_moment_of_a_baseline_decides() -> None:
    first = stored(note("baseline", noted_at=NOW, id="20261120-194812-zzzzzz"), id="first", experiment="a")
    after = NOW + timedelta(milliseconds=1)
    second = stored(note("baseline", noted_at=after, id="20261120-194812-aaaaaa"), id="second", experiment="a")
    assert Contents(tip="t", runs=(second, first)).baselines()["a"].record.id == "second"


def test_an_experiment_whose_baseline_was_withdrawn_has_none_and_not_the_one_before() -> None:
    before = stored(note("baseline", after=1), id="before", experiment="a")
    withdrawn = stored(note("baseline", after=2), note("retraction", after=3), id="withdrawn", experiment="a")
    assert Contents(tip="t", runs=(before, withdrawn)).baselines() == {}


def test_a_version_is_called_by_name_and_label() -> None:
    version = DatasetVersion(
        format=1, name="digits", version="v1", role="test", hash="h", files=1, bytes=1, author=ADA, added_at=NOW,
        tool=TOOL,
    )  # fmt: skip
    assert version.label == "digits@v1"


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        ("milestone", {}, "a milestone has a stage"),
        ("comment", {"stage": 3}, "no other note has one"),
        ("milestone", {"stage": 3, "run": ""}, "names the run that is its evidence"),
    ],
)
def test_a_milestone_and_its_stage_stand_together_and_on_a_run(
    kind: NoteKind, fields: dict[str, object], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        note(kind, **fields)  # type: ignore[arg-type]  # by name
    assert note("milestone", stage=3).stage == 3
