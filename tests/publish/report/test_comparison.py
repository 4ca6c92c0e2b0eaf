import pytest

from ledger.errors import NotFound
from ledger.model.entries import Contents
from ledger.publish.report.comparison import render_comparison
from tests.samples import Blobs, sample_reader


def test_the_same_runs_give_the_same_picture(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    first, second = (render_comparison(contents.runs[:2], sample_reader(blobs), ["train/loss"]) for _ in range(2))
    assert first == second
    assert b"train/loss" in first
    assert contents.runs[1].record.id.encode() in first
    assert b"<dc:date>" not in first


def test_without_names_every_shared_series_is_drawn(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    picture = render_comparison(contents.runs[:2], sample_reader(blobs), [])
    assert all(name in picture for name in (b"train/accuracy", b"validation/loss", b"train/loss"))


def test_a_png_is_a_png(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    picture = render_comparison(contents.runs[-1:], sample_reader(blobs), ["lr"], kind="png")
    assert picture.startswith(b"\x89PNG")


def test_a_series_that_no_run_logged_is_answered_with_those_they_did(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    with pytest.raises(NotFound, match="none of these runs logged: `bleu`") as caught:
        render_comparison(contents.runs[:2], sample_reader(blobs), ["bleu"])
    assert "validation/accuracy" in (caught.value.hint or "")
