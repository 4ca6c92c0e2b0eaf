"""Files of a store are read up to a limit, and never through a link."""

import os
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.stores.store_files import (
    files_below,
    files_in,
    folders_in,
    is_inside,
    read_store_bytes,
    read_store_text,
)


def test_a_file_is_read_whole_and_no_larger_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc\xff")
    assert read_store_bytes(path, 4) == b"abc\xff"
    assert read_store_text(path) == "abc\ufffd"
    with pytest.raises(LedgerError, match="larger than 3 bytes"):
        read_store_bytes(path, 3)


def test_links_pipes_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", ".", "none"):
        with pytest.raises(LedgerError):
            read_store_bytes(tmp_path / name)


def test_folders_are_walked_by_name_without_links(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").touch()
    (tmp_path / "z").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [path.name for path in folders_in(tmp_path)] == ["a", "b"]
    assert [path.name for path in files_in(tmp_path)] == ["z"]
    assert [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)] == ["z", "a/f", "b/f"]
    assert (folders_in(tmp_path / "none"), files_in(tmp_path / "z")) == ([], [])


@pytest.mark.parametrize("name", ["", "/a", "..", "a/../b", "..\\a", "\\a"])
def test_a_name_that_leads_out_of_the_store_is_refused(name: str) -> None:
    assert not is_inside(name)
    assert is_inside("a/b..c")
