"""Attempts of one training that were recorded apart are joined by a note: the later one speaks for both."""

from pathlib import Path

import pytest

from ledger.analysis.comparing.comparable import counts, why_uncounted
from ledger.model.entries import StoredRun
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import check_range
from tests.conftest import Cli

OPTIONS = (
    *("--experiment", "long", "--param", "lr=0.1", "--seed", "1", "--dataset", "validation:v@v1=data"),
    "--direction",
    "validation/accuracy=higher",
)


@pytest.fixture
def attempts(repo: Path, cli: Cli) -> list[str]:
    (repo / "data").write_text("1")
    for value, day in (("0.5", "01"), ("0.7", "02")):
        times = ("--started", f"2026-11-{day}T10:00:00Z", "--ended", f"2026-11-{day}T11:00:00Z")
        done = cli("record", *OPTIONS, *times, "--metric", f"validation/accuracy={value}")
        assert done.code == 0, done.err
    return sorted(run.record.id for run in stored(repo))


def stored(repo: Path) -> list[StoredRun]:
    return sorted(Branch.open(repo).contents().runs, key=lambda run: run.record.id)


def test_the_later_one_speaks_for_both(attempts: list[str], repo: Path, cli: Cli) -> None:
    first, second = attempts
    done = cli("note", first[16:], "went on from its checkpoint", "--continued-by", second[16:])
    assert (done.code, done.err) == (
        0, f"{first} and {second} are attempts of one training; the later one speaks for both\n",
    )  # fmt: skip
    earlier, later = stored(repo)
    assert (earlier.continued_by, earlier.standing, counts(earlier)) == (second, "continued", False)
    assert not counts(earlier, {"finished", "killed"})
    assert why_uncounted(earlier) == f"was continued by {second}"
    assert (later.continues, later.standing, counts(later)) == ([first], "finished", True)
    board = cli("leaderboard", "-m", "validation/accuracy")
    assert (first in board.out, second in board.out) == (False, True)
    assert f"continued by another run, so not ranked: {first}" in board.err
    assert "finished, continued" in cli("list").out
    assert cli("judge", first[16:]).err.startswith(f"error: the run was continued by another run: `{first}`")
    assert "said to be continued by another run by Ada Lovelace" in cli("show", first, "--history").out
    assert check_range(Branch.open(repo).repository, "refs/heads/ledger", None).findings == ()


def test_both_pages_lead_to_each_other(attempts: list[str], repo: Path, cli: Cli) -> None:
    first, second = attempts
    cli("note", first, "its checkpoint", "--continued-by", second)
    assert cli("site", "build").code == 0
    for here, there, said in ((first, second, "continued by"), (second, first, "continues")):
        (page,) = (repo / "build" / "site" / "runs").rglob(f"{here}.html")
        html = page.read_text("utf-8")
        assert f"<strong>{said}</strong>" in html
        assert f'{there}.html"' in html


def test_nobody_continues_a_later_run_or_itself(attempts: list[str], repo: Path, cli: Cli) -> None:
    first, second = attempts
    for earlier, later in ((second, first), (first, first)):
        done = cli("note", earlier, "why", "--continued-by", later)
        assert done.code == 1
        assert "a run is continued by one that began later" in done.err
    assert cli("note", first, " ", "--continued-by", second).code == 1
    assert all(not run.notes for run in stored(repo))
