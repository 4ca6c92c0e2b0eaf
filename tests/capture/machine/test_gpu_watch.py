"""One GPU summed up over a run: what NVML answers call by call, and what it refuses."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from ledger.analysis.data.machine_use import energy_doubt
from ledger.capture.machine.gpus import watch as module
from ledger.capture.machine.gpus.cards import open_cards
from ledger.capture.machine.gpus.watch import GpuWatch
from ledger.model.boxes.machine import Gpu, GpuTimeline
from tests.capture.machine.fake_nvml import FakeCards

Sample = Callable[..., None]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[GpuWatch, Sample]]:
    """Watch the first card; each sample is taken two seconds after the one before."""
    clock = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    opened = open_cards()
    watch = GpuWatch(opened.cards[0])
    watch.sample()

    def sample(times: int = 1) -> None:
        for _ in range(times):
            clock[0] += 2.0
            watch.sample({os.getpid()})

    yield watch, sample
    opened.close()


def test_everything_that_a_card_offers(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(energy=1000, nvlink=100, gpm=1, sm=40, busy=80, throttled="0x1", pid=f"{os.getpid()},{os.getppid()}")
    with watched(monkeypatch) as (watch, sample):
        sample(5)
        cards.set(energy=6_001_000, nvlink=300, sm=60, busy=100, throttled="0x25", heat=83, used=7 << 30, clock=1155)
        sample(5)
        gpu = watch.gpu()
    assert gpu.unknown == {}
    assert (gpu.utilisation_mean, gpu.sm_activity_mean, gpu.gpu_idle_fraction) == (0.9, 0.5, 0.0)
    assert gpu.use == GpuTimeline(stretch_seconds=1.0, percent=[*[80] * 10, *[100] * 10])
    assert gpu.throttled == {"heat": 0.5, "power limit": 0.5}
    assert (gpu.temperature_max_celsius, gpu.clock_mean_mhz, gpu.memory_peak_bytes) == (83.0, 1455.0, 7 << 30)
    assert gpu.nvlink_bytes == 2 * 200 * 1024  # both directions
    assert gpu.pcie_bytes_per_second == 2 * 10 * 1024**2
    assert gpu.other_processes == 1
    assert gpu.energy_source == "counter"
    assert gpu.energy_kwh == pytest.approx(6000 / 3.6e6)
    assert gpu.energy_integral_kwh == pytest.approx(300 * 20 / 3.6e6)
    assert gpu.power_mean_watts == 300.0


@pytest.mark.parametrize(
    ("question", "fields"),
    [
        ("nvmlDeviceGetUtilizationRates", {"utilisation_mean", "gpu_idle_fraction"}),
        ("nvmlDeviceGetMemoryInfo", {"memory_peak_bytes"}),
        ("nvmlDeviceGetPowerUsage", {"power_mean_watts"}),
        ("nvmlDeviceGetTotalEnergyConsumption", set()),
        ("nvmlDeviceGetTemperature", {"temperature_max_celsius"}),
        ("nvmlDeviceGetClockInfo", {"clock_mean_mhz"}),
        ("nvmlDeviceGetCurrentClocksEventReasons", {"throttled"}),
        ("nvmlDeviceGetPcieThroughput", {"pcie_bytes_per_second"}),
        ("nvmlDeviceGetComputeRunningProcesses_v3", {"other_processes"}),
    ],
)
@pytest.mark.parametrize("code", [3, 999])
def test_one_question_that_is_refused_costs_its_own_fields(
    cards: FakeCards, monkeypatch: pytest.MonkeyPatch, question: str, fields: set[str], code: int
) -> None:
    cards.set(nvlink=1, **{f"fail.{question}": code})
    with watched(monkeypatch) as (watch, sample):
        sample(4)
        gpu = watch.gpu()
    assert gpu.unknown.keys() == {"sm_activity_mean", *fields}
    for field in fields:
        assert not getattr(gpu, field)
        assert ("not supported" if code == 3 else "not answer") in gpu.unknown[field]


def test_without_a_counter_energy_is_power_over_time(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(**{"fail.nvmlDeviceGetTotalEnergyConsumption": 3})
    with watched(monkeypatch) as (watch, sample):
        sample(5)
        cards.set(power=100_000)
        sample(5)
        gpu = watch.gpu()
    assert (gpu.energy_source, gpu.energy_integral_kwh) == ("integral", None)
    # 300 W for 10 s and 100 W for 10 s, and the mean of both between them
    assert gpu.energy_kwh == pytest.approx((300 * 10 + 200 * 2 + 100 * 8) / 3.6e6)


def test_a_counter_that_runs_backwards_is_not_believed(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(energy=9_000_000, nvlink=500)
    with watched(monkeypatch) as (watch, sample):
        sample()
        cards.set(energy=1000, nvlink=1)
        sample()
        cards.set(energy=99_000_000, nvlink=900)
        sample()
        gpu = watch.gpu()
    assert (gpu.energy_source, gpu.nvlink_bytes) == ("integral", None)
    assert gpu.energy_kwh == pytest.approx(300 * 6 / 3.6e6)


@pytest.mark.parametrize("counter", [1000, 9_000_000_000_000])
def test_a_counter_that_stands_still_or_jumps_is_told(
    cards: FakeCards, monkeypatch: pytest.MonkeyPatch, counter: int
) -> None:
    cards.set(energy=1000)
    with watched(monkeypatch) as (watch, sample):
        sample()
        cards.set(energy=counter)
        sample()
        short = watch.gpu()
        sample(20)
        long = watch.gpu()
    assert short.energy_source == "integral"
    assert short.energy_kwh == pytest.approx(300 * 4 / 3.6e6)
    if counter == 1000:
        assert (long.energy_source, long.energy_kwh) == ("counter", 0.0)
        assert energy_doubt(long) is not None
    else:  # no card uses so much
        assert long.energy_source == "integral"
        assert long.energy_kwh == pytest.approx(300 * 44 / 3.6e6)


def test_a_card_that_is_lost_keeps_what_was_seen_of_it(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(busy=90)
    with watched(monkeypatch) as (watch, sample):
        sample(3)
        cards.set(lost__0=1)
        sample(3)
        gpu = watch.gpu()
    assert gpu.utilisation_mean == 0.9
    assert gpu.unknown["utilisation_mean"] == "the card was lost during the run"


def test_a_timeout_alone_ends_nothing(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(monkeypatch) as (watch, sample):
        for code in (10, 0, 10, 10, 0):
            cards.set(**{"fail.nvmlDeviceGetUtilizationRates": code})
            sample()
        gpu = watch.gpu()
    assert gpu.utilisation_mean == 0.5
    assert "utilisation_mean" not in gpu.unknown


def test_an_instance_has_no_power_of_its_own(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(mig=2)
    with watched(monkeypatch) as (watch, sample):
        sample(2)
        gpu = watch.gpu()
    whole = "counted for the whole card, of which this is a part"
    assert gpu.memory_peak_bytes == 1 << 30
    assert gpu.unknown["energy_kwh"] == gpu.unknown["utilisation_mean"] == whole


def test_processes_that_a_container_cannot_see_are_nobodys(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.set(pid=str(1 << 22))
    with watched(monkeypatch) as (watch, sample):
        sample(2)
        gpu = watch.gpu()
    assert gpu.other_processes is None
    assert "container" in gpu.unknown["other_processes"]


def test_without_gpm_it_is_said_which_cards_have_it(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    del cards
    with watched(monkeypatch) as (watch, _):
        gpu: Gpu = watch.gpu()
    assert "Hopper" in gpu.unknown["sm_activity_mean"]
    assert "no sample" in gpu.unknown["utilisation_mean"]
