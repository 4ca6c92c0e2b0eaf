"""The sampler watches real processes, and GPUs that a library built from C plays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.capture.machine.network import read_traffic
from ledger.capture.machine.processes import read_load
from ledger.capture.machine.sampler import Sampler, has_siblings
from tests.capture.machine.fake_nvml import FakeCards

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


def test_gpus_are_summed_up(cards: FakeCards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    cards.set(busy=0, used=20)
    sampler = Sampler(interval_seconds=0.02)
    sampler.start()
    time.sleep(0.3)
    cards.set(busy=100, used=30)
    time.sleep(0.15)
    _, (gpu,) = sampler.stop()
    assert gpu.memory_peak_bytes == 30
    assert gpu.energy_source == "integral"  # a counter is too coarse for so short a run
    assert gpu.energy_kwh == pytest.approx(300 * 0.45 / 3.6e6, rel=0.5)  # 300 W
    assert 0.1 < (gpu.utilisation_mean or 0) < 0.7
    assert gpu.gpu_idle_fraction == pytest.approx(1 - (gpu.utilisation_mean or 0))


def test_the_first_seconds_count_by_their_time(cards: FakeCards) -> None:
    cards.set(count=1, busy=100, throttled="0x4")
    sampler = Sampler(interval_seconds=2)
    sampler.start()
    time.sleep(0.8)
    cards.set(busy=0, throttled="0x0")
    time.sleep(0.2)
    _, (gpu,) = sampler.stop()
    assert (gpu.utilisation_mean or 0) > 0.5
    assert gpu.throttled["power limit"] > 0.5
    assert 0 < (gpu.gpu_idle_fraction or 0) < 0.5


def test_a_short_run_still_gets_one_gpu_sample(cards: FakeCards) -> None:
    cards.set(busy__0=0, busy__1=30)
    sampler = Sampler(interval_seconds=60)
    sampler.start()
    time.sleep(0.1)
    _, gpus = sampler.stop()
    assert [gpu.utilisation_mean for gpu in gpus] == [0.0, 0.3]


def test_a_broken_nvml_and_a_process_that_is_gone_harm_nothing(cards: FakeCards) -> None:
    cards.set(**{"fail.nvmlDeviceGetCount_v2": 999})
    sampler = Sampler(1 << 22, interval_seconds=0.02)
    sampler.start()
    sampler.start()
    assert sampler.stop() == (None, [])
    assert sampler.stop() == (None, [])
    assert Sampler().stop() == (None, [])


def test_disks_and_network_are_counted(tmp_path: Path) -> None:
    sampler = Sampler(interval_seconds=60)
    sampler.start()
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(5_000_000))
        file.flush()
        os.fsync(file.fileno())
    usage, _ = sampler.stop()
    assert usage is not None
    counted = Path("/proc/self/io").exists() and os.statvfs(tmp_path).f_bsize > 0
    if counted and usage.disk_written_bytes:  # a file system in memory has no disk
        assert 5_000_000 <= usage.disk_written_bytes < 50_000_000
    assert (usage.network_received_bytes is None) == (read_traffic() is None)


def test_traffic_is_that_of_real_devices_and_of_infiniband(tmp_path: Path) -> None:
    line = "{}: {} 1 0 0 0 0 0 0 {} 1 0 0 0 0 0 0"
    files = {
        "proc/net/dev": "Inter-| Receive\n face |bytes\n"
        + "\n".join(
            [line.format("lo", 9, 9), line.format("eth0", 100, 30), line.format("docker0", 70, 70), "broken: 1 2"]
        ),
        "sys/class/net/eth0/device/vendor": "",
        "sys/class/infiniband/mlx5_0/ports/1/counters/port_rcv_data": "10\n",
        "sys/class/infiniband/mlx5_0/ports/1/counters/port_xmit_data": "2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_traffic(tmp_path) == (100 + 40, 30 + 8)
    (tmp_path / "sys/class/net/eth0/device/vendor").unlink()
    (tmp_path / "sys/class/net/eth0/device").rmdir()
    assert read_traffic(tmp_path) == (100 + 70 + 40, 30 + 70 + 8)  # in a container no device is real
    assert read_traffic(tmp_path / "nothing") is None


def test_a_job_of_several_ranks_is_one_family() -> None:
    assert has_siblings({"LOCAL_WORLD_SIZE": "8"})
    assert has_siblings({"SLURM_NTASKS": "2"})
    assert not has_siblings({"LOCAL_WORLD_SIZE": "1", "SLURM_NTASKS": "many"})


def test_a_process_that_is_gone_has_no_load() -> None:
    assert read_load(1 << 22) is None
    load = read_load(os.getpid())
    assert load is not None
    assert load.memory_bytes > 1 << 20
