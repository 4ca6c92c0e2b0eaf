"""Weak points from tables: the worst with intervals, what is more than chance, and what changed against another run."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from ledger.analysis.data.prediction_statistics import newcombe_interval, sign_test, wilson_interval
from ledger.analysis.weak.find import Reference, find_weak_points, versions_until
from ledger.analysis.weak.metric_tables import MetricTables, choose_group, read_metric_tables
from ledger.analysis.weak.next_changes import step_advice, with_guesses
from ledger.analysis.weak.weak_points import WeakPoints
from ledger.model.boxes.inputs import Params, Step
from ledger.model.boxes.outputs import Metric, Table
from ledger.model.datasets import SamplePicture, VersionChange
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.tables import Cells
from ledger.model.values import ParamValue
from tests.sample_boxes import AUTHORS, TOOL, V1_HASH
from tests.sample_tables import Named, with_tables
from tests.samples import START, Blobs, sample_reader, sample_run

SLICES = Cells(
    columns=["slice", "accuracy", "samples"],
    rows=[["day", "0.95", "400"], ["night", "0.6", "200"], ["dawn", "0.7", "10"]],
)
CLASSES = Cells(
    columns=["class", "precision", "recall", "f1", "support"],
    rows=[["cat", "0.9", "0.9", "0.9", "100"], ["dog", "0.8", "0.7", "0.75", "100"], ["eel", "", "", "", "0"]],
)
CONFUSION = Cells(
    columns=["truth", "cat", "dog", "eel"],
    rows=[["cat", "90", "10", "0"], ["dog", "28", "70", "2"], ["eel", "0", "0", "0"]],
)
MISTAKES = Cells(
    columns=["sample", "truth", "predicted", "confidence"],
    rows=[["a/1.png", "cat", "dog", "0.8"], ["two", "dog", "cat", "0.99"], ["three", "dog", "cat", "0.7"]],
)


def samples(right: str) -> Cells:
    rows = [[f"s{place}", value] for place, value in enumerate(right)]
    return Cells(columns=["sample", "value"], rows=rows)


class Study:
    """A run with tables, and the run that it is compared with."""

    def __init__(self) -> None:
        self.blobs: Blobs = {}

    def run(self, index: int, *tables: Named, chain: Sequence[Step] = (), **params: ParamValue) -> StoredRun:
        run = sample_run(
            self.blobs, index, experiment="e", params={}, accuracy=0.83, started=START + timedelta(hours=index)
        )
        metrics = [
            msgspec.structs.replace(one, value=0.83, evaluator=None) if one.key == "validation/accuracy" else one
            for one in run.record.results.metrics
        ]
        results = msgspec.structs.replace(run.record.results, metrics=metrics, headline="validation/accuracy")
        inputs = Params(values=params, chain=list(chain))
        record = msgspec.structs.replace(run.record, results=results, params=inputs)
        return with_tables(self.blobs, msgspec.structs.replace(run, record=record), list(tables))

    def tables(self, run: StoredRun) -> MetricTables:
        group = choose_group(run)
        assert group is not None
        found = read_metric_tables(run, sample_reader(self.blobs), group)
        assert found is not None
        return found

    def points(self, run: StoredRun, other: StoredRun | None = None, **more: object) -> WeakPoints:
        reference = Reference(other, "baseline", self.tables(other)) if other else None
        return find_weak_points(run, self.tables(run), reference, **more)  # type: ignore[arg-type]  # as the test gives


@pytest.fixture
def study() -> Study:
    return Study()


def test_slices_come_worst_first_with_wilsons_interval_and_only_what_is_more_than_chance_is_weak(study: Study) -> None:
    points = study.points(study.run(0, ("slices", "slices", SLICES)))
    assert [(one.name, one.weak) for one in points.slices] == [("night", True), ("dawn", False), ("day", False)]
    assert (points.slices[0].low, points.slices[0].high) == wilson_interval(0.6, 200)
    assert points.value == 0.83


def test_of_many_slices_one_that_is_low_by_chance_is_not_weak(study: Study) -> None:
    # Alone, 0.75 of 100 lies below 0.83; of a hundred slices, several do by chance.
    rows = [["low", "0.74", "100"], *([f"s{place}", "0.83", "100"] for place in range(99))]
    alone = Cells(columns=SLICES.columns, rows=rows[:1])
    assert study.points(study.run(0, ("slices", "slices", alone))).slices[0].weak
    many = Cells(columns=SLICES.columns, rows=rows)
    assert not study.points(study.run(1, ("slices", "slices", many))).slices[0].weak


def test_a_loss_by_slice_has_no_interval_and_its_largest_comes_first(study: Study) -> None:
    rows = [["day", "0.2", "400"], ["night", "1.7", "200"]]
    run = study.run(0, ("slices", "slices", Cells(columns=["slice", "loss", "samples"], rows=rows)))
    tables = study.tables(run)
    metric = Metric(name="loss", value=0.7, split="validation", direction="lower")
    points = find_weak_points(run, msgspec.structs.replace(tables, metric=metric))
    assert [(one.name, one.low, one.weak) for one in points.slices] == [("night", None, False), ("day", None, False)]


def test_classes_are_ordered_by_recall_and_one_without_samples_is_left_out(study: Study) -> None:
    points = study.points(study.run(0, ("classes", "classes", CLASSES)))
    assert [(one.name, one.value) for one in points.classes] == [("dog", 0.7), ("cat", 0.9)]


def test_pairs_are_those_of_the_matrix_or_of_the_table_of_pairs(study: Study) -> None:
    points = study.points(study.run(0, ("confusion", "confusion", CONFUSION)))
    assert [(one.truth, one.predicted, one.count, one.share) for one in points.pairs] == [
        ("dog", "cat", 28, 0.28), ("cat", "dog", 10, 0.1), ("dog", "eel", 2, 0.02),
    ]  # fmt: skip
    table = Cells(columns=["truth", "predicted", "count"], rows=[["dog", "cat", "28"], ["cat", "dog", "10"]])
    points = study.points(study.run(1, ("confused pairs", "table", table), ("classes", "classes", CLASSES)))
    assert [(one.truth, one.predicted, one.count, one.share) for one in points.pairs] == [
        ("dog", "cat", 28, 0.28), ("cat", "dog", 10, 0.1),
    ]  # fmt: skip


def version(label: str, day: int, *pictures: SamplePicture) -> DatasetVersion:
    change = VersionChange(parent="v0", added=1, removed=0, changed=0, pictures=list(pictures))
    return DatasetVersion(
        format=1, name="digits-validation", version=label, role="validation", hash=V1_HASH if label == "v1" else "x",
        files=1, bytes=1, change=change, author=AUTHORS[0], added_at=START + timedelta(days=day), tool=TOOL,
    )  # fmt: skip


def picture(sample: str, number: int, change: str = "added") -> SamplePicture:
    taken = {"sample": sample, "change": change, "file": f"pictures/{number}.png", "hash": f"blake3:{number}"}
    return msgspec.convert(taken, SamplePicture)


def test_the_surest_mistakes_come_first_with_the_pictures_that_versions_kept(study: Study) -> None:
    versions = [
        version("v0", 0, picture("a/1.png", 1), picture("b/two.png", 2), picture("b/three.png", 3)),
        version("v1", 1, picture("c/three.png", 4), picture("a/1.png", 5, "changed")),
    ]
    points = study.points(study.run(0, ("mistakes", "table", MISTAKES)), versions=versions)
    assert [one.sample for one in points.mistakes] == ["two", "a/1.png", "three"]
    shown = {one.sample: one.picture.path if one.picture else None for one in points.mistakes}
    assert shown == {
        "two": "datasets/digits-validation/v0/pictures/2.png",  # the only file of that name
        "a/1.png": "datasets/digits-validation/v1/pictures/5.png",  # as it was when it was judged
        "three": None,  # which of two files of that name it is, is not known
    }


def test_only_versions_up_to_the_judged_one_lend_pictures() -> None:
    versions = [version("v2", 2), version("v1", 1), version("v0", 0)]
    assert [one.version for one in versions_until(versions, V1_HASH)] == ["v0", "v1"]
    assert versions_until(versions, "blake3:unknown") == []
    assert versions_until(versions, "") == []


def test_samples_that_changed_sides_are_counted_and_the_surest_mistakes_named_first(study: Study) -> None:
    mistakes = Cells(columns=MISTAKES.columns, rows=[["s1", "a", "b", "0.9"], ["s0", "a", "b", "0.8"]])
    run = study.run(0, ("samples", "samples", samples("0001")), ("mistakes", "table", mistakes))
    other = study.run(1, ("samples", "samples", samples("1100")))
    flips = study.points(run, other).flips
    assert flips is not None
    assert (flips.broken, flips.broken_samples, flips.mended_samples) == (2, ["s1", "s0"], ["s3"])
    assert flips.p_value == 1.0
    values = Cells(columns=["sample", "value"], rows=[["s0", "0.3"]])
    assert study.points(study.run(2, ("samples", "samples", values)), other).flips is None  # no right and wrong


def test_the_sign_test_is_exact_for_few_changes_and_agrees_with_the_normal_for_many() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert sign_test(1, 9) == pytest.approx(2 * 11 / 1024)
    assert sign_test(470, 530) == pytest.approx(sign_test(471, 531), rel=0.01)  # below and above 1,000 changes
    assert sign_test(10**6, 10**6 + 10_000) == pytest.approx(1.55e-12, rel=0.05)


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998, table II, 56/70 - 48/80: 0.0524 to 0.3339 by method 10.
    low, high = newcombe_interval(56 / 70, 70, 48 / 80, 80)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


FLIP = Step(name="augment", stage="input")


def test_a_step_that_changed_together_with_a_slice_is_named_and_what_changed_beside_it(study: Study) -> None:
    better = Cells(columns=SLICES.columns, rows=[["day", "0.95", "400"], ["night", "0.9", "200"]])
    run = study.run(0, ("slices", "slices", SLICES), chain=[FLIP], lr=0.2, **{"augment.flip": True})
    other = study.run(1, ("slices", "slices", better), chain=[FLIP], lr=0.1, **{"augment.flip": False})
    points = study.points(run, other)
    assert [(one.name, one.moved, one.before) for one in points.moved] == [("night", "worse", 0.9)]
    assert [(step.name, step.said) for step in points.steps] == [("augment", "flip: false → true")]
    assert points.beside == ["lr"]
    (advice,) = step_advice(points)
    assert advice.rule == "steps"
    told = (
        f"`night` is worse than in {other.record.id} (0.9 → 0.6); `augment` (flip: false → true) differs, and so do lr"
    )
    assert advice.say == f"{told}: try it as it was there"
    assert "a guess" in advice.source


def test_nothing_is_said_of_steps_where_slices_moved_within_chance_or_no_step_changed(study: Study) -> None:
    near = Cells(columns=SLICES.columns, rows=[["night", "0.65", "200"]])
    run = study.run(0, ("slices", "slices", SLICES), chain=[FLIP])
    assert step_advice(study.points(run, study.run(1, ("slices", "slices", near)))) == []
    far = Cells(columns=SLICES.columns, rows=[["night", "0.9", "200"]])
    assert step_advice(study.points(run, study.run(2, ("slices", "slices", far), chain=[FLIP]))) == []


def test_steps_that_were_added_removed_or_have_other_code_are_changes(study: Study) -> None:
    new, old = (Step(name="augment", stage="input", code=code) for code in ("blake3:1", "blake3:2"))
    vote = Step(name="vote", stage="output")
    table: Named = ("slices", "slices", SLICES)
    points = study.points(study.run(0, table, chain=[new]), study.run(1, table, chain=[old, vote]))
    assert [(step.name, step.said) for step in points.steps] == [("augment", "its code"), ("vote", "removed")]


def test_each_guess_names_its_rule_and_there_is_one_of_each_kind_at_most(study: Study) -> None:
    run = study.run(
        0, ("slices", "slices", SLICES), ("mistakes", "table", MISTAKES), ("confusion", "confusion", CONFUSION)
    )
    points = with_guesses(run, study.points(run), [])
    said = {one.about: one.say for one in points.guesses}
    assert len(said) == len(points.guesses)
    assert said["data"] == "add training data like `night`: 0.6 there, 0.83 on all samples"
    assert said["augmentation"] == "try an augmentation that makes other samples look like `night`"
    assert "architecture" not in said
    assert "run.metric('train/accuracy'" in points.missing["architecture"]
    assert all(one.rule for one in points.guesses)


def test_without_a_weak_slice_labels_of_sure_mistakes_are_looked_at_first(study: Study) -> None:
    run = study.run(0, ("mistakes", "table", MISTAKES))
    (guess,) = with_guesses(run, study.points(run), []).guesses
    assert guess.say == "look at the labels of the surest mistakes first, such as `two`, labelled `dog`"
    assert "Northcutt" in guess.rule


def test_what_was_not_recorded_names_its_call(study: Study) -> None:
    points = study.points(study.run(0, ("classes", "classes", CLASSES)))
    assert points.missing["slices"] == "not recorded: run.predictions(truth, predicted, slices=…)"
    assert "confidence=" in points.missing["mistakes"]
    assert "ledger baseline" in points.missing["comparison"]
    assert "classes" not in points.missing


def test_why_nothing_is_compared_is_the_real_reason(study: Study) -> None:
    run, other = study.run(0, ("slices", "slices", SLICES)), study.run(1)

    def why(reference: Reference | None, run: StoredRun = run, **more: object) -> str:
        return find_weak_points(run, study.tables(run), reference, **more).missing["comparison"]  # type: ignore[arg-type]  # as the test gives

    assert why(None) == "this experiment has no baseline: ledger baseline RUN, or --against RUN"
    assert "this run is the baseline of its experiment" in why(None, baseline=run.record.id)
    lost = msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, baseline="20260101-000000-aaaaaa"))
    assert "its baseline 20260101-000000-aaaaaa is not on this ledger" in why(None, lost)
    kept_none = why(Reference(other, "baseline", None))
    assert kept_none == f"the baseline {other.record.id} kept no such tables on digits-validation@v1"
    results = msgspec.structs.replace(other.record.results, metrics=[])
    unmeasured = msgspec.structs.replace(other, record=msgspec.structs.replace(other.record, results=results))
    said = why(Reference(unmeasured, "baseline", None))
    assert said == f"the baseline {other.record.id} is not measured on digits-validation@v1"


def test_a_damaged_table_is_a_problem_and_the_others_are_read(study: Study) -> None:
    run = study.run(0, ("slices", "slices", SLICES), ("classes", "classes", CLASSES))
    study.blobs[run.files["tables/0-slices.csv"]] = b"slice,accuracy,samples\nday,high,1\n"
    points = study.points(run)
    assert points.slices == []
    assert points.classes
    assert points.missing["slices"].startswith("cannot be read")


def test_the_headline_decides_whose_tables_are_read(study: Study) -> None:
    run = study.run(0, ("slices", "slices", SLICES))
    table = run.record.statistics.tables[0]

    def with_metrics(*names: str) -> StoredRun:
        tables: list[Table] = [msgspec.structs.replace(table, metric=name) for name in names]
        statistics = msgspec.structs.replace(run.record.statistics, tables=tables)
        return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, statistics=statistics))

    def chosen(*names: str, metric: str | None = None) -> str | None:
        group = choose_group(with_metrics(*names), metric)
        return group.key if group else None

    assert chosen("test/accuracy", "validation/accuracy") == "validation/accuracy"
    assert chosen("test/f1", "validation/f1") == "validation/f1"
    assert chosen("test/f1") == "test/f1"
    assert chosen("test/f1", "validation/accuracy", metric="test/f1") == "test/f1"
    assert chosen("test/f1", metric="validation/f1") is None
    assert chosen() is None
