"""Every benchmark still runs: everything small and once, and no time is judged."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPTS = sorted(
    script for script in (ROOT / "tests/benchmarks").glob("*.py") if '__name__ == "__main__"' in script.read_text()
)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_benchmark_prints_its_tables(script: Path, short_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "faulthandler", script, "--quick"],
        cwd=short_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(short_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGABRT)  # each of its processes says where it hangs
            output, errors = process.communicate()
    assert process.returncode == 0, output + errors
    assert len([line for line in output.splitlines() if any(map(str.isdigit, line))]) > 1, output
    assert "MISSED" not in output  # a quick look says nothing of a time
