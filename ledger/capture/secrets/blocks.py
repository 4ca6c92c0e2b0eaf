"""Secrets on the lines below a name, as in YAML: `password: |`, `passwords:` with a list or names below."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ledger.capture.secrets.span import Span
from ledger.capture.secrets.value_kinds import is_code, is_number, looks_random, never_a_value

_OPENED = re.compile(
    rb"[\"']?[ \t]{0,4}:[ \t]{0,8}(?:[&!][\w\-]{1,40}[ \t]{0,4})?(?P<text>[|>][+\-0-9]{0,2})?[ \t]{0,8}"
    rb"(?:#[^\r\n]{0,200})?\r?\n"
)
_LINE = re.compile(rb"(?P<lead>[ \t+\-]{0,200})(?P<item>[^\r\n]{0,4000})")
_PAIR = re.compile(rb"[\"']?[A-Za-z0-9_.\-]{1,80}[\"']?[ \t]{0,4}:[ \t]{1,8}(?:[&!][\w\-]{1,40}[ \t]{1,4})?")
_BARE_LEAD = re.compile(rb"[ \t+\-]{0,200}[\"']?")
_LINES = 400
_LEAD = 200
"""Most bytes before a name on its line."""
_SHORTEST = 4


class Block(NamedTuple):
    """The lines below a name."""

    spans: list[Span]
    """Parts to replace."""
    end: int
    """Where the lines end."""


def find_block(data: bytes, start: int, end: int, kind: str, *, strong: bool) -> Block:
    """Return the lines below a name that are indented further.

    Args:
        data: text to search.
        start: start of the name; only spaces, a sign of a patch or a quote may precede it on its line.
        end: end of the name.
        kind: kind of secret that the name implies.
        strong: whether its value is always a secret.
    """
    opened = _OPENED.match(data, end)
    line_start = data.rfind(b"\n", max(0, start - _LEAD - 1), start) + 1
    if opened is None or start - line_start > _LEAD or not _BARE_LEAD.fullmatch(data, line_start, start):
        return Block([], 0)
    lead = data[line_start:start].rstrip(b"\"'")
    indent = len(lead) - 2 * lead.endswith(b"- ")
    many, whole = data[end - 1 : end] in {b"s", b"S"}, bool(opened["text"])
    spans: list[Span] = []
    position = opened.end()
    for _ in range(_LINES):
        line = _LINE.match(data, position)
        if line is None or position >= len(data):
            break
        item = line["item"].rstrip()
        listed = line["lead"].endswith(b"- ")
        inner = len(line["lead"]) - 2 * listed
        if item and not (inner > indent or (inner == indent and listed)):
            break
        if item and (listed or whole or (many and _PAIR.match(item))):
            spans += _in_line(item, line.start("item"), kind, strong=strong, whole=whole)
        position = data.find(b"\n", line.end()) + 1
        if position == 0:
            position = len(data)
    return Block(spans, position)


def _in_line(item: bytes, start: int, kind: str, *, strong: bool, whole: bool) -> Iterator[Span]:
    if not whole:
        if pair := _PAIR.match(item):
            start, item = start + pair.end(), item[pair.end() :]
        quote = item[:1] if item[:1] in {b'"', b"'"} else b""
        if quote:
            start, item = start + 1, item[1:].partition(quote)[0]
        else:
            item = item.partition(b" #")[0].rstrip()
    if not item or item.startswith((b"#", b"*", b"[redacted")) or item.endswith((b":", b"{", b"(", b"[")):
        return
    if len(item) < _SHORTEST or never_a_value(item) or is_code(item) or b"(" in item or b" = " in item:
        return
    if kind == "password" or whole or (strong and looks_random(item) and not is_number(item)):
        yield Span(start, start + len(item), kind)
