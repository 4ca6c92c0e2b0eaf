"""From a draft to an entry: everything captured, nothing secret, nothing half-written."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.analysis.data.curves import Point, gather
from ledger.errors import Conflict, LedgerError, NotAppended
from ledger.model.boxes.outputs import Metric
from ledger.model.record import Link
from ledger.recorder import Dataset, Draft, FigureSource, Recorded, evaluate, record
from ledger.recorder.record.draft import CaptureProblem
from ledger.recorder.record.options import Given, parse_dataset, read_given
from ledger.store.branch.branch import Appended, Branch
from ledger.store.branch.pending import Entry, waiting_files
from tests.conftest import git_in, state_of

NOW = datetime(2026, 11, 20, 19, 48, 12, tzinfo=UTC)
TOKEN = "ghp_" + "a1B2c3D4e5" * 4
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def draft(number: int = 0, **more: object) -> Draft:
    facts = {
        "id": f"20261120-194812-{number:06d}",
        "status": "finished",
        "experiment": "digits",
        "started_at": NOW,
        "ended_at": NOW + timedelta(seconds=3),
        "duration_seconds": 3.0,
    }
    return Draft(**(facts | more))  # type: ignore[arg-type]  # fields by name


def add(ledger: Branch, made: Draft, *, strict: bool = True) -> Recorded:
    return record(ledger, made, state_dir=ledger.repository.state_dir, strict=strict)


@pytest.fixture
def data(repo: Path) -> Path:
    folder = repo / "data"
    for name in ("train", "val"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.txt").write_text(name)
    return folder


def test_all_ten_boxes_are_answered_even_when_nothing_was_given(ledger: Branch) -> None:
    made = add(ledger, draft(timed=False)).record
    for name, box in made.boxes().items():
        says_something = any(getattr(box, field) for field in box.__struct_fields__ if field not in {"unknown", "file"})
        assert says_something or box.unknown, name
    assert made.cost.unknown["all"].startswith("the run's duration was not measured")
    assert made.model.unknown == {"all": "no model was given"}


def test_the_record_on_the_branch_is_the_record_returned(ledger: Branch, repo: Path) -> None:
    recorded = add(ledger, draft(params={"lr": 0.1}, metrics=[Metric(name="accuracy", value=0.9, split="validation")]))
    (run,) = ledger.contents().runs
    assert run.record == recorded.record
    shown = git_in(repo, "show", f"ledger:{recorded.path}/record.json")
    assert json.loads(shown)["params"]["values"] == {"lr": 0.1}
    assert shown.startswith('{\n  "format": 1,\n  "id"')


class Raced(Branch):
    """A ledger on which others append something just before we do, once."""

    before: list[Callable[[], object]]

    def append(self, entry: Entry) -> Appended:
        while self.before:
            self.before.pop()()
        return super().append(entry)


@pytest.mark.parametrize("strict", [True, False])
def test_two_runs_that_add_the_same_dataset_version_at_once_are_both_recorded(
    ledger: Branch, repo: Path, data: Path, *, strict: bool
) -> None:
    datasets = [Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v1")]
    raced = Raced.open(repo)
    assert isinstance(raced, Raced)
    raced.before = [lambda: add(ledger, draft(1, datasets=datasets))]
    made = add(raced, draft(2, datasets=datasets), strict=strict).record
    assert made.datasets.used[0].label == "digits-val@v1"
    assert made.datasets.unknown == {}
    contents = ledger.contents()
    assert (len(contents.runs), len(contents.datasets)) == (2, 1)


def test_an_evaluation_that_adds_a_dataset_version_together_with_another_is_recorded(
    ledger: Branch, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v2")
    first = add(ledger, draft(1)).record
    Raced.before = [lambda: add(ledger, draft(2, datasets=[dataset]))]
    monkeypatch.setattr("ledger.recorder.statements.evaluation.Branch", Raced)
    evaluate(first.id, {"validation/accuracy": 0.9}, datasets=[dataset])
    contents = ledger.contents()
    assert [len(run.evaluations) for run in contents.runs] == [1, 0]
    assert [version.label for version in contents.datasets] == ["digits-val@v2"]


def test_metrics_know_the_dataset_of_their_split(ledger: Branch, data: Path) -> None:
    metrics = [Metric(name="accuracy", value=0.9, split=split) for split in ("validation", "train", "test")]
    datasets = [
        Dataset(role="train", path=str(data / "train")),
        Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v1"),
    ]
    made = add(ledger, draft(metrics=metrics, datasets=datasets)).record
    labels = {metric.split: (metric.dataset, metric.dataset_hash) for metric in made.results.metrics}
    assert labels["validation"] == ("digits-val@v1", made.datasets.used[1].hash)
    assert labels["train"][1] == made.datasets.used[0].hash
    assert labels["test"] == (None, None)
    assert made.headline is not None
    assert made.headline.key == "validation/accuracy"


def test_a_new_dataset_version_is_added_once(ledger: Branch, data: Path, repo: Path) -> None:
    used = [Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v1", reason="first")]
    add(ledger, draft(1, datasets=used))
    add(ledger, draft(2, datasets=used))
    (version,) = ledger.contents().datasets
    assert (version.label, version.reason, version.files) == ("digits-val@v1", "first", 1)
    assert len(git_in(repo, "log", "--format=%H", "ledger", "--", "datasets").split()) == 1


def test_changed_data_cannot_take_the_label_of_another_version(ledger: Branch, data: Path) -> None:
    used = [Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v1")]
    add(ledger, draft(1, datasets=used))
    (data / "val" / "a.txt").write_text("changed")
    tip = ledger.tip()
    with pytest.raises(Conflict, match="digits-val@v1"):
        add(ledger, draft(2, datasets=used))
    assert ledger.tip() == tip
    # At the end of a training nothing may be lost: the run is recorded by hash, and says why.
    made = add(ledger, draft(2, datasets=used), strict=False).record
    (use,) = made.datasets.used
    assert use.version is None
    assert use.hash != ledger.contents().datasets[0].hash
    assert "digits-val@v1" in next(iter(made.datasets.unknown.values()))


def test_secrets_never_reach_the_branch_from_anywhere(ledger: Branch, repo: Path) -> None:
    (repo / "train.log").write_text(f"login with {TOKEN}\n")
    (repo / "config.py").write_text(f"TOKEN = '{TOKEN}'\n")
    (repo / ".gitignore").write_text("*.pt\n")
    (repo / f"model-{TOKEN}.pt").write_bytes(b"weights")
    (repo / "roc.svg").write_bytes(SVG)
    git_in(repo, "remote", "add", "origin", f"https://ada:{TOKEN}@example.com/a.git")
    made = draft(
        params={"api_key": "hunter2hunter2", "name": TOKEN, "max_tokens": 5},
        command=["train.py", "--token", "s3cr3t-value", f"--url=https://u:{TOKEN}@h/x"],
        note=f"note {TOKEN}",
        experiment=f"with {TOKEN}",
        figures=[FigureSource(title=f"roc {TOKEN}", path="roc.svg")],
        model_path=f"model-{TOKEN}.pt",
        reason=f"reason {TOKEN}",
        tags=[TOKEN],
        links=[Link(url=f"https://u:{TOKEN}@example.com/x")],
        log="train.log",
        datasets=[Dataset(role="train", path="config.py", reason=TOKEN, name="d", version="v1")],
    )
    recorded = add(ledger, made)
    everything = git_in(repo, "log", "-p", "--binary", "--format=full", "ledger")
    for secret in (TOKEN, "hunter2hunter2", "s3cr3t-value"):
        assert secret not in everything
    assert recorded.record.params.values["max_tokens"] == 5
    assert sum(recorded.record.redactions.values()) >= 8
    assert "[redacted: " in git_in(repo, "show", f"ledger:{recorded.path}/code.patch")
    assert recorded.record.code.patch is not None
    assert recorded.record.code.patch.exact is False


def test_secrets_in_names_and_in_what_errors_quote_never_reach_the_branch(ledger: Branch, repo: Path) -> None:
    metric = Metric(name=TOKEN, value=1.0, split=TOKEN, dataset=TOKEN, evaluator=TOKEN)
    made = draft(
        parent=TOKEN,
        baseline=TOKEN,
        metrics=[metric],
        headline=metric.key,
        curves=gather([Point(step=1, values={TOKEN: 1.0}), Point(step=2, values={"loss": 2.0})]),
        problems=[CaptureProblem(field="tracker", message=f"cannot log in at https://u:{TOKEN}@example.com")],
        datasets=[Dataset(role="train", path=f"nowhere/{TOKEN}")],
        model_path=f"nowhere/{TOKEN}",
        log=f"nowhere/{TOKEN}",
    )
    recorded = add(ledger, made, strict=False)
    assert TOKEN not in git_in(repo, "log", "-p", "--format=full", "ledger")
    assert recorded.record.headline is not None
    assert set(recorded.record.statistics.series) == {"[redacted: github-token]", "loss"}
    assert "[redacted: " in recorded.record.results.unknown["tracker"]
    assert sum(recorded.record.redactions.values()) >= 10


def test_what_is_named_and_missing_is_refused_and_nothing_is_written(ledger: Branch) -> None:
    for given in (
        {"log": "nope.log"},
        {"model_path": "nope.pt"},
        {"datasets": [Dataset(role="train", path="nope")]},
        {"figures": [FigureSource(title="x", path="nope.png")]},
        {"headline": "validation/nope", "metrics": [Metric(name="a", value=1.0)]},
    ):
        with pytest.raises(LedgerError, match="nope"):
            add(ledger, draft(**given))
    assert ledger.tip() is None


def test_at_the_end_of_a_training_the_rest_is_recorded_and_says_why(ledger: Branch) -> None:
    made = add(
        ledger,
        draft(
            log="nope.log",
            model_path="nope.pt",
            datasets=[Dataset(role="train", path="nope")],
            figures=[FigureSource(title="x", path="nope.png")],
        ),
        strict=False,
    ).record
    assert "nope.log" in made.logs.unknown["all"]
    assert "nope.pt" in made.model.unknown["all"]
    assert "nope" in made.datasets.unknown["used.nope"]
    assert "nope.png" in made.results.unknown["figures.x"]


def test_figures_are_kept_by_what_they_are_not_by_their_name(ledger: Branch, repo: Path) -> None:
    (repo / "a.png").write_bytes(SVG)
    (repo / "b.svg").write_text("<p>no picture</p>")
    recorded = add(
        ledger,
        draft(figures=[FigureSource(title="My <b> plot", path="a.png")] * 2 + [FigureSource(title="b", path="b.svg")]),
        strict=False,
    )
    assert [figure.file for figure in recorded.record.results.figures] == [
        "figures/my-b-plot.svg",
        "figures/my-b-plot-2.svg",
    ]
    assert "must be png or svg" in recorded.record.results.unknown["figures.b"]


def test_a_record_that_cannot_be_appended_waits_whole(ledger: Branch, repo: Path) -> None:
    ledger.create(ledger.repository.author(), NOW)
    lock = repo / ".git" / "refs" / "heads" / "ledger.lock"
    lock.write_text("")
    os.utime(lock, (time.time() - 100, time.time() - 100))
    with pytest.raises(NotAppended, match="is safe in"):
        add(ledger, draft())
    assert len(waiting_files(ledger.repository.state_dir)) == 1


def test_recording_touches_nothing_of_the_user_s(ledger: Branch, repo: Path) -> None:
    (repo / "dirty.py").write_text("1")
    before = state_of(repo)
    add(ledger, draft())
    assert state_of(repo) == before


def test_a_parent_is_named_by_enough_of_its_id(ledger: Branch) -> None:
    add(ledger, draft(1))
    made = add(ledger, draft(2, parent="000001", baseline="20261120-194812-000001")).record
    assert made.parent == made.baseline == "20261120-194812-000001"
    with pytest.raises(LedgerError, match="no run has this id: `zzz`"):
        add(ledger, draft(3, baseline="zzz"))
    assert add(ledger, draft(3, baseline="zzz"), strict=False).record.baseline == "zzz"


def test_environments_that_are_the_same_are_one_blob(ledger: Branch) -> None:
    add(ledger, draft(1))
    add(ledger, draft(2))
    one, other = ledger.contents().runs
    assert one.files["environment.json"] == other.files["environment.json"]
    assert one.record.environment.hash == other.record.environment.hash


def test_policy_says_which_values_are_better(ledger: Branch, repo: Path) -> None:
    from ledger.repository.history.append import append_commit

    ledger.create(ledger.repository.author(), NOW)
    append_commit(
        ledger.repository,
        ledger.ref,
        parent=ledger.tip(),
        files={"policy.yaml": b"directions: {score: lower}\n"},
        message="policy\n",
        author=ledger.repository.author(),
        now=NOW,
    )
    made = add(Branch(ledger.repository), draft(metrics=[Metric(name="score", value=1.0, split="test")])).record
    assert made.results.metrics[0].direction == "lower"


def test_the_commit_message_is_an_entry_of_a_ledger(ledger: Branch, repo: Path) -> None:
    recorded = add(ledger, draft(metrics=[Metric(name="accuracy", value=0.97219, split="validation")]))
    message = git_in(repo, "log", "-1", "--format=%B", "ledger")
    assert message.startswith(
        "run digits: validation/accuracy 0.97219 (20261120-194812-000000)\n\nfinished after 3.0 s"
    )
    trailers = git_in(repo, "log", "-1", "--format=%(trailers:key=Ledger-Entry,valueonly)", "ledger").strip()
    assert trailers == recorded.path


def test_hostile_names_cannot_break_the_message_or_the_paths(ledger: Branch, repo: Path) -> None:
    hostile = draft(experiment="x\x1b[31m\n\nLedger-Entry: fake", metrics=[Metric(name="<script>", value=1.0)])
    with pytest.raises(LedgerError, match="holds control or invisible characters"):
        add(ledger, hostile)
    made = add(ledger, hostile, strict=False).record  # of a run that has ended, all else is kept
    assert made.experiment == r"x\x1b[31m\n\nLedger-Entry: fake"
    assert made.metric("<script>") is not None
    message = git_in(repo, "log", "-1", "--format=%B", "ledger")
    assert "\x1b" not in message
    assert message.count("\nLedger-Entry: ") == 1


def test_a_detached_head_and_a_repository_without_commits_are_recorded(repo: Path, tmp_path: Path) -> None:
    git_in(repo, "checkout", "-q", "--detach")
    made = add(Branch.open(repo), draft(1)).record
    assert made.code.commit
    assert made.code.branch is None
    git_in(tmp_path, "init", "-q", "empty")
    made = add(Branch.open(tmp_path / "empty"), draft(2)).record
    assert made.code.commit is None
    assert "no commit yet" in made.code.unknown["commit"]


def test_a_commit_that_was_never_pushed_is_kept_alive(ledger: Branch, repo: Path) -> None:
    head = git_in(repo, "rev-parse", "HEAD").strip()
    add(ledger, draft())
    assert head in git_in(repo, "rev-list", "refs/ledger/kept").split()


def test_an_evaluation_names_its_run_and_its_data(ledger: Branch, data: Path) -> None:
    add(ledger, draft(metrics=[Metric(name="accuracy", value=0.9, split="validation")]))
    used = Dataset(role="validation", path=str(data / "val"), name="digits-val", version="v2")
    evaluate("000000", {"validation/accuracy": 0.5}, datasets=[used])
    contents = ledger.contents()
    (run,) = contents.runs
    (evaluation,) = run.evaluations
    assert evaluation.metrics[0].dataset == "digits-val@v2"
    assert [version.label for version in contents.datasets] == ["digits-val@v2"]
    with pytest.raises(LedgerError, match="no run has this id"):
        evaluate("zzzzzz", {"accuracy": 1.0})
    with pytest.raises(LedgerError, match="at least one metric"):
        evaluate("000000", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train=data/x", ("train", None, None, "data/x")),
        ("validation:d@v2=a=b", ("validation", "d", "v2", "a=b")),
        ("test:d=p", ("test", "d", None, "p")),
    ],
)
def test_datasets_are_named_on_the_command_line(text: str, expected: tuple[object, ...]) -> None:
    made = parse_dataset(text)
    assert (made.role, made.name, made.version, made.path) == expected


@pytest.mark.parametrize("text", ["", "train", "train=", "=x", "devv=x", "data/x"])
def test_a_malformed_dataset_is_a_usage_error(text: str) -> None:
    with pytest.raises(LedgerError) as caught:
        parse_dataset(text)
    assert text in str(caught.value)


def test_a_results_file_of_an_earlier_run_is_not_this_run_s(repo: Path) -> None:
    import os

    (repo / "metrics.json").write_text('{"validation/accuracy": 0.9}')
    os.utime(repo / "metrics.json", (1_000_000, 1_000_000))
    made = read_given(Given(metrics_files=["metrics.json"]), draft(), newer_than=2_000_000, strict=False)
    assert made.metrics == []
    assert "older than the run" in made.problems[0].message


def test_an_option_overrides_a_file(repo: Path) -> None:
    (repo / "p.json").write_text('{"lr": 1, "seed": 7}')
    (repo / "m.json").write_text('{"validation/accuracy": 0.1}')
    given = Given(
        params_files=["p.json"], params=["lr=2"], metrics_files=["m.json"], metrics=["validation/accuracy=0.2"]
    )
    made = read_given(given, draft())
    assert (made.params, made.seed) == ({"lr": 2, "seed": 7}, 7)
    assert [metric.value for metric in made.metrics] == [0.2]
