"""The news of a ledger as an Atom feed: runs that ended, dataset versions, conclusions, decisions and retractions.

RFC 4287. Addresses are relative to the feed, since a site does not know where it stands; ids are URNs that stay.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import nlargest
from xml.etree import ElementTree as ET

from ledger.formatting import iso, utc
from ledger.model.entries import Note, StoredRun
from ledger.model.values import Document
from ledger.publish.pages import addresses
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import one_line, short_number

FEED_PATH = "feed.xml"
ENTRIES = 50
"""Most entries of the feed, the newest."""

_NOTES = {"milestone": "Milestone", "retraction": "Retracted", "acceptance": "Accepted", "rejection": "Rejected"}
"""Kinds of notes that are news, with their words."""
_TITLE, _TEXT = 160, 500


class News(Document, frozen=True, kw_only=True):
    """One entry of the feed."""

    at: datetime
    """When it happened, UTC."""
    urn: str
    """Name that never changes."""
    title: str
    """Its title."""
    text: str
    """More about it."""
    author: str
    """Name of the person."""
    path: str
    """Page that tells it."""


def render_feed(atlas: Atlas, title: str) -> bytes:
    """Return the feed: the newest entries first, the same bytes for the same ledger."""
    news = nlargest(ENTRIES, _news(atlas), key=lambda one: (one.at, one.urn))
    feed = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    _add(feed, "title", one_line(title, _TITLE))
    _add(feed, "id", "urn:git-ledger:feed")
    _add(feed, "updated", iso(news[0].at if news else datetime(1970, 1, 1, tzinfo=UTC)))
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": addresses.HOME})
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": FEED_PATH})
    for one in news:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "title", one_line(one.title, _TITLE))
        _add(entry, "id", one.urn)
        _add(entry, "updated", iso(one.at))
        _add(ET.SubElement(entry, "author"), "name", one_line(one.author, _TITLE))
        ET.SubElement(entry, "link", {"rel": "alternate", "href": addresses.link(one.path, 0)})
        _add(entry, "summary", one_line(one.text, _TEXT))
    ET.indent(feed, "  ")
    made: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _news(atlas: Atlas) -> Iterator[News]:
    for run in atlas.runs[-ENTRIES:]:  # ids sort by time
        yield _run(run, atlas)
    for run in atlas.runs:
        for note in run.notes:
            if note.kind in _NOTES:
                yield _note(note, run, atlas)
    for name, inquiry in atlas.inquiries.items():
        for note in inquiry.standing if name in atlas.experiments else ():
            yield News(
                at=utc(note.noted_at),
                urn=f"urn:git-ledger:note:{note.id}",
                title=f"{note.kind.capitalize()} of {name}",
                text=note.text,
                author=note.author.name,
                path=addresses.experiment_page(name),
            )
    for versions in atlas.datasets.values():
        for version in versions:
            yield News(
                at=utc(version.added_at),
                urn=f"urn:git-ledger:dataset:{version.hash}:{utc(version.added_at):%Y%m%d%H%M%S}",
                title=f"{version.label} added",
                text=version.reason or "no reason was given",
                author=version.author.name,
                path=addresses.dataset_page(version.name),
            )


def _run(run: StoredRun, atlas: Atlas) -> News:
    record, headline = run.record, run.record.headline
    value = f"{headline.key} {short_number(headline.value)} on {headline.dataset or 'unknown data'}" if headline else ""
    return News(
        at=utc(record.timing.ended_at),
        urn=f"urn:git-ledger:run:{record.id}",
        title=f"{atlas.names[record.id]} ({record.experiment}): {record.status}",
        text=value or record.reason or "no headline metric",
        author=record.author.name,
        path=addresses.run_page(record.id),
    )


def _note(note: Note, run: StoredRun, atlas: Atlas) -> News:
    name = atlas.names[run.record.id]
    return News(
        at=utc(note.noted_at),
        urn=f"urn:git-ledger:note:{note.id}",
        title=f"{_NOTES[note.kind]}: {name} ({run.record.experiment})",
        text=note.text,
        author=note.author.name,
        path=addresses.run_page(run.record.id),
    )
