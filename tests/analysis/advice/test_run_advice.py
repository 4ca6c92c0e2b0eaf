"""Advice: each rule speaks when its numbers do, the largest gap first, and is silent where evidence is thin."""

import msgspec
import pytest

from ledger.analysis.advice.budget import Budget, spent_of
from ledger.analysis.advice.run_advice import _CURES, advise, metric_of
from ledger.analysis.comparing.error_rate import share_of, why_silent
from ledger.analysis.data.cases import CaseStory
from ledger.formatting import share
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.machine import Gpu, Usage
from ledger.model.boxes.outputs import Metric, Model
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.feed import Feed, FeedPlan, FeedStage, Transport
from ledger.model.statistics import DatasetStatistics
from ledger.model.values import Direction
from tests.sample_versions import sample_cases
from tests.samples import sample_datasets, sample_ledger

SPLITS = {"train": 10_000, "validation": 2_000, "test": 2_000}


def versions(sizes: dict[str, int]) -> dict[str, DatasetVersion]:
    base = sample_datasets()[0]
    return {split: msgspec.structs.replace(base, name=split, hash=split, samples=size) for split, size in sizes.items()}


def run_with(
    accuracies: dict[str, float],
    idle: float | None = None,
    *,
    name: str = "accuracy",
    better: Direction | None = "higher",
) -> StoredRun:
    base = sample_ledger()[0].runs[0]
    metrics = [
        Metric(name=name, split=split, value=value, direction=better, dataset_hash=split)
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


@pytest.mark.parametrize(
    ("errors", "target", "said"),
    [
        ({"train": 0.10, "validation": 0.11}, 0.01, ["bias"]),
        ({"train": 0.01, "validation": 0.10, "test": 0.10}, 0.01, ["variance"]),
        ({"train": 0.01, "validation": 0.015, "test": 0.10}, 0.01, ["mismatch"]),
        ({"train": 0.01, "validation": 0.015, "test": 0.015}, 0.01, []),
    ],
)
def test_a_share_of_wrong_answers_is_read_as_it_is_and_its_target_too(
    errors: dict[str, float], target: float, said: list[str]
) -> None:
    run = run_with(errors, name="error_rate", better="lower")
    given = advise(run, versions(SPLITS), name="error_rate", target=target)
    assert [advice.rule for advice in given] == said
    mirrored = rules({split: 1 - error for split, error in errors.items()}, target=1 - target)
    assert mirrored == said, "an accuracy and its error rate are one thing"


@pytest.mark.parametrize(
    ("name", "better", "value", "why"),
    [
        ("loss", "lower", 0.3, "lower is better, but its name is not that"),
        ("mean_squared_error", "lower", 0.3, "lower is better, but its name is not that"),
        ("score", None, 0.3, "no direction is recorded"),
        ("perplexity", "higher", 12.0, "is not between 0 and 1"),
    ],
)
def test_what_is_no_share_of_answers_is_said_and_gives_no_advice(
    name: str, better: Direction | None, value: float, why: str
) -> None:
    run = run_with({"train": value, "validation": value * 2, "test": value * 3}, name=name, better=better)
    assert advise(run, versions(SPLITS), name=name, target=0.1) == []
    assert why in (why_silent(run, name) or "")
    assert why_silent(run, "f1") == "the run has no such metric: `f1`"
    assert why_silent(run_with({"train": 0.9}), "accuracy") is None


def test_an_error_of_a_32_bit_accuracy_is_a_whole_number_of_samples() -> None:
    run = run_with({"validation": 0.9900000095367432})  # 0.99 as a 32-bit float
    found = share_of(run, "validation/accuracy", versions({"validation": 1000}))
    assert found is not None
    assert share(found.error) == "1 %"
    run = run_with({"validation": 0.0104})
    found = share_of(run, "validation/accuracy", versions({"validation": 1000}))
    assert found is not None
    assert found.error == pytest.approx(0.9896), "what is no number of samples stays as it is"


def test_the_metric_of_the_headline_is_looked_at_where_it_is_a_share() -> None:
    for name, better, expected in (("error_rate", "lower", "error_rate"), ("loss", "lower", "accuracy")):
        run = run_with({"validation": 0.2}, name=name, better=better)  # type: ignore[arg-type]  # a direction
        results = msgspec.structs.replace(run.record.results, headline=f"validation/{name}")
        record = msgspec.structs.replace(run.record, results=results)
        assert metric_of(msgspec.structs.replace(run, record=record)) == expected


def waited(seconds: float | None, duration: float, *feeds: Feed) -> list[str]:
    run = run_with({})
    usage = Usage(samples=1, interval_seconds=1.0, data_wait_seconds=seconds)
    record = msgspec.structs.replace(
        run.record,
        datasets=msgspec.structs.replace(run.record.datasets, feeds=list(feeds)),
        hardware=msgspec.structs.replace(run.record.hardware, usage=usage, gpus=[]),
        timing=msgspec.structs.replace(run.record.timing, duration_seconds=duration),
    )
    return [advice.say for advice in advise(msgspec.structs.replace(run, record=record), {}) if advice.numbers["share"]]


def test_waiting_for_data_is_said_when_it_is_more_than_a_fifth_of_the_run() -> None:
    assert waited(30.0, 100.0)[0].startswith("training waited for data 30.0 s of 1 min 40 s")
    assert waited(15.0, 100.0) == []
    assert waited(0.5, 1.0) == [], "half a second says nothing"
    assert waited(None, 100.0) == []
    assert waited(30.0, 0.0) == []


@pytest.mark.parametrize(
    ("source", "server", "remedy"),
    [
        ("files", None, "`ledger prepare`"),
        ("shards", "tcp", "`ledger serve --workers`"),
        ("arrays", None, "`prefetch`"),
    ],
)
def test_the_remedy_fits_what_the_training_was_fed_by(source: str, server: Transport | None, remedy: str) -> None:
    plan = FeedPlan(dataset_hash="blake3:0", seed=0, global_batch_size=1, stages=[FeedStage(samples=1)])
    idle = Feed(dataset="other", verified=True, plan=plan, plan_digest="", batch_size=1, source="object")
    slow = msgspec.structs.replace(idle, source=source, server=server, wait_seconds=29.0)
    (said,) = waited(30.0, 100.0, idle, slow)
    assert remedy in said


def test_what_is_over_the_budget_is_named_with_its_limit_and_what_is_unknown_is_silent() -> None:
    run = run_with({})
    given = advise(run, {}, budget=Budget(parameters=10_000, model_bytes=1e9, cost=1e-9))
    assert given[0].rule == "complexity"
    assert given[0].say.startswith("parameters 37194 of 10000 agreed on")
    assert [sorted(advice.numbers) for advice in given] == [["limit", "parameters"], ["cost", "limit"]]
    free = msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, cost=Cost()))
    assert advise(free, {}, budget=Budget(cost=1e-9)) == []
    assert advise(run, {}) == [], "nothing was agreed on"


def test_a_budget_limits_what_a_forward_pass_costs_and_the_power_of_all_gpus() -> None:
    run = run_with({})
    limits = Budget(flops=1_000, latency_seconds=0.01, power_watts=300)
    timed = msgspec.structs.replace(run.record.timing, duration_seconds=1800.0)
    spent = msgspec.structs.replace(
        run.record,
        timing=timed,
        model=msgspec.structs.replace(run.record.model, flops=2_000, latency_seconds=0.005),
        cost=Cost(energy_kwh=0.2),
    )
    assert [(one.name, one.amount, one.over) for one in spent_of(spent, limits)] == [
        ("flops", 2_000, True),
        ("latency_seconds", 0.005, False),
        ("power_watts", pytest.approx(0.2 * 1000 / 0.5), True),  # 0.2 kWh in half an hour
    ]
    assert [one.text for one in spent_of(spent, limits)][1] == "latency seconds 0.005 of 0.01"
    unmeasured = msgspec.structs.replace(spent, model=Model(), cost=Cost())
    assert [(one.amount, one.over) for one in spent_of(unmeasured, limits)] == [(None, False)] * 3
    said = [one.say for one in advise(msgspec.structs.replace(run, record=spent), {}, budget=limits)]
    assert [text.partition(":")[0] for text in said] == [
        "flops 2000 of 1000 agreed on",
        "power watts 400 of 300 agreed on",
    ]


def test_every_limit_of_a_budget_has_a_cure_and_an_amount() -> None:
    run = run_with({})
    limits = Budget(**dict.fromkeys(Budget.__struct_fields__, 0.0))
    assert [one.name for one in spent_of(run.record, limits)] == list(Budget.__struct_fields__) == list(_CURES)
