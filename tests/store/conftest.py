"""A remote and two people who work with it."""

from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.store.sync.remotes import clone, make_hub


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path)


@pytest.fixture
def ada(hub: Path, tmp_path: Path) -> Branch:
    return clone(hub, tmp_path / "ada")


@pytest.fixture
def bob(hub: Path, tmp_path: Path) -> Branch:
    return clone(hub, tmp_path / "bob", author="Bob")
