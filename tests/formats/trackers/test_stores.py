"""The stores that tests read are small, and say nothing of the machine that made them."""

import tarfile

import pytest

from tests.formats.trackers.archive import STORES, machine_words

NAMES = sorted(path.name for path in STORES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_store_is_small_and_names_no_machine(name: str) -> None:
    assert (STORES / name).stat().st_size < 150_000
    with tarfile.open(STORES / name) as archive:
        for entry in archive:
            content = file.read() if (file := archive.extractfile(entry)) else b""
            assert not [word for word in machine_words() if word.encode() in content or word in entry.name], entry.name
