"""The output folder: only what builds made is touched, and nothing leads out of it."""

import os
from pathlib import Path

import pytest

from ledger.errors import Conflict, LedgerError
from ledger.publish.site.output import (
    MEMORY,
    Made,
    Memory,
    claim,
    delete_files,
    inside,
    read_memory,
    sizes,
    standing_key,
    write_file,
    write_memory,
)


def test_what_a_build_remembers_is_read_again(tmp_path: Path) -> None:
    memory = Memory(units={"run": Made(key="k", files={"runs/a.html": 3})}, shell_key="s", shells={"page": "<p>"})
    write_memory(tmp_path, memory)
    assert read_memory(tmp_path) == (memory, [])


def test_the_same_memory_is_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    made = {name: Made(key=name, files={}) for name in "ba"}
    write_memory(tmp_path / "one", Memory(units=made))
    write_memory(tmp_path / "other", Memory(units=dict(sorted(made.items()))))
    assert (tmp_path / "one" / MEMORY).read_bytes() == (tmp_path / "other" / MEMORY).read_bytes()


@pytest.mark.parametrize("there", [[], [".git", ".gitignore", ".nojekyll"]])
def test_a_folder_that_holds_nothing_but_what_git_has_may_be_taken(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).touch()
    assert read_memory(tmp_path) == (Memory(), [])
    assert read_memory(tmp_path / "not there yet") == (Memory(), [])


@pytest.mark.parametrize("name", ["thesis.tex", ".env", "index.html"])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(Conflict, match="not empty and was not made by ledger"):
        read_memory(tmp_path)


def test_a_mark_that_is_a_link_makes_no_folder_ours(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_memory(tmp_path / "elsewhere", Memory())
    (tmp_path / "out" / MEMORY).symlink_to(tmp_path / "elsewhere" / MEMORY)
    with pytest.raises(Conflict):
        read_memory(tmp_path / "out")


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").touch()
    with pytest.raises(LedgerError, match="not a folder"):
        read_memory(tmp_path / "site")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is damaged"), (b"\xff", "is damaged"), (b"[]", "is damaged"), (b'{"format": 9}', "another version")],
)
def test_a_memory_that_cannot_be_read_is_told_and_everything_is_built_again(
    tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / MEMORY).write_bytes(data)
    memory, (problem,) = read_memory(tmp_path)
    assert memory == Memory()
    assert said in problem


def test_a_folder_is_claimed_once_and_keeps_what_it_remembers(tmp_path: Path) -> None:
    claim(tmp_path / "a/b")
    assert read_memory(tmp_path / "a/b") == (Memory(), [])
    memory = Memory(shell_key="s")
    write_memory(tmp_path / "a/b", memory)
    claim(tmp_path / "a/b")
    assert read_memory(tmp_path / "a/b") == (memory, [])


def test_a_file_is_written_whole_and_nothing_is_left_aside(tmp_path: Path) -> None:
    write_file(tmp_path, "runs/a.html", b"old")
    write_file(tmp_path, "runs/a.html", b"newer")
    write_file(tmp_path, f"runs/{'n' * 240}.html", b"long")
    assert sizes(tmp_path)["runs/"] == {"a.html": 5, f"{'n' * 240}.html": 4}


def test_files_of_an_output_have_one_key_whatever_their_names(tmp_path: Path) -> None:
    for path in ("b/y", "a/x", "top.html"):
        write_file(tmp_path, path, b"12")
    before = standing_key(sizes(tmp_path))
    assert standing_key(dict(reversed(sizes(tmp_path).items()))) == before
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").touch()
    (tmp_path / ".nojekyll").touch()
    assert standing_key(sizes(tmp_path)) == before
    (tmp_path / "a" / os.fsdecode(b"\xff")).touch()
    odd = standing_key(sizes(tmp_path))
    assert odd != before
    assert odd == standing_key(sizes(tmp_path))
    (tmp_path / "a" / os.fsdecode(b"\xff")).unlink()
    (tmp_path / "a" / "x").write_bytes(b"123")
    assert standing_key(sizes(tmp_path)) not in {before, odd}


def test_a_folder_that_was_checked_is_not_looked_at_again_and_names_are(tmp_path: Path) -> None:
    checked: set[str] = set()
    write_file(tmp_path, "runs/a.html", b"x", checked)
    assert checked == {"runs"}
    for path in ("runs/..", "runs/a\\b", "../x", "/x"):
        with pytest.raises(LedgerError, match="leads out of the site"):
            write_file(tmp_path, path, b"x", checked)
    write_file(tmp_path, "runs/b.html", b"x", checked)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["a.html", "b.html"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_aside(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(tmp_path, "a.html", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.html").symlink_to(tmp_path / "kept")
    write_file(tmp_path / "out", "a.html", b"page")
    assert (tmp_path / "kept").read_text() == "kept"
    assert (tmp_path / "out" / "a.html").read_bytes() == b"page"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "", ".", "a\\..\\x"])
def test_a_path_that_leads_out_is_refused_to_be_written_and_to_be_deleted(tmp_path: Path, path: str) -> None:
    with pytest.raises(LedgerError, match="leads out of the site"):
        inside(tmp_path, path)
    with pytest.raises(LedgerError, match="leads out of the site"):
        delete_files(tmp_path, [path])


def test_a_link_in_place_of_a_folder_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.html").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="a link stands where the site needs a folder"):
        write_file(tmp_path / "out", "runs/a.html", b"x")
    with pytest.raises(LedgerError, match="a link stands where the site needs a folder"):
        delete_files(tmp_path / "out", ["runs/a.html"])
    assert (tmp_path / "elsewhere" / "a.html").read_bytes() == b""
    assert sizes(tmp_path / "out") == {"": {}}


def test_what_is_deleted_takes_folders_that_become_empty_and_no_others(tmp_path: Path) -> None:
    for path in ("a/b/c/x", "a/b/y", "z/x", "mine"):
        write_file(tmp_path, path, b"x")
    delete_files(tmp_path, ["a/b/c/x", "z/x", "never/there"])
    assert sizes(tmp_path) == {"": {"mine": 1}, "a/": {}, "a/b/": {"y": 1}}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == ["a", "b"]
