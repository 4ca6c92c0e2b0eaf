"""An archive is what it unpacks to; everything that could unpack to something else is refused."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from ledger.data.version.archives import hash_archive, hash_archives, is_archive
from ledger.data.version.manifest import build_manifest
from ledger.engine import open_engine
from ledger.errors import LedgerError, NotFound


def packed(path: Path, *members: tuple[str, bytes | int, bytes | str]) -> Path:
    """Write an archive of names, their kind and content, or what they link to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind  # type: ignore[assignment]  # typeshed says int, tarfile has bytes
            if isinstance(content, str):
                member.linkname = content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


FILE = tarfile.REGTYPE


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.tar", True), ("a.TAR", True), ("a.tar.gz", True), ("a.tgz", True), ("a.tar.zst", False), ("a.zip", False)],
)
def test_an_archive_is_known_by_name_and_content(tmp_path: Path, name: str, found: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_archive(str(packed(tmp_path / name, ("x", FILE, b"1")))) is found
    (tmp_path / name).write_text("no archive")
    assert not is_archive(str(tmp_path / name))
    (tmp_path / name).unlink()
    assert not is_archive(str(tmp_path / name))
    os.mkfifo(tmp_path / name)
    assert not is_archive(str(tmp_path / name)), "a pipe would never end"


def test_files_of_tools_are_left_out_as_in_the_folder_it_unpacks_to(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("a/b.txt", "a/.DS_Store", ".git/HEAD", "a/._b.txt", "Thumbs.db"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(folder, ".")
    manifest = build_manifest(tmp_path / "data.tar")
    assert manifest == build_manifest(folder)
    assert [line.path for line in manifest.lines] == ["a/._b.txt", "a/b.txt"]


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_member_that_is_neither_file_nor_folder_is_named(tmp_path: Path, kind: bytes) -> None:
    path = packed(tmp_path / "x.tar", ("ok", FILE, b"1"), ("odd", kind, b""))
    with pytest.raises(LedgerError, match=r"`odd` in .*x\.tar"):
        hash_archive((str(path), ""))


@pytest.mark.parametrize(
    ("name", "target"), [("a", "b"), ("a", "a"), ("a", "../ok"), ("a", "/etc/passwd"), ("a", "folder")]
)
def test_a_link_that_is_no_file_of_the_archive_is_refused(tmp_path: Path, name: str, target: str) -> None:
    path = packed(
        tmp_path / "x.tar", ("ok", FILE, b"1"), ("folder", tarfile.DIRTYPE, b""), (name, tarfile.SYMTYPE, target)
    )
    with pytest.raises(LedgerError, match=r"`a` in"):
        hash_archive((str(path), ""))


@pytest.mark.parametrize("members", [(), (("folder", tarfile.DIRTYPE, b""),), ((".DS_Store", FILE, b"x"),)])
def test_an_archive_without_a_file_is_refused(tmp_path: Path, members: tuple[tuple[str, bytes, bytes], ...]) -> None:
    path = packed(tmp_path / "x.tar", *members)
    with pytest.raises(LedgerError, match=r"no files.*x\.tar"):
        hash_archive((str(path), ""))


def test_a_name_that_is_not_utf8_is_refused_and_one_of_another_form_is_composed(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar", ("e\u0301", FILE, b"1"))
    assert [line.path for line in hash_archive((str(path), "p/"))] == ["p/é"]
    with pytest.raises(LedgerError, match="UTF-8"):
        hash_archive((str(packed(tmp_path / "y.tar", ("\udcff", FILE, b"1"))), ""))


def test_an_archive_that_changes_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "x.tar", ("a", FILE, b"1"))
    plain = tarfile.open

    def changing(*rest: object, **options: object) -> object:
        os.utime(path, (1, 1))
        return plain(*rest, **options)  # type: ignore[call-overload]  # whatever the caller says

    monkeypatch.setattr(tarfile, "open", changing)  # the moment, not the reading, is made here
    with pytest.raises(LedgerError, match=r"changed while it was hashed: `.*x\.tar`"):
        hash_archive((str(path), ""))


def test_progress_counts_archives_and_a_missing_one_is_told(tmp_path: Path) -> None:
    for number in range(3):
        packed(tmp_path / "shards" / f"{number}.tar", ("a", FILE, b"%d" % number))
    seen: list[tuple[int, int]] = []
    with open_engine(jobs=1) as engine:
        manifest = hash_archives(str(tmp_path / "shards"), engine, lambda done, of: seen.append((done, of)))
        assert [line.path for line in manifest.lines] == ["0.tar/a", "1.tar/a", "2.tar/a"]
        assert seen == [(1, 3), (2, 3), (3, 3)]
        alone = hash_archives(str(tmp_path / "shards" / "1.tar"), engine, None)
        assert [line.path for line in alone.lines] == ["a"]
        with pytest.raises(NotFound):
            hash_archives(str(tmp_path / "gone"), engine, None)
    with pytest.raises(LedgerError, match=r"gone\.tar"):
        hash_archive((str(tmp_path / "gone.tar"), ""))
