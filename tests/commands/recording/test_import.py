"""`ledger import`: the history of another tracker, with its times, and each loss said."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, git_in
from tests.formats.trackers import test_results_tsv as tables
from tests.formats.trackers.archive import unpack

Store = Callable[[str], Path]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Unpack a store that the real package made."""

    def unpacked(name: str) -> Path:
        folder = unpack(name, tmp_path / "stores" / name)
        entries = list(folder.iterdir()) if folder.is_dir() else []
        return entries[0] if len(entries) == 1 else folder

    return unpacked


def records(repo: Path) -> list[Record]:
    return [run.record for run in Branch.open(repo).contents().runs]


@pytest.mark.parametrize(
    "name",
    [
        *("mlflow_database", "mlflow_files", "wandb_file", "trackio_database", "dvclive", "sacred_folder"),
        *("optuna_storage", "clearml_offline", "aim_export"),
    ],
)
def test_a_store_of_the_real_package_is_imported_once(repo: Path, cli: Cli, store: Store, name: str) -> None:
    path = store(name)
    if name == "optuna_storage" and path.is_dir():
        path = next(one for one in sorted(path.iterdir()) if one.suffix == ".db")
    tracker = name.partition("_")[0]
    preview = json.loads(cli("import", str(path), "--dry-run", "--json").out)
    assert preview["tracker"] == tracker
    assert Branch.open(repo).tip() is None, "a preview writes nothing"
    first = cli("import", str(path), "--json")
    assert first.code == 0, first.err
    made = json.loads(first.out)
    assert len(made["added"]) == preview["runs"] > 0
    assert len(made["commits"]) == 1
    found = records(repo)
    for record in found:
        assert record.imported is not None
        assert record.imported.tracker == tracker
        assert record.timing.source == "store"
        if record.timing.took and record.cost.amount is None:
            where = f"imported from {tracker}, which does not say on what machine"
            assert record.cost.unknown["amount"] == where
            assert record.cost.row is None
        if "started_at" not in record.timing.unknown:
            assert record.id.startswith(f"{record.timing.started_at:%Y%m%d-%H%M%S}")
        assert record.code.unknown
        assert record.hardware.unknown == {"all": f"imported from {tracker}, which does not say"}
    again = json.loads(cli("import", str(path), "--json").out)
    assert (again.get("added", []), again["known"]) == ([], len(found))
    assert records(repo) == found
    assert cli("verify").code == 0
    assert cli("check", "--help").code == 0


def test_mlflow_runs_keep_what_mlflow_has(repo: Path, cli: Cli, store: Store) -> None:
    cli("import", str(store("mlflow_database")), "--deleted")
    found = records(repo)
    assert {record.status for record in found} >= {"finished", "failed"}
    assert any(record.results.metrics for record in found)
    assert any(record.results.curves is not None for record in found)
    assert any(record.params.values for record in found)
    used = [use for record in found for use in record.datasets.used]
    assert used
    assert all(use.hash is None for use in used), "a digest there is no content hash here"
    children = [record for record in found if record.parent]
    assert children
    assert {record.parent for record in children} <= {record.id for record in found}


def test_deleted_runs_are_left_out_and_counted(repo: Path, cli: Cli, store: Store) -> None:
    path = str(store("mlflow_database"))
    done = cli("import", path)
    assert "deleted there left out; to take them: --deleted" in done.err
    before = len(records(repo))
    cli("import", path, "--deleted")
    assert len(records(repo)) > before


@pytest.mark.parametrize(
    ("text", "runs", "losses"),
    [
        (tables.CONVENTION, 3, []),
        (tables.DIFFUSION, 5, ["lines 7, 8"]),
        (tables.RTX, 3, []),
        (tables.MOE, 3, []),
        (tables.KERNEL, 5, []),
        (tables.EMPIRICAL, 3, []),
        (tables.SCORES, 2, []),
    ],
    ids=["convention", "diffusion", "rtx", "moe", "kernel", "empirical", "scores"],
)
def test_every_layout_of_a_research_loop_comes_with_its_losses(
    repo: Path, cli: Cli, text: str, runs: int, losses: list[str]
) -> None:
    (repo / "results.tsv").write_text(text)
    done = cli("import", "results.tsv", "-e", "loop")
    assert done.code == 0, done.err
    found = records(repo)
    assert len(found) == runs
    for place in losses:
        assert place in done.err
    if not losses:
        assert "left out" not in done.err
    assert all(record.experiment == "loop" for record in found)
    assert not any(
        metric.number == 0 and metric.direction == "lower" for one in found for metric in one.results.metrics
    )
    assert cli("verify").code == 0


def test_any_table_comes_by_the_names_of_its_columns(repo: Path, cli: Cli) -> None:
    (repo / "runs.csv").write_text("name,lr,acc,when\na,0.1,0.5,2025-03-01T10:00:00Z\nb,0.2,0.6,2025-03-02T10:00:00Z\n")
    refused = cli("import", "runs.csv")
    assert (refused.code, "this is no store of a known tracker" in refused.err) == (1, True)
    columns = ("--metric", "acc", "--param", "lr", "--id", "name", "--time", "when")
    done = cli("import", "runs.csv", "--from", "table", *columns)
    assert done.code == 0, done.err
    first, second = records(repo)
    assert (first.id[:15], second.id[:15]) == ("20250301-100000", "20250302-100000")
    assert (first.params.values, first.results.metrics[0].number) == ({"lr": 0.1}, 0.5)
    assert first.imported is not None
    assert first.imported.id == "a"


def test_a_run_that_changed_there_comes_again_and_is_said(repo: Path, cli: Cli) -> None:
    table = repo / "runs.csv"
    columns = ("--from", "table", "--metric", "acc", "--id", "name")
    table.write_text("name,acc\na,0.5\nb,0.6\n")
    cli("import", "runs.csv", *columns)
    table.write_text("name,acc\na,0.5\nb,0.7\n")
    done = cli("import", "runs.csv", *columns)
    assert "imported 1 run of table in 1 commit; 1 run was here already" in done.err
    assert "warning: 1 run changed there since the last import; both states are kept" in done.err


def test_secrets_there_are_replaced_here(repo: Path, cli: Cli) -> None:
    key = "AKIA" + "Z7QW3KNV5TRX2BLM"
    (repo / "runs.csv").write_text(f"name,acc,note\na,0.5,{key}\n")
    cli("import", "runs.csv", "--from", "table", "--metric", "acc", "--param", "note", "--id", "name")
    (record,) = records(repo)
    assert key not in json.dumps(record.params.values)
    held = subprocess.run(["git", "grep", "-c", key, "ledger"], cwd=repo, capture_output=True, check=False)
    assert (held.returncode, held.stdout) == (1, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.db",), 1, "there is no store: `none.db`"),
        (("train.py",), 1, "this is no store of a known tracker: `train.py`"),
        (("train.py", "--from", "mlflow"), 1, "this is no store of mlflow: `train.py`"),
        (("train.py", "--from", "nothing"), 2, "nothing"),
        ((), 2, "missing argument"),
    ],
)
def test_what_is_no_store_is_refused_in_one_line(
    repo: Path, cli: Cli, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = cli("import", *arguments)
    assert done.code == code
    assert message in done.err
    assert Branch.open(repo).tip() is None


def test_there_and_back_is_the_same_run(repo: Path, cli: Cli, tmp_path: Path) -> None:
    curves = repo / "curves.csv"
    curves.write_text("step,train/loss,seconds\n1,0.5,1\n2,0.25,2\n3,nan,3\n")
    facts = ("-p", "lr=0.1", "-p", "opt=adam", "-m", "validation/accuracy=0.9", "-t", "good", "-n", "a note")
    times = ("--started", "2025-03-01T10:00:00Z", "--duration", "30")
    cli("record", "-e", "there", *facts, *times, "--curves", "curves.csv")
    (before,) = records(repo)
    points = cli("show", before.id, "--file", "curves.csv").out
    cli("export", "--to", "mlflow", "-o", str(tmp_path / "out"))
    other = tmp_path / "other"
    other.mkdir()
    git_in(other, "init", "--quiet")
    git_in(other, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x")
    done = cli("-C", str(other), "import", str(tmp_path / "out"))
    assert done.code == 0, done.err
    (after,) = records(other)
    for field in ("experiment", "status", "tags"):
        assert getattr(after, field) == getattr(before, field), field
    assert after.params.values == before.params.values
    assert (after.timing.started_at, after.timing.ended_at) == (before.timing.started_at, before.timing.ended_at)
    stated = [(metric.key, metric.value) for metric in before.results.metrics]
    assert [(metric.key, metric.value) for metric in after.results.metrics if metric.origin == "said"] == stated
    assert after.note == f"named {before.id}\n\na note"
    assert cli("-C", str(other), "show", after.id, "--file", "curves.csv").out == points


def test_a_run_that_may_still_be_going_on_waits_for_its_end(repo: Path, cli: Cli) -> None:
    run = repo / "mlruns/1/abc"
    (run / "metrics").mkdir(parents=True)
    (repo / "mlruns/1/meta.yaml").write_text("experiment_id: '1'\nname: digits\n")
    now = int(time.time() * 1000)
    (run / "meta.yaml").write_text(f"run_id: abc\nstatus: 1\nstart_time: {now}\n")
    (run / "metrics/loss").write_text(f"{now} 0.5 1\n")
    done = cli("import", "mlruns")
    assert "imported 0 runs of mlflow" in done.err
    assert "hint: 1 run left out that may still be going on there; import again when ended" in done.err
    assert Branch.open(repo).tip() is None
    (run / "meta.yaml").write_text(f"run_id: abc\nstatus: 3\nstart_time: {now}\nend_time: {now + 1000}\n")
    assert "imported 1 run of mlflow" in cli("import", "mlruns").err


def test_a_child_finds_a_parent_that_was_imported_before(repo: Path, cli: Cli) -> None:
    folder = repo / "mlruns/1"
    for name, start, tags in (
        ("aaa", 1_700_000_000_000, {}),
        ("bbb", 1_700_000_100_000, {"mlflow.parentRunId": "aaa"}),
    ):
        (folder / name / "tags").mkdir(parents=True)
        (folder / "meta.yaml").write_text("experiment_id: '1'\nname: digits\n")
        meta = f"run_id: {name}\nstatus: 3\nstart_time: {start}\nend_time: {start + 1000}\n"
        (folder / name / "meta.yaml").write_text(meta)
        for tag, value in tags.items():
            (folder / name / "tags" / tag).write_text(value)
        assert "imported 1 run of mlflow" in cli("import", "mlruns").err
    parent, child = records(repo)
    assert child.parent == parent.id


def test_experiments_of_dvc_are_read_out_of_git(repo: Path, cli: Cli) -> None:
    pipeline = "stages:\n  train:\n    params: [lr]\nmetrics:\n- out/metrics.json\n- out/cached.json\n"
    (repo / "dvc.yaml").write_text(pipeline)
    (repo / "out").mkdir()
    baseline = git_in(repo, "rev-parse", "HEAD").strip()
    for name, lr in (("slow-cat", 0.1), ("fast-dog", 0.2)):
        (repo / "params.yaml").write_text(f"lr: {lr}\nmodel: {{depth: 4}}\n")
        (repo / "out/metrics.json").write_text(json.dumps({"val": {"acc": lr * 2}, "text": "no number"}))
        git_in(repo, "add", "dvc.yaml", "params.yaml", "out")
        tree = git_in(repo, "write-tree").strip()
        commit = git_in(repo, "commit-tree", tree, "-p", baseline, "-m", "dvc: commit experiment abc").strip()
        git_in(repo, "update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", commit)
    git_in(repo, "update-ref", "refs/exps/exec/EXEC_HEAD", baseline)
    git_in(repo, "reset", "--quiet", "--hard")
    done = cli("import", ".", "--from", "dvc")
    assert done.code == 0, done.err
    found = records(repo)
    assert {record.params.values["lr"] for record in found} == {0.1, 0.2}
    assert {record.params.values["model.depth"] for record in found} == {4}
    assert sorted(metric.number for record in found for metric in record.results.metrics) == [0.2, 0.4]
    assert all(record.code.commit and record.timing.unknown for record in found)
    assert "not kept, of 2 runs: out/cached.json, which is not in git" in done.err
    assert "2 runs were here already" in cli("import", ".", "--from", "dvc").err
    assert cli("verify").code == 0
