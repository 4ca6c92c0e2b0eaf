"""`ledger leaderboard` on a real ledger: from the index as from the records."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from ledger.analysis.query.language import parse_query
from ledger.store.branch.branch import Branch
from ledger.store.index import index
from ledger.store.index.leaderboards import Standings, read_standings
from tests.conftest import Cli

ACCURACY = "validation/accuracy"


def cold(monkeypatch: pytest.MonkeyPatch, ledger: Branch, *asked: object) -> Standings:
    with monkeypatch.context() as patched:
        patched.setattr(index, "_ask_file", lambda *_: None)  # as where no index can be written
        return read_standings(ledger, *asked)  # type: ignore[arg-type]  # as given


@pytest.fixture
def measured(repo: Path, cli: Cli) -> Branch:
    """Three settings on v1, one of them on v2 as well, one run retracted, one measured again."""
    for version in ("v1", "v2"):
        (repo / version).write_text(version)
    for lr, seed, value in (
        (0.1, 1, 0.90),
        (0.1, 2, 0.92),
        (0.2, 1, 0.91),
        (0.2, 2, 0.93),
        (0.5, 1, 0.5),
        (0.5, 2, 0.9),
    ):
        given = ("--param", f"lr={lr}", "--param", f"seed={seed}", "--metric", f"{ACCURACY}={value}")
        assert cli("record", *given, "--dataset", "validation:digits@v1=v1").code == 0
    ledger = Branch.open(repo)
    runs = [run.record.id for run in ledger.contents().runs]
    on_v2 = ("--dataset", "validation:digits@v2=v2")
    assert cli("evaluate", runs[0], "--metric", f"{ACCURACY}=0.61", *on_v2).code == 0
    assert cli("evaluate", runs[0], "--metric", f"{ACCURACY}=0.62", *on_v2).code == 0
    assert cli("evaluate", runs[4], "--metric", f"{ACCURACY}=0.55", "--dataset", "validation:digits@v1=v1").code == 0
    assert cli("retract", runs[5], "--because", "trained on the validation set").code == 0
    return ledger


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_settings_are_ranked_on_each_version_by_itself(measured: Branch, cli: Cli) -> None:
    runs = [run.record.id for run in measured.contents().runs]
    done = cli("leaderboard", "--csv")
    assert done.code == 0
    found = [(row["dataset"], row["rank"], row["best"], row["n"], row["setting"]) for row in rows(done.out)]
    assert sorted(found) == [
        ("digits@v1", "1", "*", "2", "lr=0.2"),
        ("digits@v1", "2", "*", "2", "lr=0.1"),
        ("digits@v1", "3", "", "1", "lr=0.5"),
        ("digits@v2", "1", "", "1", ""),
    ]
    (last,) = (row for row in rows(done.out) if row["setting"] == "lr=0.5")
    (on_v2,) = (row for row in rows(done.out) if row["dataset"] == "digits@v2")
    assert (last["runs"], last["mean"]) == (runs[4], "0.55"), "the later measurement counts"
    assert on_v2["mean"] == "0.62"
    assert "cannot be compared" in done.err
    assert re.search(r"to compare them: ledger reevaluate digits@v[12] -- COMMAND \{model\}", done.err)


def test_the_index_answers_as_reading_every_record_does(measured: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    query = parse_query("params.lr < 0.3")
    for asked in ((None, None), (ACCURACY, None), (ACCURACY, query), (None, query)):
        assert read_standings(measured, *asked) == cold(monkeypatch, measured, *asked)
    (board,) = (board for board in read_standings(measured).boards if board.group.dataset == "digits@v1")
    assert (board.runs, len(board.withdrawn)) == (5, 1)


def test_what_is_said_later_changes_the_next_answer(
    measured: Branch, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_standings(measured)
    run = measured.contents().runs[3].record.id
    assert cli("retract", run, "--because", "a wrong label").code == 0
    given = ("--metric", f"{ACCURACY}=0.7", "--dataset", "validation:digits@v2=v2")
    assert cli("evaluate", measured.contents().runs[1].record.id, *given).code == 0
    after = read_standings(measured)
    assert after != before
    assert after == cold(monkeypatch, measured)
    assert sorted((board.group.dataset, board.runs) for board in after.boards) == [("digits@v1", 4), ("digits@v2", 2)]


def test_text_says_what_was_left_out_and_why(measured: Branch, cli: Cli) -> None:
    done = cli("leaderboard", "--on", "digits@v1")
    runs = [run.record.id for run in measured.contents().runs]
    assert "higher is better: 3 settings of 5 runs" in done.err
    assert "* may be the best, at 95 %" in done.err
    assert f"retracted, so not ranked: {runs[5]}" in done.err
    assert runs[5] not in done.out
    assert "none marked as best: there is only one setting" in cli("leaderboard", "--on", "digits@v2").err


def test_boards_on_retired_versions_come_last_and_say_so(measured: Branch, cli: Cli) -> None:
    for version in ("v1", "v2"):
        added = cli(
            "dataset", "add", "digits", version, "--role", "validation", "--version", version, "--reason", "new"
        )
        assert added.code == 0, added.err
    assert cli("dataset", "retire", "digits@v1", "--because", "labels were wrong").code == 0
    done = cli("leaderboard", "--json")
    assert [(board["board"]["group"]["dataset"], board["retired"]) for board in json.loads(done.out)] == [
        ("digits@v2", None),
        ("digits@v1", "labels were wrong"),
    ]
    assert "ledger reevaluate digits@v2" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--metric", "validation/nope"), "no run here has this metric: `validation/nope`"),
        (("--on", "digits@v9"), "was not measured on: `digits@v9`"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    measured: Branch, cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    done = cli("leaderboard", *arguments)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert "hint:" in done.err
    assert measured.tip()


def test_a_question_that_finds_nothing_is_no_error(measured: Branch, cli: Cli) -> None:
    done = cli("leaderboard", "status=failed")
    assert (done.code, done.out) == (0, "")
    assert "no run here has a headline metric; next: ledger leaderboard --metric" in done.err
    assert json.loads(cli("leaderboard", "status=failed", "--json").out) == []
    exported = cli("export", "status=failed")
    assert exported.code == 0
    assert exported.out.count("\n") == 1
    assert "no run matches the filter" in exported.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("log",), "nothing is on the ledger yet; next: ledger record"),
        (("list",), "no run is on the ledger yet; next: ledger record"),
        (("review",), "no proposal waits for a review; next: ledger propose"),
        (("leaderboard",), "no run here has a headline metric"),
        (("dataset", "list"), "no dataset has a version yet; next: ledger dataset add"),
    ],
)
def test_an_empty_ledger_is_no_error(repo: Path, cli: Cli, command: tuple[str, ...], said: str) -> None:
    done = cli(*command)
    assert (done.code, done.out) == (0, ""), done.err
    assert said in done.err
