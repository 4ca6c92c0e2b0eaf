"""How a run used its machine, in words."""

import pytest

from ledger.analysis.data.machine_use import energy_doubt, gpu_facts, gpu_notes, traffic_facts
from ledger.model.boxes.machine import Gpu, Usage


def test_only_what_was_measured_is_said() -> None:
    assert list(gpu_facts(Gpu(name="L4"))) == []
    assert list(
        gpu_facts(
            Gpu(
                name="H100",
                power_mean_watts=412.5,
                power_limit_watts=700.0,
                temperature_max_celsius=83.0,
                clock_mean_mhz=1455.0,
                throttled={"heat": 0.5},
                pcie_bytes_per_second=2e7,
                nvlink_bytes=5e9,
                other_processes=1,
            )
        )
    ) == [
        "412.5 W on average of 700 W",
        "at most 83 °C",
        "clock 1455 MHz",
        "held down by heat in 50 % of the time",
        "20 MB a second over PCI Express",
        "5 GB over NVLink",
        "used by 1 process of others too",
    ]


@pytest.mark.parametrize(
    ("counter", "integral", "doubtful"),
    [
        (1.0, 1.2, False),
        (1.0, 1.3, True),
        (0.187, 0.327, True),
        (1.0, None, False),
        (0.0, 0.0, False),
        (0.0, 1.0, True),
    ],
)
def test_energy_is_in_doubt_from_a_difference_of_a_fifth(
    counter: float,
    integral: float | None,
    doubtful: bool,  # noqa: FBT001  # one of two answers
) -> None:
    said = energy_doubt(Gpu(name="L4", energy_kwh=counter, energy_integral_kwh=integral))
    assert (said is not None) == doubtful


def test_cards_that_are_alike_are_said_once() -> None:
    hot = Gpu(name="H100", temperature_max_celsius=83.0)
    doubtful = Gpu(name="H100", energy_kwh=1.0, energy_integral_kwh=2.0, unknown={"sm_activity_mean": "no GPM"})
    assert list(gpu_notes([hot])) == [("H100", "at most 83 °C")]
    assert list(gpu_notes([hot, doubtful, hot, Gpu(name="L4")])) == [
        ("H100 (1, 3)", "at most 83 °C"),
        (
            "H100 (2)",
            f"energy is in doubt: {energy_doubt(doubtful)}. Not known: sm activity mean: no GPM",
        ),
    ]


def test_traffic_that_was_not_counted_is_left_out() -> None:
    usage = Usage(samples=1, interval_seconds=2.0, disk_read_bytes=3_000_000, network_sent_bytes=10)
    assert list(traffic_facts(usage)) == [("disks", "3 MB read"), ("network of the host", "10 B sent")]
    assert list(traffic_facts(Usage(samples=0, interval_seconds=2.0))) == []
