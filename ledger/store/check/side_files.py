"""What stands beside documents: no secrets, pictures that are pictures, and no picture that runs."""

import re
from collections.abc import Iterator, Sequence

from ledger.capture.secrets import Redactor, find_secrets
from ledger.hashing import hash_bytes
from ledger.model.values import Document, counted

_PNG = b"\x89PNG\r\n\x1a\n"
_ACTIVE = re.compile(
    rb"(?is)<\s*(?:[\w.-]+:)?(script|foreignobject|iframe|embed|object|handler|listener|animate\w*|set)\b"
    rb"|[\s\"'/]on[a-z]{3,40}\s*=|(?:href|src|from|to|values)\s*=\s*[\"']?\s*(?:javascript|vbscript|data:text)"
    rb"|<!entity|<!doctype[^>]*\[|<\?xml-stylesheet|&#x?0*(?:6a|4a|106|74);?|@import"
)
"""What makes an SVG do more than be looked at (https://www.w3.org/TR/SVG2/interact.html, script, events, links)."""


class Looked(Document, frozen=True, kw_only=True):
    """One object that was read."""

    hash: str
    """Content hash."""
    secrets: dict[str, int]
    """Kinds of secrets that it holds, and how many of each."""
    wrong: tuple[str, ...]
    """What is wrong with it as a picture."""


def look(standing: Sequence[str], data: bytes) -> Looked:
    """Read one object.

    Args:
        standing: paths where it stands, at least one.
        data: its content.
    """
    wrong = [why for path in standing for why in wrong_picture(path, data)]
    return Looked(hash=hash_bytes(data), secrets=_secrets_in(standing, data), wrong=tuple(dict.fromkeys(wrong)))


def _secrets_in(standing: Sequence[str], data: bytes) -> dict[str, int]:
    if all(path.endswith(".png") for path in standing):
        return {}
    if all(path.endswith(".patch") for path in standing):
        redactor = Redactor()
        redactor.patch(data)  # which leaves binary content alone, as recording did
        return redactor.counts
    return find_secrets(data)


def secrets_said(found: dict[str, int]) -> str:
    """Return what is said of secrets: their kinds, never what they are."""
    kinds = ", ".join(sorted(found))
    return f"it holds {counted(sum(found.values()), 'secret')}, by the looks of it: {kinds}"


def wrong_picture(path: str, data: bytes) -> Iterator[str]:
    """Yield why a picture is none, or more than one."""
    if path.endswith(".png") and not data.startswith(_PNG):
        yield "it is called a PNG, and is none"
    elif path.endswith(".svg"):
        if b"<svg" not in data[:65_536].lower():
            yield "it is called an SVG, and is none"
        elif found := _ACTIVE.search(data):
            said = re.sub(rb"[^\x21-\x7e]", b" ", found[0])[:40].decode("ascii").strip()
            yield f"an SVG that does more than be looked at: `{said}`"
