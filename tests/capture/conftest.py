"""What the tests of capture share."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def fake_nvml() -> Callable[..., Any]:
    """Return the class that stands in for NVML; loaded by path, as the tests are run as files."""
    place = Path(__file__).with_name("machine") / "fake_nvml.py"
    spec = importlib.util.spec_from_file_location("fake_nvml", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[..., Any] = module.FakeNvml
    return made
