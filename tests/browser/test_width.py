"""No text of a record makes a page wider than the window, on a phone or on a screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from ledger.model.boxes.inputs import Params
from ledger.model.entries import NOTE_FORMAT, Contents, Note, StoredRun
from ledger.model.record import Record
from ledger.publish.site.build import build_site
from tests.samples import START, Blobs, keep_beside, sample_log, sample_reader, sample_run

pytestmark = pytest.mark.browser

WORD = "w" * 900
"""Longer than any name that is let in: what stood before there was a limit is shown as well."""
LABEL = "l" * 200

LEADING = {"id", "experiment", "file", "hash", "dataset_hash", "headline", "name"}
"""Fields that pages find one another by."""

WIDER = """
() => document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.tagName + '.' + e.className).slice(0, 12).concat(['wide ' + document.documentElement.scrollWidth]) : []"""


def hostile_run(blobs: Blobs, number: int) -> StoredRun:
    """Return a run every text of which is one long word, but for those that pages find one another by."""
    run = sample_run(blobs, number, experiment=LABEL, params={"lr": 0.1}, accuracy=0.9, started=START)
    record = msgspec.structs.replace(run.record, tags=[LABEL], params=Params(values={WORD: WORD, f"a.{WORD}": 1}))
    known = msgspec.to_builtins(record)
    for holder, key in list(leaves(known)):
        kept, holder[key] = holder[key], WORD
        try:
            msgspec.convert(known, Record)
        except msgspec.ValidationError:
            holder[key] = kept  # a time, or one of a few words
    record = msgspec.convert(known, Record)
    note = Note(
        format=NOTE_FORMAT,
        tool="test",
        id=f"20260101-0000{number:02d}-aaaaaa",
        run=record.id,
        kind="comment",
        text=WORD,
        author=record.author,
        noted_at=START,
    )
    return msgspec.structs.replace(keep_beside(blobs, record, {}, ()), notes=(note,))


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:  # `Any`: whatever JSON holds
    """Yield every text as what holds it and its place."""
    for key, held in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(held, str) and key not in {
            "id",
            "experiment",
            "file",
            "hash",
            "dataset_hash",
            "headline",
            "name",
        }:
            yield value, key
        elif isinstance(held, dict | list):
            yield from leaves(held)


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    blobs: Blobs = {}
    runs = tuple(hostile_run(blobs, number) for number in (1, 2))
    contents = Contents(tip="1" * 40, runs=runs)
    output = tmp_path_factory.mktemp("wide") / "site"
    build_site(contents, sample_reader(blobs), sample_log(contents), output, title=WORD)
    return output


@pytest.mark.parametrize("width", [390, 1280])
def test_no_text_of_a_record_makes_a_page_wider_than_the_window(
    chromium: Browser, hostile_site: Path, width: int
) -> None:
    pages = [path for path in hostile_site.rglob("*.html") if "handbook" not in path.parts]
    assert len(pages) > 8
    with chromium.new_context(viewport={"width": width, "height": 900}) as context:
        tab = context.new_page()
        wide = {}
        for path in sorted(pages):
            tab.goto(path.as_uri())
            tab.wait_for_load_state("networkidle")
            if found := tab.evaluate(WIDER):
                wide[str(path.relative_to(hostile_site))[:60]] = found
        assert wide == {}
