"""The sampler watches real processes, and GPUs that a stand-in plays."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from ledger.capture.machine.processes import read_load
from ledger.capture.machine.sampler import Sampler

BUSY = "import time; x = bytearray(80_000_000); end = time.process_time() + {}\nwhile time.process_time() < end: pass"


def test_a_process_and_its_children_are_counted() -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY.format(0.4)!r}])"
    child = subprocess.Popen([sys.executable, "-c", nested])
    sampler = Sampler(child.pid, interval_seconds=0.05)
    sampler.start()
    child.wait()
    usage, gpus = sampler.stop()
    assert usage is not None
    assert usage.samples > 2
    assert 0.4 <= (usage.cpu_seconds or 0) < 3
    assert (usage.memory_peak_bytes or 0) > 80_000_000
    assert 0 < (usage.cpu_fraction_mean or 0) <= 1
    assert gpus == []


def test_a_child_that_ends_before_a_second_sample_is_counted_whole() -> None:
    child = subprocess.Popen([sys.executable, "-c", BUSY.format(0.3)])
    sampler = Sampler(child.pid, interval_seconds=60)
    sampler.start()
    child.wait()
    usage, _ = sampler.stop()
    assert usage is not None
    assert (usage.cpu_seconds or 0) >= 0.3
    assert (usage.memory_peak_bytes or 0) > 80_000_000


def test_what_this_process_used_before_is_not_counted() -> None:
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    sampler = Sampler(interval_seconds=60)
    sampler.start()
    usage, _ = sampler.stop()
    assert usage is not None
    assert (usage.cpu_seconds or 0) < 0.2


def test_gpus_are_summed_up(fake_nvml: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    sampler = Sampler(interval_seconds=0.02, nvml=fake_nvml())
    sampler.start()
    time.sleep(0.5)
    _, (gpu,) = sampler.stop()
    assert gpu.memory_peak_bytes == 30
    assert gpu.energy_kwh == pytest.approx(1e-3)
    assert 0 < (gpu.utilisation_mean or 0) < 0.2
    assert 0.8 < (gpu.gpu_idle_fraction or 0) < 1


def test_energy_is_integrated_where_it_is_not_counted(fake_nvml: Callable[..., Any]) -> None:
    nvml = fake_nvml()
    nvml.energy = None
    sampler = Sampler(interval_seconds=0.02, nvml=nvml)
    sampler.start()
    time.sleep(0.4)
    _, gpus = sampler.stop()
    # 100 W for 0.4 s
    assert gpus[0].energy_kwh == pytest.approx(100 * 0.4 / 3.6e6, rel=0.5)


def test_a_short_run_still_gets_one_gpu_sample(fake_nvml: Callable[..., Any]) -> None:
    sampler = Sampler(interval_seconds=60, nvml=fake_nvml())
    sampler.start()
    time.sleep(0.1)
    _, gpus = sampler.stop()
    assert [gpu.utilisation_mean for gpu in gpus] == [0.0, 0.0]


def test_a_broken_nvml_and_a_process_that_is_gone_harm_nothing(fake_nvml: Callable[..., Any]) -> None:
    nvml = fake_nvml()
    nvml.broken = True
    sampler = Sampler(1 << 22, interval_seconds=0.02, nvml=nvml)
    sampler.start()
    sampler.start()
    assert sampler.stop() == (None, [])
    assert sampler.stop() == (None, [])
    assert Sampler().stop() == (None, [])


def test_a_process_that_is_gone_has_no_load() -> None:
    assert read_load(1 << 22) is None
    load = read_load(os.getpid())
    assert load is not None
    assert load.memory_bytes > 1 << 20
