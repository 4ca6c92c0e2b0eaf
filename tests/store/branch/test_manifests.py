"""A large manifest is cut into shards that versions share, and reads back as the very same."""

import random
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.data.version.difference import apply_difference, diff_manifests
from ledger.data.version.listing import Manifest, manifest_of
from ledger.errors import InvalidDocument, NotFound
from ledger.hashing import hash_bytes
from ledger.model.document import dump
from ledger.model.entries import DATASET_FORMAT, DatasetVersion, ManifestLine
from ledger.model.paths import dataset_path
from ledger.model.record import Author
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import (
    WHOLE_UP_TO,
    join_shards,
    manifest_files,
    read_difference,
    read_manifest,
)
from ledger.store.branch.pending import Entry
from ledger.store.integrity.verify import verify
from tests.conftest import examples

ADA = Author(name="Ada", email="ada@example.com")
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def manifest(count: int, changed: int = 0) -> Manifest:
    return manifest_of(
        ManifestLine(
            path=f"{number % 10}/{number:06d}.png", bytes=number, hash=hash_bytes(b"%d %d" % (number, number < changed))
        )
        for number in range(count)
    )


def add(ledger: Branch, label: str, content: Manifest, **files: bytes) -> DatasetVersion:
    version = DatasetVersion(
        format=DATASET_FORMAT,
        name="digits",
        version=label,
        role="validation",
        hash=content.hash,
        files=content.files,
        bytes=content.bytes,
        author=ADA,
        added_at=NOW,
        tool="git-ledger 0",
    )
    entry = Entry(
        id=f"20261120-000000-{label}aaaa",
        files={
            f"{dataset_path('digits', label)}/dataset.json": dump(version),
            **manifest_files("digits", label, content),
            **files,
        },
        message=f"dataset: digits@{label}\n",
        author=ADA,
        made_at=NOW,
    )
    ledger.append(entry)
    return version


def test_a_small_manifest_is_one_file_whose_hash_is_that_of_the_version() -> None:
    content = manifest(WHOLE_UP_TO)
    assert manifest_files("digits", "v1", content) == {"datasets/digits/v1/manifest.jsonl": content.lines.text}
    assert hash_bytes(content.lines.text) == content.hash


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(WHOLE_UP_TO + 1, 9000), st.randoms(use_true_random=False))
def test_shards_in_any_order_are_the_manifest(count: int, chance: random.Random) -> None:
    content = manifest(count)
    files = list(manifest_files("digits", "v1", content).items())
    assert all(path.startswith("manifests/digits/v1/") and path.endswith(".jsonl") for path, _ in files)
    assert max(text.count(b"\n") for _, text in files) < 128
    assert len({len(path) for path, _ in files}) == 1
    chance.shuffle(files)
    assert join_shards((text for _, text in files), "digits@v1") == content


@pytest.mark.parametrize(("old", "new"), [(5000, 5100), (4000, 5000), (5000, 4000), (8190, 8200), (10, 20)])
def test_a_difference_is_read_however_the_two_are_cut(ledger: Branch, old: int, new: int) -> None:
    before, after = manifest(old), manifest(new, changed=7)
    one, other = add(ledger, "v1", before), add(ledger, "v2", after)
    assert read_manifest(ledger, one) == before
    assert read_manifest(ledger, other) == after
    difference = read_difference(ledger, one, other)
    assert difference == diff_manifests(before, after)
    assert apply_difference(before, difference) == after
    assert read_difference(ledger, one, one).empty
    with blob_reader(ledger.repository) as read_blob:
        assert not verify(ledger, read_blob).findings


def test_only_shards_that_differ_are_read_and_stored(ledger: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = add(ledger, "v1", manifest(20_000)), add(ledger, "v2", manifest(20_000, changed=3))
    tree = ledger.repository.read_tree(str(ledger.tip()), ["manifests/"])
    assert len({file.blob for file in tree}) == len(tree) // 2 + 3
    asked: list[str] = []
    plain = type(ledger.repository).read_objects

    def reading(self: object, names: list[str]) -> object:
        asked.extend(names)
        return plain(self, names)  # type: ignore[arg-type]  # it is one

    monkeypatch.setattr(type(ledger.repository), "read_objects", reading)
    assert len(read_difference(ledger, one, other).changed) == 3
    assert len(asked) == 6


def test_nobody_who_lists_runs_lists_shards(ledger: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    add(ledger, "v1", manifest(5000))
    seen: list[str] = []
    plain = type(ledger.repository).read_tree

    def listing(self: object, *arguments: object) -> object:
        files = plain(self, *arguments)  # type: ignore[arg-type]  # it is one
        seen.extend(file.path for file in files)
        return files

    monkeypatch.setattr(type(ledger.repository), "read_tree", listing)
    assert [version.label for version in ledger.contents().datasets] == ["digits@v1"]
    assert seen == ["datasets/digits/v1/dataset.json"]


def test_a_shard_that_says_something_else_is_found(ledger: Branch) -> None:
    content = manifest(5000)
    files = manifest_files("digits", "v1", content)
    path, text = next(iter(files.items()))
    forged = text.replace(b'"bytes":', b'"bytes":1', 1)
    version = add(ledger, "v1", content, **{path: forged})
    with pytest.raises(InvalidDocument, match="does not match the hash of the version"):
        read_manifest(ledger, version)
    with blob_reader(ledger.repository) as read_blob:
        findings = verify(ledger, read_blob).findings
    assert [finding.path for finding in findings] == ["manifests/digits/v1"]


@pytest.mark.parametrize("text", [b"", b"{", b'{"path":"../x","bytes":1,"hash":"blake3:%b"}\n' % (b"0" * 64)])
def test_a_damaged_shard_is_refused(ledger: Branch, text: bytes) -> None:
    content = manifest(5000)
    path = next(iter(manifest_files("digits", "v1", content)))
    version = add(ledger, "v1", content, **{path: text})
    with pytest.raises(InvalidDocument):
        read_manifest(ledger, version)
    with blob_reader(ledger.repository) as read_blob:
        assert verify(ledger, read_blob).findings


def test_a_path_that_stands_in_two_shards_is_refused(ledger: Branch) -> None:
    line = b'{"path":"a","bytes":1,"hash":"blake3:%b"}\n' % (b"0" * 64)
    with pytest.raises(InvalidDocument, match="it is in two shards"):
        join_shards([line, line], "digits@v1")


def test_a_version_without_a_manifest_is_told(ledger: Branch) -> None:
    version = msgspec.structs.replace(add(ledger, "v1", manifest(3)), version="v2")
    with pytest.raises(NotFound, match="no manifest"):
        read_manifest(ledger, version)
