"""What a run cost, by the devices it held."""

import pytest

from ledger.capture.machine.pricing.catalogue import Catalogue, load_catalogue
from ledger.capture.machine.pricing.cost import capture_cost
from ledger.capture.machine.pricing.prices import PRICES
from ledger.errors import InvalidDocument
from ledger.model.boxes.machine import Gpu, Hardware, Node


@pytest.mark.parametrize(
    ("product", "device"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"),
        ("NVIDIA A100-PCIE-40GB", "A100 40GB"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA A10G", "A10G"),
        ("Tesla T4", "T4"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "A100 40GB"),
        ("AMD Instinct MI300X", None),
    ],
)
def test_product_names_find_their_price(product: str, device: str | None) -> None:
    assert PRICES.device(product) == device


NO_PLACE = "no place is known: set energy.region in the policy"
CATALOGUE = Catalogue(name="ours 2026", currency="EUR", devices={"H100": 4.0, "L4": 1.0}, cpu_core=0.1)


def test_gpus_cost_price_times_count_times_hours() -> None:
    gpus = [Gpu(name="NVIDIA H100", gpu_idle_fraction=share, energy_kwh=0.5) for share in (0.5, 0.0)]
    cost = capture_cost(Hardware(gpus=gpus, cores=64), 1800, CATALOGUE)
    assert (cost.amount, cost.currency, cost.device, cost.device_count) == (4.0, "EUR", "H100", 2.0)
    assert (cost.price_per_hour, cost.idle_amount, cost.energy_kwh) == (4.0, 1.0, 1.0)
    assert (cost.catalogue, cost.unknown) == ("ours 2026", {"co2e_kg": NO_PLACE})


def test_a_job_costs_what_all_of_its_hosts_do() -> None:
    gpu = Gpu(name="NVIDIA H100", energy_kwh=0.5)
    nodes = [Node(host=host, gpus=[gpu, gpu]) for host in ("a", "b")]
    cost = capture_cost(Hardware(gpus=[gpu, gpu], nodes=nodes), 3600, CATALOGUE)
    assert (cost.amount, cost.device_count, cost.energy_kwh) == (16.0, 4.0, 2.0)
    cores = [Node(host="a", cores=8), Node(host="b", cores=8, cores_limit=2.0)]
    assert capture_cost(Hardware(cores=8, nodes=cores), 3600, CATALOGUE).amount == 1.0
    unseen = [nodes[0], Node(host="b", unknown={"all": "nobody looked"})]
    cost = capture_cost(Hardware(gpus=[gpu], nodes=unseen), 3600, CATALOGUE)
    assert (cost.amount, cost.unknown["amount"]) == (None, "the machine of a host is unknown: `b`")


def test_a_divided_gpu_costs_its_share() -> None:
    cost = capture_cost(Hardware(gpus=[Gpu(name="NVIDIA H100 80GB HBM3 MIG 2g.20gb")]), 3600, CATALOGUE)
    assert cost.amount == pytest.approx(4.0 * 2 / 7)
    assert "idle_amount" in cost.unknown


def test_several_kinds_are_added_up() -> None:
    cost = capture_cost(Hardware(gpus=[Gpu(name="NVIDIA H100"), Gpu(name="NVIDIA L4")]), 3600, CATALOGUE)
    assert (cost.amount, cost.device, cost.price_per_hour) == (5.0, "H100 + L4", None)
    assert "price_per_hour" in cost.unknown


def test_a_run_without_gpus_costs_its_cores() -> None:
    cost = capture_cost(Hardware(cores=64, cores_limit=2.0), 7200, CATALOGUE)
    assert cost.amount == pytest.approx(0.4)
    assert (cost.device, cost.device_count) == ("CPU core", 2.0)


@pytest.mark.parametrize(
    ("hardware", "why"),
    [
        (Hardware(gpus=[Gpu(name="MI300X")]), "no price for: `MI300X`"),
        (Hardware(cores=2, unknown={"gpus": "broken"}), "GPUs of the machine are unknown"),
        (Hardware(), "number of cores is unknown"),
    ],
)
def test_what_cannot_be_priced_says_why(hardware: Hardware, why: str) -> None:
    cost = capture_cost(hardware, 3600, CATALOGUE)
    assert cost.amount is None
    assert why in cost.unknown["amount"]


def test_a_policy_states_its_own_prices() -> None:
    values = {"name": "ours 2026", "currency": "EUR", "devices": {"H100": 4, "L4": 1.0}, "cpu_core": 0.1}
    assert load_catalogue(values, "policy.yaml") == CATALOGUE


def test_all_problems_of_a_catalogue_are_told_at_once() -> None:
    values = {"currency": "euro", "devices": {"H100": "4", "L4": -1, "-": 1}, "cpu_core": True, "gpus": 1}
    with pytest.raises(InvalidDocument) as error:
        load_catalogue(values, "policy.yaml")
    assert len(error.value.problems) == 7
