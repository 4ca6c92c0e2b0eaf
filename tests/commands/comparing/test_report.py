"""`ledger report` on a real ledger."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli

ACCURACY = "validation/accuracy"


@pytest.fixture
def study(repo: Path, cli: Cli) -> Path:
    """Two settings with two seeds on v1, and one run of another experiment on v2."""
    for version in ("v1", "v2"):
        (repo / version).write_text(version)
    for lr, seed, value in ((0.1, 1, 0.90), (0.1, 2, 0.92), (0.2, 1, 0.81), (0.2, 2, 0.83)):
        given = ("--param", f"lr={lr}", "--param", f"seed={seed}", "--metric", f"{ACCURACY}={value}")
        assert cli("record", "-e", "sweep", *given, "--dataset", "validation:digits@v1=v1").code == 0
    assert cli("record", "-e", "other", "--metric", f"{ACCURACY}=0.5", "--dataset", "validation:digits@v2=v2").code == 0
    return repo


def test_a_report_is_written_and_its_paths_are_printed(study: Path, cli: Cli) -> None:
    done = cli("report", "sweep", "-o", "out/report", "--formats", "svg", "--json")
    assert done.code == 0, done.err
    printed = json.loads(done.out)
    assert {str(path.relative_to(study)) for path in (study / "out/report").iterdir()} == set(printed["files"])
    assert any(line.startswith("curves of") for line in printed["left_out"])
    report = json.loads((study / "out/report/report.json").read_bytes())
    board = json.loads(cli("leaderboard", "--on", "digits@v1", "--json").out)[0]["board"]
    rows = [(row["runs"], row.get("leading", False)) for row in report["tables"][0]["rows"]]
    assert rows == [(place["runs"], place.get("leading", False)) for place in board["places"]]
    assert len(report["tables"]) == 1


def test_a_query_with_two_groups_has_two_tables(study: Path, cli: Cli) -> None:
    done = cli("report", f"{ACCURACY} > 0.1", "-o", "report", "--figures", "forest", "--formats", "png")
    assert done.code == 0, done.err
    assert "2 tables, 2 figures" in done.err


def test_runs_that_may_not_be_compared_are_refused(study: Path, cli: Cli) -> None:
    done = cli("report", f"{ACCURACY} = 0.5 or {ACCURACY} = 0.92", "-o", "report")
    assert done.code == 1
    assert "no two of these runs may be compared" in done.err
    assert "hint: ledger reevaluate digits@" in done.err
    assert not (study / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("sweep", "-o", "r", "--formats", "gif"), 2, "no such format: `gif`"),
        (("sweep", "-o", "r", "--figures", "pie"), 2, "no such figure: `pie`"),
        (("sweep", "-o", "r", "-m", "bleu"), 1, "no run here has this metric: `bleu`"),
        (("nothing", "-o", "r"), 1, "no run that matches has a headline metric: `nothing`"),
        (("sweep", "-o", "."), 1, "was not made by ledger report"),
        (("sweep",), 2, "-o"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    study: Path, cli: Cli, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = sorted(study.iterdir())
    done = cli("report", *arguments)
    assert done.code == code, done.err
    assert said in done.err
    assert sorted(study.iterdir()) == before


def test_a_report_is_replaced_only_with_force(study: Path, cli: Cli) -> None:
    asked = ("report", "sweep", "-o", "report", "--figures", "forest", "--formats", "svg")
    assert cli(*asked).code == 0
    first = {path.name: path.read_bytes() for path in (study / "report").iterdir()}
    again = cli(*asked)
    assert again.code == 1
    assert "--force" in again.err
    assert cli(*asked, "--force").code == 0
    assert {path.name: path.read_bytes() for path in (study / "report").iterdir()} == first
