"""Every benchmark still runs: everything small and once, and no time is judged."""

import os
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
def test_a_benchmark_prints_its_tables(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, "--quick"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if any(map(str.isdigit, line))]) > 1, done.stdout
    assert "MISSED" not in done.stdout  # a quick look says nothing of a time
