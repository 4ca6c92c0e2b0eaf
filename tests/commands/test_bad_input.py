"""Bad input: one clear line, the right exit code, nothing half-written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, Finished, git_in, run_python

NAMES = ["with space", "a/b", "Größe 学習", "<script>alert(1)</script>", "'; rm -rf ~ #", "--option", "+1,2"]


def complaint(done: Finished, code: int) -> str:
    """Return the one line of complaint; a filter with a caret under it and a hint may follow, and nothing else."""
    assert done.code == code, done.err
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    shown = [line for line in lines if line.startswith("  ")]
    assert len(shown) in {0, 2}
    assert all(line.startswith("hint: ") or line in shown for line in lines[1:]), done.err
    assert len(lines) - len(shown) <= 2
    return "\n".join([lines[0], *shown])


@pytest.mark.parametrize("arguments", [("list",), ("record",), ("show", "x"), ("log",), ("site", "build"), ("init",)])
def test_outside_of_a_repository(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert "not a git repository" in complaint(done, 1)
    assert "ledger init" in done.err
    assert list(tmp_path.iterdir()) == []


def test_init_with_a_path_makes_a_ledger_where_there_is_no_repository(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("1\n")
    assert cli("init", ".").code == 0
    assert cli("init", ".").code == 0
    assert cli("record", "--metric", "test/loss=1").code == 0
    record = json.loads(cli("list", "--json").out)[0]
    assert record["code"]["patch"]["files"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".ledger", "train.py"]


def test_a_branch_that_is_checked_out_is_warned_about(repo: Path, cli: Cli, tmp_path: Path) -> None:
    assert "checked out" not in cli("record").err
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "ledger")
    done = cli("record")
    assert done.code == 0
    assert "warning: the branch `ledger` is checked out" in done.err
    assert "checked out" not in cli("list").err
    git_in(repo, "worktree", "remove", "--force", str(tmp_path / "linked"))
    git_in(repo, "checkout", "-q", "ledger")
    assert "checked out" in cli("record").err


def test_a_bare_repository_records(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    git_in(tmp_path, "init", "-q", "--bare", "bare.git")
    monkeypatch.chdir(tmp_path / "bare.git")
    assert cli("record", "--metric", "test/loss=1").code == 0
    assert len(json.loads(cli("list", "--json").out)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("record", "--params", "nope.yaml"), 1, "nope.yaml"),
        (("record", "--metrics", "nope.json"), 1, "nope.json"),
        (("record", "--dataset", "train=nope"), 1, "nope"),
        (("record", "--dataset", "trian=x"), 2, "trian"),
        (("record", "--log", "nope.log"), 1, "nope.log"),
        (("record", "--model", "nope.pt"), 1, "nope.pt"),
        (("record", "--curves", "nope.csv"), 1, "nope.csv"),
        (("record", "--figure", "nope.png"), 1, "nope.png"),
        (("record", "--figure", "/dev/zero"), 1, "/dev/zero"),
        (("record", "--metric", "accuracy"), 2, "accuracy"),
        (("record", "--metric", "accuracy=high"), 2, "high"),
        (("record", "--param", "lr"), 2, "lr"),
        (("record", "--seed", "x"), 2, "x"),
        (("record", "--link", "javascript:alert(1)"), 2, "javascript"),
        (("record", "--experiment", "a\nb"), 1, "experiment"),
        (("record", "--experiment", ""), 1, "experiment"),
        (("record", "--tag", "\x1b[31m"), 1, "tag"),
        (("record", "--dataset", "train:Bad Name@v1=."), 1, "bad-name"),
        (("record", "--dataset", "train:digits@=."), 2, "train:digits@=."),
        (("record", "--dataset", "train:@v1=."), 2, "train:@v1=."),
        (("record", "--duration", "nan"), 2, "nan"),
        (("record", "--duration", "1e300"), 2, "1e+300"),
        (("record", "--duration=-1"), 2, "-1"),
        (("record", "--expriment", "x"), 2, "--expriment"),
        (("record", "extra"), 2, "extra"),
        (("recrod",), 2, "recrod"),
        (("show", "zzzzzz"), 1, "zzzzzz"),
        (("list", "params.lr <"), 2, "params.lr <\n             ^"),
        (("list", "--limit", "0"), 2, "0"),
        (("compare", "x"), 1, "x"),
        (("schema", "nope"), 2, "nope"),
        (("-C", "/nowhere", "list"), 2, "/nowhere"),
    ],
)
def test_each_mistake_is_one_line_that_names_it(
    repo: Path, cli: Cli, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = cli(*arguments)
    complaint(done, code)
    assert said in done.err
    assert Branch.open(repo).tip() is None


def test_an_unknown_field_suggests_the_nearest(repo: Path, cli: Cli) -> None:
    cli("record", "--metric", "test/loss=1")
    done = cli("list", "experment=x")
    complaint(done, 2)
    assert "did you mean `experiment`?" in done.err
    (repo / "m.json").write_text('{"metrics": [{"name": "loss", "valeu": 1}]}')
    done = cli("record", "--metrics", "m.json")
    assert "valeu" in done.err
    assert "value" in done.err


@pytest.mark.parametrize("content", ["{", "[1]", '"x"', '{"a": "high"}', '{"a": [1]}', '{"a": true}', "\xff"])
def test_a_malformed_metrics_file_is_named(repo: Path, cli: Cli, content: str) -> None:
    (repo / "metrics.json").write_bytes(content.encode("latin-1"))
    assert "metrics.json" in complaint(cli("record", "--metrics", "metrics.json"), 1)


def test_a_metrics_file_of_fifty_megabytes_is_refused_at_once(repo: Path, cli: Cli) -> None:
    (repo / "metrics.json").write_bytes(b'{"a": 1' + b" " * 50_000_000 + b"}")
    done = cli("record", "--metrics", "metrics.json")
    complaint(done, 1)
    assert "--curves" in done.err


def test_nan_and_infinity_are_kept_as_what_they_are(repo: Path, cli: Cli) -> None:
    (repo / "metrics.json").write_text('{"test": {"loss": NaN, "gain": -Infinity}}')
    assert cli("record", "--metrics", "metrics.json", "--metric", "test/accuracy=inf").code == 0
    (record,) = json.loads(cli("list", "--json").out)
    values = {metric["name"]: metric["value"] for metric in record["results"]["metrics"]}
    assert values == {"loss": "NaN", "gain": "-Infinity", "accuracy": "Infinity"}
    assert "nan" in cli("list", "--columns", "metrics.test/loss").out


@pytest.mark.parametrize("name", NAMES)
def test_strange_names_are_recorded_and_shown(repo: Path, cli: Cli, name: str) -> None:
    done = cli("record", f"--experiment={name}", f"--tag={name}", f"--param={name}=1", f"--metric=test/{name}=1")
    assert done.code == 0, done.err
    (record,) = json.loads(cli("list", "--json").out)
    assert (record["experiment"], record["tags"]) == (name, [name])
    for arguments in (("list",), ("show", record["id"]), ("log",), ("list", "--csv")):
        assert cli(*arguments).code == 0
    assert cli("list", f"--experiment={name}", "--columns", "id").out.splitlines()[-1] == record["id"]


def test_csv_cells_cannot_become_formulas(repo: Path, cli: Cli) -> None:
    cli("record", "--experiment", "=HYPERLINK(1)", "--metric", "test/loss=-1.5")
    out = cli("list", "--csv", "--columns", "experiment,metrics.test/loss").out
    assert out.splitlines()[1] == "'=HYPERLINK(1),-1.5"


def test_an_ambiguous_id_lists_what_it_could_be(repo: Path, cli: Cli) -> None:
    for _ in range(2):
        cli("record")
    done = cli("show", "2")
    complaint(done, 2)
    assert done.err.count("-") >= 4


def test_a_reader_that_goes_away_is_no_error(repo: Path, cli: Cli) -> None:
    for _ in range(3):
        cli("record", "--note", "x" * 50_000)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for arguments in ("list --json", "list", "--help", "schema"):
        command = f"'{sys.executable}' -m ledger {arguments} | head -c 0; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env, check=False)
        assert (done.returncode, done.stderr) == (141, ""), arguments


def test_ctrl_c_during_recording_leaves_nothing_half_written(repo: Path) -> None:
    (repo / "data").mkdir()
    for number in range(300):
        (repo / "data" / f"{number}.bin").write_bytes(os.urandom(100_000))
    script = (
        "import signal, sys, ledger.cli as cli, ledger.commands.recording.record\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # it waits until `run` can answer it\n"
        "inner = cli._dispatch\n"
        "def dispatch(arguments):\n"
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])\n"
        "    try:\n"
        "        return inner(arguments)\n"
        "    finally:\n"
        "        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what comes later meets no command any more\n"
        "cli._dispatch = dispatch\n"
        "print('ready', flush=True)\n"
        "sys.exit(cli.run(['record', '--dataset', 'train=data']))"
    )
    for delay in (0.0, 0.01, 0.02, 0.04, 0.08, 0.16):
        process = run_python(script, cwd=repo)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in {0, 130}, err
        assert "Traceback" not in err
        assert process.returncode == 0 or err.strip() == "error: stopped"
    assert git_in(repo, "fsck", "--strict", "--no-dangling") == ""
    assert Branch.open(repo).contents().problems == ()
    # Our own lock is held by the kernel for a process, not by the file's being there.
    assert {path.name for path in (repo / ".git").rglob("*.lock")} <= {"append.lock"}


def test_a_bug_is_one_line_and_a_report(repo: Path, cli: Cli) -> None:
    cli("record", "--param", "x=1")
    sitecustomize = repo / "sitecustomize.py"
    sitecustomize.write_text(
        "import ledger.store.index.selection as s\n"
        "def broken(*_, **__): raise RuntimeError('oops')\n"
        "s.select_runs = broken\n"
    )
    done = cli("list", "--sort", "id", env={"PYTHONPATH": f"{repo}:{ROOT}"})
    assert "this is a bug in ledger: RuntimeError: oops" in complaint(done, 3)
    report = Path(done.err.splitlines()[1].split("file: ")[1])
    assert "Traceback" in report.read_text()
    report.unlink()


def test_names_and_arguments_that_are_not_utf_8_are_recorded_and_shown(repo: Path, cli: Cli) -> None:
    odd = os.fsdecode(b"odd-\xff")
    git_in(repo, "checkout", "-qb", odd)
    (repo / odd).write_bytes(bytes(2_000_000))  # too large for the patch: named and hashed instead
    done = cli("run", "-n", odd, "--", sys.executable, "-c", "import ledger\nwith ledger.run(): pass", odd)
    assert done.code == 0, done.err
    (record,) = json.loads(cli("list", "--json").out)
    shown = "odd-\\xff"
    assert (record["note"], record["command"][-1], record["code"]["branch"]) == (shown, shown, shown)
    assert [file["path"] for file in record["code"]["omitted"]] == [shown]
    assert shown in cli("show", record["id"]).out


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_are_no_error(repo: Path, closed: str) -> None:
    for verb in ("record -m accuracy=0.5", "list", "run -- echo hello"):
        command = f"{sys.executable} -m ledger {verb} {closed}"
        done = subprocess.run(["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode == 0, command
    assert len(Branch.open(repo).contents().runs) == 2


def test_output_that_cannot_be_written_is_one_line_and_no_bug(repo: Path, cli: Cli) -> None:
    cli("record", "-m", "accuracy=0.5")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", "list"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: no space left on device\n")


def test_letters_that_the_terminal_lacks_are_shown_by_their_number(repo: Path, cli: Cli) -> None:
    cli("record", "-n", "学")
    done = cli("show", Branch.open(repo).contents().runs[0].record.id, env={"PYTHONIOENCODING": "latin-1"})
    assert done.code == 0, done.err
    assert "\\u5b66" in done.out
