"""What is said at three in the morning: what happened, where the record is, what to type."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from ledger.store.branch.write_lock import queued
from tests.conftest import Cli, git_in
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


def test_a_lock_of_somebody_else_keeps_the_record_waiting_and_the_hint_frees_it(work: Path, cli: Cli) -> None:
    assert cli(*RECORD).code == 0
    lock = work / ".git" / "refs" / "heads" / "ledger.lock"
    lock.touch()
    os.utime(lock, (time.time() - 7 * 3600, time.time() - 7 * 3600))
    done = cli(*RECORD)
    assert done.code == 1
    error, hint = done.err.splitlines()
    assert re.fullmatch(
        r"error: a git process that died left its lock, or one still holds it, since [-\d]+ [:\d]+ UTC "
        rf"\(7 hours ago\): `{lock}`; the record is safe in: `.+/ledger/waiting/.+\.entry`",
        error,
    )
    assert hint == f"hint: when `ps -e | grep git` shows that no git is running here: rm {lock}; then: ledger recover"
    lock.unlink()
    assert cli("recover").code == 0
    assert len(held(work)) == 2


def test_a_queue_that_does_not_move_on_holds_nobody_up_for_ever(work: Path, hub: Path, cli: Cli) -> None:
    assert cli(*RECORD).code == 0
    with queued(Branch.open(work).repository.state_dir / "push.lock") as mine:
        assert mine.held
        done = cli(*RECORD, "--push-timeout", "1")
    assert done.code == 0
    assert "warning: the record is safe here, but not synced with origin: " in done.err
    assert len(held(work)) == 2


def refuse(hub: Path, hook: str, said: str) -> None:
    file = hub / "hooks" / hook
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (
            "protected",
            "it refuses the push: pre-receive hook declined: no; next: ask its administrator, then: ledger sync",
        ),
        ("gone", "there is no repository at its address; next: git remote get-url origin; then: ledger sync"),
        (
            "auth",
            "it accepts none of your keys; next: ssh-add, or check the key at the host; then: ledger sync",
        ),
    ],
)
def test_a_push_that_fails_is_one_line_and_the_record_is_safe(
    trouble: str, expected: str, work: Path, hub: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "protected":
        refuse(hub, "pre-receive", "no")
    elif trouble == "gone":
        hub.rename(hub.with_name("moved"))
    else:
        ssh = tmp_path / "ssh"
        ssh.write_text("#!/bin/sh\necho 'git@example.com: Permission denied (publickey).' >&2\nexit 255\n")
        ssh.chmod(0o755)
        monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
        git_in(work, "remote", "set-url", "origin", "ssh://git@example.com/hub.git")
    done = cli(*RECORD)
    assert done.code == 0
    on_no_data, recorded, sending, warning = done.err.splitlines()
    assert sending.startswith("sending to origin (")
    assert "measured on no dataset" in on_no_data
    assert recorded.startswith("recorded ")
    assert warning == f"warning: the record is safe here, but not synced with origin: {expected}"
    assert len(held(work)) == 1


def test_a_remote_whose_branch_is_locked_takes_the_record_into_its_inbox_and_says_so(
    work: Path, hub: Path, cli: Cli
) -> None:
    assert cli(*RECORD).code == 0
    lock = hub / "refs" / "heads" / "ledger.lock"
    lock.touch()
    done = cli(*RECORD)
    assert done.code == 0
    assert "a ref is locked there by a git process that died or is still running" in done.err
    assert f"if none is, remove this file there: `{lock}`" in done.err
    assert len(git_in(hub, "for-each-ref", "refs/ledger/inbox").splitlines()) == 1
    lock.unlink()
    assert cli("sync").code == 0
    assert len(held(hub)) == 2


def test_a_full_disk_at_the_remote_is_named(work: Path, hub: Path, cli: Cli, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        shutil.copytree(hub, disk / "hub.git")
        git_in(work, "remote", "set-url", "origin", str(disk / "hub.git"))
        (disk / "filled").write_bytes(bytes(1))
        with (disk / "filled").open("wb", buffering=0) as full:
            while os.statvfs(disk).f_bavail:
                full.write(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        done = cli(*RECORD)
        assert done.code == 0
        assert "not synced with origin: " in done.err
        assert "its disk is full; next: ask its administrator, then: ledger sync" in done.err.replace(
            "; then", ", then"
        )
        (disk / "filled").unlink()
        assert cli("sync").code == 0
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
