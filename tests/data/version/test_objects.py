"""Objects in a store are files by the same rules; what the store says of them is checked, and its errors are told."""

from pathlib import Path

import fsspec
import pytest

from ledger.data.version.manifest import build_manifest
from ledger.data.version.objects import _strong, hash_object
from ledger.errors import LedgerError, NotFound, UsageError


def test_objects_of_tools_are_left_out_as_in_a_folder(store: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    for name in ("a.txt", ".git/HEAD", "b/.git/HEAD", "b/.DS_Store", "b/c.txt", "Thumbs.db", ".hidden"):
        store.pipe(f"/bucket/data/{name}", name.encode())
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    manifest = build_manifest("memory://bucket/data")
    assert [line.path for line in manifest.lines] == [".hidden", "a.txt", "b/c.txt"]
    assert manifest == build_manifest(tmp_path)


def test_a_store_with_nothing_but_files_of_tools_holds_no_dataset(store: fsspec.AbstractFileSystem) -> None:
    store.pipe("/bucket/data/.DS_Store", b"x")
    with pytest.raises(NotFound, match="memory://bucket/data"):
        build_manifest("memory://bucket/data")


def test_a_folder_of_a_name_that_tools_have_can_be_named(store: fsspec.AbstractFileSystem) -> None:
    store.pipe("/bucket/.git/HEAD", b"x")
    assert [line.path for line in build_manifest("memory://bucket/.git").lines] == ["HEAD"]


@pytest.mark.parametrize("address", ["memory://bucket/data", "memory://bucket/data/", "memory://bucket/data//"])
def test_a_slash_at_the_end_of_an_address_changes_nothing(store: fsspec.AbstractFileSystem, address: str) -> None:
    store.pipe("/bucket/data/x/e\u0301.txt", b"1")
    store.pipe("/bucket/database/y", b"2")
    assert [line.path for line in build_manifest(address).lines] == ["x/é.txt"]


def test_an_object_whose_name_leads_out_is_refused(
    store: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"size": 1, "type": "file"}
    for name in ("../x", "a//b", "a/./b"):
        monkeypatch.setattr(
            type(store), "find", lambda *_, name=name, **__: {f"/bucket/{name}": facts, "/bucket/a": facts}
        )
        with pytest.raises(LedgerError, match="path inside a dataset"):
            build_manifest("memory://bucket")


@pytest.mark.parametrize(
    ("facts", "strong"),
    [
        ({"size": 1, "ETag": '"a"'}, True),
        ({"size": 1, "etag": '"a"'}, True),
        ({"size": 1, "ETag": 'W/"a"'}, False),
        ({"size": 1, "ETag": ""}, False),
        ({"size": 1, "mtime": 5}, False),
    ],
)
def test_only_a_strong_tag_proves_that_an_object_is_unchanged(facts: dict[str, object], strong: bool) -> None:  # noqa: FBT001  # of pytest
    proof = _strong(facts)
    assert (proof is not None) is strong
    assert proof is None or proof != _strong({**facts, "size": 2})


def test_what_a_store_raises_is_one_line_that_names_the_object(
    store: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound, match="/bucket/gone"):
        hash_object(("memory://bucket", "/bucket/gone"))

    def denied(*_: object, **__: object) -> object:
        raise RuntimeError("403: " + "no " * 200 + "\nsecond line")

    monkeypatch.setattr(type(store), "find", denied)
    with pytest.raises(LedgerError, match=r"403: .*memory://bucket") as caught:
        build_manifest("memory://bucket")
    assert "second line" not in caught.value.message
    assert len(caught.value.message) < 300


def test_an_address_whose_library_is_missing_says_which() -> None:
    with pytest.raises(UsageError, match="dropbox://x"):
        build_manifest("dropbox://x")
