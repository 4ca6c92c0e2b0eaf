"""GPUs of a running process, as they are now."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ledger.capture.machine.gpu_use import gpus_in_use


@contextmanager
def process(devices: str) -> Iterator[int]:
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "CUDA_VISIBLE_DEVICES": devices}
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.communicate(b"\n")


def test_they_are_those_that_the_process_may_use(fake_nvml: Callable[..., Any]) -> None:
    with process("1") as pid:
        (gpu,) = gpus_in_use(pid, fake_nvml())
    assert gpu.name == "NVIDIA L4"
    assert gpu.utilisation is not None
    assert 0 <= gpu.utilisation <= 1
    assert gpu.memory_used_bytes is not None


def test_of_a_process_that_is_gone_or_a_broken_driver_nothing_is_said(fake_nvml: Callable[..., Any]) -> None:
    with process("0") as pid:
        nvml = fake_nvml()
        nvml.broken = True
        assert gpus_in_use(pid, nvml) == []
    assert gpus_in_use(pid, fake_nvml()) == []
