"""Figures are known by their first bytes, whatever they are called, and none can act on the site."""

import base64

import pytest

from ledger.model.boxes.outputs import Figure, Results
from ledger.model.entries import StoredRun
from ledger.publish.pages.pictures import SVG_LIMIT, Picture, pictures_of
from tests.minimal import minimal_record

HASH = f"blake3:{'0' * 64}"
PNG = b"\x89PNG\r\n\x1a\n"


def shown(*contents: bytes | None) -> list[Picture]:
    """Return the pictures of a run with these files; none for one that is missing."""
    figures = [Figure(title=f"t{at}", file=f"figures/{at}.png", bytes=1, hash=HASH) for at in range(len(contents))]
    record = minimal_record(results=Results(figures=figures))
    files = {figure.file: f"blob{at}" for at, figure in enumerate(figures) if contents[at] is not None}
    blobs = {f"blob{at}": content for at, content in enumerate(contents) if content is not None}
    return pictures_of(StoredRun(record=record, path="runs/x", files=files), blobs.__getitem__)


def test_a_png_is_a_file_of_its_own() -> None:
    (picture,) = shown(PNG + b"rest")
    assert (picture.blob, picture.problem) == ("blob0", "")
    assert picture.path.endswith(".png")
    assert picture.source == f"../{picture.path}"


def test_an_svg_is_never_a_file_and_stands_whole_in_the_page() -> None:
    svg = b"<?xml version='1.0'?><svg onload='alert(1)'/>"
    (picture,) = shown(svg)
    assert (picture.path, picture.blob) == ("", "")
    kind, _, data = picture.source.partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert base64.b64decode(data) == svg


@pytest.mark.parametrize(
    ("content", "shows"),
    [
        (b"<svg>" + b" " * (SVG_LIMIT - 5), True),
        (b"<svg>" + b" " * (SVG_LIMIT - 4), False),
        (b" " * 2044 + b"<svg", True),
        (b" " * 2045 + b"<svg", False),
        (b"<html><script>alert(1)</script>", False),
        (b"\xff\xd8\xff\xe0 a jpeg", False),
        (PNG[:-1], False),
        (b"", False),
    ],
)
def test_what_is_neither_or_too_large_is_said_and_not_shown(content: bytes, shows: bool) -> None:  # noqa: FBT001  # of pytest
    (picture,) = shown(content)
    assert bool(picture.source) is shows
    assert bool(picture.problem) is not shows
    assert picture.title == "t0"


def test_a_missing_file_costs_its_own_place_alone() -> None:
    first, gone, last = shown(PNG, None, PNG)
    assert gone.problem
    assert not gone.source
    assert first.path != last.path
