"""Later measurements: what the policy makes of them, and metrics that were counted in production."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.model.boxes.outputs import Metric
from ledger.model.entries import StoredRun
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

POLICY = b"""
directions: {score: lower}
aggregates:
  validation/everywhere: {of: validation/accuracy, over: [d@v1, d@v2], how: worst}
"""


def write_policy(ledger: Branch, text: bytes) -> None:
    if ledger.tip() is None:
        ledger.create(ledger.repository.author(), datetime.now(UTC))
    append_commit(
        ledger.repository,
        ledger.ref,
        parent=ledger.tip(),
        files={"policy.yaml": text},
        message="policy\n",
        author=ledger.repository.author(),
        now=datetime.now(UTC),
    )


def data(repo: Path, version: str) -> str:
    (repo / version).mkdir(exist_ok=True)
    (repo / version / "x.txt").write_text(version)
    return f"validation:d@{version}={version}"


def runs(repo: Path) -> list[StoredRun]:
    return list(Branch.open(repo).contents().runs)


def whole(run: StoredRun) -> list[Metric]:
    return [metric for metric in run.metrics() if metric.derived_from]


def test_an_aggregate_is_recorded_with_the_measurement_that_completes_it(repo: Path, ledger: Branch, cli: Cli) -> None:
    write_policy(ledger, POLICY)
    assert cli("record", "-m", "validation/accuracy=0.9", "-d", data(repo, "v1")).code == 0
    (first,) = runs(repo)
    assert whole(first) == []
    done = cli("evaluate", first.record.id, "-m", "validation/accuracy=0.6", "-d", data(repo, "v2"))
    assert done.code == 0, done.err
    (metric,) = whole(runs(repo)[0])
    assert (metric.key, metric.number, metric.dataset) == ("validation/everywhere", 0.6, "worst of d@v1, d@v2")
    board = cli("leaderboard", "-m", "validation/everywhere")
    assert "validation/everywhere on worst of d@v1, d@v2" in board.err + board.out
    again = cli("evaluate", first.record.id, "-m", "validation/accuracy=0.6", "-d", data(repo, "v2"))
    assert again.code == 0, again.err
    assert len(whole(runs(repo)[0])) == 1, "what is known is not said twice"


def test_aggregates_that_were_agreed_on_later_are_filled_in_once(repo: Path, ledger: Branch, cli: Cli) -> None:
    assert cli("record", "-m", "validation/accuracy=0.9", "-d", data(repo, "v1")).code == 0
    (first,) = runs(repo)
    assert cli("evaluate", first.record.id, "-m", "validation/accuracy=0.6", "-d", data(repo, "v2")).code == 0
    assert cli("aggregate").code == 1, "nothing was agreed on yet"
    write_policy(Branch.open(repo), POLICY)
    done = cli("aggregate")
    assert done.code == 0, done.err
    assert "validation/everywhere 0.6 (worst of d@v1, d@v2)" in done.err
    assert len(whole(runs(repo)[0])) == 1
    assert "no run is missing" in cli("aggregate").err


def test_the_policy_says_which_values_are_better_in_an_evaluation_too(repo: Path, ledger: Branch, cli: Cli) -> None:
    write_policy(ledger, POLICY)
    assert cli("record", "-m", "test/accuracy=0.9").code == 0
    (first,) = runs(repo)
    assert cli("evaluate", first.record.id, "-m", "test/score=3", "-m", "test/score[night]=4").code == 0
    assert [metric.direction for metric in runs(repo)[0].evaluations[0].metrics] == ["lower", "lower"]


def test_a_metric_that_was_counted_in_production_is_comparable_within_its_days(
    repo: Path, ledger: Branch, cli: Cli
) -> None:
    for at in range(6):
        assert cli("record", "-m", f"validation/accuracy=0.{at + 1}", "-d", data(repo, "v1")).code == 0
    week = "2026-11-01/2026-11-07"
    for at, run in enumerate(runs(repo)):
        done = cli("evaluate", run.record.id, "-m", f"online/ctr_accuracy=0.0{at + 1}", "--period", week)
        assert done.code == 0, done.err
    last = runs(repo)[-1].record.id
    assert cli("evaluate", last, "-m", "online/ctr_accuracy=0.9", "--period", "2026-11-08/2026-11-14").code == 0
    metric = runs(repo)[0].evaluations[0].metrics[0]
    assert (metric.period, metric.dataset) == (week, f"production {week}")
    done = cli("align", "validation/accuracy", "online/ctr_accuracy")
    assert "they agree: rank correlation 1 (95 %: 0." in done.out
    assert "not enough runs" in done.err, "the other week stands by itself"
    warned = cli("list", "--sort", "metrics.online/ctr_accuracy")
    assert "measured on different data" in warned.err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--period", "2026-11-07/2026-11-01"), "a first and a last day"),
        (("--period", "2026-11-01"), "a first and a last day"),
        (("--period", "20261101/20261107"), "a first and a last day"),
        (("--period", "\x1b[31m/x"), r"\x1b[31m"),
    ],
)
def test_a_period_that_is_none_is_refused_and_nothing_is_written(
    repo: Path, cli: Cli, options: tuple[str, ...], why: str
) -> None:
    assert cli("record", "-m", "validation/accuracy=0.9").code == 0
    (first,) = runs(repo)
    done = cli("evaluate", first.record.id, "-m", "online/clicks=0.1", *options)
    assert done.code in {1, 2}
    assert why in done.err.splitlines()[0]
    assert runs(repo)[0].evaluations == ()


def test_a_direction_that_no_name_tells_is_asked_for_and_never_guessed(repo: Path, cli: Cli) -> None:
    done = cli("record", "-m", "validation/score=3", "-m", "validation/accuracy=0.9")
    assert "no direction is recorded for validation/score, so it is never ranked" in done.err
    assert "--direction validation/score=higher" in done.err
    said = cli("record", "-m", "validation/score=3", "--direction", "score=lower")
    assert "no direction" not in said.err
    first, second = runs(repo)
    assert [metric.direction for metric in first.metrics()] == [None, "higher"]
    assert [metric.direction for metric in second.metrics()] == ["lower"]
    later = cli("evaluate", first.record.id, "-m", "test/score=3")
    assert "no direction is recorded for test/score" in later.err
    told = cli("evaluate", first.record.id, "-m", "test/score=3", "--direction", "test/score=higher")
    assert "no direction" not in told.err


@pytest.mark.parametrize("text", ["score", "score=up", "=higher", "other=higher"])
def test_a_direction_that_says_nothing_is_refused(repo: Path, cli: Cli, text: str) -> None:
    done = cli("record", "-m", "validation/score=3", "--direction", text)
    assert done.code == 2, done.err
    assert Branch.open(repo).tip() is None
