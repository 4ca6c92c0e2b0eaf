"""Figures of a run: checked by their first bytes, never served as a document of our own origin.

A PNG becomes a file. An SVG could carry scripts that run when it is opened by itself, so it is never a
file: it stands in the page as a data URL of an <img>, where browsers run nothing.
"""

import base64
from collections.abc import Callable

from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.pages import addresses

_PNG = b"\x89PNG\r\n\x1a\n"
"""The eight bytes that every PNG starts with (PNG specification, section 5.2)."""

SVG_LIMIT = 512 * 1024
"""Largest SVG in a page, in bytes."""


class Picture(Document, frozen=True, kw_only=True):
    """One picture on a page."""

    title: str
    """What it shows."""
    source: str = ""
    """URL for the <img>, relative to the run's page; empty when it cannot be shown."""
    path: str = ""
    """File in the site, for a PNG."""
    blob: str = ""
    """Blob id of its content."""
    problem: str = ""
    """Why it cannot be shown."""


def pictures_of(run: StoredRun, read_blob: Callable[[str], bytes]) -> list[Picture]:
    """Return the run's pictures in the order they were stored."""
    shown = []
    for number, figure in enumerate(run.record.results.figures, start=1):
        blob = run.files.get(figure.file)
        if blob is None:
            shown.append(Picture(title=figure.title, problem="its file is missing from the ledger"))
        else:
            shown.append(_picture(run.record.id, number, figure.title, blob, read_blob(blob)))
    return shown


def is_png(data: bytes) -> bool:
    """Return whether a figure becomes a file of the site: only a PNG does."""
    return data.startswith(_PNG)


def _picture(run_id: str, number: int, title: str, blob: str, data: bytes) -> Picture:
    if is_png(data):
        path = addresses.figure_file(run_id, number)
        return Picture(title=title, source=addresses.link(path, 1), path=path, blob=blob)
    if b"<svg" in data[:2048]:
        if len(data) > SVG_LIMIT:
            return Picture(title=title, problem=f"the SVG is larger than {SVG_LIMIT // 1024} KiB")
        return Picture(title=title, source=f"data:image/svg+xml;base64,{base64.b64encode(data).decode()}")
    return Picture(title=title, problem="it is neither PNG nor SVG")
