"""Rows of prices: which one holds for a run, and which are refused."""

import time
from datetime import date
from typing import Any

import pytest

from ledger.capture.machine.pricing.catalogue import Catalogue, load_catalogue
from ledger.capture.machine.pricing.cost import capture_cost
from ledger.capture.machine.pricing.energy import Energy
from ledger.errors import InvalidDocument
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.machine import Gpu, Hardware, Node, Platform

STARTED = date(2026, 11, 20)
H100 = Gpu(name="NVIDIA H100 80GB HBM3", gpu_idle_fraction=0.25)
EC2 = Platform(name="ec2", instance="p5.48xlarge", region="us-east-1", life_cycle="on-demand")


def row(**fields: Any) -> dict[str, Any]:  # `Any`: a row as YAML has it
    stated = {name.rstrip("_"): value for name, value in fields.items()}
    filled = {"kind": "on-demand", "price_per_hour": 10, "from": "2026-01-01", "source": "offer 7", **stated}
    return {name: value for name, value in filled.items() if value is not None}


def owned(value: object) -> dict[str, Any]:  # the same
    return row(gpu="H100", kind="owned", price_per_hour=None, owned=value)


def catalogue(*rows: dict[str, Any], energy: Energy | None = None, **more: Any) -> Catalogue:  # the same
    return load_catalogue({"name": "ours", "currency": "USD", "rows": list(rows), **more}, "policy.yaml", energy)


def cost(prices: Catalogue, *platforms: Platform, gpus: int = 8, started: date | None = STARTED, **more: Any) -> Cost:
    hardware = Hardware(gpus=[H100] * gpus, cores=4, platforms=list(platforms), **more)
    return capture_cost(hardware, 7200, prices, started=started)


def problems(*rows: object) -> list[str]:
    with pytest.raises(InvalidDocument) as error:
        load_catalogue({"name": "ours", "currency": "USD", "rows": list(rows)}, "policy.yaml: prices")
    return list(error.value.problems)


def test_an_instance_has_the_price_of_the_whole_machine() -> None:
    found = cost(catalogue(row(provider="aws", instance="p5.48xlarge", price_per_hour=98.5)), EC2, gpus=1)
    assert (found.amount, found.device, found.device_count, found.idle_amount) == (197, "p5.48xlarge", 1, 49.25)
    assert found.row is not None
    assert (found.row.source, found.row.valid_from, found.row.provider) == ("offer 7", date(2026, 1, 1), "aws")
    assert found.row.label == "aws p5.48xlarge, on-demand, from 2026-01-01"


def test_several_hosts_hold_as_many_instances() -> None:
    nodes = [Node(host=host, gpus=[H100] * 8) for host in ("a", "b", "c")]
    assert cost(catalogue(row(instance="p5.48xlarge")), EC2, nodes=nodes).amount == 60


def test_an_instance_has_a_price_where_nvml_saw_no_gpus() -> None:
    found = cost(catalogue(row(instance="P5.48xlarge")), EC2, gpus=0, unknown={"gpus": "no driver"})
    assert (found.amount, found.unknown) == (20, {})


def test_the_most_specific_row_wins() -> None:
    rows = [
        row(gpu="H100", price_per_hour=1),
        row(gpu="H100", region="us-east-1", price_per_hour=2),
        row(gpu="H100 80GB", price_per_hour=3),
        row(partition="p5.48xlarge", price_per_hour=4),
        row(instance="p5.48xlarge", price_per_hour=5),
        row(instance="p5.48xlarge", region="us-east-1", price_per_hour=6),
        row(instance="p5.48xlarge", region="us-east-1", provider="ec2", price_per_hour=7),
        row(instance="p5.48xlarge", region="eu-west-1", provider="ec2", price_per_hour=8),
    ]
    won = []
    while rows:
        amount = cost(catalogue(*rows), EC2, gpus=1).price_per_hour
        if amount is None:
            break
        won.append(amount)
        rows = [one for one in rows if one["price_per_hour"] != amount]
    assert won == [7, 6, 5, 4, 3, 2, 1]


def test_the_day_of_the_start_chooses_the_row() -> None:
    rows = [
        row(gpu="H100", from_=date(2026, 1, 1), to="2026-06-30", price_per_hour=1),
        row(gpu="H100", from_="2026-07-01", price_per_hour=2),
    ]
    for day, price in (
        ("2026-01-01", 1),
        ("2026-06-30", 1),
        ("2026-07-01", 2),
        ("2027-01-01", 2),
        ("2025-12-31", None),
    ):
        assert cost(catalogue(*rows), started=date.fromisoformat(day)).price_per_hour == price
    unknown = cost(catalogue(*rows), started=None)
    assert (unknown.amount, unknown.unknown["amount"][:52]) == (
        None,
        "no row holds, as the start of the run is unknown, an",
    )


def test_spot_is_a_price_of_its_own() -> None:
    prices = catalogue(
        row(instance="p5.48xlarge", price_per_hour=90), row(instance="p5.48xlarge", kind="spot", price_per_hour=30)
    )
    unsure = Platform(name="ec2", instance="p5.48xlarge")
    spot = Platform(name="ec2", instance="p5.48xlarge", life_cycle="spot")
    assert [cost(prices, one).price_per_hour for one in (EC2, spot, unsure)] == [90, 30, 90]
    assert "spot" in cost(prices, unsure).unknown["row"]
    assert "row" not in cost(prices, EC2).unknown
    only_spot = catalogue(row(instance="p5.48xlarge", kind="spot"))
    assert (cost(only_spot, unsure).amount, cost(only_spot, EC2).amount) == (None, None)


def test_a_partition_has_a_price_for_each_gpu_or_core() -> None:
    slurm = Platform(name="slurm", instance="gpu-long", region="hal")
    prices = catalogue(row(provider="slurm", partition="gpu-long", region="hal", price_per_hour=1.5))
    found = cost(prices, slurm, gpus=2)
    assert (found.amount, found.device) == (6, "GPU in gpu-long")
    cores = cost(prices, slurm, gpus=0, cores_limit=3.0)
    assert (cores.amount, cores.device) == (9, "CPU core in gpu-long")
    assert cost(prices, EC2, gpus=2).amount is None


def test_a_divided_gpu_takes_its_share_of_the_row() -> None:
    hardware = Hardware(gpus=[Gpu(name="NVIDIA H100 80GB HBM3 MIG 2g.20gb")])
    found = capture_cost(hardware, 3600, catalogue(row(gpu="H100", price_per_hour=7)), started=STARTED)
    assert found.amount == 2
    assert found.device_count == pytest.approx(2 / 7)


def test_an_owned_machine_costs_what_was_paid_over_its_hours() -> None:
    bought = {"price": 87_600, "years": 5, "use": 0.5, "watts": 1000}
    bought_gpu = owned(bought)
    assert cost(catalogue(bought_gpu, energy=Energy(tariff=0.3, pue=1.5)), gpus=1).price_per_hour == pytest.approx(4.45)
    without = cost(catalogue(bought_gpu), gpus=1)
    assert without.price_per_hour == 4
    assert "without energy" in without.unknown["row"]
    assert without.row is not None
    assert "bought for 87,600, over 5 years, used 50 % of the time" in without.row.origin
    foreign = cost(catalogue({**bought_gpu, "currency": "EUR"}, energy=Energy(tariff=0.3)), gpus=1)
    assert (foreign.price_per_hour, foreign.currency) == (4, "EUR")  # a tariff in dollars is not added to euros


def test_a_row_in_another_currency_makes_the_cost_one_in_it() -> None:
    found = cost(catalogue(row(gpu="H100", currency="EUR")), gpus=1)
    assert (found.amount, found.currency) == (20, "EUR")
    mixed = Hardware(gpus=[H100, Gpu(name="NVIDIA L4")])
    prices = catalogue(row(gpu="H100", currency="EUR"), devices={"L4": 1})
    found = capture_cost(mixed, 3600, prices, started=STARTED)
    assert (found.amount, found.unknown["amount"]) == (None, "the GPUs have prices in several currencies: EUR, USD")


def test_no_row_and_no_device_is_unknown_with_what_was_looked_up() -> None:
    found = cost(catalogue(row(instance="other")), EC2)
    assert found.amount is None
    assert found.unknown["amount"] == (
        "no row holds on 2026-11-20 for ec2 p5.48xlarge us-east-1 on-demand, and the catalogue has no price for: "
        "`NVIDIA H100 80GB HBM3`"
    )
    assert cost(catalogue(row(instance="other"), devices={"H100": 2}), EC2).amount == 32
    assert "no price for a CPU core" in cost(catalogue(row(instance="other")), EC2, gpus=0).unknown["amount"]


def test_rows_that_hold_on_the_same_day_are_refused_by_both_names() -> None:
    one = row(provider="ec2", instance="p5", from_="2026-01-01", to="2026-06-30", price_per_hour=98)
    other = row(provider="ec2", instance="P5", from_="2026-06-30", kind="reserved", price_per_hour=55)
    (problem,) = problems(one, row(gpu="H100"), other)
    assert problem == (
        "rows[2]: it holds on days of another row for the same: rows[0] `ec2 p5, on-demand, from 2026-01-01 to "
        "2026-06-30, 98 USD` and rows[2] `ec2 P5, reserved, from 2026-06-30, 55 USD`; end one with `to`"
    )
    catalogue(one, {**other, "from": "2026-07-01"})
    catalogue(one, {**other, "kind": "spot"})
    catalogue(one, {**other, "region": "us-east-1"})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("p5.48xlarge: 98", "rows[0]: a row expected"),
        (row(gpu="H100", to="2025-12-31"), "rows[0].to: 2025-12-31 is before 2026-01-01"),
        (row(gpu="H100", price_per_hour=-1), "rows[0].price_per_hour: a price per hour expected: `-1`"),
        (row(gpu="H100", price_per_hour=float("nan")), "price_per_hour: a price per hour expected: `nan`"),
        (row(gpu="H100", price_per_hour="3"), "price_per_hour: a price per hour expected"),
        (row(gpu="H100", price_per_hour=True), "price_per_hour: a price per hour expected"),
        (row(gpu="H100", price_per_hour=None), "price_per_hour: a price per hour expected"),
        (row(gpu="H100", instance="p5"), "rows[0]: one of instance, gpu and partition expected, not both instance and"),
        (row(), "rows[0]: one of instance, gpu and partition expected, not none"),
        (row(gpu="--"), "rows[0].gpu: words of a product name expected"),
        (row(gpu="H100", from_=None), "rows[0].from: a day expected, such as `2026-11-01`: `None`"),
        (row(gpu="H100", from_="2026-02-30"), "rows[0].from: a day expected"),
        (row(gpu="H100", from_=2026), "rows[0].from: a day expected"),
        (row(gpu="H100", kind="cheap"), "rows[0].kind: one of on-demand, spot, reserved, owned expected: `'cheap'`"),
        (row(gpu="H100", kind=["spot"]), "rows[0].kind: one of"),
        (row(gpu="H100", currency="euro"), "rows[0].currency: three capital letters"),
        (row(gpu="H100", source=None), "rows[0].source: text expected"),
        (row(gpu="H100", source="a\nb"), "rows[0].source: one line of text expected"),
        (row(instance="x" * 201), "rows[0].instance: one line of text expected"),
        (row(instance=5), "rows[0].instance: one line of text expected"),
        (row(gpu="H100", tier=1), "rows[0].tier: unknown, known are provider"),
        (owned({"price": 1, "use": 1}), "rows[0].owned.years: years"),
        (owned({"price": 1, "years": 1, "use": 2}), "owned.use: the"),
        (owned(7), "rows[0].owned: `{price: …, years: …, use: …}`"),
        (owned({"gpu": 1}), "rows[0].owned.gpu: unknown"),
        (row(gpu="H100", price_per_hour=None, owned={"price": 1, "years": 1, "use": 1}), "rows[0].owned: only a row"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_refused_by_its_field(value: object, said: str) -> None:
    assert any(said in problem for problem in problems(value))


def test_rows_that_are_no_list_are_refused() -> None:
    with pytest.raises(InvalidDocument, match="rows: a list of rows expected"):
        load_catalogue({"name": "ours", "currency": "USD", "rows": {"gpu": "H100"}}, "policy.yaml")


def test_thousands_of_rows_load_and_are_looked_up_fast() -> None:
    rows = [row(gpu=f"GPU{number // 50}", from_=f"{1900 + number % 50}-01-01", to=f"{1900 + number % 50}-12-31")
            for number in range(5000)]  # fmt: skip
    started = time.process_time()
    prices = catalogue(*rows)
    hardware = Hardware(gpus=[Gpu(name="GPU99")])
    assert capture_cost(hardware, 3600, prices, started=date(1949, 5, 5)).amount == 10
    assert time.process_time() - started < 2
    wrong = problems(*(row(gpu="H100") for _ in range(5000)))
    assert (len(wrong), wrong[-1]) == (21, "4979 more problems")
