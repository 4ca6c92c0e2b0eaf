"""The machine, and the limits a control group puts on it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from ledger.capture.machine.cgroups import CgroupLimits, read_limits
from ledger.capture.machine.hardware import capture_hardware


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_machine_is_the_one_psutil_sees() -> None:
    found = capture_hardware(Path())
    assert found.unknown == {}
    assert found.cores == psutil.cpu_count()
    assert found.cpu
    assert found.host
    assert abs((found.memory_bytes or 0) - psutil.virtual_memory().total) < 1 << 24
    assert (found.disk_bytes or 0) > (found.disk_free_bytes or 0) > 0
    assert 0 < (found.cores_limit or 0) <= (found.cores or 0)


def test_affinity_limits_the_cores() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from pathlib import Path;"
        "from ledger.capture.machine.hardware import capture_hardware as c; print(c(Path('.')).cores_limit)"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(answer.stdout) <= 1.0


def test_a_folder_that_is_gone_leaves_the_disk_unknown(tmp_path: Path) -> None:
    found = capture_hardware(tmp_path / "gone")
    assert found.disk_bytes is None
    assert "disk_bytes" in found.unknown
    assert found.cores == os.cpu_count()


def test_the_smallest_limit_of_version_two_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/slurm/job_1\n",
        "sys/fs/cgroup/slurm/job_1/cpu.max": "max 100000\n",
        "sys/fs/cgroup/slurm/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/slurm/job_1/memory.max": "1000\n",
        "sys/fs/cgroup/memory.max": "max\n",
    }
    assert read_limits(tree(tmp_path, files)) == CgroupLimits(1.5, 1000)


def test_limits_of_version_one_are_read(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "2000\n",
    }
    assert read_limits(tree(tmp_path, files)) == CgroupLimits(0.5, 2000)


def test_no_limit_is_none(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/\n3:cpu:/\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert read_limits(tree(tmp_path, files)) == CgroupLimits(None, None)
    assert read_limits(tmp_path / "nothing") == CgroupLimits(None, None)
