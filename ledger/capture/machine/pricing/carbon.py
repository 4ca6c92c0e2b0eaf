"""Yearly carbon intensity of electricity by country and cloud region, from a table that ships.

The table `carbon_table.csv` holds, in g CO2e per kWh and rounded to three figures: countries as Our World in Data
publishes them from Ember and the Energy Institute (CC BY 4.0), by way of CodeCarbon (MIT, `global_energy_mix.json`
at b05965e); regions of Google Cloud as Google publishes them (Apache-2.0, `region-carbon-info` at 49f3f26).
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ledger.model.boxes.cost import Carbon
from ledger.model.boxes.machine import Platform

_SOURCES = {
    "owid": "Our World in Data from Ember and Energy Institute (CC BY 4.0), by CodeCarbon",
    "google": "Google, carbon data of its cloud regions",
}
CLOUDS = {
    "ec2": "aws",
    "sagemaker": "aws",
    "gce": "gcp",
    "vertex-ai": "gcp",
    "azure-vm": "azure",
    "azure-ml": "azure",
}
"""Cloud by the platform that runs on it."""

_COUNTRIES: dict[str, dict[str, str]] = {
    "aws": {
        "USA": "us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1",
        "CAN": "ca-central-1 ca-west-1",
        "MEX": "mx-central-1",
        "BRA": "sa-east-1",
        "DEU": "eu-central-1",
        "CHE": "eu-central-2",
        "IRL": "eu-west-1",
        "GBR": "eu-west-2",
        "FRA": "eu-west-3",
        "SWE": "eu-north-1",
        "ITA": "eu-south-1",
        "ESP": "eu-south-2",
        "ZAF": "af-south-1",
        "ISR": "il-central-1",
        "BHR": "me-south-1",
        "ARE": "me-central-1",
        "IND": "ap-south-1 ap-south-2",
        "SGP": "ap-southeast-1",
        "AUS": "ap-southeast-2 ap-southeast-4",
        "IDN": "ap-southeast-3",
        "MYS": "ap-southeast-5",
        "THA": "ap-southeast-7",
        "JPN": "ap-northeast-1 ap-northeast-3",
        "KOR": "ap-northeast-2",
        "HKG": "ap-east-1",
        "CHN": "cn-north-1 cn-northwest-1",
    },
    "azure": {
        "USA": "centralus eastus eastus2 northcentralus southcentralus westcentralus westus westus2 westus3",
        "CAN": "canadacentral canadaeast",
        "MEX": "mexicocentral",
        "BRA": "brazilsouth",
        "IRL": "northeurope",
        "NLD": "westeurope",
        "GBR": "uksouth ukwest",
        "FRA": "francecentral francesouth",
        "DEU": "germanywestcentral germanynorth",
        "CHE": "switzerlandnorth switzerlandwest",
        "SWE": "swedencentral swedensouth",
        "NOR": "norwayeast norwaywest",
        "POL": "polandcentral",
        "ITA": "italynorth",
        "ESP": "spaincentral",
        "ZAF": "southafricanorth southafricawest",
        "ARE": "uaenorth uaecentral",
        "QAT": "qatarcentral",
        "ISR": "israelcentral",
        "IND": "centralindia southindia westindia",
        "SGP": "southeastasia",
        "HKG": "eastasia",
        "JPN": "japaneast japanwest",
        "KOR": "koreacentral koreasouth",
        "AUS": "australiaeast australiasoutheast australiacentral australiacentral2",
        "NZL": "newzealandnorth",
    },
}
"""Regions of clouds that publish no number of their own, by country. Sources: AWS and Azure, lists of regions."""


def carbon_of(place: str) -> Carbon | None:
    """Return the yearly figure of a place, or none where the table has none.

    Args:
        place: a country (ISO 3166, two or three letters), or cloud and region: `gcp:europe-west1`.
    """
    said = place.strip()
    if ":" not in said:
        return _table().get(said.upper())
    cloud, _, region = (part.strip().lower() for part in said.partition(":"))
    found = _table().get(f"{cloud}:{region}")
    country = next((code for code, held in _COUNTRIES.get(cloud, {}).items() if region in held.split()), None)
    if found is not None or country is None:
        return found
    of_country = _table()[country]
    return Carbon(
        place=f"{cloud}:{region}",
        g_per_kwh=of_country.g_per_kwh,
        year=of_country.year,
        source=f"country of the region, {of_country.place}: {of_country.source}",
    )


def place_of(platforms: Sequence[Platform]) -> str | None:
    """Return the cloud and region that platforms say, as `carbon_of` reads it; none where none does."""
    for platform in platforms:
        if platform.name in CLOUDS and platform.region:
            return f"{CLOUDS[platform.name]}:{platform.region}"
    for platform in platforms:
        cloud, _, region = (platform.region or "").lower().rpartition(" ")
        named = cloud.removeprefix("cloud_provider_")
        if named in set(CLOUDS.values()) and region:
            return f"{named}:{region}"
    return None


@cache
def _table() -> dict[str, Carbon]:
    """Return the figures by place, countries by both of their codes."""
    import csv  # not for runs whose energy nobody measured

    found: dict[str, Carbon] = {}
    with Path(__file__).with_name("carbon_table.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            one = Carbon(
                place=row["place"],
                g_per_kwh=float(row["g_per_kwh"]),
                year=int(row["year"]),
                source=_SOURCES[row["source"]],
            )
            found[row["place"]] = one
            if row["alpha_2"]:
                found[row["alpha_2"]] = one
    return found
