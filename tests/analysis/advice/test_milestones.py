"""Milestones: a stage is claimed with evidence, and what the records show of it stands beside the claim."""

from datetime import timedelta

import msgspec
import pytest

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.milestones import MilestoneStep, Progress, milestones_of
from ledger.analysis.advice.stages import STAGES, stage_named
from ledger.errors import InvalidDocument, UsageError
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.outputs import Model, Results
from ledger.model.document import dump, load
from ledger.model.entries import DatasetVersion, Note, StoredRun
from ledger.model.record import Author
from ledger.model.statistics import DatasetStatistics
from ledger.model.values import NoteKind
from tests.samples import START, sample_datasets, sample_ledger


def note(
    number: int, stage: int | None, *, run: str = "x", model: str | None = None, kind: NoteKind = "milestone"
) -> Note:
    return Note(
        format=1, id=f"20261121-0900{number:02}-aaaaaa", run=run, kind=kind, stage=stage, model=model, text="because",
        author=Author(name="Ada", email="a@example.org"), noted_at=START + timedelta(days=30, seconds=number), tool="t",
    )  # fmt: skip


def runs_of(experiment: str, *, bare: bool = False) -> list[StoredRun]:
    """Return the finished runs of an experiment of the samples; bare: without evaluations, notes and curves."""
    found = [run for run in sample_ledger()[0].runs if run.record.experiment == experiment]
    found = [run for run in found if run.record.status == "finished"]
    return [_bare(run) for run in found] if bare else found


def _bare(run: StoredRun) -> StoredRun:
    results = Results(headline=run.record.results.headline, metrics=run.record.results.metrics)
    record = msgspec.structs.replace(run.record, results=results, note=None, baseline=None)
    return msgspec.structs.replace(run, record=record, evaluations=(), notes=())


def noted(run: StoredRun, *notes: Note) -> StoredRun:
    return msgspec.structs.replace(run, notes=(*run.notes, *notes))


def progress(
    runs: list[StoredRun],
    versions: tuple[DatasetVersion, ...] = sample_datasets(),  # frozen values
    budget: Budget = Budget(),  # noqa: B008  # a frozen value
) -> Progress:
    (only,) = milestones_of(runs, versions, (), budget).models
    return only


def step(number: int, runs: list[StoredRun], **more: object) -> MilestoneStep:
    return progress(runs, **more).steps[number - 1]  # type: ignore[arg-type]  # fields by name


def test_stages_are_named_by_number_and_by_word_and_the_error_names_the_seven() -> None:
    assert [stage.number for stage in STAGES] == [1, 2, 3, 4, 5, 6, 7]
    assert stage_named("4") == stage_named(" Measurable ") == STAGES[3]
    for wrong in ("0", "8", "", "x\x1b"):
        with pytest.raises(UsageError, match="no such stage") as caught:
            stage_named(wrong)
        assert all(stage.slug in (caught.value.hint or "") for stage in STAGES)


def test_a_claim_that_the_records_show_is_done_and_the_next_stage_comes_after_it() -> None:
    runs = runs_of("mlp-learning-rate")
    runs[0] = noted(runs[0], note(1, 3))
    found = progress(runs)
    assert (found.model, found.reached, found.runs) == ("mlp-learning-rate", 3, len(runs))
    assert [one.state for one in found.steps] == ["not yet", "not yet", "done", "next", *["not yet"] * 3]
    assert found.steps[2].run == runs[0].record.id
    assert found.next is found.steps[3]
    assert all(check.holds for check in found.steps[3].checks), found.steps[3].checks


def test_a_claim_that_the_records_do_not_show_says_what_is_missing_and_nothing_is_awarded() -> None:
    runs = runs_of("mlp-learning-rate", bare=True)
    runs[0] = noted(runs[0], note(1, 4))
    claimed = step(4, runs)
    assert claimed.state == "claimed"
    assert [check.asks for check in claimed.missing] == ["a second version, or cases", "something to look at"]
    assert step(3, runs).state == "not yet", "what holds and nobody claimed is no milestone"


def test_retracted_evidence_counts_no_longer_and_that_is_said() -> None:
    runs = runs_of("mlp-learning-rate")
    gone = note(9, None, kind="retraction")
    runs[0], runs[1] = noted(runs[0], note(1, 2)), noted(runs[1], note(2, 3), gone)
    found = progress(runs)
    assert (found.reached, found.runs) == (2, len(runs) - 1)
    assert found.steps[2].state == "next"
    assert found.steps[2].withdrawn == runs[1].record.id
    assert found.steps[2].run is None
    runs[2] = noted(runs[2], note(3, 3))
    again = step(3, runs)
    assert (again.state, again.run, again.withdrawn) == ("done", runs[2].record.id, None)


def test_a_model_of_another_name_takes_the_repeats_of_its_evidence_along() -> None:
    runs = runs_of("mlp-learning-rate")
    runs[0] = noted(runs[0], note(1, 5, model="scanner"))
    found = milestones_of(runs, sample_datasets(), (), Budget())
    (only,) = found.models
    assert (only.model, only.runs) == ("scanner", 3)
    assert only.steps[4].checks[0].holds
    assert found.without == (("mlp-learning-rate", len(runs)),)


def test_three_seeds_code_a_baseline_and_words_are_what_the_fifth_asks_for() -> None:
    runs = runs_of("mlp-learning-rate", bare=True)
    runs[0] = noted(runs[0], note(1, 5))
    assert [check.holds for check in step(5, runs).checks] == [True, True, False, False]
    runs[1] = noted(runs[1], note(2, None, kind="baseline"), note(3, None, kind="comment"))
    assert step(5, runs).state == "done"
    two_seeds = [run for run in runs if run.record.seed != 1]
    two_seeds[0] = noted(two_seeds[0], note(2, None, kind="baseline"), note(3, None, kind="comment"))
    assert [check.asks for check in step(5, two_seeds).missing] == ["3 seeds of one setting"]
    dirty = msgspec.structs.replace(runs[0].record.code, dirty=True, patch=None)
    runs[0] = msgspec.structs.replace(runs[0], record=msgspec.structs.replace(runs[0].record, code=dirty))
    assert "code that can be restored" in [check.asks for check in step(5, runs).missing]


def test_a_baseline_of_another_experiment_is_named_as_one_that_does_not_count() -> None:
    runs, others = runs_of("mlp-learning-rate", bare=True), runs_of("cnn-width", bare=True)
    runs[0] = noted(runs[0], note(1, 5))
    missing = {check.asks: check.detail for check in step(5, runs).missing}
    assert missing["something to compare with"] == "mlp-learning-rate has no baseline: ledger baseline RUN"
    others[0] = noted(others[0], note(2, None, kind="baseline"))
    missing = {check.asks: check.detail for check in step(5, [*runs, *others]).missing}
    assert missing["something to compare with"] == (
        "mlp-learning-rate has no baseline; those of cnn-width do not count here: ledger baseline RUN"
    )


def test_the_sixth_asks_for_a_budget_and_names_what_is_over_it() -> None:
    runs = runs_of("mlp-learning-rate")
    runs[0] = noted(runs[0], note(1, 6))
    assert step(6, runs).missing[0].detail == "policy.yaml states no budget"
    assert step(6, runs, budget=Budget(parameters=40_000)).state == "done"
    over = step(6, runs, budget=Budget(parameters=30_000, cost=5.0))
    assert over.missing[0].detail == "parameters 37194 of 30000"
    record = msgspec.structs.replace(runs[0].record, cost=Cost(), model=Model())
    runs[0] = msgspec.structs.replace(runs[0], record=record)
    assert step(6, runs).missing[0].detail == "unknown: parameters, cost"


def test_the_seventh_asks_for_two_datasets_not_for_two_versions_of_one() -> None:
    runs = runs_of("mlp-learning-rate")
    runs[0] = noted(runs[0], note(1, 7))
    assert step(7, runs).missing[0].detail == "measured on digits-validation only"
    elsewhere = msgspec.structs.replace(sample_datasets()[2], name="letters")
    assert step(7, runs, versions=(*sample_datasets()[:2], elsewhere)).state == "done"


def test_values_on_training_data_are_no_evidence() -> None:
    (train, *_) = sample_datasets()
    runs = runs_of("mlp-learning-rate", bare=True)
    metric = msgspec.structs.replace(runs[0].record.results.metrics[0], dataset_hash=train.hash, split="validation")
    record = msgspec.structs.replace(runs[0].record, results=Results(metrics=[metric]))
    only = noted(msgspec.structs.replace(runs[0], record=record), note(1, 3))
    assert step(3, [only]).state == "claimed"


def test_statistics_of_what_it_is_judged_on_are_what_the_fourth_asks_for() -> None:
    runs = runs_of("mlp-learning-rate")
    runs[0] = noted(runs[0], note(1, 4))
    blind = tuple(msgspec.structs.replace(one, statistics=None) for one in sample_datasets())
    assert [check.asks for check in step(4, runs, versions=blind).missing] == ["statistics of what it is judged on"]
    seen = (*blind[:1], msgspec.structs.replace(blind[1], statistics=DatasetStatistics(samples=1)), blind[2])
    assert step(4, runs, versions=seen).state == "done"


@pytest.mark.parametrize("stage", [b"0", b"8", b"-1", b'"works"', b"2.5", b"null"])
def test_a_bad_stage_from_the_branch_is_refused_with_its_field(stage: bytes) -> None:
    good = dump(note(1, 3, run="20261120-194812-000001"))
    assert load(good, Note, source="n").stage == 3
    with pytest.raises(InvalidDocument, match="stage"):
        load(good.replace(b'"stage": 3', b'"stage": ' + stage), Note, source="n")


def test_a_note_that_is_no_milestone_has_no_stage() -> None:
    data = dump(note(1, None, kind="comment")).replace(b'"kind": "comment"', b'"kind": "comment", "stage": 3')
    with pytest.raises(InvalidDocument, match="no other note has one"):
        load(data, Note, source="n")
