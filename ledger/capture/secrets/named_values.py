"""Values of names of secrets: `KEY=value`, `"key": "value"`, `--key value`, `<key>value</key>`.

A name is judged before its value is read, and the search continues after the value, so that no byte is read more than
once for each of the few words a name can hold.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ledger.capture.secrets.blocks import find_block
from ledger.capture.secrets.names import SecretName, secret_name
from ledger.capture.secrets.prose import find_in_prose, is_prose
from ledger.capture.secrets.span import Span
from ledger.capture.secrets.value_kinds import (
    is_basic_auth,
    is_code,
    is_number,
    is_word,
    looks_random,
    never_a_value,
)

_CORES = tuple(b"pass secret token key credential auth pwd pw".split())
"""Parts of which every name for `secret_name` contains one, in lower case: where to look closer."""
_KEYS = tuple(b"api access private signing encryption account storage subscription secret ssh license auth".split())
"""Words before `key` in the name of a secret."""
_ANY = re.compile(b"|".join(map(re.escape, _CORES)))
_SHORT = 4096
"""Bytes up to which one pattern of all parts is faster than looking for each."""
_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_LENGTH = 60
_LEAD = 100
"""Bytes before a name that show whether it begins its line."""
_GAP = 2
"""Most spaces between an option and its value; help texts have more."""
_TAIL = re.compile(rb"[A-Za-z0-9_.\-]{0,40}")
_ASSIGNED = re.compile(
    rb"(?:\\{0,3}[\"']){0,2}\]?[ \t]{0,4}(?:=>|:=|=(?!=)|:(?!:))[ \t]{0,8}(?:[&!][\w\-]{1,40}[ \t]{1,4})?"
)
_FAR = re.compile(
    rb"(?:\\{0,3}[\"']){1,2}[ \t]{0,4}(?:,[ \t\r\n+]{0,40}|[ \t]|\{[ \t\r\n+]{0,40})"
    rb"\\{0,3}[\"']?(?i:value|default)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,8}"
    rb"|[ \t]{0,4}:?[ \t]{0,4}\r?\n[ \t+]{0,40}(?:desc:[^\r\n]{0,80}\r?\n[ \t+]{0,40})?(?i:value):[ \t]{1,8}"
)
"""Text between a name and its value where both are values: `name: KEY`, `value: X`."""
_BESIDE = re.compile(rb"(?:\\{0,3}[\"'])?[ \t]{0,20}(?:,|\||\xe2\x94\x82)[ \t]{0,20}")
"""Text between a name and its value in a tuple and a table."""
_READ = re.compile(rb"[=:][^\s\"'`,;&|<>(){}\[\]\\]{256,4096}")
_SPACE = re.compile(rb"[ \t]{1,4}")
_ELEMENT = re.compile(rb"(?:[ \t][^<>\r\n]{0,200})?>(?:<!\[CDATA\[)?(?P<value>[^<\]\r\n]{1,1024})(?:\]\]>)?</")
_VALUE = re.compile(
    rb"[bru]{0,2}(?:\"\"(?P<csv>[^\"\r\n]{1,4096})\"\"|\\{1,3}(?P<q>[\"'])(?P<escaped>[^\"'\\\r\n]{1,4096})"
    rb"|\"(?P<double>(?:[^\"\\\r\n]|\\.){1,4096})\"|'(?P<single>(?:[^'\\\r\n]|\\.){1,4096})')"
    rb"|(?P<bare>[^\s\"'`,;&|<>(){}\[\]\\]{1,4096})(?P<after>[(\[{]?)"
)
_LISTED = re.compile(rb"\\{0,3}[\"'](?P<item>[^\"'\\\r\n]{1,1024})\\{0,3}[\"'][ \t\r\n+]{0,40},?[ \t\r\n+]{0,40}")
_LIST_LENGTH = 200
_LINE_START = re.compile(rb"(?:^|\n)[ \t+\-]{0,80}(?:(?:export|set|setx|ENV|ARG|SET)[ \t]{1,4})?[\"']?$")
_OF_PASSWORDS = frozenset(b"& | < > { } ( ) [ ]".split())
"""Signs that end a value elsewhere and may be part of a password alone on its line."""
_REST = re.compile(rb"[^\s\"'`]{0,200}")
_REST_OF_LINE = re.compile(rb"(?:[ \t]{1,4}(?!#)[^\s\"']{1,60})+[ \t]*")
_PHRASE = 400
"""Most bytes of a phrase."""
_LONG_NUMBER = 12
"""Digits from which the number of a strong name is more likely a key than a setting."""


class _Named(NamedTuple):
    """A name that implies a secret, with its position."""

    data: bytes
    start: int
    end: int
    text: str
    found: SecretName

    @property
    def strong(self) -> bool:
        """Whether its value is always a secret."""
        return self.found.strength == "strong"

    @property
    def before(self) -> bytes:
        """The byte before it."""
        return self.data[max(0, self.start - 1) : self.start]

    @property
    def option(self) -> bool:
        """Whether it is an option on a command line."""
        return self.text.startswith("-")

    @property
    def shell(self) -> bool:
        """Whether it is a variable of a shell, an option, or a field of a query."""
        return self.text.isupper() or self.option or self.before in {b"?", b"&"}


def find_values(data: bytes, lower: bytes, own: tuple[bytes, ...] = ()) -> Iterator[Span]:
    """Yield the values of names of secrets.

    Args:
        data: text to search.
        lower: the same in lower case.
        own: the team's own names, in lower case.
    """
    cores = own if len(data) < _SHORT and not _ANY.search(lower) else (*_CORES, *own)
    for core in cores:
        blocks = 0  # lines below a name are read once, whatever other names they contain
        position = lower.find(core)
        while position >= 0:
            resume = position + len(core)
            spaced = False
            if core == b"key":
                before = lower[max(0, position - 14) : position]
                spaced = before[-1:] == b" "
                if not before.rstrip(b"_-. ").endswith(_KEYS):
                    position = lower.find(core, resume)
                    continue
            name = _name_at(data, position - spaced, resume, core if core in own else None)
            if name:
                spans = list(_under(name, spaced=spaced))
                if not spans and name.start >= blocks:
                    block = find_block(data, name.start, name.end, name.found.kind, strong=name.strong)
                    spans, blocks = block.spans, block.end
                yield from spans
                # What was read and is no secret is not read again for every name in it.
                read = None if spans else _READ.match(data, name.end)
                resume = max(resume, *(span.end for span in spans), read.end() if read else 0)
            position = lower.find(core, resume)


def _name_at(data: bytes, position: int, end: int, own: bytes | None) -> _Named | None:
    """Return the name around the text from `position` to `end`, where it implies a secret."""
    window = data[max(0, position - _NAME_LENGTH) : position]
    start = position - len(window) + len(window.rstrip(_NAME_BYTES))
    tail = _TAIL.match(data, end)
    end = tail.end() if tail else end
    name = data[start:end].decode("ascii")
    found = SecretName("own-secret", "strong") if own else secret_name(name)
    if data[max(0, start - 1) : start] > b"\x7f":
        return None  # a piece of a vocabulary: `"Ġpassword": 9206`
    return _Named(data, start, end, name, found) if found else None


def _under(name: _Named, *, spaced: bool) -> Iterator[Span]:
    """Yield the values of a name: one, or those of a list or a block."""
    data, end, kind = name.data, name.end, name.found.kind
    assigned = _ASSIGNED.match(data, end)
    if assigned:
        value = _VALUE.match(data, assigned.end())
        if value and not (value["bare"] and value["bare"] in {b"|", b">", b"|-", b">-", b"|+"}):
            group = value.lastgroup if value["bare"] is None else "bare"
            if _is_secret(name, value):
                yield Span(value.start(group or 0), _value_end(name, value, group or "bare"), kind)
                return
        elif name.strong and data.startswith(b"[", assigned.end()):
            yield from _in_list(name, assigned.end() + 1)
            return
    if name.before == b"<" or (
        data[name.start - 6 : name.start - 1].lower() == b"name=" and data[end : end + 1] in b"\"'"
    ):
        element = _ELEMENT.match(data, end + (name.before != b"<"))
        if element and _is_quoted_secret(name, element["value"]) and not is_prose(element["value"]):
            yield Span(*element.span("value"), kind)
            return
    if far := _FAR.match(data, end):
        value = _VALUE.match(data, far.end())
        if value and _is_secret(name, value):
            yield Span(*value.span((value.lastgroup if value["bare"] is None else "bare") or 0), kind)
            return
    if assigned is None:
        yield from _loose(name, spaced=spaced)


def _loose(name: _Named, *, spaced: bool) -> Iterator[Span]:
    """Yield a value that only a space, a comma or a bar separates from its name, where it looks like one."""
    data, end, kind = name.data, name.end, name.found.kind
    if not spaced and (beside := _BESIDE.match(data, end)):
        value = _VALUE.match(data, beside.end())
        if value:
            group = (value.lastgroup if value["bare"] is None else "bare") or "bare"
            if (
                looks_random(value[group])
                and not is_number(value[group])
                and not value["after"]
                and not is_code(value[group])
            ):
                yield Span(*value.span(group), kind)
            return
    space = _SPACE.match(data, end)
    if space is None:
        return
    if name.option or name.text.isupper() or "_" in name.text.strip("_"):
        value = _VALUE.match(data, space.end())
        if value and len(space[0]) <= _GAP:
            group = (value.lastgroup if value["bare"] is None else "bare") or "bare"
            if _is_argument(name, value[group], quoted=group != "bare") and not value["after"]:
                yield Span(*value.span(group), kind)
        return
    yield from find_in_prose(data, end, kind, strong=name.strong)


def _is_argument(name: _Named, value: bytes, *, quoted: bool) -> bool:
    """Return whether the text after a name and a space is its value: `--password X`, `ENV TOKEN X`."""
    if value.startswith((b"-", b"$", b"/", b"=")) or never_a_value(value) or is_code(value):
        return False
    if not name.option or not name.strong:
        return looks_random(value) and not is_number(value)
    if value.isupper() and is_word(value):  # `--password PASSWORD`, as in help texts
        return False
    return quoted or not is_prose(value)


def _in_list(name: _Named, position: int) -> Iterator[Span]:
    start = re.compile(rb"[ \t\r\n+]{0,40}").match(name.data, position)
    position = start.end() if start else position
    for _ in range(_LIST_LENGTH):
        item = _LISTED.match(name.data, position)
        if item is None:
            return
        value = item["item"]
        known = secret_name(value.decode("utf-8", "replace")) is not None or never_a_value(value)
        if not known and (name.found.kind == "password" or looks_random(value)):
            yield Span(*item.span("item"), name.found.kind)
        position = item.end()


def _value_end(name: _Named, value: re.Match[bytes], group: str) -> int:
    """Return where a value ends: a phrase at the end of the line, a password at the end of the word."""
    end = value.end(group)
    if group != "bare" or name.before in {b"?", b"&"}:
        return end
    data, password = name.data, name.found.kind == "password"
    begins = password and bool(_LINE_START.search(data[max(0, name.start - _LEAD) : name.start]))
    rest = _rest_of_line(data, end) if begins or "phrase" in name.text.lower() else None
    if rest is not None:
        return end + len(rest.rstrip())
    word = _REST.match(data, end) if begins and data[end : end + 1] in _OF_PASSWORDS else None
    return word.end() if word else end


def _is_secret(name: _Named, match: re.Match[bytes]) -> bool:
    value = match["bare"]
    if value is not None:
        code = bool(match["after"]) or never_a_value(value)
        return not code and _is_bare_secret(name, value, match.end("bare"))
    return _is_quoted_secret(name, match["csv"] or match["escaped"] or match["double"] or match["single"])


def _is_quoted_secret(name: _Named, value: bytes) -> bool:
    weak = not name.strong and not looks_random(value) and not is_basic_auth(value)
    return not weak and not never_a_value(value)


def _rest_of_line(data: bytes, position: int) -> bytes | None:
    """Return the words up to the end of a line, where there are some and nothing else."""
    line_end = data.find(b"\n", position, position + _PHRASE)
    if line_end < 0:
        line_end = len(data)
    if line_end - position > _PHRASE:
        return None
    rest = data[position:line_end].rstrip(b"\r")
    return rest if _REST_OF_LINE.fullmatch(rest) else None


def _is_phrase(data: bytes, position: int) -> bool:
    """Return whether a line continues with words, one of which is not about secrets."""
    rest = _rest_of_line(data, position)
    return rest is not None and not all(is_prose(one) for one in rest.split())


def _is_bare_secret(name: _Named, value: bytes, end: int) -> bool:
    """Return whether an unquoted value is a secret and not code: `PASSWORD=swordfish`, not `password=args.password`."""
    if not name.strong:
        return (looks_random(value) and not is_number(value)) or is_basic_auth(value)
    if is_code(value) and not (name.shell and b"." not in value):
        return False
    if is_number(value):
        return name.found.kind == "password" or len(value) >= _LONG_NUMBER
    if "phrase" in name.text.lower() and _is_phrase(name.data, end):
        return True
    if is_word(value) and not name.shell:
        known = secret_name(value.decode("ascii").strip(".-"))
        return known is None and name.found.kind != "token" and not is_prose(value)
    return True
