"""`ledger cost`: sums by group that never add what cannot be added, and prices that nobody writes."""

import json
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import Cli, git_in


@pytest.fixture
def priced(repo: Path, cli: Cli) -> Path:
    """Make a ledger of five runs on this machine, an hour or two each, one of which failed."""
    assert cli("init").code == 0
    cli("policy", "set", "prices", "{name: ours, currency: EUR, cpu_core: 1.0}")
    for experiment, hours, status in (
        ("a", 1, "finished"),
        ("a", 2, "finished"),
        ("a", 3, "finished"),
        ("b", 1, "failed"),
    ):
        facts = ("-e", experiment, "-m", "validation/loss=1", "--status", status)
        done = cli("record", *facts, "--started", "2026-03-02T10:00:00Z", "--duration", str(3600 * hours))
        assert done.code == 0, done.err
    cli("record", "-e", "b", "-m", "validation/loss=2")
    return repo


def costs(cli: Cli, *arguments: str) -> dict[str, dict[str, object]]:
    done = cli("cost", *arguments, "--json")
    assert done.code == 0, done.err
    return {one["name"]: one for one in json.loads(done.out)["groups"]}


def amount(priced: Path) -> float:
    """Return what an hour of this machine costs: a euro for each core."""
    run = next(run for run in Branch.open(priced).contents().runs if run.record.timing.took == 3600)
    assert run.record.cost.amount is not None
    return run.record.cost.amount


def test_sums_are_over_experiments_and_crashes_are_a_part(priced: Path, cli: Cli) -> None:
    hour = amount(priced)
    found = costs(cli)
    assert found["a"]["amount"] == pytest.approx(6 * hour)
    assert (found["a"]["runs"], found["a"].get("unknown", 0), found["a"].get("crashed", 0)) == (3, 0, 0)
    known = [one for one in json.loads(cli("cost", "--json").out)["groups"] if one["name"] == "b" and one["currency"]]
    assert known[0]["crashed"] == pytest.approx(hour)
    unknown = [
        one for one in json.loads(cli("cost", "--json").out)["groups"] if one["name"] == "b" and not one["currency"]
    ]
    assert unknown[0]["unknown"] == 1
    assert found["a"]["seconds"] == 6 * 3600


@pytest.mark.parametrize(("by", "name"), [("person", "Ada Lovelace"), ("week", "2026-W10"), ("status", "failed")])
def test_sums_are_over_other_groups(priced: Path, cli: Cli, by: str, name: str) -> None:
    assert name in costs(cli, "--by", by)


def test_a_filter_and_a_retraction_change_the_sums(priced: Path, cli: Cli) -> None:
    hour = amount(priced)
    assert costs(cli, "status = finished")["a"]["amount"] == pytest.approx(6 * hour)
    assert "b" not in costs(cli, "experiment = a")
    run = next(run for run in Branch.open(priced).contents().runs if run.record.timing.took == 7200)
    cli("retract", run.record.id, "--because", "wrong data")
    assert costs(cli)["a"]["withdrawn"] == pytest.approx(2 * hour)


def test_projects_are_summed_side_by_side(priced: Path, cli: Cli, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git_in(tmp_path, "clone", "--quiet", str(priced), "other")
    git_in(other, "fetch", "--quiet", "origin", "ledger:ledger")
    found = costs(cli, "--by", "project", "--also", str(other))
    assert set(found) == {"repo", "other"}
    both = costs(cli, "--also", str(other))
    assert both["a"]["amount"] == pytest.approx(12 * amount(priced))


def test_an_estimate_says_what_it_is_based_on(priced: Path, cli: Cli) -> None:
    found = json.loads(cli("cost", "--estimate", "a", "--runs", "10", "--json").out)
    assert found["amount"] == pytest.approx(20 * amount(priced))
    assert found["low"] < found["amount"] < found["high"]
    assert (found["based_on"], found["seconds"]) == (3, 72_000)
    assert "by 3 finished runs of a" in cli("cost", "--estimate", "a", "--runs", "10").out
    missing = cli("cost", "--estimate", "b")
    assert (missing.code, "no finished run of this experiment has a known cost" in missing.err) == (1, True)


def test_todays_prices_are_shown_and_nothing_is_written(priced: Path, cli: Cli) -> None:
    cli("policy", "set", "prices", "{name: dearer, currency: USD, cpu_core: 2.0}")
    tip = Branch.open(priced).tip()
    hour = amount(priced)
    found = {one["run"]: one for one in json.loads(cli("cost", "--recompute", "--json").out)}
    changed = [one for one in found.values() if one["before"] == pytest.approx(hour)]
    assert all((one["now"], one["now_currency"]) == (pytest.approx(2 * hour), "USD") for one in changed)
    assert any(one["now"] is None and "duration" in one["why"] for one in found.values())
    assert Branch.open(priced).tip() == tip


def test_an_empty_ledger_costs_nothing_and_says_so(repo: Path, cli: Cli) -> None:
    done = cli("cost")
    assert (done.code, done.out) == (1, "")
    assert "no run matches the filter" in done.err
