"""Price and CO2e of the energy of GPUs, by yearly figures of places."""

from pathlib import Path

import pytest

from ledger.capture.machine.pricing import carbon
from ledger.capture.machine.pricing.carbon import carbon_of, place_of
from ledger.capture.machine.pricing.catalogue import Catalogue
from ledger.capture.machine.pricing.cost import capture_cost
from ledger.capture.machine.pricing.energy import Energy, OwnCarbon, wrong_energy
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.machine import Gpu, Hardware, Platform

PRICES = Catalogue(name="ours", currency="EUR", devices={"H100": 4.0}, cpu_core=0.1)


def cost(energy: Energy, *platforms: Platform, kwh: tuple[float | None, ...] = (1.5, 0.5)) -> Cost:
    gpus = [Gpu(name="NVIDIA H100", energy_kwh=one) for one in kwh]
    return capture_cost(Hardware(gpus=gpus, cores=2, platforms=list(platforms)), 3600, PRICES, energy=energy)


@pytest.mark.parametrize(
    ("place", "grams"),
    [("FRA", 56), ("SWE", 41), ("USA", 369), ("DEU", 381), ("CHN", 582), ("POL", 662), ("no", 30), ("GB", 238)],
)
def test_countries_have_their_yearly_figure(place: str, grams: int) -> None:
    found = carbon_of(place)
    assert found is not None
    assert (round(found.g_per_kwh), found.year) == (grams, 2023)
    assert "Our World in Data" in found.source


def test_a_region_has_its_own_figure_or_that_of_its_country() -> None:
    google, amazon, azure = (
        carbon_of("gcp:europe-west1"),
        carbon_of("aws:eu-north-1"),
        carbon_of("Azure: SwedenCentral"),
    )
    assert google is not None
    assert (google.g_per_kwh, google.year) == (103, 2024)
    assert google.source.startswith("Google")
    for found, place in ((amazon, "aws:eu-north-1"), (azure, "azure:swedencentral")):
        assert found is not None
        assert (found.place, round(found.g_per_kwh)) == (place, 41)
        assert found.source.startswith("country of the region, SWE: ")
    assert [carbon_of(place) for place in ("XYZ", "aws:mars-1", "gcp:", ":", "", "ibm:us-east")] == [None] * 6


def test_the_table_is_sorted_and_has_no_zero() -> None:
    lines = Path(carbon.__file__).with_name("carbon_table.csv").read_text("utf-8").splitlines()[1:]
    assert len(lines) > 240
    assert lines == sorted(lines)
    assert all(1 < float(line.split(",")[2]) < 1500 and 2000 < int(line.split(",")[3]) < 2030 for line in lines)
    countries = [code for clouds in carbon._COUNTRIES.values() for code in clouds]
    assert [code for code in countries if carbon_of(code) is None] == []


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        (Platform(name="ec2", region="eu-north-1"), "aws:eu-north-1"),
        (Platform(name="gce", region="europe-west1"), "gcp:europe-west1"),
        (Platform(name="azure-vm", region="westeurope"), "azure:westeurope"),
        (Platform(name="skypilot", region="AWS us-east-1"), "aws:us-east-1"),
        (Platform(name="modal", region="CLOUD_PROVIDER_GCP us-east4"), "gcp:us-east4"),
        (Platform(name="slurm", region="hal"), None),
        (Platform(name="ec2"), None),
    ],
)
def test_platforms_say_the_place(platform: Platform, place: str | None) -> None:
    assert place_of([Platform(name="slurm", region="hal 9000"), platform]) == place


def test_energy_has_a_price_and_a_weight() -> None:
    found = cost(Energy(tariff=0.3, pue=1.2, region="DEU"))
    assert (found.energy_kwh, found.energy_currency, found.tariff, found.pue) == (2.0, "EUR", 0.3, 1.2)
    assert found.energy_amount == pytest.approx(0.72)
    assert found.co2e_kg == pytest.approx(2 * 1.2 * 0.381)
    assert found.amount == 8  # energy is never added to the price of the machine
    assert found.carbon is not None
    assert found.carbon.label.startswith("381 g per kWh, DEU, year 2023 (Our World in Data")


def test_the_region_of_the_platform_counts_where_the_policy_names_none() -> None:
    ec2 = Platform(name="ec2", region="us-east-1")
    assert cost(Energy(), ec2).carbon == carbon_of("aws:us-east-1")
    assert cost(Energy(region="FR"), ec2).carbon == carbon_of("FRA")
    own = cost(Energy(region="FR", carbon=OwnCarbon(g_per_kwh=12, source="contract", year=2026)), ec2)
    assert own.co2e_kg == pytest.approx(0.024)
    assert own.carbon is not None
    assert own.carbon.label == "12 g per kWh, FR, year 2026 (contract)"


def test_what_is_unknown_says_why_and_is_never_zero() -> None:
    nowhere = cost(Energy(tariff=0.3))
    assert (nowhere.co2e_kg, nowhere.unknown["co2e_kg"]) == (None, "no place is known: set energy.region in the policy")
    unmeasured = cost(Energy(tariff=0.3, region="DEU"), kwh=(None,))
    assert (unmeasured.energy_kwh, unmeasured.energy_amount, unmeasured.co2e_kg) == (None, None, None)
    assert unmeasured.unknown["energy_amount"] == unmeasured.unknown["co2e_kg"] == "no energy was measured"
    assert "tariff" in cost(Energy(region="DEU")).unknown["energy_amount"]
    far = cost(Energy(), Platform(name="ec2", region="mars-1"))
    assert far.unknown["co2e_kg"] == "no yearly figure is known of this place: `aws:mars-1`"
    part = cost(Energy(), kwh=(1.0, None))
    assert (part.energy_kwh, part.unknown["energy_kwh"]) == (1.0, "measured on 1 of 2 GPUs: only their energy counts")


@pytest.mark.parametrize(
    ("energy", "said"),
    [
        (Energy(pue=0.9), "energy.pue: at least 1 expected: energy of the site over that of its machines: `0.9`"),
        (Energy(pue=float("nan")), "energy.pue: at least 1"),
        (Energy(tariff=-0.1), "energy.tariff: a price of a kWh"),
        (Energy(tariff=float("inf")), "energy.tariff: a price of a kWh"),
        (Energy(region="Atlantis"), "energy.region: a country such as `DEU`"),
        (Energy(region="aws:mars-1"), "energy.region: a country such as `DEU`"),
        (Energy(carbon=OwnCarbon(g_per_kwh=-1, source="x")), "energy.carbon.g_per_kwh: grams"),
        (Energy(carbon=OwnCarbon(g_per_kwh=1, source=" ")), "energy.carbon.source: text expected"),
        (Energy(carbon=OwnCarbon(g_per_kwh=1, source="x", year=20)), "energy.carbon.year: a year expected"),
    ],
)
def test_what_the_policy_says_wrong_of_energy_is_refused(energy: Energy, said: str) -> None:
    assert any(said in problem for problem in wrong_energy(energy))
    assert list(wrong_energy(Energy(tariff=0.3, pue=1.0, region="gcp:us-east4"))) == []
