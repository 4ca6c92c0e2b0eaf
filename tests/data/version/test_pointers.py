"""What stands for data elsewhere is believed only where it proves content, and never runs or fills the memory."""

import os
from pathlib import Path

import pytest

from ledger.data.version.pointers import check_no_pointer, is_dvc_file, read_dvc
from ledger.errors import InvalidDocument, LedgerError
from ledger.model.entries import ManifestLine

MD5 = "0a" * 16
LISTING = "1" * 32


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def kept(project: Path, name: str, content: str) -> Path:
    file = project / ".dvc" / "cache" / "files" / "md5" / name[:2] / name[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def dvc(project: Path, text: str, name: str = "x.dvc") -> list[ManifestLine]:
    (project / name).write_text(text)
    return list(read_dvc(project / name).lines)


@pytest.mark.parametrize(
    ("path", "is_one"),
    [(path, True) for path in ("a.dvc", "x/a.dvc", "dvc.lock", "x/dvc.lock")]
    + [(path, False) for path in (".dvc", "x/.dvc", "a.dvc/b", "my-dvc.lock", "dvc.yaml", "a.DVC", "")],
)
def test_a_file_of_dvc_is_known_by_its_name(path: str, is_one: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_dvc_file(path) is is_one


FIRST = "version https://git-lfs.github.com/spec/v1\n"
POINTER = f"{FIRST}oid sha256:{'0' * 64}\nsize 5\n"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (POINTER, True),
        (POINTER + "x" * (1023 - len(POINTER)), True),
        (POINTER + "x" * (1024 - len(POINTER)), False),
        (FIRST, False),
        (POINTER.upper(), False),
        ("", False),
        (" " + POINTER, False),
    ],
)
def test_a_pointer_of_git_lfs_is_known_by_its_first_line_and_size(tmp_path: Path, content: str, pointer: bool) -> None:  # noqa: FBT001  # of pytest
    (tmp_path / "x").write_text(content)
    descriptor = os.open(tmp_path / "x", os.O_RDONLY)
    try:
        if pointer:
            with pytest.raises(LedgerError, match=r"git-lfs pointer .*`shown`"):
                check_no_pointer(descriptor, len(content), "shown")
        else:
            check_no_pointer(descriptor, len(content), "shown")
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "text",
    [
        "a: 2021-99-99",
        "a: !!timestamp x",
        "a: !!int ''",
        "a: !!python/object/apply:os.system [exit]",
        "outs: &a [*a]",
        "a: [" * 5000,
        "a: 1\na: 2",
        "--- 1\n--- 2\n",
        "",
        "outs: null",
        "outs: [1, null]",
        "stages: [1]",
        "stages: {make: 3}",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8))
        + f"outs: [{{path: *i, md5: {MD5}, hash: md5, size: 1}}]",
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_file_of_dvc_is_refused_by_its_name(project: Path, text: str) -> None:
    with pytest.raises(InvalidDocument, match=r"x\.dvc"):
        dvc(project, text)


def test_a_file_that_is_not_utf8_or_not_there_is_refused(project: Path) -> None:
    (project / "x.dvc").write_bytes(b"outs: \xff")
    with pytest.raises(InvalidDocument, match="YAML"):
        read_dvc(project / "x.dvc")
    with pytest.raises(LedgerError, match=r"gone\.dvc"):
        read_dvc(project / "gone.dvc")


@pytest.mark.parametrize("size", ["yes", "true", "1.5", "'1'", "-1", "null"])
def test_a_size_that_is_no_count_of_bytes_is_refused(project: Path, size: str) -> None:
    with pytest.raises(InvalidDocument, match=r"size|negative"):
        dvc(project, f"outs:\n- path: x\n  md5: {MD5}\n  hash: md5\n  size: {size}\n")


@pytest.mark.parametrize(
    "said",
    [f"md5: {MD5}", f"md5: {MD5}\n  hash: md5-dos2unix", f"md5: {MD5.upper()}\n  hash: md5", "md5: 0a\n  hash: md5",
     f"md5: {MD5}.dir.dir\n  hash: md5", f"md5: ../{MD5}\n  hash: md5", "etag: abc"],
)  # fmt: skip
def test_what_is_no_md5_of_the_content_proves_nothing(project: Path, said: str) -> None:
    with pytest.raises(InvalidDocument, match=r"MD5 of its content.*`a\\x1b`") as caught:
        dvc(project, f'outs:\n- path: "a\\e"\n  size: 1\n  {said}\n')
    assert caught.value.hint == "dvc cache migrate"


def test_a_hash_of_digits_alone_keeps_its_zeros(project: Path) -> None:
    digits = "00" + "12" * 15
    (line,) = dvc(project, f"outs:\n- path: x\n  md5: {digits}\n  hash: md5\n  size: 0\n")
    assert line.hash == f"md5:{digits}"


FOLDER = f"outs:\n- path: data\n  md5: {LISTING}.dir\n  hash: md5\n"


@pytest.mark.parametrize(
    "listing",
    ["{", "{}", "[1]", '[{"md5": 1}]', '[{"relpath": "a"}]', f'[{{"md5": "{MD5}.dir", "relpath": "a"}}]', "\ud83d"],
)
def test_a_damaged_listing_is_told(project: Path, listing: str) -> None:
    kept(project, f"{LISTING}.dir", "").write_bytes(listing.encode("utf-8", "surrogatepass"))
    with pytest.raises(LedgerError, match=f"damaged.*{LISTING[2:]}") as caught:
        dvc(project, FOLDER)
    assert caught.value.hint == "dvc fetch"


def test_a_listing_that_leads_out_of_the_folder_is_refused_with_all_its_paths(project: Path) -> None:
    kept(project, MD5, "12345")
    said = ", ".join(f'{{"md5": "{MD5}", "relpath": "{path}"}}' for path in ("../x", "/etc/passwd", "a/./b", "ok"))
    kept(project, f"{LISTING}.dir", f"[{said}]")
    with pytest.raises(InvalidDocument) as caught:
        dvc(project, FOLDER)
    assert [problem.rpartition(": ")[2] for problem in caught.value.problems] == ["`../x`", "`/etc/passwd`", "`a/./b`"]


def test_a_file_that_is_not_fetched_is_named(project: Path) -> None:
    kept(project, f"{LISTING}.dir", f'[{{"md5": "{MD5}", "relpath": "a/b.png"}}]')
    with pytest.raises(LedgerError, match=r"`a/b\.png`") as caught:
        dvc(project, FOLDER)
    assert caught.value.hint == "dvc fetch"


def test_stages_of_a_lock_stand_under_their_own_paths_and_one_path_twice_is_refused(project: Path) -> None:
    one = f"{{path: a.bin, md5: {MD5}, hash: md5, size: 5}}"
    two = f"{{path: b/a.bin, md5: {MD5}, hash: md5, size: 6}}"
    lines = dvc(project, f"stages: {{first: {{outs: [{one}]}}, second: {{outs: [{two}]}}}}", "dvc.lock")
    assert [(line.path, line.bytes) for line in lines] == [("a.bin", 5), ("b/a.bin", 6)]
    with pytest.raises(LedgerError, match=r"`a\.bin`"):
        dvc(project, f"stages: {{first: {{outs: [{one}]}}, second: {{outs: [{one}]}}}}", "dvc.lock")


def test_outside_of_a_repository_of_dvc_there_is_no_cache(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"x\.dvc") as caught:
        dvc(tmp_path, FOLDER)
    assert caught.value.hint == "dvc init"
