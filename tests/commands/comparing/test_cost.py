"""`ledger cost`: sums by group that never add what cannot be added, and prices that nobody writes."""

import json
from pathlib import Path

import pytest

from ledger.commands.comparing.cost import table_of
from ledger.store.branch.branch import Branch
from ledger.store.index.spent import CostSum
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


def hours(cli: Cli, experiment: str, count: float) -> None:
    done = cli("record", "-e", experiment, "-m", "validation/loss=1", "--duration", str(3600 * count))
    assert done.code == 0, done.err


def test_budgets_are_shown_with_what_is_unknown_and_checked_on_request(repo: Path, cli: Cli) -> None:
    assert cli("init").code == 0
    cli("policy", "set", "prices", "{name: ours, currency: EUR, cpu_core: 1.0}")
    hours(cli, "a", 1)
    hour = amount(repo)
    assert cli("cost", "--check").code == 2
    budgets = (f"{{amount: {hour * 4}, per: year}}", f"{{amount: {hour * 1.5}, per: experiment}}")
    assert cli("policy", "set", "spending", *budgets).code == 0
    hours(cli, "b", 1)
    cli("record", "-e", "b", "-m", "validation/loss=2")
    done = cli("cost", "--check")
    assert done.code == 0, done.err
    assert "(50 %), 1 run of unknown cost" in done.out
    hours(cli, "a", 1)
    lines = [line for line in cli("cost").out.splitlines() if " of " in line and "%" in line]
    assert [line.split(":")[0].split()[0] for line in lines] == ["year", "experiment", "experiment"]
    assert "over the budget" in lines[1]
    assert "over" not in lines[0]
    over = cli("cost", "--check")
    assert (over.code, "over the budget: `experiment a`" in over.err) == (1, True)
    found = json.loads(cli("cost", "--json").out)["budgets"]
    assert [(one["per"], one["share"], one["over"]) for one in found] == [
        ("year", pytest.approx(0.75), False),
        ("experiment", pytest.approx(4 / 3), True),
        ("experiment", pytest.approx(2 / 3), False),
    ]
    assert found[0]["unknown"] == 1


def test_a_budget_in_another_currency_adds_nothing(repo: Path, cli: Cli) -> None:
    assert cli("init").code == 0
    cli("policy", "set", "prices", "{name: ours, currency: EUR, cpu_core: 1.0}")
    cli("policy", "set", "spending", "{amount: 5, per: week, currency: USD}")
    hours(cli, "a", 1)
    (one,) = json.loads(cli("cost", "--json").out)["budgets"]
    assert (one["spent"], one["over"], list(one["others"])) == (0, False, ["EUR"])
    assert "beside it" in cli("cost").out


def test_energy_and_co2e_have_columns_only_where_there_are_any() -> None:
    plain = CostSum(name="a", currency="EUR", runs=1, amount=2.0)
    measured = CostSum(name="b", currency="EUR", runs=1, amount=1.0, energy_kwh=2.5, co2e_kg=0.925, co2e_of_kwh=2.5)
    assert not {"GPU energy", "its CO2e"} & set(table_of([plain], "experiment"))
    shown = table_of([plain, measured], "experiment")
    assert (shown["GPU energy"], shown["its CO2e"]) == (["", "2.5 kWh"], ["", "0.925 kg"])
    part = CostSum(name="c", currency="EUR", runs=2, energy_kwh=5.0, co2e_kg=0.925, co2e_of_kwh=2.5)
    assert table_of([part], "experiment")["its CO2e"] == ["0.925 kg (of 2.5 kWh)"]


def test_rows_price_runs_by_their_start_and_the_record_keeps_the_row(repo: Path, cli: Cli) -> None:
    assert cli("init").code == 0
    machine = {"SLURM_JOB_ID": "7", "SLURM_JOB_PARTITION": "cpu", "SLURM_CLUSTER_NAME": "hal"}
    old = (
        "{provider: slurm, partition: cpu, kind: owned, price_per_hour: 1, from: 2026-01-01, to: 2026-06-30, source: a}"
    )
    new = "{provider: slurm, partition: cpu, kind: owned, price_per_hour: 3, from: 2026-07-01, source: b}"
    done = cli("policy", "set", "prices", f"{{name: ours, currency: EUR, rows: [{old}, {new}]}}")
    assert done.code == 0, done.err
    for day in ("2026-03-02", "2026-08-02", "2025-03-02"):
        facts = ("-e", "a", "-m", "validation/loss=1", "--started", f"{day}T10:00:00Z", "--duration", "3600")
        assert cli("record", *facts, env=machine).code == 0
    found = {str(run.record.timing.started_at.date()): run.record.cost for run in Branch.open(repo).contents().runs}
    assert [found[day].price_per_hour for day in ("2026-03-02", "2026-08-02", "2025-03-02")] == [1, 3, None]
    row = found["2026-03-02"].row
    assert row is not None
    assert (row.source, row.label) == ("a", "slurm partition cpu, owned, from 2026-01-01 to 2026-06-30")
    assert found["2025-03-02"].unknown["amount"].startswith("no row holds on 2025-03-02 for slurm cpu hal")
    run = next(run.record.id for run in Branch.open(repo).contents().runs if run.record.cost.row == row)
    assert "slurm partition cpu, owned, from 2026-01-01 to 2026-06-30 (a)" in cli("show", run).out
    cli(
        "policy",
        "set",
        "prices",
        f"{{name: ours, currency: EUR, rows: [{old.replace('price_per_hour: 1', 'price_per_hour: 2')}]}}",
    )
    now = {one["run"]: one for one in json.loads(cli("cost", "--recompute", "--json").out)}[run]
    assert (now["now"], now["row"]["price_per_hour"]) == (2 * now["before"], 2)
