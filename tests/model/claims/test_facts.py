"""What a document states is taken out whole: each number, time and hash with its place, and nothing that is free."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ledger.model.boxes.inputs import Datasets, DatasetUse, Params
from ledger.model.boxes.machine import Gpu, Hardware, Usage
from ledger.model.boxes.outputs import Figure, Logs, Metric, Results, Statistics, Table
from ledger.model.claims.facts import Facts
from ledger.model.claims.labels import labels_of
from ledger.model.entries import Case, Evaluation, Note
from ledger.model.statistics import DatasetStatistics
from tests.minimal import ADA, NOW, TOOL, minimal_record
from tests.samples import sample_datasets


def stated(**changes: object) -> dict[str, object]:
    return {one.field: one.value for one in Facts(minimal_record(**changes)).stated}


def test_a_value_is_stated_with_the_whole_way_to_it() -> None:
    gpus = [Gpu(name="a"), Gpu(name="b", energy_kwh=0.5)]
    usage = Usage(samples=3, interval_seconds=1.0)
    found = stated(
        hardware=Hardware(gpus=gpus, usage=usage),
        logs=Logs(warnings={"low memory": 4}),
        datasets=Datasets(used=[DatasetUse(role="train", split="train", hash="h", files=2)]),
    )
    assert found["hardware.gpus[1].energy_kwh"] == 0.5
    assert found["hardware.usage.samples"] == 3
    assert found["logs.warnings.low memory"] == 4
    assert found["datasets.used[0].hash"] == "h"
    assert found["timing.started_at"] == NOW


def test_what_is_not_said_is_not_stated() -> None:
    assert not [field for field in stated() if field.startswith(("hardware", "model", "cost", "datasets"))]


def test_params_are_free_and_so_are_measured_values_that_may_be_negative() -> None:
    found = stated(
        params=Params(values={"lr": -1, "commit": "main"}),
        results=Results(metrics=[Metric(name="a", value=-1.0, step=-3, dataset_hash="h")]),
        seed=-7,
    )
    assert not [field for field in found if field.startswith("params")]
    assert "results.metrics[0].value" not in found
    assert found["results.metrics[0].step"] == -3  # a whole number: whether it fits 64 bits is asked
    assert found["results.metrics[0].dataset_hash"] == "h"
    assert found["seed"] == -7


def test_a_name_inside_the_place_of_a_value_is_cut_and_cannot_control_a_terminal() -> None:
    found = stated(logs=Logs(errors={"\x1b[31m" + "x" * 100: 1}))
    assert [field for field in found if field.startswith("logs")] == ["logs.errors.\\x1b[31m" + "x" * 75]


def test_counts_by_label_are_stated_one_by_one() -> None:
    statistics = DatasetStatistics(samples=3, labels={"cat": 1, "dog": 2})
    fields = {one.field for one in Facts(statistics).stated}
    assert {"samples", "labels.cat", "labels.dog"} <= fields


def test_what_is_no_document_states_nothing() -> None:
    assert Facts(None).stated == []
    assert Facts({"hash": "x"}).stated == []
    assert Facts(None).labels == []


def test_what_several_rules_ask_for_is_looked_for_once() -> None:
    asked: list[object] = []

    def find(document: object) -> Iterator[int]:
        asked.append(document)
        yield from (1, 2)

    facts = Facts("document")
    assert facts.once(find) == facts.once(find) == [1, 2]
    assert asked == ["document"]


METRIC = Metric(name="accuracy", split="validation", evaluator="e 1", value=1.0)
USE = DatasetUse(role="test", split="test", name="digits", version="v1")
COMMON = {"format": 1, "id": "20261120-194812-abcdef", "author": ADA, "tool": TOOL}
AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        (
            minimal_record(
                tags=["t"],
                results=Results(
                    metrics=[METRIC], figures=[Figure(file="figures/a.png", title="loss", hash="h", bytes=1)]
                ),
                statistics=Statistics(
                    tables=[Table(file="tables/a.csv", name="by class", hash="h", bytes=1, rows=1, columns=1)]
                ),
                datasets=Datasets(used=[USE]),
            ),
            {
                "experiment": "x", "tags[0]": "t", "results.figures[0].title": "loss",
                "statistics.tables[0].name": "by class", "results.metrics[0].name": "accuracy",
                "results.metrics[0].split": "validation", "results.metrics[0].evaluator": "e 1",
                "datasets.used[0].split": "test", "datasets.used[0].name": "digits", "datasets.used[0].version": "v1",
            },
        ),
        (
            Evaluation(run="r", datasets=[USE], metrics=[METRIC], evaluated_at=AT, **COMMON),  # type: ignore[arg-type]  # by name
            {
                "metrics[0].name": "accuracy", "metrics[0].split": "validation", "metrics[0].evaluator": "e 1",
                "datasets[0].split": "test", "datasets[0].name": "digits", "datasets[0].version": "v1",
            },
        ),
        (Note(kind="tag", text="sweep", run="r", noted_at=AT, **COMMON), {"text": "sweep"}),  # type: ignore[arg-type]  # as above
        (Note(kind="untag", text="sweep", run="r", noted_at=AT, **COMMON), {"text": "sweep"}),  # type: ignore[arg-type]  # as above
        (Note(kind="comment", text="a sentence", run="r", noted_at=AT, **COMMON), {}),  # type: ignore[arg-type]  # as above
        (
            Note(kind="milestone", stage=3, model="m", text="a sentence", run="r", noted_at=AT, **COMMON),  # type: ignore[arg-type]  # as above
            {"model": "m"},
        ),
        (Note(kind="question", text="a sentence", experiment="e", noted_at=AT, **COMMON), {"experiment": "e"}),  # type: ignore[arg-type]  # as above
        (sample_datasets()[1], {"name": "digits-validation", "version": "v1"}),
        (
            Case(dataset="digits", input="a sentence", expected="7", added_at=AT, **COMMON),  # type: ignore[arg-type]  # as above
            {"dataset": "digits"},
        ),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_the_names_in_a_document_are_those_that_stand_in_tables_and_commands(
    document: object, labels: dict[str, str]
) -> None:
    assert dict(labels_of(document)) == labels
