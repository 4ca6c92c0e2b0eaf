from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.formats.trackers.archive import unpack


@pytest.fixture
def store(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that unpacks a store by name."""

    def unpacked(name: str) -> Path:
        return unpack(name, tmp_path / name)

    return unpacked


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let years pass since the stores were made, so that nobody writes a run in them any more."""
    monkeypatch.setattr("ledger.formats.stores.store_values._now", lambda: datetime(2031, 1, 1, tzinfo=UTC))
