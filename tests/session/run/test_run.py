"""A run that records itself, however it ends: real processes, really killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

import ledger as api
from ledger.errors import LedgerError
from ledger.model.entries import StoredRun
from ledger.session.spool.recovery import recover
from ledger.session.spool.spool import dead_spools, spool_dir
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import homeless_dir, waiting_files
from ledger.store.branch.run_times import read_lives
from tests.conftest import ROOT, Cli, git_in, run_python, state_of

BODY = """
import ledger, sys, time
with ledger.run("py", params={"lr": 0.1, "seed": 3}, tags=["a"]) as run:
    for step in range(50):
        run.log(step=step, **{"train/loss": 1 / (step + 1)})
    run.metric("accuracy", 0.9, split="validation")
    print("ready", flush=True)
    END
print("after", flush=True)
"""


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def start(repo: Path, end: str, prelude: str = "") -> "subprocess.Popen[str]":
    return run_python(prelude + BODY.replace("END", end), cwd=repo)


def wait_until_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_a_run_that_ends_well_is_finished_with_all_it_logged(repo: Path) -> None:
    code, out, err = finish(start(repo, "pass"))
    assert (code, out) == (0, "ready\nafter\n"), err
    run = only_run(repo)
    record = run.record
    assert f"recorded {record.id}: validation/accuracy 0.9; next: ledger show {record.id[16:]}\n" in err
    assert (record.status, record.experiment, record.seed, record.tags) == ("finished", "py", 3, ["a"])
    assert record.results.curves is not None
    assert record.results.curves.points == 50
    assert record.statistics.series["train/loss"].last == 0.02
    assert record.hardware.usage is not None
    assert record.environment.python is not None
    assert not list(spool_dir(repo / ".git" / "ledger").iterdir())


def test_an_exception_is_recorded_as_failed_and_goes_on_its_way(repo: Path) -> None:
    code, _, err = finish(start(repo, "raise ValueError('boom')"))
    assert code == 1
    assert "ValueError: boom" in err
    record = only_run(repo).record
    assert (record.status, record.reason) == ("failed", "ValueError: boom")
    assert record.statistics.series["train/loss"].count == 50


@pytest.mark.parametrize(("end", "status", "code"), [("sys.exit(3)", "failed", 3), ("sys.exit(0)", "finished", 0)])
def test_sys_exit_tells_by_its_code(repo: Path, end: str, status: str, code: int) -> None:
    assert finish(start(repo, end))[0] == code
    record = only_run(repo).record
    assert (record.status, record.exit_code) == (status, code)


def test_sigterm_is_recorded_as_killed_and_the_process_dies_of_it(repo: Path) -> None:
    process = start(repo, "time.sleep(60)")
    wait_until_ready(process)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == -signal.SIGTERM
    record = only_run(repo).record
    assert (record.status, record.reason) == ("killed", "SIGTERM")


def test_a_sigterm_handler_of_the_training_is_called_and_decides(repo: Path) -> None:
    prelude = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: print('theirs', flush=True))\n"
    process = start(repo, "time.sleep(1); time.sleep(1)", prelude)
    wait_until_ready(process)
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert (code, out) == (0, "theirs\nafter\n")
    assert only_run(repo).record.status == "finished"


def test_ctrl_c_is_recorded_as_interrupted(repo: Path) -> None:
    process = start(repo, "time.sleep(60)", "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n")
    wait_until_ready(process)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code != 0
    assert "KeyboardInterrupt" in err
    assert only_run(repo).record.status == "interrupted"


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGTERM", "SIGHUP", "SIGINT"])
def test_the_scheduler_s_warning_is_preempted(name: str, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_PREEMPTION_SIGNAL", name)
    process = start(
        repo,
        "time.sleep(60)",
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n",
    )
    wait_until_ready(process)
    process.send_signal(signal.Signals[name])
    code, _, err = finish(process)
    assert (code != 0, "RecursionError" in err) == (True, False)
    record = only_run(repo).record
    assert (record.status, record.reason) == ("preempted", name)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP", "SIGNOTHING"])
def test_a_warning_that_nobody_can_handle_breaks_no_training(
    name: str, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_PREEMPTION_SIGNAL", name)
    process = start(repo, "pass")
    assert finish(process)[0] == 0
    assert only_run(repo).record.status == "finished"


def test_a_run_killed_outright_is_found_as_lost_by_the_next_command(repo: Path, cli: Cli) -> None:
    process = start(repo, "time.sleep(60)")
    wait_until_ready(process)
    assert cli("list", "--json").out.strip() == "[]"  # it lives: nobody touches it
    process.kill()
    finish(process)
    done = cli("list")
    assert "it had ended as lost" in done.err
    run = only_run(repo)
    assert (run.record.status, run.record.reason) == ("lost", "the process ended without reporting how")
    assert run.record.statistics.series["train/loss"].count == 50
    assert run.record.results.metrics[0].value == 0.9
    assert run.record.code.commit is not None
    assert cli("list").err == ""


def test_a_run_killed_in_its_first_second_is_known(repo: Path, cli: Cli) -> None:
    process = run_python("import ledger, os, signal; ledger.run('x'); os.kill(os.getpid(), signal.SIGKILL)", cwd=repo)
    finish(process)
    cli("recover")
    assert only_run(repo).record.status == "lost"


def test_kills_at_random_moments_lose_nothing_that_was_logged(repo: Path) -> None:
    script = (
        "import ledger, sys\n"
        "run = ledger.run('kill')\n"
        "for n in range(10**9):\n"
        "    run.log(step=n, loss=1.0)\n"
        "    if n % 100 == 0: print(n, flush=True)\n"
    )
    for number in range(5):
        process = run_python(script, cwd=repo)
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen = int(line)
            if seen >= 500 * (number + 1):
                break
        process.kill()
        finish(process)
        book = Branch.open(repo)
        (found,) = recover(book, book.repository.state_dir)
        record = next(run.record for run in book.contents().runs if run.record.id == found.id)
        assert record.statistics.series["loss"].count > seen


def test_a_kill_during_recording_leaves_one_whole_record(repo: Path) -> None:
    for delay in (0.0, 0.005, 0.01, 0.02, 0.04, 0.08):
        process = start(repo, "pass")
        wait_until_ready(process)
        time.sleep(delay)
        process.kill()
        finish(process)
    book = Branch.open(repo)
    recover(book, book.repository.state_dir)
    runs = book.contents().runs
    assert len(runs) == 6
    assert {run.record.status for run in runs} <= {"finished", "lost"}
    assert git_in(repo, "fsck", "--strict", "--no-dangling") == ""
    assert not dead_spools(book.repository.state_dir)


def test_wrong_values_warn_and_never_stop_the_training(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    with api.run("x") as run:
        run.log(step=1, loss="high")
        run.metric("accuracy", "abc", split="test")  # type: ignore[arg-type]  # the mistake under test
        run.metric("loss", float("nan"), split="test")
        run.dataset("nowhere", role="validation")
        run.figure(object(), "roc")
        run.model("nope.pt")
        run.tag("a\nb")
    record = only_run(repo).record
    assert record.status == "finished"
    assert record.results.metrics[0].value == "NaN"
    assert {"curves", "metrics.accuracy", "figures.roc"} <= set(record.results.unknown)
    assert "nowhere" in str(record.datasets.unknown)
    said = [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"]
    assert len(said) == 7
    assert "test/loss is measured on no dataset" in said[-1]


def test_what_is_said_after_the_end_lands_in_nobody_s_file(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = api.run("x")
    run.finish()
    paths = [repo / f"mine-{number}" for number in range(3)]
    files = [path.open("w") for path in paths]
    run.log(loss=0.5)
    run.metric("accuracy", 0.5)
    run.note("too late")
    for file in files:
        file.close()
    assert [path.read_text() for path in paths] == ["", "", ""]
    assert "the run has ended" in caplog.text


def test_scalars_of_torch_are_steps_epochs_seeds_and_values(repo: Path) -> None:
    seed = torch.tensor(7)
    with api.run("x", seed=seed) as run:  # type: ignore[arg-type]  # what scripts pass
        run.log(step=torch.tensor(3), epoch=torch.tensor(0.5), loss=torch.tensor(0.25))  # type: ignore[arg-type]  # the same
    record = only_run(repo).record
    assert (record.seed, record.statistics.steps, record.statistics.epochs) == (7, 3, 0.5)
    assert record.statistics.series["loss"].last == 0.25


def test_values_that_raise_anything_never_stop_the_training(repo: Path) -> None:
    class Odd:
        def __float__(self) -> float:
            raise KeyError("odd")

    with api.run("x") as run:
        run.log(loss=10**400)
        run.log(loss=Odd())
        run.note(5)  # type: ignore[arg-type]  # the mistake under test
    record = only_run(repo).record
    assert record.status == "finished"
    assert {"curves", "said"} <= set(record.results.unknown)


def test_odd_names_of_curves_do_not_cost_the_record(repo: Path) -> None:
    with api.run("x") as run:
        run.log({"two\nlines": 1, "": 2, "x" * 500: 3, "loss": 4})
    assert set(only_run(repo).record.statistics.series) == {"two\\nlines", "unnamed", "x" * 200, "loss"}


def test_an_unknown_status_is_a_failure_that_says_so(repo: Path) -> None:
    api.run("x").finish("exploded")  # type: ignore[arg-type]  # the mistake under test
    record = only_run(repo).record
    assert record.status == "failed"
    assert "`exploded`" in str(record.reason)


def test_a_wrong_type_at_the_start_is_said_at_once(repo: Path) -> None:
    with pytest.raises(LedgerError, match="wrong type"):
        api.run("x", note=5)  # type: ignore[arg-type]  # the mistake under test
    assert not (repo / ".git" / "ledger").exists()


def test_one_tag_may_be_given_without_a_list(repo: Path) -> None:
    api.run("x", tags="baseline", links="https://example.com").finish()
    record = only_run(repo).record
    assert (record.tags, [link.url for link in record.links]) == (["baseline"], ["https://example.com"])


def test_a_handler_of_the_training_outlives_a_run_that_ended_before_another(repo: Path) -> None:
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: caught.append(number))
    try:
        first, second = api.run("first"), api.run("second")
        first.finish()
        os.kill(os.getpid(), signal.SIGTERM)
        second.finish()
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught == [signal.SIGTERM, signal.SIGTERM]


def test_a_run_that_began_after_one_that_ended_records_its_own_death(repo: Path) -> None:
    prelude = "import ledger\nfirst = ledger.run('first')\n"
    process = start(repo, "first.finish(); print('ready', flush=True); time.sleep(60)", prelude)
    wait_until_ready(process)
    wait_until_ready(process)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == -signal.SIGTERM
    ends = {run.record.experiment: run.record.status for run in Branch.open(repo).contents().runs}
    assert ends == {"first": "finished", "py": "killed"}


def test_without_with_the_end_of_the_process_ends_the_run(repo: Path) -> None:
    assert finish(run_python("import ledger; ledger.run('x').log(loss=1)", cwd=repo))[0] == 0
    assert only_run(repo).record.status == "finished"


def test_without_with_an_exception_is_still_a_failure(repo: Path) -> None:
    assert finish(run_python("import ledger; run = ledger.run('x'); 1 / 0", cwd=repo))[0] == 1
    assert only_run(repo).record.reason == "ZeroDivisionError: division by zero"


def test_workers_that_fork_do_not_end_the_run(repo: Path) -> None:
    script = (
        "import ledger, os\n"
        "with ledger.run('x') as run:\n"
        "    if os.fork() == 0: raise SystemExit(5)\n"
        "    os.wait()\n"
        "    run.log(loss=1)"
    )
    assert finish(run_python(script, cwd=repo))[0] == 0
    record = only_run(repo).record
    assert (record.status, record.statistics.series["loss"].count) == ("finished", 1)


def test_outside_of_any_repository_training_goes_on_and_the_record_waits(tmp_path: Path, repo: Path, cli: Cli) -> None:
    away = tmp_path / "away"
    away.mkdir()
    process = start(away, "pass")
    code, out, err = finish(process)
    assert (code, out) == (0, "ready\nafter\n")
    assert "not a git repository" in err
    assert len(waiting_files(homeless_dir())) == 1
    assert cli("recover", "--homeless").code == 0
    assert only_run(repo).record.code.unknown["all"] == "the run was not in a git repository"


def test_a_run_touches_nothing_of_the_user_s(repo: Path) -> None:
    (repo / "dirty.py").write_text("1")
    git_in(repo, "add", "dirty.py")
    (repo / "dirty.py").write_text("2")
    before = state_of(repo)
    finish(start(repo, "pass"))
    assert state_of(repo) == before
    patch = only_run(repo).record.code.patch
    assert patch is not None
    assert patch.files == 1


def test_code_is_captured_as_it_was_at_the_start(repo: Path) -> None:
    end = "open('train.py', 'w').write('changed while training')"
    finish(start(repo, end))
    assert only_run(repo).record.code.patch is None


def test_a_matplotlib_figure_and_a_torch_model_are_kept(repo: Path) -> None:
    script = """
import ledger, matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt, torch
with ledger.run("x") as run:
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    run.figure(figure, "A line")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    model[0].requires_grad_(False)
    torch.save(model.state_dict(), "model.pt")
    run.model("model.pt", model)
    run.metric("accuracy", torch.tensor(0.5), split="test")
"""
    code, _, err = finish(run_python(script, cwd=repo))
    assert code == 0, err
    run = only_run(repo)
    assert (run.record.model.parameters, run.record.model.trainable, run.record.model.format) == (23, 8, "torch")
    assert run.record.results.figures[0].file == "figures/a-line.svg"
    assert run.record.results.metrics[0].value == 0.5
    assert run.record.environment.frameworks["torch"].startswith("2.")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A repository on a file system of one megabyte."""
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root may mount a small file system")
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


def test_a_full_disk_does_not_stop_the_training(full_disk: Path) -> None:
    git_in(full_disk, "init", "-q")
    (full_disk / "fill").write_bytes(b"x" * (1 << 19))
    script = (
        "import ledger\n"
        "with ledger.run('x') as run:\n"
        "    for n in range(20_000): run.log(step=n, **{'train/loss/with/a/long/name': 1.0})\n"
        "print('after')"
    )
    code, out, err = finish(run_python(script, cwd=full_disk))
    assert (code, out) == (0, "after\n"), err
    assert "No space left" in err
    assert len(waiting_files(homeless_dir())) == 1  # the record, on another disk


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a home")
def test_a_user_without_a_home_has_a_place_all_the_same(tmp_path: Path) -> None:
    script = (
        "import os, pwd\nfrom ledger.store.branch.pending import homeless_dir\nos.setuid(54321)\nprint(homeless_dir())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert Path(done.stdout.strip()).name == "ledger-54321"


def test_what_cannot_be_recovered_keeps_nothing_else_from_it(repo: Path, cli: Cli) -> None:
    state = repo / ".git" / "ledger"
    for _ in range(2):
        finish(start(repo, "import os; os._exit(1)"))
    poisoned = min((state / "spool").iterdir())
    (poisoned / "events.jsonl").unlink()
    (poisoned / "events.jsonl").mkdir()
    (state / "waiting").mkdir()
    (state / "waiting" / "20261120-194812-aaaaaa.entry").write_bytes(b"damaged")
    done = cli("list", "--json")
    assert done.code == 0
    assert done.err.count("still waits") == 2
    assert done.err.count("it had ended as lost") == 1
    assert cli("recover").code == 1


def test_runs_of_other_hosts_are_left_alone_unless_their_host_is_named(repo: Path, cli: Cli) -> None:
    finish(start(repo, "import os; os._exit(1)"))
    (folder,) = (repo / ".git" / "ledger" / "spool").iterdir()
    begun = folder / "start.json"
    begun.write_text(begun.read_text().replace(f'"host": "{socket.gethostname()}"', '"host": "another-container"'))
    (listed,) = json.loads(cli("recover", "--list", "--json").out)
    assert (listed["id"], listed["state"], listed["host"]) == (folder.name, "elsewhere", "another-container")
    assert cli("recover", "--host", "another-container").code == 0
    assert folder.is_dir()  # it gave a sign of life a moment ago
    days_ago = time.time() - 2 * 86_400
    for path in folder.iterdir():
        os.utime(path, (days_ago, days_ago))
    done = cli("recover")
    assert "1 run of host another-container left alone, silent for 2 d 0 h" in done.err
    assert "if that host is gone: ledger recover --host another-container" in done.err
    assert cli("recover", "--host", "a-third-one").code == 0
    assert folder.is_dir()
    assert cli("recover", "--host", "another-container").code == 0
    assert only_run(repo).record.status == "lost"
    assert cli("recover", "--list").err == "no run is waiting to be recorded\n"


class Unset(dict[str, object]):
    """A mapping whose value for `ckpt` was left to be given, as OmegaConf's `???`."""

    def __getitem__(self, name: str) -> object:
        if name == "ckpt":
            raise ValueError("Missing mandatory value: ckpt")
        return super().__getitem__(name)


def test_a_param_that_has_no_value_loses_no_other(repo: Path) -> None:
    with api.run(params=Unset(lr=0.1, ckpt="???"), folder=repo) as run:
        run.params({"later": Unset(a=1, ckpt="???")})
    made = only_run(repo)
    assert made.record.params.values == {"lr": 0.1, "later.a": 1}
    assert set(made.record.params.unknown) == {"ckpt", "later.ckpt"}


def test_params_are_read_as_they_were_given_and_a_run_says_what_it_is(repo: Path) -> None:
    with api.run("digits", params={"optimizer": {"lr": 0.1}}, folder=repo) as run:
        run.params(epochs=3)
        run.params({"optimizer.lr": 0.2})
        assert dict(run.params) == {"optimizer.lr": 0.2, "epochs": 3}
        assert run.params["epochs"] == 3
        assert len(run.params) == 2
        assert repr(run.params) == "{'optimizer.lr': 0.2, 'epochs': 3}"
        assert repr(run) == f"<Run {run.id}: running>"
    assert repr(run) == f"<Run {run.id}: finished>"
    assert run.recorded is not None
    assert run.recorded.record.params.values == dict(run.params)


def test_a_run_that_ended_elsewhere_is_recorded_with_its_own_times(repo: Path) -> None:
    run = api.run("x", started_at="2026-03-01T10:00:00+01:00")
    run.log(loss=0.5, step=3)
    run.finish(ended_at=datetime(2026, 3, 1, 11, 30, tzinfo=UTC))
    record = only_run(repo).record
    assert record.id.startswith("20260301-090000-")
    assert (record.timing.source, record.timing.duration_seconds) == ("options", 9000.0)
    assert (record.timing.started_at.hour, record.timing.ended_at.hour) == (9, 11)
    assert "the run was not watched" in record.hardware.unknown["usage"]
    assert "imports are unknown" in record.environment.unknown["imported"]
    curves = Branch.open(repo).read_blob(only_run(repo).files["curves.csv"]).decode()
    assert curves == "step,epoch,seconds,loss\n3,,,0.5\n"  # it was logged now, which says nothing of when it was
    assert read_lives(repo / ".git" / "ledger") == []


def test_a_stated_start_counts_in_the_duration_of_a_run_that_ends_now(repo: Path) -> None:
    with api.run("x", started_at=datetime.now(UTC) - timedelta(hours=1)) as run:
        run.log(loss=0.5)
    record = only_run(repo).record
    assert record.timing.source == "options"
    assert record.timing.duration_seconds == pytest.approx(3600, abs=60)
    assert record.hardware.usage is not None


def test_a_time_without_a_zone_is_local(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        api.run("x", started_at="2026-03-01 10:00").finish(ended_at=datetime(2026, 3, 1, 11))  # noqa: DTZ001  # under test
    finally:
        monkeypatch.undo()
        time.tzset()
    timing = only_run(repo).record.timing
    assert (timing.started_at.hour, timing.ended_at.hour, timing.duration_seconds) == (1, 2, 3600.0)


@pytest.mark.parametrize("said", ["ten", "2126-01-01T00:00:00Z", 1.7e9, "", "0001-01-01"])
def test_an_impossible_start_is_refused_before_training(repo: Path, said: object) -> None:
    with pytest.raises(LedgerError, match="started_at"):
        api.run("x", started_at=said)  # type: ignore[arg-type]  # the mistake under test
    assert not (repo / ".git" / "ledger").exists()


@pytest.mark.parametrize("said", ["ten", "2126-01-01T00:00:00Z", "2026-03-01T09:00:00Z", 5])
def test_an_impossible_end_is_noted_and_the_clock_s_taken(repo: Path, said: object) -> None:
    run = api.run("x", started_at="2026-03-01T10:00:00Z")
    run.finish(ended_at=said)  # type: ignore[arg-type]  # the mistake under test
    record = only_run(repo).record
    assert (record.status, record.timing.source) == ("finished", "options")
    assert "ended_at" in record.timing.unknown["ended_at"]
    assert abs((datetime.now(UTC) - record.timing.ended_at).total_seconds()) < 60
    assert record.hardware.usage is not None


def test_a_killed_run_keeps_its_stated_start(repo: Path) -> None:
    script = "import ledger, os; ledger.run('x', started_at='2026-03-01T10:00:00Z'); os.kill(os.getpid(), 9)"
    finish(run_python(script, cwd=repo))
    book = Branch.open(repo)
    recover(book, book.repository.state_dir)
    record = only_run(repo).record
    assert record.id.startswith("20260301-100000-")
    assert (record.status, record.timing.source, record.timing.started_at.day) == ("lost", "options", 1)


def test_inside_ledger_run_a_run_with_a_start_of_its_own_is_a_record_of_its_own(repo: Path, cli: Cli) -> None:
    script = "import ledger\nledger.run('x', started_at='2026-03-01T10:00Z').finish(ended_at='2026-03-01T11:00Z')"
    assert cli("run", "-e", "importing", "--", sys.executable, "-c", script).code == 0
    records = {run.record.experiment: run.record for run in Branch.open(repo).contents().runs}
    assert records["x"].timing.duration_seconds == 3600.0
    assert records["x"].parent == records["importing"].id
    assert records["importing"].timing.source == "clock"
