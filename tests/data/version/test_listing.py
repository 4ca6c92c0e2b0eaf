"""The lines of a manifest are one text: in order, made as they are asked for, refused where they lead elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.data.version import listing
from ledger.data.version.listing import Lines, load_lines, load_manifest, manifest_of, path_of, problems_of, render_line
from ledger.errors import InvalidDocument, LedgerError
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine

HASH = f"blake3:{'0' * 64}"


def line(path: str, size: int = 1, content: str = HASH) -> ManifestLine:
    return ManifestLine(path=path, bytes=size, hash=content)


MANY = [line(f"f{number:03}", number) for number in range(40)]


def test_lines_are_a_sequence_from_both_ends_and_in_parts() -> None:
    lines = Lines.of(MANY)
    assert (len(lines), lines[0], lines[-1], lines[3:9:2]) == (40, MANY[0], MANY[-1], MANY[3:9:2])
    assert list(lines) == MANY
    assert repr(lines) == "Lines(40 files)"
    for beyond in (40, -41):
        with pytest.raises(IndexError):
            lines[beyond]


def test_lines_that_are_read_in_pieces_are_the_same_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines.of(MANY)
    whole = list(lines.texts())
    monkeypatch.setattr(listing, "_AT_ONCE", 7)
    assert list(lines) == MANY
    assert list(lines.texts()) == whole
    assert [path for path, _ in whole] == [one.path for one in MANY]
    assert b"".join(text for _, text in whole) == lines.text


def test_lines_are_equal_by_their_text_and_to_nothing_else() -> None:
    assert Lines.of(MANY) == Lines.of(MANY)
    assert hash(Lines.of(MANY)) == hash(Lines.of(MANY))
    assert Lines.of(MANY) != Lines.of(MANY[1:])
    assert Lines.of(MANY) != MANY


@given(st.sets(st.text(min_size=1, max_size=5), min_size=1), st.randoms())
def test_a_manifest_is_the_same_in_whatever_order_files_come_and_in_that_of_their_bytes(
    paths: set[str], chance: object
) -> None:
    lines = [line(path) for path in paths if path.isprintable()] or [line("a")]
    made = manifest_of(lines)
    assert made == manifest_of(reversed(lines))
    ordered = [one.path.encode() for one in made.lines]
    assert ordered == sorted(ordered)


def test_a_manifest_says_how_many_files_how_large_and_which_hash() -> None:
    made = manifest_of(MANY)
    assert (made.files, made.bytes, made.hash) == (40, sum(range(40)), hash_bytes(made.lines.text))


def test_two_files_of_one_path_are_refused() -> None:
    with pytest.raises(LedgerError, match=r"two files with one path: `a\\x1b`"):
        manifest_of([line("a\x1b"), line("b"), line("a\x1b", 2)])


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "a\0", "\\\\host\\a"])
def test_a_path_that_leads_out_of_the_dataset_is_told(path: str) -> None:
    (problem,) = problems_of(line(path), None)
    assert problem.startswith("path: leads out of the dataset: `")


@pytest.mark.parametrize("path", ["a", "..a", "a..", "a/.b", "a\\b", "ä/ü"])
def test_a_path_with_odd_characters_inside_the_dataset_is_one(path: str) -> None:
    assert list(problems_of(line(path), None)) == []


def test_all_that_is_wrong_with_a_line_is_told() -> None:
    assert list(problems_of(line("b", -1, "sha1:0"), "b")) == [
        "bytes: must not be negative: `-1`", "hash: not a hash: `sha1:0`", "path: out of order: `b`",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [HASH, f"sha256:{'f' * 64}", f"md5:{'a' * 32}"])
def test_a_hash_of_a_known_kind_is_one_and_a_declared_one_is_not(content: str) -> None:
    assert list(problems_of(line("a", content=content), None)) == []
    assert list(problems_of(line("a", content="declared:x"), None)) == ["hash: not a hash: `declared:x`"]


def test_a_manifest_with_more_problems_than_a_reader_wants_stops_there() -> None:
    data = b"".join(render_line(line("same")) for _ in range(500))
    with pytest.raises(InvalidDocument) as caught:
        load_manifest(data, "m")
    assert len(caught.value.problems) == 20
    assert caught.value.problems[0] == "line 2: path: out of order: `same`"


def test_a_manifest_that_lists_nothing_is_refused() -> None:
    for data in (b"", b"\n"):
        with pytest.raises(InvalidDocument, match=r"m: (it lists no files|line 1: )"):
            load_manifest(data, "m")


def test_what_is_written_in_another_form_is_read_into_the_one_form() -> None:
    loose = b'{ "hash": "' + HASH.encode() + b'", "path": "a", "bytes": 1 }\n'
    assert load_manifest(loose, "m") == manifest_of([line("a")])
    assert load_lines(loose, "m") == [line("a")]
    assert path_of(loose) == "a"
