"""GPUs of a running process, as they are now."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.capture.machine.gpus.use_now import gpus_in_use
from tests.capture.machine.fake_nvml import FakeCards


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


def test_they_are_those_that_the_process_may_use(cards: FakeCards) -> None:
    cards.set(busy__1=73, used__1=5 << 30)
    with process("1") as pid:
        (gpu,) = gpus_in_use(pid)
    assert (gpu.name, gpu.utilisation, gpu.memory_used_bytes) == ("NVIDIA L4", 0.73, 5 << 30)


def test_of_a_process_that_is_gone_or_a_broken_driver_nothing_is_said(cards: FakeCards) -> None:
    with process("0") as pid:
        cards.set(**{"fail.nvmlInitWithFlags": 18})
        assert gpus_in_use(pid) == []
    cards.set(**{"fail.nvmlInitWithFlags": 0})
    assert gpus_in_use(pid) == []
