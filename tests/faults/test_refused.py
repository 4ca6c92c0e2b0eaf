"""Where nothing may be written: said in one line, and the record waits where it can."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import ROOT
from tests.faults.account import Figures


def as_anybody() -> list[str]:
    """Return what takes root's right to write everywhere from a command; nothing where we are not root."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def ledger_command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [*as_anybody(), sys.executable, "-m", "ledger", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def may_write(folder: Path, *, yes: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200 if yes else path.stat().st_mode & ~0o222)


def test_a_repository_that_may_not_be_written_keeps_its_records_outside(repo: Path, figures: Figures) -> None:
    assert ledger_command("record", "--metric", "validation/accuracy=0.5").returncode == 0
    tip = Branch.open(repo).tip()
    may_write(repo / ".git", yes=False)
    figures.faults += 1
    try:
        for way, code in ((("record", "--metric", "validation/accuracy=0.6"), 1), (("run", "--", "true"), 0)):
            done = ledger_command(*way)
            assert done.returncode == code, done.stderr
            assert "the repository cannot be written to; nothing was written; the record is safe in: `" in done.stderr
            assert "hint: check its owner and mode, then: ledger recover --homeless" in done.stderr
        done = ledger_command("list", "--json")
        assert done.returncode == 0
        assert Branch.open(repo).tip() == tip
    finally:
        may_write(repo / ".git", yes=True)
    assert ledger_command("recover", "--homeless").returncode == 0
    assert len(Branch.open(repo).contents().runs) == 3
    figures.records += 3


@pytest.mark.parametrize("part", ["objects", "refs/heads", "ledger"])
def test_one_folder_that_may_not_be_written_loses_nothing(repo: Path, part: str, figures: Figures) -> None:
    assert ledger_command("record", "--metric", "validation/accuracy=0.5").returncode == 0
    may_write(repo / ".git" / part, yes=False)
    figures.faults += 1
    done = ledger_command("record", "--metric", "validation/accuracy=0.6")
    may_write(repo / ".git" / part, yes=True)
    if part == "ledger":  # only the queue: compare-and-swap decides alone
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1
        assert "the repository cannot be written to; nothing was written; the record is safe in: `" in done.stderr
    assert ledger_command("recover", "--homeless").returncode == 0
    assert len(Branch.open(repo).contents().runs) == 2
    figures.records += 2
