"""The feed and the list of pages: what is news, what is found, and that text of records stays text."""

from xml.etree import ElementTree as ET

import msgspec
import pytest

from ledger.analysis.advice.budget import Budget
from ledger.model.entries import Contents, Note
from ledger.publish.data.feed import ENTRIES, render_feed
from ledger.publish.data.page_list import listed_pages, render_pages
from ledger.publish.pages.addresses import experiment_page
from ledger.publish.pages.milestone_page import survey_milestones
from ledger.publish.site.site_data import Atlas, survey
from tests.samples import START, Blobs, sample_ledger, sample_log

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


@pytest.fixture(scope="module")
def atlas(ledger: tuple[Contents, Blobs]) -> Atlas:
    return survey(ledger[0], sample_log(ledger[0]), None)


def entries(feed: bytes) -> list[ET.Element]:
    root = ET.fromstring(feed)  # noqa: S314  # our own
    assert root.tag == f"{ATOM}feed"
    for needed in ("title", "id", "updated"):
        assert root.findtext(f"{ATOM}{needed}")
    return root.findall(f"{ATOM}entry")


def told(entry: ET.Element, name: str) -> str:
    return entry.findtext(f"{ATOM}{name}") or ""


def test_runs_versions_and_what_was_said_are_news_newest_first(atlas: Atlas) -> None:
    run = atlas.runs[0]
    accepted = Note(
        format=1, id=run.record.id, run=run.record.id, kind="acceptance", text="<b>keep</b> & go on",
        author=run.record.author, noted_at=START.replace(year=2030), tool="git-ledger",
    )  # fmt: skip
    noted = msgspec.structs.replace(run, notes=(*run.notes, accepted))
    contents = Contents(tip="1" * 40, runs=(noted, *atlas.runs[1:]), datasets=sample_ledger()[0].datasets)
    found = entries(render_feed(survey(contents, [], None), "Digits <lab>"))
    assert told(found[0], "summary") == "<b>keep</b> & go on"
    assert told(found[0], "title").startswith("Accepted: ")
    updated = [told(entry, "updated") for entry in found]
    assert updated == sorted(updated, reverse=True)
    ids = [told(entry, "id") for entry in found]
    assert len(set(ids)) == len(ids)
    assert f"urn:git-ledger:run:{run.record.id}" in ids
    assert any(one.startswith("urn:git-ledger:dataset:") for one in ids)
    assert all(entry.findtext(f"{ATOM}author/{ATOM}name") for entry in found)


def test_what_an_experiment_asks_is_news_and_found_by_search(atlas: Atlas) -> None:
    run = atlas.runs[0]
    question = Note(
        format=1, id="20300101-000000-abcdef", experiment=run.record.experiment, kind="question",
        text="does noise help?", author=run.record.author, noted_at=START.replace(year=2030), tool="git-ledger",
    )  # fmt: skip
    asked = survey(Contents(tip="1" * 40, runs=(run,), said=(question,)), [], None)
    (newest, *_) = entries(render_feed(asked, "Digits"))
    assert (told(newest, "title"), told(newest, "summary")) == (
        f"Question of {run.record.experiment}", "does noise help?",
    )  # fmt: skip
    assert b"question: does noise help?" in render_pages(listed_pages(asked, survey_milestones(asked, Budget())))


def test_the_feed_is_bounded_deterministic_and_empty_for_an_empty_ledger(atlas: Atlas) -> None:
    many = [
        msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, id=f"20261101-0000{at:02}-{tail}"))
        for at in range(40)
        for run, tail in zip(atlas.runs[:2], ("aaaaaa", "bbbbbb"), strict=True)
    ]
    full = survey(Contents(tip="1" * 40, runs=tuple(many)), [], None)
    assert len(entries(render_feed(full, "Digits"))) == ENTRIES
    assert render_feed(full, "Digits") == render_feed(full, "Digits")
    assert entries(render_feed(survey(Contents(tip=None), [], None), "Digits")) == []


def test_what_xml_cannot_hold_is_made_visible(atlas: Atlas) -> None:
    run = atlas.runs[0]
    hostile = msgspec.structs.replace(run.record, experiment="a\x00\x1b[31m\ud800</title>")
    contents = Contents(tip="1" * 40, runs=(msgspec.structs.replace(run, record=hostile),))
    (entry,) = entries(render_feed(survey(contents, [], None), "t\x07"))
    assert "</title>" in told(entry, "title")
    assert "\x1b" not in told(entry, "title")


def test_every_page_that_is_no_run_is_listed_once_with_what_it_is(atlas: Atlas) -> None:
    script = render_pages(listed_pages(atlas, survey_milestones(atlas, Budget())))
    pages = msgspec.json.decode(script[script.index(b", ") + 2 : -len(b");\n")], type=list[tuple[str, str, str]])
    by_title = {title: (path, text) for path, title, text in pages}
    name, versions = next(iter(atlas.datasets.items()))
    path, text = by_title[name]
    assert path == f"datasets/{name}.html"
    assert versions[-1].version in text
    listed = [path for path, _, _ in pages]
    assert {experiment_page(experiment) for experiment in atlas.experiments} <= {*listed}
    assert not any("\x1b" in title for title in by_title)
    boards = [path for path, _, text in pages if text.startswith("leaderboard")]
    assert len(boards) == len(atlas.own_pages) == len(set(boards))
    assert "idle" in by_title["Costs"][1]
