"""`ledger sync`, and the push after recording: one line, never another exit code, nothing moved in the user's tree."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.conftest import Cli, git_in, run_python, state_of
from tests.store.sync.remotes import clone, held, make_hub

RECORD = ("record", "--metric", "validation/accuracy=0.5")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path)


@pytest.fixture
def work(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    clone(hub, tmp_path / "work")
    git_in(tmp_path / "work", "config", "ledger.push", "true")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_nothing_leaves_a_clone_before_somebody_says_so(
    hub: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone(hub, tmp_path / "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    Path("patients.csv").write_text("name\nErika Mustermann\n")
    done = cli("run", "--", "true")
    assert "hint: nothing was sent; to share records with origin: ledger init" in done.err
    assert git_in(hub, "for-each-ref", "refs/heads/ledger", "refs/ledger") == ""
    begun = cli("init")
    assert f"what is recorded is sent to origin ({hub}) as records: params" in begun.err
    sent = cli(*RECORD).err
    assert f"sending to origin ({hub}) as records" in sent
    assert "sent 2 entries" in sent
    assert "sending to origin" not in cli(*RECORD).err  # it is said once
    assert "Mustermann" not in git_in(hub, "log", "-p", "ledger")


def test_a_remote_that_has_a_ledger_is_sent_to(
    work: Path, hub: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli(*RECORD)
    clone(hub, tmp_path / "colleague")
    monkeypatch.chdir(tmp_path / "colleague")
    assert "sent 1 entry to origin" in cli(*RECORD).err


def test_who_syncs_has_agreed(hub: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    clone(hub, tmp_path / "fresh")
    monkeypatch.chdir(tmp_path / "fresh")
    cli(*RECORD)
    assert cli("sync").code == 0
    assert "sent 1 entry to origin" in cli(*RECORD).err


def test_init_keeps_a_clone_that_sends_nothing_as_it_is(work: Path, cli: Cli) -> None:
    git_in(work, "config", "ledger.push", "false")
    assert "nothing is sent by itself" in cli("init").err
    assert git_in(work, "config", "ledger.push").strip() == "false"


@pytest.mark.parametrize("way", [RECORD, ("run", "--", "true")], ids=["record", "run"])
def test_what_was_recorded_is_sent_at_once(work: Path, hub: Path, cli: Cli, way: tuple[str, ...]) -> None:
    before = state_of(work)
    done = cli(*way)
    assert done.code == 0
    assert "sent 1 entry to origin" in done.err
    assert len(held(hub)) == 1
    assert state_of(work) == before


def test_an_evaluation_is_sent_too(work: Path, hub: Path, cli: Cli) -> None:
    run = json.loads(cli(*RECORD, "--json").out)["id"]
    assert "sent 1 entry" in cli("evaluate", run, "--metric", "validation/accuracy=0.4").err
    assert "evaluations/" in git_in(hub, "ls-tree", "-r", "--name-only", "ledger")


def test_no_push_and_the_setting_keep_it_here(work: Path, hub: Path, cli: Cli) -> None:
    assert "origin" not in cli(*RECORD, "--no-push").err
    git_in(work, "config", "ledger.push", "false")
    assert "origin" not in cli(*RECORD).err
    assert git_in(hub, "for-each-ref", "refs/heads/ledger") == ""
    assert "sent 3 entries" in cli(*RECORD, "--push").err


def test_a_failed_push_is_one_line_and_the_exit_code_of_the_recording(work: Path, hub: Path, cli: Cli) -> None:
    hub.rename(hub.with_name("moved"))
    done = cli(*RECORD)
    assert done.code == 0
    (warning,) = [line for line in done.err.splitlines() if "origin" in line and "sending to" not in line]
    assert warning.startswith("warning: the record is safe here, but not synced with origin: ")
    assert "ledger sync" in warning
    assert cli("run", "--", "sh", "-c", "exit 7").code == 7
    assert len(held(work)) == 2


def test_a_remote_that_hangs_costs_no_more_than_the_timeout(work: Path, cli: Cli) -> None:
    started = time.monotonic()
    assert cli(*RECORD, "--no-push").code == 0
    without = time.monotonic() - started
    with socket.create_server(("127.0.0.1", 0)) as server:
        git_in(work, "remote", "set-url", "origin", f"git://127.0.0.1:{server.getsockname()[1]}/hub.git")
        started = time.monotonic()
        done = cli(*RECORD, "--push-timeout", "1")
        assert time.monotonic() - started < without + 8  # less than the ten seconds that nobody asked for
    assert done.code == 0
    assert "no answer within 1 s" in done.err


def test_python_training_sends_only_when_asked(work: Path, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import ledger\nwith ledger.run() as run: run.metric('validation/accuracy', 0.5)"
    process = run_python(script, cwd=work)
    process.communicate(timeout=60)
    assert git_in(hub, "for-each-ref", "refs/heads/ledger") == ""
    monkeypatch.setenv("LEDGER_PUSH", "1")
    process = run_python(script, cwd=work)
    _, err = process.communicate(timeout=60)
    assert "sent 2 entries to origin" in err
    assert len(held(hub)) == 2


def test_sync_says_what_it_did_in_one_line_and_by_its_exit_code(work: Path, hub: Path, cli: Cli) -> None:
    cli(*RECORD, "--no-push")
    done = cli("sync")
    assert (done.code, done.err, done.out) == (0, "sent 1 entry to origin\n", "")
    made = json.loads(cli("sync", "--json").out)
    assert (made["state"], made["remote"], made["sent"]) == ("up to date", "origin", [])
    hub.rename(hub.with_name("moved"))
    done = cli("sync", "origin")
    assert done.code == 1
    assert done.err.startswith("not synced with origin: there is no repository at its address\nhint: ")
    assert cli("sync", "--all", "origin").code == 2
    assert cli("sync", "--all").code == 1


def test_sync_all_brings_every_remote_to_one_tip(work: Path, hub: Path, cli: Cli, tmp_path: Path) -> None:
    git_in(tmp_path, "clone", "--quiet", "--bare", str(hub), str(tmp_path / "second.git"))
    git_in(work, "remote", "add", "second", str(tmp_path / "second.git"))
    cli(*RECORD)
    assert cli("sync", "--all").code == 0
    clone(tmp_path / "second.git", tmp_path / "other")
    cli("-C", str(tmp_path / "other"), *RECORD)
    cli(*RECORD, "--no-push")
    assert cli("sync", "--all").code == 0
    assert git_in(hub, "rev-parse", "ledger") == git_in(tmp_path / "second.git", "rev-parse", "ledger")
    assert len(held(hub)) == 3


def test_a_repository_without_a_remote_never_loads_sync(repo: Path) -> None:
    script = (
        "import sys; from ledger.cli import run\n"
        "assert run(['record', '--metric', 'validation/accuracy=0.5']) == 0\n"
        "print('ledger.store.sync.sync' in sys.modules)"
    )
    process = run_python(script, cwd=repo)
    out, _ = process.communicate(timeout=60)
    assert out == "False\n"
