"""The cost of a run on its page: the row of prices that it comes from, and the energy of its GPUs."""

import re
from datetime import date
from html import unescape

import msgspec

from ledger.model.boxes.cost import Carbon, Cost, PriceRow
from tests.publish.pages.test_found_values import rendered
from tests.samples import HOSTILE, sample_ledger

ROW = PriceRow(
    provider="ec2", instance="p5.48xlarge", region="us-east-1", kind="spot", price_per_hour=31.4, currency="EUR",
    valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30), source="offer 7",
)  # fmt: skip
COST = Cost(
    amount=94.2, currency="EUR", row=ROW, energy_kwh=16.8, pue=1.3, tariff=0.28, energy_amount=6.1152,
    energy_currency="EUR", co2e_kg=8.05896,
    carbon=Carbon(place="USA", g_per_kwh=369.0, year=2023, source="Our World in Data"),
)  # fmt: skip


def facts(cost: Cost) -> dict[str, str]:
    """Return the facts of a page, by their names."""
    html, _ = rendered(sample_ledger(), cost=cost)
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html, re.DOTALL)
    return {name: " ".join(unescape(re.sub(r"<[^>]*>", "", value)).split()) for name, value in found}


def test_the_page_names_the_row_the_energy_and_the_figure() -> None:
    shown = facts(COST)
    assert shown["price row"] == "ec2 p5.48xlarge in us-east-1, spot, from 2026-01-01 to 2026-06-30"
    assert shown["source of the price"] == "offer 7"
    assert shown["energy, GPUs only"] == "16.8 kWh as NVML measured it, PUE 1.3"
    assert shown["price of this energy"] == "6.12 EUR at 0.28 EUR per kWh"
    assert shown["CO2e of this energy"] == "8.059 kg at 369 g per kWh, USA, year 2023 (Our World in Data)"


def test_a_run_of_before_has_no_row_and_what_is_unknown_says_why() -> None:
    shown = facts(Cost(amount=1.0, currency="EUR"))
    assert not {"price row", "source of the price", "price of this energy"} & set(shown)
    assert shown["CO2e of this energy"] == "unknown: no energy was measured"
    assert facts(Cost(energy_kwh=1.0, unknown={"co2e_kg": "no place is known"}))["CO2e of this energy"] == (
        "unknown: no place is known"
    )


def test_what_a_hostile_row_says_is_text() -> None:
    row = msgspec.structs.replace(ROW, instance=HOSTILE, source=HOSTILE)
    carbon = Carbon(place=HOSTILE, g_per_kwh=1.0, source=HOSTILE)
    html, _ = rendered(sample_ledger(), cost=msgspec.structs.replace(COST, row=row, carbon=carbon, tariff=None))
    assert "<script>alert" not in html
