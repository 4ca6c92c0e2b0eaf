"""`ledger run`: the command's terminal intact, its exit code returned, its run recorded."""

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.model.entries import StoredRun
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

PYTHON = sys.executable


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def file_of(repo: Path, name: str) -> str:
    return Branch.open(repo).read_blob(only_run(repo).files[name]).decode()


def test_output_exit_code_and_log_are_the_command_s(repo: Path, cli: Cli) -> None:
    done = cli("run", "-e", "wrapped", "--", "sh", "-c", "echo out; echo 'warning: odd' >&2; exit 3")
    assert (done.code, done.out) == (3, "out\n")
    assert done.err.startswith("warning: odd\n")
    record = only_run(repo).record
    assert (record.status, record.exit_code, record.reason) == ("failed", 3, "exit code 3")
    assert record.command[0] == "sh"
    assert list(record.logs.warnings) == ["warning: odd"]
    assert "out\n" in file_of(repo, "log.txt")


def test_what_the_command_leaves_in_its_run_folder_is_recorded(repo: Path, cli: Cli) -> None:
    script = """
import json, os, pathlib
folder = pathlib.Path(os.environ["LEDGER_RUN_DIR"])
(folder / "params.yaml").write_text("lr: 0.1\\nopt: {name: adam}\\n")
(folder / "metrics.json").write_text(json.dumps({"validation": {"accuracy": 0.5}}))
(folder / "curves.csv").write_text("step,train/loss\\n1,0.5\\n2,0.25\\n")
(folder / "figures").mkdir()
(folder / "figures" / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
(folder / "model.pt").write_bytes(b"weights")
(folder / "note.txt").write_text("a note")
"""
    done = cli("run", "--", PYTHON, "-c", script)
    assert done.code == 0, done.err
    record = only_run(repo).record
    assert record.params.values == {"lr": 0.1, "opt.name": "adam"}
    assert record.headline is not None
    assert record.headline.key == "validation/accuracy"
    assert record.statistics.series["train/loss"].last == 0.25
    assert [figure.title for figure in record.results.figures] == ["roc"]
    assert record.model.bytes == 7
    assert record.note == "a note"


def test_options_name_files_that_the_command_writes(repo: Path, cli: Cli) -> None:
    (repo / "stale.json").write_text('{"test/accuracy": 1.0}')
    os.utime(repo / "stale.json", (1e9, 1e9))
    done = cli(
        "run", "--metrics", "m.json", "--metrics", "stale.json", "--param", "lr=0.1", "--", "sh", "-c",
        "echo '{\"validation/loss\": 0.25}' > m.json",
    )  # fmt: skip
    assert done.code == 0
    record = only_run(repo).record
    assert [metric.key for metric in record.results.metrics] == ["validation/loss"]
    assert "older than the run" in record.results.unknown["metrics.stale.json"]
    assert "warning: metrics.stale.json: this file is older than the run" in done.err


def test_a_script_that_uses_the_python_api_joins_the_run(repo: Path, cli: Cli) -> None:
    script = (
        "import ledger\n"
        "with ledger.run('inner', params={'lr': 1}) as run:\n"
        "    run.log(step=1, loss=2.0)\n"
        "    run.metric('loss', 2.0, split='test')"
    )
    assert cli("run", "-e", "outer", "--", PYTHON, "-c", script).code == 0
    record = only_run(repo).record
    assert record.experiment == "outer"
    assert record.params.values == {"lr": 1}
    assert record.statistics.series["loss"].count == 1
    assert record.results.metrics[0].value == 2.0


@pytest.mark.parametrize(("options", "experiment"), [((), "of the script"), (("-e", "of the option"), "of the option")])
def test_where_a_run_belongs_is_said_by_the_option_or_else_by_the_script(
    repo: Path, cli: Cli, options: tuple[str, ...], experiment: str
) -> None:
    script = "import ledger\nwith ledger.run('of the script', baseline='b', parent='p'): pass"
    assert cli("run", *options, "--", PYTHON, "-c", script).code == 0
    record = only_run(repo).record
    assert (record.experiment, record.baseline, record.parent) == (experiment, "b", "p")


def test_an_exception_inside_is_the_reason(repo: Path, cli: Cli) -> None:
    script = "import ledger\nwith ledger.run('inner') as run: raise ValueError('boom')"
    assert cli("run", "--", PYTHON, "-c", script).code == 1
    record = only_run(repo).record
    assert (record.status, record.reason) == ("failed", "ValueError: boom")
    assert any("ValueError: boom" in error for error in record.logs.errors)


def test_a_command_that_is_not_there_is_one_clear_line_and_no_record(repo: Path, cli: Cli) -> None:
    done = cli("run", "--", "no-such-program")
    assert (done.code, done.err) == (1, "error: no such program: `no-such-program`\n")
    assert Branch.open(repo).contents().runs == ()
    assert not any((repo / ".git" / "ledger" / "spool").iterdir())


def test_outside_of_any_repository_the_command_runs_all_the_same(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("run", "--", "sh", "-c", "echo trained; exit 4")
    assert (done.code, done.out) == (4, "trained\n")
    assert "not a git repository" in done.err
    assert "ledger recover --homeless" in done.err


def start(repo: Path, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [PYTHON, "-m", "ledger", "run", "--", *command],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_sigterm_reaches_the_command_and_is_recorded_as_killed(repo: Path) -> None:
    process = start(repo, "sh", "-c", "echo ready; exec sleep 60")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    record = only_run(repo).record
    assert (record.status, record.reason) == ("killed", "SIGTERM")


def test_a_command_that_catches_sigterm_may_end_well(repo: Path) -> None:
    process = start(repo, "sh", "-c", "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "saved\n")
    assert only_run(repo).record.status == "finished"


def test_a_command_killed_outright_is_killed_and_its_log_is_kept(repo: Path, cli: Cli) -> None:
    done = cli("run", "--", "sh", "-c", "echo before; kill -9 $$")
    assert done.code == 137
    record = only_run(repo).record
    assert (record.status, record.reason) == ("killed", "SIGKILL")
    assert "before" in file_of(repo, "log.txt")


def test_a_wrapper_killed_outright_leaves_a_run_that_is_found(repo: Path, cli: Cli) -> None:
    process = start(repo, "sh", "-c", "echo ready; exec sleep 3")
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert "it had ended as lost" in cli("list").err
    assert "ready" in file_of(repo, "log.txt")


def test_a_wrapper_killed_outright_still_gets_what_its_options_name(
    repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "data").write_text("1")
    (repo / "elsewhere").mkdir()
    command = "echo '{\"validation/loss\": 0.5}' > m.json; echo ready; exec sleep 3"
    process = subprocess.Popen(
        [PYTHON, "-m", "ledger", "run", "--metrics", "m.json", "-d", "validation=data", "--", "sh", "-c", command],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while process.stdout.readline() != "ready\n":
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    monkeypatch.chdir(repo / "elsewhere")
    cli("recover")
    record = only_run(repo).record
    assert (record.status, record.results.metrics[0].key) == ("lost", "validation/loss")
    assert record.datasets.used[0].path == "data"
    assert record.results.metrics[0].dataset_hash == record.datasets.used[0].hash


def test_ctrl_c_reaches_the_command_once_and_is_interrupted(repo: Path) -> None:
    process = start(repo, "sh", "-c", "trap 'echo got it; exit 130' INT; echo ready; while :; do sleep 0.1; done")
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "got it\n")
    assert only_run(repo).record.status == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_command_in_the_background_goes_on_through_signals_that_it_was_started_to_ignore(
    repo: Path, number: signal.Signals
) -> None:
    script = "echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 3"
    before = signal.signal(number, signal.SIG_IGN)  # as `nohup`, and a script's `&`
    try:
        process = start(repo, "sh", "-c", script)
    finally:
        signal.signal(number, before)
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, number)
    (repo / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 3
    record = only_run(repo).record
    assert (record.status, record.reason) == ("failed", "exit code 3")  # and not that it was interrupted


def test_the_last_line_of_json_is_the_record(repo: Path, cli: Cli) -> None:
    done = cli("run", "--json", "--", "true")
    assert json.loads(done.out)["id"] == only_run(repo).record.id


def test_what_the_options_say_survives_a_wrapper_killed_outright(repo: Path, cli: Cli) -> None:
    options = ["-p", "lr=0.1", "-p", "seed=7", "-t", "big", "-n", "a note", "--link", "https://example.com"]
    process = subprocess.Popen(
        [PYTHON, "-m", "ledger", "run", *options, "--", "sh", "-c", "echo ready; exec sleep 60"],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert cli("recover").code == 0
    record = only_run(repo).record
    assert (record.status, record.tags, record.note, record.seed) == ("lost", ["big"], "a note", 7)
    assert record.params.values == {"lr": 0.1, "seed": 7}
    assert [link.url for link in record.links] == ["https://example.com"]


def test_options_count_once_and_the_script_s_note_stands_beside_them(repo: Path, cli: Cli) -> None:
    options = ["-t", "big", "-n", "of the option", "--link", "https://example.com", "-p", "lr=0.1"]
    script = "echo of the script > $LEDGER_RUN_DIR/note.txt; echo 'lr: 9' > $LEDGER_RUN_DIR/params.yaml"
    assert cli("run", *options, "--", "sh", "-c", script).code == 0
    record = only_run(repo).record
    assert (record.tags, len(record.links), record.params.values) == (["big"], 1, {"lr": 0.1})
    assert record.note == "of the option\n\nof the script\n"


@pytest.mark.parametrize(
    "option", [("-p", "lr"), ("-t", " "), ("--link", "file:///etc"), ("-d", "nonsense=x"), ("-m", "loss=low")]
)
def test_a_mistyped_option_is_refused_before_hours_of_training(repo: Path, cli: Cli, option: tuple[str, str]) -> None:
    done = cli("run", *option, "--", "touch", "trained")
    assert done.code in {1, 2}, done.err
    assert done.err.startswith("error: ")
    assert not (repo / "trained").exists()


def test_a_spool_that_cannot_be_written_keeps_nobody_from_training(
    repo: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / ".git" / "ledger").write_text("in the way")
    done = cli("run", "--", "sh", "-c", "exit 3")
    assert done.code == 3
    assert done.err.startswith("recorded ")  # the user's own folder had room for the spool
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    done = cli("run", "--", "sh", "-c", "echo trained; exit 3")
    assert (done.code, done.out) == (3, "trained\n")
    assert "this run is not recorded" in done.err
    assert "bug" not in done.err


def test_a_copy_of_the_log_that_cannot_grow_does_not_end_the_command(repo: Path) -> None:
    command = [PYTHON, "-m", "ledger", "run", "--", "sh", "-c", "seq 1 100000; exit 3"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 200; exec "$@"', "sh", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.endswith("\n99999\n100000\n")
    assert only_run(repo).record.exit_code == 3


def test_a_signal_that_only_says_something_is_not_how_the_run_ended(repo: Path) -> None:
    process = start(repo, "sh", "-c", "trap 'echo saved' USR1; echo ready; sleep 1; exit 5")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=30)
    assert process.returncode == 5
    record = only_run(repo).record
    assert (record.status, record.reason) == ("failed", "exit code 5")


def test_a_file_that_is_no_program_is_one_clear_line(repo: Path, cli: Cli) -> None:
    (repo / "train").write_text("no program\n")
    (repo / "train").chmod(0o755)
    done = cli("run", "--", "./train")
    assert (done.code, done.err) == (1, "error: this program cannot be run (exec format error): `./train`\n")
    assert not list((repo / ".git" / "ledger" / "spool").iterdir())


def test_a_background_job_is_not_stopped_for_touching_the_terminal(repo: Path) -> None:
    script = "import os, sys\nos.setpgid(0, 0)\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    job = [PYTHON, "-c", script, "-m", "ledger", "run", "--", "echo", "trained"]
    watcher = f"import subprocess\nprint('ended with', subprocess.run({job!r}, timeout=30).returncode)"
    _, screen = in_terminal(repo, PYTHON, "-c", watcher)
    assert "trained" in screen
    assert "ended with 0" in screen


def test_a_terminal_that_goes_away_ends_neither_the_command_nor_its_record(repo: Path) -> None:
    stubborn = "trap '' HUP; echo ready; sleep 0.5; seq 1 50000; touch trained; exit 3"
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(repo)
        command = [PYTHON, "-m", "ledger", "run", "--", "sh", "-c", stubborn]
        os.execve(PYTHON, command, {**os.environ, "PYTHONPATH": str(ROOT)})
    while b"ready" not in os.read(screen, 4096):
        pass
    os.close(screen)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert (repo / "trained").exists()
    assert "50000" in file_of(repo, "log.txt")


def on_terminal(repo: Path, *command: str, keys: bytes = b"") -> tuple[int, str]:
    """Wrap a command on a real pseudo-terminal of 40 by 100, and return exit code and screen."""
    return in_terminal(repo, PYTHON, "-m", "ledger", "run", "--", *command, keys=keys)


def in_terminal(repo: Path, program: str, *arguments: str, keys: bytes = b"") -> tuple[int, str]:
    """Run a program on a real pseudo-terminal of 40 by 100, and return exit code and screen."""
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(repo)
        os.execve(program, [program, *arguments], {**os.environ, "PYTHONPATH": str(ROOT)})
    import fcntl
    import struct
    import termios

    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        readable, _, _ = select.select([screen], [], [], 1)
        if not readable:
            continue
        try:
            data = os.read(screen, 4096)
        except OSError as error:
            if error.errno == errno.EIO:  # how Linux says that the other end is closed
                break
            raise
        seen += data
        if keys and b"ready" in seen and seen.endswith(b"\n"):
            os.write(screen, keys)
            keys = b""
    os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


def test_on_a_terminal_the_command_sees_a_terminal_of_the_same_size(repo: Path) -> None:
    script = (
        "import os, sys, time; time.sleep(.3)\n"
        "print('ready', sys.stdout.isatty(), tuple(os.get_terminal_size()))\n"
        "print('got', input())"
    )
    code, screen = on_terminal(repo, PYTHON, "-c", script, keys=b"hello\r")
    assert code == 0
    assert "ready True (100, 40)" in screen
    assert "got hello" in screen
    assert "recorded" in screen
    assert "ready True" in file_of(repo, "log.txt")


def test_on_a_terminal_ctrl_c_interrupts_the_command(repo: Path) -> None:
    code, screen = on_terminal(repo, "sh", "-c", "echo ready; exec sleep 60", keys=b"\x03")
    assert code == 130
    assert only_run(repo).record.status == "interrupted"
    assert "recorded" in screen


def test_a_program_that_stands_in_the_command_itself_runs_however_long_it_is(repo: Path, cli: Cli) -> None:
    assert cli("run", "--", PYTHON, "-c", f"x = {'0 + ' * 2000}0").code == 0
    assert only_run(repo).record.status == "finished"
