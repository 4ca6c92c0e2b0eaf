"""What was read of a version is there again when its data is gone, and a damaged cache is as good as none."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.data.samples.reading import Reading
from ledger.data.samples.reading_cache import _MOST, keep_reading, read_kept
from ledger.data.samples.samples import Samples
from tests.conftest import examples

HASH = f"blake3:{'ab' * 32}"


def reading(name: str = "a") -> Reading:
    return Reading(
        kind="images",
        names=[name, "é\n"],
        contents=["c1", "c2"],
        labels=[("x", "y"), ()],
        slices={"camera": ["1", None]},
        samples=Samples(
            names=[name, "é\n"],
            labels=["x + y", None],
            slices={"camera": ["1", None]},
            features={"width": np.array([1.5, np.nan]), "height": np.array([np.inf, 3e300])},
            images=np.linspace(0, 1, 2 * 16 * 16, dtype=np.float32).reshape(2, 16, 16),
            texts=["", "words"],
        ),
    )


def test_a_reading_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = reading()
    keep_reading(tmp_path / "deep" / "cache", HASH, kept, Path("/data/x"))
    found, place = read_kept(tmp_path / "deep" / "cache", HASH)
    assert found is not None
    assert place == Path("/data/x")
    for field in ("kind", "names", "contents", "labels", "slices"):
        assert getattr(found, field) == getattr(kept, field), field
    for field in ("names", "labels", "slices", "texts"):
        assert getattr(found.samples, field) == getattr(kept.samples, field), field
    assert list(found.samples.features) == ["width", "height"]
    for name, values in kept.samples.features.items():
        assert np.array_equal(found.samples.features[name], values, equal_nan=True)
    assert found.samples.images is not None
    assert kept.samples.images is not None
    assert np.allclose(found.samples.images, kept.samples.images, atol=1e-3)
    assert found.samples.images.dtype == np.float32
    assert list(found.pictures) == [], "whole files are never kept"


def test_what_a_reading_does_not_have_it_does_not_have_afterwards(tmp_path: Path) -> None:
    bare = Reading(kind="files", names=[], contents=[], samples=Samples(names=[]))
    keep_reading(tmp_path, HASH, bare, Path("x"))
    found, _ = read_kept(tmp_path, HASH)
    assert found == bare


def test_a_reading_is_that_of_its_own_version(tmp_path: Path) -> None:
    keep_reading(tmp_path, HASH, reading(), Path("x"))
    assert read_kept(tmp_path, f"blake3:{'cd' * 32}") == (None, None)
    assert read_kept(tmp_path / "nowhere", HASH) == (None, None)
    keep_reading(tmp_path, HASH, reading("new"), Path("y"))
    found, place = read_kept(tmp_path, HASH)
    assert found is not None
    assert (found.names[0], place) == ("new", Path("y"))
    assert len(list(tmp_path.iterdir())) == 1


def test_the_oldest_readings_give_way(tmp_path: Path) -> None:
    for number in range(_MOST + 2):
        keep_reading(tmp_path, f"blake3:{number:064x}"[:7] + f"{number:032x}" + "0" * 32, reading(), Path("x"))
        for file in tmp_path.glob("reading-*.npz"):
            if file.stat().st_mtime > 10**6:
                os.utime(file, (number, number))
    kept = sorted(int(file.stem.removeprefix("reading-"), 16) for file in tmp_path.iterdir())
    assert kept == list(range(2, _MOST + 2))


@pytest.mark.parametrize("name", ["\ud800", "ok"])
def test_a_reading_that_cannot_be_kept_costs_nothing(tmp_path: Path, name: str) -> None:
    if name == "ok":
        (tmp_path / "cache").write_text("no folder")
    keep_reading(tmp_path / "cache", HASH, reading(name), Path("x"))
    assert read_kept(tmp_path / "cache", HASH) == (None, None)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), flipped=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_file_is_none_or_what_it_was(tmp_path: Path, position: float, flipped: int, cut: bool) -> None:  # noqa: FBT001  # of hypothesis
    keep_reading(tmp_path, HASH, reading(), Path("x"))
    (file,) = tmp_path.glob("reading-*.npz")
    data = bytearray(file.read_bytes())
    place = int(position * len(data))
    if cut:
        del data[place:]
    else:
        data[place] ^= flipped
    file.write_bytes(data)
    found, _ = read_kept(tmp_path, HASH)
    assert found is None or found.names == ["a", "é\n"]
