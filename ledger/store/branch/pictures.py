"""Checks that a picture is one and holds nothing active, for figures and for whatever enters the ledger."""

import re
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_ACTIVE = re.compile(
    rb"(?is)<\s*(?:[\w.-]+:)?(script|foreignobject|iframe|embed|object|handler|listener|animate\w*|set)\b"
    rb"|[\s\"'/]on[a-z]{3,40}\s*=|(?:href|src|from|to|values)\s*=\s*[\"']?\s*(?:javascript|vbscript|data:text)"
    rb"|<!entity|<!doctype[^>]*\[|<\?xml-stylesheet|&#x?0*(?:6a|4a|106|74);?|@import"
)
"""Active content in an SVG (https://www.w3.org/TR/SVG2/interact.html: scripts, events, links)."""


def wrong_picture(path: str, data: bytes) -> Iterator[str]:
    """Yield why a file is no picture, or more than one."""
    if path.endswith(".png") and not data.startswith(_PNG):
        yield "its name ends in .png, but it is not a PNG"
    elif path.endswith(".svg"):
        if b"\0" in data:  # UTF-16 or UTF-32: a browser would read in it what this search cannot see
            yield "an SVG that is not UTF-8"
        elif b"<svg" not in data[:65_536].lower():
            yield "its name ends in .svg, but it is not an SVG"
        elif found := _ACTIVE.search(data):
            said = re.sub(rb"[^\x21-\x7e]", b" ", found[0])[:40].decode("ascii").strip()
            yield f"an SVG with active content: `{said}`"
