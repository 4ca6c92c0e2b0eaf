"""Only samples leak: what two datasets share beside them is no test of anything."""

import pytest

from ledger.data.samples.leakage import find_leak
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine


def lines(files: dict[str, str]) -> list[ManifestLine]:
    return [
        ManifestLine(path=path, bytes=len(text), hash=hash_bytes(text.encode())) for path, text in sorted(files.items())
    ]


@pytest.mark.parametrize(
    "shared",
    [
        {"LICENSE": "free", "README.md": "read", "classes.txt": "cat", "data.yaml": "nc: 1", "obj.names": "cat"},
        {"labels/1.txt": "0 1 1 1 1", "annotations/1.xml": "<a/>", "meta.csv": "1,2", "notes.json": "{}"},
        {"masks/1.png": "black"},
        {"labels.npy": "01"},
    ],
)
def test_what_is_no_sample_is_no_leak(shared: dict[str, str]) -> None:
    ours, theirs = ({f"images/{name}.png": name, "images/1.png": f"{name} 1", **shared} for name in ("a", "b"))
    assert find_leak(lines(ours), lines(theirs), dataset="d", role="train") is None
    theirs["images/7.png"] = "a"
    leak = find_leak(lines(ours), lines(theirs), dataset="d", role="train")
    assert leak is not None
    assert (leak.files, leak.examples) == (1, ["images/a.png"])


@pytest.mark.parametrize("ending", [".csv", ".txt", ".json", ".wav", "", ".parquet", ".npy"])
def test_whatever_is_the_sample_leaks(ending: str) -> None:
    ours = lines({f"x/1{ending}": "one", f"x/2{ending}": "two", "LICENSE": "free"})
    theirs = lines({f"y/9{ending}": "two", "LICENSE": "free"})
    leak = find_leak(ours, theirs, dataset="d", role="train")
    assert leak is not None
    assert leak.examples == [f"x/2{ending}"]


def test_folders_of_masks_are_samples_where_nothing_else_has_their_names() -> None:
    ours, theirs = lines({"mask/1.png": "a", "bare/2.png": "b"}), lines({"mask/7.png": "a", "bare/8.png": "c"})
    leak = find_leak(ours, theirs, dataset="d", role="train")
    assert leak is not None
    assert leak.examples == ["mask/1.png"]
