"""What was measured, and on what: each number once, no part above its whole, on data that the run used."""

import msgspec
import pytest

from ledger.model.boxes.inputs import Datasets, DatasetUse
from ledger.model.boxes.machine import Gpu, GpuTimeline, Hardware
from ledger.model.boxes.outputs import Figure, Metric, Model, Results, SeriesSummary, Statistics, Table
from ledger.model.claims import measurements
from ledger.model.claims.facts import Facts
from ledger.model.entries import Evaluation
from ledger.model.record import Record
from tests.minimal import ADA, NOW, TOOL, minimal_record
from tests.samples import sample_datasets

A, B = f"blake3:{'a' * 64}", f"blake3:{'b' * 64}"
METRIC = Metric(name="accuracy", split="test", value=0.5, dataset="digits@v1", dataset_hash=A, evaluator="e 1")


def _used(*percent: int | None) -> Hardware:
    return Hardware(gpus=[Gpu(name="L4", use=GpuTimeline(stretch_seconds=1.0, percent=list(percent)))])


def measured(*metrics: Metric, tables: list[Table] | None = None, **use: object) -> Record:
    """Return a record of a run that used `digits@v1` with the content A, and these measurements."""
    values = {"role": "test", "split": "test", "name": "digits", "version": "v1", "hash": A, "path": "data/test", **use}
    return minimal_record(
        results=Results(metrics=list(metrics)),
        statistics=Statistics(tables=tables or []),
        datasets=Datasets(used=[msgspec.convert(values, DatasetUse)]),
    )


def table(**fields: object) -> Table:
    values = {"file": "tables/a.csv", "name": "by class", "hash": A, "bytes": 1, "rows": 1, "columns": 1, **fields}
    return msgspec.convert(values, Table)


def test_one_measurement_stated_twice_is_told_with_both_values() -> None:
    twice = measured(METRIC, msgspec.structs.replace(METRIC, name="f1"), msgspec.structs.replace(METRIC, value="NaN"))
    assert list(measurements.metrics_twice(Facts(twice))) == [
        ("results.metrics[2]", "a metric is stated twice: `test/accuracy` is 0.5 and NaN")
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"step": 3}, {"epoch": 1.0}, {"origin": "curve"}, {"dataset": "digits@v2"}, {"dataset_hash": B},
        {"evaluator": "e 2"}, {"period": "2026-11-01/2026-11-07"}, {"derived_from": "x"}, {"split": "validation"},
    ],
    ids=str,
)  # fmt: skip
def test_what_tells_two_measurements_apart_lets_both_stand(other: dict[str, object]) -> None:
    assert list(measurements.metrics_twice(Facts(measured(METRIC, msgspec.structs.replace(METRIC, **other))))) == []


@pytest.mark.parametrize("same", [{"direction": "lower"}, {"said": "0.50"}, {"folds": [1.0]}, {"value": 0.5}], ids=str)
def test_what_is_only_said_of_a_measurement_does_not_make_it_another(same: dict[str, object]) -> None:
    found = list(measurements.metrics_twice(Facts(measured(METRIC, msgspec.structs.replace(METRIC, **same)))))
    assert len(found) == 1


def test_the_measurements_of_an_evaluation_are_asked_too_and_those_of_other_documents_are_none() -> None:
    evaluation = Evaluation(
        format=1, id="e", run="r", metrics=[METRIC, METRIC], author=ADA, evaluated_at=NOW, tool=TOOL
    )
    assert [field for field, _ in measurements.metrics_twice(Facts(evaluation))] == ["metrics[1]"]
    assert list(measurements.metrics_twice(Facts(sample_datasets()[0]))) == []


def test_files_and_tables_are_named_once_among_figures_and_tables_together() -> None:
    figure = Figure(file="a", title="t", hash=A, bytes=1)
    record = minimal_record(
        results=Results(figures=[figure, figure]),
        statistics=Statistics(tables=[table(file="a"), table(file="b"), table(file="c", name="other")]),
    )
    assert list(measurements.files_twice(Facts(record))) == [
        ("results.figures[1]", "a file is named twice: `a`"),
        ("statistics.tables[0]", "a file is named twice: `a`"),
        ("statistics.tables[1]", "a table is named twice: `by class`"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": Model(parameters=10, trainable=11)}, "model.trainable"),
        ({"model": Model(parameters=10, trainable=10)}, None),
        ({"model": Model(trainable=11)}, None),
        ({"model": Model(latency_seconds=0.2, latency_p99_seconds=0.1)}, "model.latency_seconds"),
        ({"model": Model(latency_seconds=0.1, latency_p99_seconds=0.1)}, None),
        ({"hardware": Hardware(processes=2, rank=2)}, "hardware.rank"),
        ({"hardware": Hardware(processes=2, rank=1)}, None),
        ({"hardware": Hardware(processes=0, rank=0)}, None),
        ({"hardware": Hardware(rank=7)}, None),
        ({"hardware": Hardware(disk_bytes=5, disk_free_bytes=6)}, "hardware.disk_free_bytes"),
        ({"hardware": Hardware(disk_bytes=5, disk_free_bytes=5)}, None),
        ({"hardware": Hardware(disk_bytes=5)}, None),
        ({"hardware": _used(0, None, 101)}, "hardware.gpus[0].use.percent"),
        ({"hardware": _used(0, None, 100)}, None),
    ],
)
def test_a_part_is_at_most_the_whole(changes: dict[str, object], field: str | None) -> None:
    assert [found for found, _ in measurements.parts(Facts(minimal_record(**changes)))] == ([field] if field else [])


def test_no_more_values_of_a_series_are_not_finite_than_there_are() -> None:
    good = SeriesSummary(count=2, first=1.0, last=1.0, min=1.0, max=1.0, mean=1.0, stdev=0.0, not_finite=2)
    bad = msgspec.structs.replace(good, not_finite=3)
    record = minimal_record(statistics=Statistics(series={"good": good, "b\x1bad": bad}))
    assert list(measurements.parts(Facts(record))) == [
        ("statistics.series.b\\x1bad", "statistics.series.b\\x1bad: 3 of 2 values are not finite")
    ]


def apart(record: Record) -> tuple[list[str], list[str]]:
    """Return fields that are on other content, and fields that are on data that was not used."""
    facts = Facts(record)
    other, unused = measurements.other_content(facts), measurements.unused_data(facts)
    return [field for field, _ in other], [field for field, _ in unused]


@pytest.mark.parametrize("name", ["digits@v1", "digits", "data/test", "test", A])
def test_data_may_be_named_by_all_that_it_is_called(name: str) -> None:
    assert apart(measured(msgspec.structs.replace(METRIC, dataset=name))) == ([], [])


def test_declared_data_is_found_by_its_name_with_and_without_the_word() -> None:
    for name in ("digits@v1", "digits@v1 (declared)"):
        assert apart(measured(msgspec.structs.replace(METRIC, dataset=name), declared=True)) == ([], [])


def test_a_measurement_on_other_content_under_a_name_of_the_run_is_told_apart_from_one_on_other_data() -> None:
    content = msgspec.structs.replace(METRIC, dataset_hash=B)
    data = msgspec.structs.replace(METRIC, dataset="other@v1")
    only_hash = msgspec.structs.replace(METRIC, dataset=None, dataset_hash=B)
    assert apart(measured(METRIC, content, data, only_hash)) == (
        ["results.metrics[1]"], ["results.metrics[2]", "results.metrics[3]"],
    )  # fmt: skip


def test_a_name_of_data_whose_content_the_run_did_not_know_is_no_contradiction() -> None:
    assert apart(measured(METRIC, hash=None)) == ([], ["results.metrics[0]"])
    assert apart(measured(msgspec.structs.replace(METRIC, dataset_hash=None), hash=None)) == ([], [])


@pytest.mark.parametrize("excuse", [{"period": "2026-11-01/2026-11-07"}, {"derived_from": "other run"}], ids=str)
def test_what_production_or_another_run_measured_is_not_on_the_data_of_the_run(excuse: dict[str, object]) -> None:
    assert apart(measured(msgspec.structs.replace(METRIC, dataset="other@v1", **excuse))) == ([], [])


def test_a_metric_without_data_is_on_none_that_could_be_wrong() -> None:
    assert apart(measured(msgspec.structs.replace(METRIC, dataset=None, dataset_hash=None))) == ([], [])


def test_a_table_that_belongs_to_no_metric_is_asked_for_its_data_itself() -> None:
    alone = table(dataset="other@v1")
    of_metric = table(file="tables/b.csv", name="b", dataset="other@v1", metric="test/accuracy")
    assert apart(measured(tables=[of_metric, alone])) == ([], ["statistics.tables[1]"])
    assert apart(measured(tables=[table(dataset="digits@v1", dataset_hash=B)])) == (["statistics.tables[0]"], [])


def use(role: str, content: str | None, name: str = "d") -> DatasetUse:
    return msgspec.convert({"role": role, "split": role, "hash": content, "name": name}, DatasetUse)


def pairs(*uses: DatasetUse) -> list[tuple[str, str]]:
    return [(one.role, other.role) for one, other in measurements.same_data(uses)]


def test_of_two_roles_with_one_content_the_one_that_is_learned_from_comes_first() -> None:
    assert pairs(use("test", A), use("train", A)) == [("train", "test")]
    assert pairs(use("validation", A), use("test", A), use("train", A)) == [
        ("train", "validation"), ("train", "test"), ("validation", "test"),
    ]  # fmt: skip


def test_data_of_another_content_of_no_known_content_or_from_production_is_not_the_same() -> None:
    assert pairs(use("train", A), use("test", B)) == []
    assert pairs(use("train", None), use("test", None)) == []
    assert pairs(use("train", A), use("production", A)) == []
    assert pairs(use("train", A), use("train", A)) == []


def test_each_dataset_is_told_once_for_each_role_however_many_parts_there_are() -> None:
    found = list(measurements.same_data([*[use("train", A, f"t{at}") for at in range(50)], use("test", A)]))
    assert [(one.name, other.name) for one, other in found] == [("t0", "d")]


def test_it_is_said_which_data_is_which() -> None:
    record = minimal_record(datasets=Datasets(used=[use("train", A, "all"), use("test", A, "a\x1bll")]))
    ((field, message),) = measurements.judged_on_training(Facts(record))
    assert field == "datasets"
    assert message.startswith("the test data a\\x1bll is the same data as the train data all, so")


def test_metrics_beyond_the_limit_are_counted_and_those_at_it_are_not() -> None:
    assert measurements.too_many_metrics(1000, 1000) is None
    assert measurements.too_many_metrics(1001, 1000) == "1,001 metrics, but at most 1,000 are allowed (limits.metrics)"
