"""Advice: each rule speaks when its numbers do, the largest gap first, and is silent where evidence is thin."""

import msgspec
import pytest

from ledger.analysis.advice import advise
from ledger.analysis.cases import CaseStory
from ledger.model.boxes import DatasetUse, Gpu, Metric
from ledger.model.entries import DatasetVersion, Run
from ledger.model.statistics import DatasetStatistics
from tests.sample_versions import sample_cases
from tests.samples import sample_datasets, sample_ledger

SPLITS = {"train": 10_000, "validation": 2_000, "test": 2_000}


def versions(sizes: dict[str, int]) -> dict[str, DatasetVersion]:
    base = sample_datasets()[0]
    return {split: msgspec.structs.replace(base, name=split, hash=split, samples=size) for split, size in sizes.items()}


def run_with(accuracies: dict[str, float], idle: float | None = None) -> Run:
    base = sample_ledger()[0].runs[0]
    metrics = [
        Metric(name="accuracy", split=split, value=value, direction="higher", dataset_hash=split)
        for split, value in accuracies.items()
    ]
    used = [DatasetUse(role="validation", split=split, hash=split) for split in accuracies]
    record = base.record
    record = msgspec.structs.replace(
        record,
        results=msgspec.structs.replace(record.results, metrics=metrics, headline=None),
        datasets=msgspec.structs.replace(record.datasets, used=used),
        hardware=msgspec.structs.replace(record.hardware, gpus=[Gpu(name="H100", gpu_idle_fraction=idle)]),
    )
    return msgspec.structs.replace(base, record=record, evaluations=())


def rules(accuracies: dict[str, float], sizes: dict[str, int] = SPLITS, **more: object) -> list[str]:
    return [advice.rule for advice in advise(run_with(accuracies), versions(sizes), **more)]  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("accuracies", "target", "said"),
    [
        ({"train": 0.90, "validation": 0.89, "test": 0.89}, 0.99, ["bias"]),
        ({"train": 0.99, "validation": 0.90, "test": 0.90}, 0.99, ["variance"]),
        ({"train": 0.99, "validation": 0.985, "test": 0.90}, 0.99, ["mismatch"]),
        ({"train": 0.95, "validation": 0.85, "test": 0.83}, 0.99, ["variance", "bias"]),
        ({"train": 0.99, "validation": 0.985, "test": 0.985}, 0.99, []),
        ({"train": 0.90, "validation": 0.89, "test": 0.89}, None, []),  # nobody said what can be reached
    ],
)
def test_the_largest_gap_speaks_first(accuracies: dict[str, float], target: float | None, said: list[str]) -> None:
    assert rules(accuracies, target=target) == said


def test_a_gap_that_the_number_of_samples_explains_is_none() -> None:
    accuracies = {"train": 0.97, "validation": 0.94}
    assert rules(accuracies) == ["variance"]
    assert rules(accuracies, {"train": 100, "validation": 50}) == []
    assert rules(accuracies, {}) == []  # nobody knows how many samples


def test_a_metric_that_is_no_part_of_right_answers_gives_no_advice() -> None:
    assert rules({"train": 3.0, "validation": 9.0}) == []


def test_idle_hardware_small_slices_and_flipping_cases_are_said() -> None:
    known = versions(SPLITS)
    small = DatasetStatistics(samples=2_000, warnings=["night: 12 samples"])
    known["validation"] = msgspec.structs.replace(known["validation"], statistics=small)
    case = sample_cases()[0]
    stories = [
        CaseStory(case=case, passed=["b"], failed=["c"], broken_by=["c"], mended_by=["b"], state="fails"),
        CaseStory(case=case, passed=["b"], failed=[], broken_by=[], mended_by=["b"], state="passes"),
    ]
    given = advise(run_with({"validation": 0.9}, idle=0.5), known, stories)
    assert [advice.rule for advice in given] == ["slices", "idle", "flips"]
    assert "night: 12 samples" in given[0].say
    assert given[1].numbers == {"gpu_idle_fraction": 0.5}
    assert given[2].numbers == {"cases": 1.0}
    assert all(advice.source for advice in given)
    assert advise(run_with({"validation": 0.9}, idle=0.2), versions(SPLITS)) == []
