"""The environment of the adapters whose packages are large, named by INTEGRATIONS_PYTHON (`make integrations`)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.conftest import Project, make_project

PYTHON = os.environ.get("INTEGRATIONS_PYTHON", "")
CRATE_PYTHON = os.environ.get("CRATE_PYTHON", "")
"""The environment of the validator of crates, which takes an older rich than ledger does."""

collect_ignore_glob = [] if PYTHON else ["test_large_packages.py", "test_consumers.py", "test_ray_engine.py"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Make a project of some of the scripts of `tests/real`, and work in it."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")

    def make(*names: str) -> Project:
        made = make_project(tmp_path / "project", *names, python=PYTHON)
        monkeypatch.chdir(made.folder)
        return made

    return make
