"""list, show, compare, log: what is on the ledger, as text, JSON and CSV."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.comparing.compare import SAME_SETTING, compare
from ledger.analysis.query.fields import FIELDS
from ledger.analysis.query.language import parse_query
from ledger.errors import UsageError
from ledger.model.boxes.inputs import Params
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from tests.asking import passing, sort_runs
from tests.conftest import Cli
from tests.samples import sample_ledger

MARKED = re.compile(r"\((?:highest|lowest)\)")


@pytest.fixture
def samples(ledger: Branch) -> Branch:
    """A ledger that holds the sample runs."""
    contents, blobs = sample_ledger()
    author = ledger.repository.author()
    for run in contents.runs:
        files = {f"{run.path}/{name}": blobs[blob] for name, blob in run.files.items()}
        for evaluation in run.evaluations:
            from ledger.model.document import dump
            from ledger.model.paths import evaluation_path

            files[evaluation_path(evaluation.id)] = dump(evaluation)
        made_at = datetime(2026, 11, 20, tzinfo=UTC)
        ledger.append(Entry(id=run.record.id, files=files, message="run\n", author=author, made_at=made_at))
    return ledger


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_newest_run_comes_first_and_the_limit_holds(samples: Branch, cli: Cli) -> None:
    ids = [run.record.id for run in samples.contents().runs]
    assert [row["id"] for row in rows(cli("list", "--csv", "-c", "id").out)] == ids[::-1]
    assert [row["id"] for row in rows(cli("list", "--csv", "-c", "id", "-n", "2").out)] == ids[::-1][:2]
    assert [row["id"] for row in rows(cli("list", "--csv", "-c", "id", "-r").out)] == ids


def test_filters_keep_what_passes_all_of_them(samples: Branch, cli: Cli) -> None:
    records = [run.record for run in samples.contents().runs]
    experiment = records[0].experiment
    expected = {r.id for r in records if r.experiment == experiment and r.status == "finished"}
    done = cli("list", f"experiment={experiment}", "status = finished", "--csv", "-c", "id")
    assert {row["id"] for row in rows(done.out)} == expected


def test_sorting_by_a_metric_never_mixes_dataset_versions(samples: Branch, cli: Cli) -> None:
    done = cli("list", "--sort", "metrics.validation/accuracy", "--csv", "-c", "id")
    assert "measured on different data" in done.err
    runs = {run.record.id: run for run in samples.contents().runs}
    seen: list[tuple[str, float]] = []
    for row in rows(done.out):
        metric = runs[row["id"]].record.metric("validation/accuracy")
        if metric is not None:
            seen.append((metric.dataset or "", metric.number))
    order = [label for label, _ in seen]
    assert order == sorted(order, key=order.index), "each version stands in one piece"
    for version in set(order):
        values = [value for label, value in seen if label == version]
        assert values == sorted(values, reverse=True)


def test_json_is_whole_records(samples: Branch, cli: Cli) -> None:
    listed = json.loads(cli("list", "--json").out)
    assert {record["id"] for record in listed} == {run.record.id for run in samples.contents().runs}
    assert all("params" in record and "timing" in record for record in listed)


def test_show_prints_all_ten_boxes_and_any_file(samples: Branch, cli: Cli) -> None:
    run = next(run for run in samples.contents().runs if "code.patch" in run.files and "curves.csv" in run.files)
    out = cli("show", run.record.id[16:]).out
    for box in run.record.boxes():
        assert f"\n{box}\n" in out
    assert "(later)" in cli("show", next(r for r in samples.contents().runs if r.evaluations).record.id).out
    patch = samples.read_blob(run.files["code.patch"]).decode()
    assert cli("show", run.record.id, "--file", "code.patch").out == patch
    assert json.loads(cli("show", run.record.id, "--json").out)["record"]["id"] == run.record.id
    done = cli("show", run.record.id, "--file", "nope")
    assert (done.code, done.out) == (1, "")
    assert "code.patch" in done.err


def test_nothing_from_a_record_controls_the_terminal(samples: Branch, cli: Cli) -> None:
    for run in samples.contents().runs:
        out = cli("show", run.record.id).out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert "\x1b" not in cli("list").out


def test_values_on_different_data_are_shown_and_not_ranked(samples: Branch, cli: Cli) -> None:
    runs = samples.contents().runs

    def on(version: str) -> str:
        return next(
            run.record.id
            for run in runs
            if (metric := run.record.metric("validation/accuracy"))
            and metric.dataset == f"digits-validation@{version}"
            and not run.evaluations
        )

    done = cli("compare", on("v1"), on("v2"))
    assert done.code == 0
    assert "not ranked: validation/accuracy: measured on different data: `digits-validation@v1`" in done.err
    assert not MARKED.search(next(line for line in done.out.splitlines() if line.startswith("validation/accuracy")))


def test_two_runs_measured_on_one_version_later_are_ranked_on_it(samples: Branch) -> None:
    runs = [run for run in samples.contents().runs if run.evaluations][:2]
    row = next(row for row in compare(runs).metrics if row.key == "validation/accuracy")
    assert {metric.dataset for metric in row.metrics if metric} == {"digits-validation@v2"}
    assert (row.best, row.refused) == (None, SAME_SETTING)  # they differ by seed only
    other = msgspec.structs.replace(runs[0].record, params=Params(values={"lr": 0.5}))
    runs[0] = msgspec.structs.replace(runs[0], record=other)
    row = next(row for row in compare(runs).metrics if row.key == "validation/accuracy")
    values = [metric.number for metric in row.metrics if metric]
    assert row.best == values.index(max(values))


def test_params_that_differ_stand_side_by_side(samples: Branch, cli: Cli) -> None:
    one, other = [run.record for run in samples.contents().runs if run.record.params.values][:2]
    comparison = json.loads(cli("compare", one.id, other.id, "--json").out)
    names = {row["name"] for row in comparison["params"]}
    expected = {
        name
        for name in {*one.params.values, *other.params.values}
        if one.params.values.get(name) != other.params.values.get(name)
    }
    assert names == expected
    assert cli("compare", one.id, one.id).code == 2


def test_the_log_reads_like_a_ledger(repo: Path, cli: Cli) -> None:
    cli("record", "-e", "digits", "-m", "validation/accuracy=0.5")
    (entry,) = json.loads(cli("log", "--json").out)
    assert entry["subject"].startswith("run digits: validation/accuracy 0.5 (")
    assert "digits" in cli("log", "-n", "1").out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status = finished", True),
        ("status != finished", False),
        ("experiment ~ PO", True),
        ("seed >= 0", True),
        ("params.nope = 1", False),
        ("params.nope != 1", True),
        ("started > 2026-01-01", True),
        ("started = 1999", False),
        ("duration < 1e9", True),
        ("metrics.validation/accuracy > 2", False),
        ("dataset = digits-validation@v1", True),
        ("dirty = false", True),
        ("id ~ 2026", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:  # noqa: FBT001  # a column of the table
    runs = sample_ledger()[0].runs
    run = next(
        run
        for run in runs
        if run.record.status == "finished"
        and run.record.code.dirty is False
        and any(use.label == "digits-validation@v1" for use in run.record.datasets.used)
    )
    text = text.replace("PO", run.record.experiment[1:4].upper())
    assert (run in passing(parse_query(text), [run])) is expected


@pytest.mark.parametrize("text", ["", "= 3", "lr =", "status = a b", "(status = a", "--"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_query(text)


@pytest.fixture
def named(repo: Path, cli: Cli) -> list[str]:
    """Three runs whose params and metrics bear names that may mean several things; their ids, oldest first."""
    (repo / "data").mkdir()
    (repo / "data" / "a.txt").write_text("a")
    for experiment, options in (
        ("one", ["-p", "lr=0.1", "-p", "optim/rate=3", "-m", "validation/accuracy=0.9", "-m", "train/loss=0.5"]),
        ("two", ["-p", "lr=0.01", "-p", "optim/rate=2", "-m", "validation/accuracy=0.8", "-m", "validation/loss=0.4"]),
        ("three", ["-p", "lr=0.1", "-p", "cost=7", "-m", "validation/accuracy=0.7", "-m", "test/lr=0.3"]),
    ):
        assert cli("record", "-e", experiment, "-d", "validation:digits@v1=data", *options).code == 0
    return [record["experiment"] for record in reversed(json.loads(cli("list", "--json").out))]


def listed(cli: Cli, *words: str) -> list[str]:
    return [record["experiment"] for record in json.loads(cli("list", *words, "--json").out)]


def test_a_param_and_a_metric_are_asked_for_by_their_names(named: list[str], cli: Cli) -> None:
    assert named == ["one", "two", "three"]
    assert listed(cli, "lr=0.1 accuracy>0.8") == ["one"]
    assert listed(cli, "val/accuracy>0.75") == ["two", "one"]
    assert listed(cli, "optim/rate=3") == listed(cli, "rate=3") == ["one"]
    assert listed(cli, "--sort", "accuracy") == ["one", "two", "three"]
    assert listed(cli, "--sort", "rate") == listed(cli, "--sort", "params.optim/rate") == ["two", "one", "three"]
    done = cli("list", "--columns", "experiment,lr,accuracy", "--csv", "--sort", "started")
    assert done.out.splitlines() == ["experiment,lr,accuracy", "one,0.1,0.9", "two,0.01,0.8", "three,0.1,0.7"]


def test_every_verb_reads_names_by_one_rule_and_says_what_else_they_may_mean(named: list[str], cli: Cli) -> None:
    assert named
    said = "warning: `lr` is read as `params.lr`; there is also `metrics.test/lr`"
    for verb in (
        ["list", "lr=0.1"], ["export", "lr=0.1"], ["leaderboard", "lr=0.1"], ["matrix", "digits", "--runs", "lr=0.1"],
        ["align", "validation/accuracy", "online/clicks", "lr=0.1"], ["aggregate", "lr=0.1"],
        ["list", "--sort", "lr"],
    ):  # fmt: skip
        assert said in cli(*verb).err.splitlines(), verb
        wrong = cli(*("loss=1" if word == "lr=0.1" else "loss" if word == "lr" else word for word in verb))
        assert wrong.code == 2, verb
        assert "`loss` may mean `metrics.train/loss` or `metrics.validation/loss`" in wrong.err, verb
    assert "`cost` is read as `cost`; there is also `params.cost`" in cli("list", "--sort", "cost").err


def test_an_empty_filter_asks_for_all(named: list[str], cli: Cli) -> None:
    assert listed(cli, "", " ") == named[::-1]


def test_sorting_puts_runs_without_the_field_last() -> None:
    runs = sample_ledger()[0].runs
    values = [run.record.model.parameters for run in sort_runs(runs, "parameters").runs]
    having = [value for value in values if value is not None]
    assert values == sorted(having) + [None] * (len(values) - len(having))


def test_a_later_measurement_stands_beside_the_first(repo: Path, cli: Cli) -> None:
    for version in ("v1", "v2"):
        (repo / version).mkdir()
        (repo / version / "a.txt").write_text(version)
    cli("record", "-m", "validation/accuracy=0.9", "-d", "validation:digits@v1=v1", "-e", "one", "-p", "lr=1")
    cli("record", "-m", "validation/accuracy=0.5", "-d", "validation:digits@v2=v2", "-e", "two", "-p", "lr=2")
    one, two = [record["id"] for record in reversed(json.loads(cli("list", "--json").out))]
    assert not MARKED.search(cli("compare", one, two).out)
    done = cli("evaluate", one[16:], "-m", "validation/accuracy=0.4", "-d", "validation:digits@v2=v2")
    assert done.code == 0
    assert f"of {one}: validation/accuracy 0.4 on digits@v2" in done.err
    line = next(row for row in cli("compare", one, two).out.splitlines() if row.startswith("validation/accuracy"))
    assert line.split("\t")[1:] == ["0.4", "0.5 (highest)"]
    assert f"whether that is more than noise: ledger judge {two} --against {one}" in cli("compare", one, two).err
    assert "0.4 on digits@v2" in cli("show", one).out
    assert cli("evaluate", one).code == 1
    assert cli("evaluate", "zzz", "-m", "a=1").code == 1


def test_the_help_of_list_names_every_field(cli: Cli) -> None:
    words = re.findall(r"\w+", cli("list", "--help").out.partition("Fields:")[2])
    assert set(FIELDS) <= set(words)
