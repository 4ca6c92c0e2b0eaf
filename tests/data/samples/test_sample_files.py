"""Which files of a dataset are its samples."""

import pytest

from ledger.data.samples.sample_files import is_about, samples_among
from ledger.data.version.listing import Lines
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine


def lines(paths: list[str]) -> list[ManifestLine]:
    return [ManifestLine(path=path, bytes=1, hash=hash_bytes(path.encode())) for path in sorted(paths)]


@pytest.mark.parametrize(
    ("path", "about"),
    [
        *((path, True) for path in ("a/LICENSE", "licence.txt", "README.de.md", "md5sums", "sha256sum.txt")),
        *((path, True) for path in ("dataset_info.json", "classes.txt", "obj.names", "checksum-1")),
        *((path, False) for path in ("licensed.png", "readme/1.png", "myreadme.md", "class.txt", "")),
    ],
)
def test_a_file_that_describes_a_dataset_is_known_by_its_name(path: str, about: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_about(path) is about


@pytest.mark.parametrize(
    ("samples", "others"),
    [
        (["a.png", "b.wav", "noending"], ["t.csv", "a.txt", "data.yaml", ".hidden", "LICENSE", "x.py", "run.lock"]),
        (["t.csv", "u.PARQUET"], ["a.txt", "b.json", "readme.md", "x.sha256"]),
        (["a.txt", "b.json", "c.HTML"], ["README", "data.yaml", ".gitkeep"]),
        (["LICENSE", "README.md"], []),
        (["images/1.png"], ["masks/1.png", "labels.npy", "x/annotations/1.gif", "y_train.npy"]),
        (["masks/1.png", "masks/2.png"], []),
        (["images/1.png", "masks/2.png"], ["masks/1.png"]),
        (["images/a.b.png"], ["gt/a.png"]),
        (["labels.npy"], []),
        (["t.csv", "labels/t.csv"], []),
    ],
)
@pytest.mark.parametrize("kind", [list, Lines.of])
def test_samples_are_the_best_kind_of_file_there_is(samples: list[str], others: list[str], kind: type) -> None:
    is_sample = samples_among(kind(lines([*samples, *others])))
    assert {path: is_sample(path) for path in [*samples, *others]} == {
        **dict.fromkeys(samples, True),
        **dict.fromkeys(others, False),
    }


def test_of_no_files_every_path_is_a_sample() -> None:
    assert samples_among([])("a.png") or samples_among([])("LICENSE")
