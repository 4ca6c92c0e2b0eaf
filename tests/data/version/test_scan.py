"""Which files a path means: signs of patterns mean what they mean in a shell, and changes meanwhile are seen."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.data.version.scan import _Glob, check_unchanged, composed_name, is_glob, scan
from ledger.errors import LedgerError, NotFound

NAMES = ["&.txt", "-.txt", "a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.png", "z.txt", "{.txt", "\\.txt", "~.txt"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("[a-z].txt", ["a.txt", "z.txt"]),
        ("[!a-z].txt", ["&.txt", "-.txt", "\\.txt", "{.txt", "~.txt"]),
        ("[^a-z~].txt", ["&.txt", "-.txt", "\\.txt", "{.txt"]),
        ("[a&&b]*", ["&.txt", "a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.png"]),
        ("[a||z].txt", ["a.txt", "z.txt"]),
        ("[~~].txt", ["~.txt"]),
        ("[--a].txt", ["-.txt", "\\.txt", "a.txt"]),
        ("[a-].txt", ["-.txt", "a.txt"]),
        ("[]a].txt", ["a.txt"]),
        ("[\\].txt", ["\\.txt"]),
        ("[{].txt", ["{.txt"]),
        ("?.txt", [name for name in NAMES if "/" not in name]),
        ("b/*", ["b/c.txt", "b/d/e.txt", "b/d/f.png"]),
        ("b/*.txt", ["b/c.txt"]),
        ("**/?.txt", [name for name in NAMES if name.endswith(".txt")]),
        ("b/**/*.png", ["b/d/f.png"]),
        ("*/d/**", ["b/d/e.txt", "b/d/f.png"]),
        ("./b//*.txt", ["b/c.txt"]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_pattern_means_what_it_means_in_a_shell(root: Path, pattern: str, names: list[str]) -> None:
    found = scan(f"{root}/{pattern}")
    assert [os.path.relpath(found.path(name), root) for name in found.names] == sorted(names)


@pytest.mark.parametrize("pattern", ["[z-a]*", "[9-0]", "[", "[a", "*.npy", "b/[!]*", "nothing/*"])
def test_a_pattern_that_nothing_can_match_is_refused_like_one_that_nothing_does(root: Path, pattern: str) -> None:
    with pytest.raises(NotFound, match=r"\[|\*"):
        scan(f"{root}/{pattern}")


@given(st.text(r"ab-[]!^\*?&|~.", min_size=1, max_size=8))
def test_no_pattern_is_more_than_a_pattern_or_reaches_over_a_folder(pattern: str) -> None:
    glob = _Glob([pattern])
    assert not glob.holds("") or pattern == "**"
    if "*" not in pattern:
        assert not glob.holds("a" * 20)
    assert glob.holds("x/y") == (glob.holds("x") or pattern == "**")


@pytest.mark.parametrize(("path", "glob"), [("a*", True), ("a?", True), ("[a]", True), ("a]", False), ("a", False)])
def test_a_path_is_a_pattern_by_its_signs_unless_a_file_has_that_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    glob: bool,  # noqa: FBT001  # of pytest
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_glob(path) is glob
    (tmp_path / path).symlink_to("nowhere")
    assert not is_glob(path)


def test_a_file_in_another_unicode_form_is_found_under_its_composed_name(tmp_path: Path) -> None:
    (tmp_path / "e\u0301").mkdir()
    (tmp_path / "e\u0301" / "u\u0308.txt").write_text("x")
    found = scan(str(tmp_path))
    assert found.names == ["é/ü.txt"]
    assert Path(found.path("é/ü.txt")).read_text() == "x"
    alone = scan(str(tmp_path / "e\u0301" / "u\u0308.txt"))
    assert alone.names == ["ü.txt"]
    assert Path(alone.path("ü.txt")).read_text() == "x"


@pytest.mark.parametrize(("name", "made"), [("a", "a"), ("e\u0301", "é"), ("é", "é"), ("ﬁ", "ﬁ"), ("日本", "日本")])
def test_a_name_is_composed_and_otherwise_left_alone(name: str, made: str) -> None:
    assert composed_name(name, name) == made


def test_a_name_that_is_not_utf8_is_shown_by_its_bytes() -> None:
    with pytest.raises(LedgerError, match=r"not UTF-8: `x\\udcff`"):
        composed_name("\udcff", "x\udcff")


def test_files_of_tools_are_left_out_at_every_depth_and_other_hidden_ones_are_not(root: Path) -> None:
    for name in (".git/HEAD", "b/.git/HEAD", "b/.DS_Store", "Thumbs.db", "b/d/desktop.ini"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    assert scan(str(root)).names == sorted(NAMES)
    (root / ".gitignore").write_text("x")
    assert scan(str(root)).names == sorted([*NAMES, ".gitignore"])


@pytest.mark.parametrize("change", ["add", "remove", "rename"])
def test_a_dataset_whose_names_changed_is_refused(root: Path, change: str) -> None:
    found = scan(str(root))
    check_unchanged(found, str(root))
    (root / "b" / ".DS_Store").write_text("x")
    check_unchanged(found, str(root))
    match change:
        case "add":
            (root / "b" / "new").write_text("x")
        case "remove":
            (root / "b" / "c.txt").unlink()
        case _:
            (root / "b" / "d").rename(root / "b" / "D")
    with pytest.raises(LedgerError, match="changed while it was hashed") as caught:
        check_unchanged(found, str(root))
    assert str(root) in caught.value.message


def test_a_device_is_no_dataset() -> None:
    with pytest.raises(LedgerError, match="`/dev/null`"):
        scan("/dev/null")
