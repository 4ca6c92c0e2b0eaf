"""What a run in Python prints is kept, and nothing of it is changed, delayed or lost: real processes and terminals."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ledger.model.entries import StoredRun
from ledger.session.spool.recovery import recover
from ledger.session.spool.spool import spool_dir
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, run_python
from tests.session.process.test_command import in_terminal

PYTHON = sys.executable


def runs_of(repo: Path) -> list[StoredRun]:
    return list(Branch.open(repo).contents().runs)


def log_of(repo: Path, experiment: str = "x") -> str:
    """Return the lines of the log of the one run of an experiment."""
    (run,) = [run for run in runs_of(repo) if run.record.experiment == experiment]
    text = Branch.open(repo).read_blob(run.files["log.txt"]).decode()
    return text.partition("lines ==\n")[2].partition("\n== errors")[0].partition("\n== warnings")[0]


def train(
    repo: Path, body: str, *, line: str = "exec {python} train_x.py", code: int = 0
) -> "subprocess.CompletedProcess[str]":
    """Run a script by a shell, and return what it printed."""
    (repo / "train_x.py").write_text(f"import ledger, os, subprocess, sys, time\n{body}")
    done = subprocess.run(
        ["sh", "-c", line.format(python=PYTHON)],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    return done


def copiers(repo: Path) -> list[psutil.Process]:
    """Return the copying programs of runs of a repository that still live."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(word.endswith("output_copy.py") for word in process.info["cmdline"] or ()):
            with suppress(OSError):  # it has just ended
                files = [os.fspath(file.readlink()) for file in Path(f"/proc/{process.pid}/fd").iterdir()]
                if any(file.startswith(str(repo)) for file in files):
                    found.append(process)
    return found


def test_python_native_code_forks_and_subprocesses_are_kept_in_their_order(repo: Path) -> None:
    done = train(
        repo,
        "import ctypes\n"
        "print('before')\n"
        "with ledger.run('x'):\n"
        "    print('of Python')\n"
        "    sys.stdout.flush()\n"
        "    subprocess.run(['sh', '-c', 'echo of a child; echo of its stderr >&2'])\n"
        "    if os.fork() == 0:\n"
        "        os.write(1, b'of a fork\\n'); os._exit(0)\n"
        "    os.wait()\n"
        "    ctypes.CDLL(None).printf(b'of native code\\n')\n"
        "print('after')\n",
        line="exec {python} train_x.py 2>&1",
    )
    kept = ["of Python", "of a child", "of its stderr", "of a fork", "of native code"]
    assert log_of(repo).split("\n")[:5] == kept
    assert [line for line in done.stdout.splitlines() if not line.startswith("recorded ")] == ["before", *kept, "after"]


def test_the_two_streams_stay_apart(repo: Path) -> None:
    done = train(repo, "with ledger.run('x'):\n    print('out'); print('err', file=sys.stderr)")
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\n")
    assert sorted(log_of(repo).splitlines()) == ["err", "out"]


def test_output_of_false_keeps_nothing(repo: Path) -> None:
    assert train(repo, "with ledger.run('x', output=False): print('out')").stdout == "out\n"
    assert runs_of(repo)[0].record.logs.unknown["all"] == "no log was given"


def test_a_log_that_is_named_wins(repo: Path) -> None:
    train(
        repo,
        "with ledger.run('x', log='mine.log'):\n    print('out')\n    open('mine.log', 'w').write('of the file\\n')",
    )
    assert log_of(repo).strip() == "of the file"


@pytest.mark.parametrize("way", ["with ledger.run('x') as run:\n    ", "run = ledger.run('x')\n"])
def test_the_exception_that_ended_the_run_is_in_its_log(repo: Path, way: str) -> None:
    done = train(repo, f"{way}raise ValueError('boom')", code=1)
    assert done.stderr.splitlines().count("ValueError: boom") == 1
    assert "failed: ValueError: boom; next: ledger show" in done.stderr
    assert runs_of(repo)[0].record.logs.errors == {"ValueError: boom": 1}
    assert "in <module>" in log_of(repo)


def test_secrets_are_replaced(repo: Path) -> None:
    token = "hf_" + "aB3" * 12
    train(repo, f"with ledger.run('x'): print('token {token}')")
    assert "aB3aB3" not in log_of(repo)
    assert runs_of(repo)[0].record.redactions


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(7)", "__import__('ctypes').string_at(0)"])
def test_what_was_printed_before_a_sudden_death_is_kept_and_shown(repo: Path, end: str) -> None:
    body = f"run = ledger.run('x')\nfor n in range(20000): os.write(1, b'line %d\\n' % n)\n{end}"
    (repo / "train_x.py").write_text(f"import ledger, os\n{body}")
    done = subprocess.run(
        [PYTHON, "train_x.py"],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.endswith("\nline 19999\n")
    book = Branch.open(repo)
    (spool,) = spool_dir(book.repository.state_dir).iterdir()
    assert (spool / "log.txt").read_text() == done.stdout
    recover(book, book.repository.state_dir)
    assert log_of(repo).rstrip().endswith("line 19999")
    assert not copiers(repo)


def test_a_child_that_outlives_the_run_and_its_process_goes_on_printing(repo: Path) -> None:
    done = train(
        repo,
        "with ledger.run('x'):\n"
        "    print('in the run')\n"
        "    subprocess.Popen(['sh', '-c', 'until [ -e go ]; do sleep .1; done; echo late; echo later; touch sent'])\n"
        "open('go', 'w')\n",
    )
    assert (repo / "sent").exists()
    assert done.stdout == "in the run\nlate\nlater\n"
    assert log_of(repo).strip() == "in the run"


def test_a_run_after_another_has_its_own_log_and_a_run_within_another_has_none(repo: Path) -> None:
    train(
        repo,
        "with ledger.run('first'): print('one')\n"
        "print('between')\n"
        "with ledger.run('x'):\n"
        "    print('two')\n"
        "    with ledger.run('inner'): print('three')\n",
    )
    assert log_of(repo, "first").strip() == "one"
    assert [line for line in log_of(repo).splitlines() if not line.startswith("recorded ")] == ["two", "three"]
    (inner,) = [run.record for run in runs_of(repo) if run.record.experiment == "inner"]
    assert "keeps the output of this process" in inner.logs.unknown["all"]


def test_inside_ledger_run_the_command_s_log_has_it_once(repo: Path, cli: Cli) -> None:
    script = "import ledger\nwith ledger.run('x'): print('out')"
    assert cli("run", "--", PYTHON, "-c", script).out == "out\n"
    assert log_of(repo).strip() == "out"


def test_another_rank_starts_no_copy(repo: Path) -> None:
    body = "with ledger.run('x', rank=1):\n    print('out', os.fstat(1).st_ino == before)"
    assert train(repo, f"before = os.fstat(1).st_ino\n{body}").stdout == "out True\n"


def test_the_training_may_wait_for_all_its_children(repo: Path) -> None:
    body = (
        "with ledger.run('x'):\n"
        "    if os.fork() == 0: os._exit(0)\n"
        "    seen = 0\n"
        "    try:\n"
        "        while True: os.wait(); seen += 1\n"
        "    except ChildProcessError: print('children', seen)\n"
    )
    assert train(repo, body).stdout == "children 1\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "</dev/null >/dev/null 2>&1", "<&- >&- 2>&-"])
def test_closed_streams_and_daemons_break_nothing(repo: Path, closed: str) -> None:
    body = "with ledger.run('x'):\n    subprocess.run(['sh', '-c', 'echo child'])\n    open('trained', 'w')"
    train(repo, body, line=f"exec {{python}} train_x.py {closed}")
    assert (repo / "trained").exists()
    assert runs_of(repo)[0].record.status == "finished"
    nothing = runs_of(repo)[0].record.logs.unknown.get("all", "")
    assert ("neither stdout nor stderr" in nothing) == (">&- 2>&-" in closed)


def test_a_file_of_data_on_the_number_of_stdout_is_left_alone(repo: Path) -> None:
    body = (
        "os.close(1)\n"
        "data = os.open('data.bin', os.O_RDWR | os.O_CREAT)\n"
        "with ledger.run('x'):\n"
        "    os.write(data, b'abc'); os.lseek(data, 0, 0)\n"
        "    print(data, os.read(data, 3), file=sys.stderr)\n"
        "    sys.stdout = None\n"
    )
    assert train(repo, body).stderr.startswith("1 b'abc'\n")
    assert (repo / "data.bin").read_bytes() == b"abc"


def test_a_training_that_closes_all_it_does_not_know_prints_on(repo: Path) -> None:
    body = (
        "run = ledger.run('x')\n"
        "print('first', flush=True)\n"
        "os.closerange(3, 200)\n"
        "while os.open('/dev/null', os.O_RDONLY) < 9: pass\n"
        "files = [open(f'mine-{n}', 'wb') for n in range(40)]\n"
        "print('second', flush=True)\n"
        "run.finish()\n"
        "print('third', flush=True)\n"
        "for file in files: file.close()\n"
    )
    assert train(repo, body).stdout == "first\nsecond\nthird\n"
    assert {path.read_bytes() for path in repo.glob("mine-*")} == {b""}


def test_a_full_disk_ends_the_copy_and_not_the_training(repo: Path) -> None:
    body = "with ledger.run('x'):\n    for n in range(30000): print('line', n)\nprint('trained')"
    done = train(repo, body, line="ulimit -f 100; exec {python} train_x.py")
    assert done.stdout.endswith("line 29999\ntrained\n")
    assert len(done.stdout.splitlines()) == 30_001
    assert "no room" in runs_of(repo)[0].record.logs.unknown["output"]


def test_a_reader_that_goes_away_ends_neither_the_training_nor_its_log(repo: Path) -> None:
    body = (
        "with ledger.run('x'):\n    for n in range(20000): print('line', n, flush=n % 100 == 0)\nopen('trained', 'w')"
    )
    train(repo, body, line="{python} train_x.py | head -2")
    assert (repo / "trained").exists()
    assert "line 19999" in log_of(repo)


def test_when_the_copying_program_is_killed_the_training_prints_on(repo: Path) -> None:
    script = (
        "import ledger, os, sys, time\n"
        "with ledger.run('x'):\n"
        "    print('ready', flush=True)\n"
        "    while not os.path.exists('go'): time.sleep(0.02)\n"
        "    for n in range(20000): print('line', n)\n"
        "print('trained')\n"
    )
    process = run_python(script, cwd=repo)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (copier,) = copiers(repo)
    copier.kill()
    (repo / "go").touch()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.endswith("line 19999\ntrained\n")
    assert len(out.splitlines()) == 20_001


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_the_whole_group_reaches_the_training_alone(repo: Path, number: int) -> None:
    script = (
        "import ledger, os, signal, sys, time\n"
        "seen = []\n"
        "for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):\n"
        "    signal.signal(one, lambda n, _: seen.append(n))\n"
        "with ledger.run('x'):\n"
        "    print('ready', flush=True)\n"
        "    while not seen: time.sleep(0.02)\n"
        "    print('saved', flush=True)\n"
    )
    process = subprocess.Popen(
        [PYTHON, "-c", script],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "saved\n")
    assert log_of(repo).split() == ["ready", "saved"]


def test_spawned_processes_are_kept_too(repo: Path) -> None:
    body = (
        "import multiprocessing\n"
        "def work(): print('of a spawned process', flush=True)\n"
        "if __name__ == '__main__':\n"
        "    with ledger.run('x'):\n"
        "        process = multiprocessing.get_context('spawn').Process(target=work)\n"
        "        process.start(); process.join()\n"
    )
    train(repo, body)
    assert log_of(repo).strip() == "of a spawned process"


def test_on_a_terminal_everything_is_as_without(repo: Path) -> None:
    script = (
        "import ledger, os, sys, time; time.sleep(.3)\n"
        "def seen(): return [os.isatty(number) for number in range(3)], tuple(os.get_terminal_size())\n"
        "before = seen(), os.tcgetpgrp(0)\n"
        "with ledger.run('x'):\n"
        "    print('same', (seen(), os.tcgetpgrp(0)) == before, seen()[1])\n"
        "    print('\\x1b[32m50%\\r100%\\x1b[0m')\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(1)\n"
        "    print('got', input('name? '))\n"
    )
    code, screen = in_terminal(repo, PYTHON, "-c", script, keys=b"hello\r")
    assert code == 0, screen
    assert "same True (100, 40)\r\n\x1b[32m50%\r100%\x1b[0m\r\nready\r\n" in screen
    assert "got hello\r\n" in screen
    assert "\r\r\n" not in screen
    assert re.search(r"got hello\r\nrecorded ", screen)
    assert log_of(repo).splitlines() == ["same True (100, 40)", "100%", "ready", "name? got hello"]


def test_on_a_terminal_lines_are_edited_as_without(repo: Path) -> None:
    script = (
        "import ledger, readline, time; time.sleep(.3)\n"
        "with ledger.run('x'):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(1)\n"
        "    print('got', input('name? ').upper())\n"
    )
    assert "got HEL!" in in_terminal(repo, PYTHON, "-c", script, keys=b"hello\x7f\x7f!\r")[1]


def test_on_a_terminal_ctrl_c_interrupts_the_training(repo: Path) -> None:
    script = "import ledger, time\nwith ledger.run('x'):\n    print('ready', flush=True)\n    time.sleep(60)"
    code, screen = in_terminal(repo, PYTHON, "-c", script, keys=b"\x03")
    assert code == -signal.SIGINT, screen
    assert runs_of(repo)[0].record.status == "interrupted"
    assert "KeyboardInterrupt" in screen


def test_a_new_size_of_the_terminal_reaches_the_training(repo: Path) -> None:
    script = (
        "import fcntl, ledger, os, struct, termios, time\n"
        "with ledger.run('x'):\n"
        "    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 7, 70, 0, 0))\n"
        "    end = time.monotonic() + 30\n"
        "    while os.get_terminal_size(1) != (70, 7) and time.monotonic() < end: time.sleep(0.05)\n"
        "    print('now', tuple(os.get_terminal_size(1)))\n"
    )
    assert "now (70, 7)" in in_terminal(repo, PYTHON, "-c", script)[1]


def test_no_copying_program_is_left_when_all_has_ended(repo: Path) -> None:
    train(repo, "for n in range(3):\n    with ledger.run('x'): print(n)")
    deadline = time.monotonic() + 10
    while copiers(repo) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not copiers(repo)


def test_the_first_process_of_a_container_is_left_alone_since_its_death_would_end_the_copy(repo: Path) -> None:
    apart = ["unshare", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no name space can be made here")
    body = "before = os.fstat(1).st_ino\nwith ledger.run('x'): print(os.getpid(), os.fstat(1).st_ino == before)"
    assert train(repo, body, line=f"{' '.join(apart)} {{python}} train_x.py").stdout == "1 True\n"
    assert "`ledger run` around it keeps all" in runs_of(repo)[0].record.logs.unknown["all"]


@pytest.mark.parametrize("module", ["ipykernel.iostream", "_pytest.capture"])
def test_streams_that_somebody_else_collects_are_left_alone(repo: Path, module: str) -> None:
    body = (
        "class Stream:\n"
        f"    __module__ = '{module}'\n"
        "    def write(self, text): os.write(2, text.encode())\n"
        "    def flush(self): pass\n"
        "before, sys.stdout = os.fstat(1).st_ino, Stream()\n"
        "with ledger.run('x'): print(os.fstat(1).st_ino == before)\n"
    )
    assert train(repo, body).stderr.startswith("True\n")
    assert "collects the output" in runs_of(repo)[0].record.logs.unknown["all"]


def test_a_stream_of_the_training_s_own_that_prints_and_keeps_is_no_hindrance(repo: Path) -> None:
    body = (
        "class Both:\n"
        "    def write(self, text): sys.__stdout__.write(text)\n"
        "    def flush(self): sys.__stdout__.flush()\n"
        "sys.stdout = Both()\n"
        "with ledger.run('x'): print('out')\n"
    )
    assert train(repo, body).stdout == "out\n"
    assert log_of(repo).strip() == "out"
