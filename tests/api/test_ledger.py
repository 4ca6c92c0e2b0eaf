"""The public `Ledger` answers as the command of each name does."""

import ast
import inspect
import json
from pathlib import Path

import pytest

import ledger as tool
from ledger.analysis.comparing.compare import compare
from ledger.api.ledger import Ledger, Runs
from ledger.errors import NotFound, UsageError
from ledger.model.document import dump
from ledger.store.branch.branch import Branch
from tests.conftest import Cli
from tests.samples import sample_ledger
from tests.store.index.test_index import entry_of


@pytest.fixture
def asked(ledger: Branch, monkeypatch: pytest.MonkeyPatch, repo: Path) -> Ledger:
    ledger.append(entry_of(ledger, *sample_ledger()))
    monkeypatch.chdir(repo)
    return tool.Ledger.open()


def ids(runs: Runs) -> list[str]:
    return [run.record.id for run in runs]


def test_runs_are_those_that_list_shows(asked: Ledger, cli: Cli) -> None:
    for query, options in (
        ("", {}),
        ("status = finished", {"limit": 3}),
        ("", {"sort": "validation/accuracy", "reverse": True}),
        ("optimizer.lr=0.01 accuracy>0.9", {}),
    ):
        flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
        shown = json.loads(cli("list", *([query] if query else []), *flags, "--json").out)
        assert ids(asked.runs(query, **options)) == [run["id"] for run in shown]
    assert asked.runs("", sort="validation/accuracy").warnings


def test_what_is_returned_is_a_list_with_a_table(asked: Ledger) -> None:
    runs = asked.runs(limit=4)
    assert (len(runs), runs[0], runs[1:3]) == (4, next(iter(runs)), Runs(tuple(runs)[1:3]))
    assert repr(runs).startswith(f"<4 runs: {runs[0].record.id}, ")
    assert len(runs.to_pandas()) == 4
    assert runs[0].record.id in runs._repr_html_()


def test_a_notebook_shows_the_newest_runs_and_no_markup_of_a_record(asked: Ledger) -> None:
    page = asked._repr_html_()
    assert page.count("<tr>") > 10
    assert "<script" not in page
    assert "<img" not in page
    assert repr(asked).startswith("<Ledger ledger of ")


def test_a_ledger_without_runs_says_so(repo: Path) -> None:
    assert "no run is on it yet" in Ledger.open(repo)._repr_html_()
    assert len(Ledger.open(repo).runs()) == 0


def test_one_run_is_found_by_enough_of_its_id(asked: Ledger) -> None:
    run = asked.runs(limit=1)[0]
    assert dump(asked.run(run.record.id[-6:]).record) == dump(run.record)
    with pytest.raises(NotFound, match="no run has this id"):
        asked.run("zzzzzz")


def test_experiments_and_datasets_are_named(asked: Ledger, repo: Path, cli: Cli) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "a.txt").write_text("1")
    assert cli("dataset", "add", "letters", "data", "--role", "validation", "--no-push").code == 0
    experiments = asked.experiments()
    assert sum(one.runs for one in experiments) == len(asked.runs())
    assert experiments[0].latest == asked.runs(limit=1)[0].record.id
    assert [version.label for version in asked.datasets()] == ["letters@v1"]
    assert asked.dataset("letters@v1") == asked.dataset("letters") == asked.datasets()[0]
    with pytest.raises(NotFound, match="no such dataset"):
        asked.dataset("nothing@v1")


def test_boards_comparisons_and_verdicts_are_those_of_the_commands(asked: Ledger, cli: Cli) -> None:
    boards = asked.leaderboard("validation/accuracy")
    shown = json.loads(cli("leaderboard", "-m", "validation/accuracy", "--limit=1000", "--json").out)
    assert [board.group.dataset for board in boards] == [one["board"]["group"]["dataset"] for one in shown]
    on = boards[0].group.dataset
    assert asked.leaderboard("validation/accuracy", on=on) == [board for board in boards if board.group.dataset == on]
    with pytest.raises(NotFound, match="was not measured on"):
        asked.leaderboard("validation/accuracy", on="nothing@v1")
    best, other = (place.runs[0] for place in boards[0].places[:2])
    assert asked.compare(best, other) == compare([asked.run(best), asked.run(other)])
    verdict = json.loads(cli("judge", other, "--against", "best", "--json").out)
    assert asked.judge(other, "best").answer == verdict["answer"]
    with pytest.raises(UsageError, match="smallest improvement"):
        asked.judge(other, "best", min_effect=-1)
    advice = json.loads(cli("advise", best, "--json").out)
    assert [one.rule for one in asked.advise(best).advice] == [one["rule"] for one in advice[0].get("advice", [])]


def test_the_history_is_that_of_log(asked: Ledger, cli: Cli) -> None:
    shown = json.loads(cli("log", "--json", "-n", "2").out)
    assert [entry.commit for entry in asked.log(2)] == [entry["commit"] for entry in shown]


@pytest.mark.parametrize("name", [name for name in vars(Ledger) if not name.startswith("_")])
def test_every_question_has_a_docstring_with_an_example_that_parses(name: str) -> None:
    text = inspect.getdoc(getattr(Ledger, name)) or ""
    assert "Raises:" in text
    if name != "open":
        (line,) = (line.strip() for line in text.splitlines() if line.strip().startswith(">>> "))
        ast.parse(line.removeprefix(">>> "))
