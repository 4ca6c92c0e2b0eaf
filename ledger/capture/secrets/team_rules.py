"""A team's own kinds of secrets: shapes and names, and texts that are no secrets."""

import re
from collections.abc import Iterator

from ledger.capture.secrets.rules.rule import CLOSED, OPEN, SecretRule
from ledger.model.values import Document

_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,40}")
_LITERAL = re.compile(r"[A-Za-z0-9_-]{3,40}")
_ITEM = re.compile(
    r"(?:(?P<letter>[A-Za-z0-9_ ~:=,;@#%&!/-])|\\(?:[dw]|[^A-Za-z0-9\s])|\[(?:[A-Za-z0-9_.+/=~-]|\\[dw-])+\])"
    r"(?P<times>\{(?P<least>\d{1,3})(?:,(?P<most>\d{1,3}))?\}|\?)?"
)
_LENGTH = 120
_TEXT = range(6, 481)
"""Most characters of an allowed text."""
_BEGINNING = 3
"""Fewest plain characters at the beginning of a shape."""
_MOST = 50
_REPEATS = 512


class OwnSecrets(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team's own kinds of secrets."""

    patterns: dict[str, str] = {}
    """Shape by kind of secret: a plain beginning of three characters, then classes with repeat counts."""
    names: list[str] = []
    """Names whose values are secret."""
    allow: list[str] = []
    """Texts that look like secrets and are none, such as examples."""

    @property
    def rules(self) -> list[SecretRule]:
        """The shapes as rules."""
        return [_rule(kind, pattern) for kind, pattern in self.patterns.items()]

    @property
    def cores(self) -> tuple[bytes, ...]:
        """The names in lower case."""
        return tuple(name.lower().encode() for name in self.names)

    @property
    def allowed(self) -> frozenset[bytes]:
        """The allowed texts."""
        return frozenset(text.encode() for text in self.allow)


NONE = OwnSecrets()
"""No secrets of its own."""


def _rule(kind: str, pattern: str) -> SecretRule:
    beginning = _LITERAL.match(pattern)
    start = beginning[0] if beginning else ""
    if beginning and pattern[beginning.end() : beginning.end() + 1] in {"{", "?"}:
        start = start[:-1]  # the last letter is repeated
    return SecretRule(kind, (start.encode(),), OPEN + pattern.encode() + CLOSED, "", "anywhere")


def wrong_secrets(own: OwnSecrets) -> Iterator[str]:
    """Yield what is wrong with a policy's section on secrets, each as `field: why`."""
    if max(len(own.patterns), len(own.names), len(own.allow)) > _MOST:
        yield f"secrets: at most {_MOST} patterns, {_MOST} names and {_MOST} texts are allowed"
    for kind, pattern in own.patterns.items():
        if not _KIND.fullmatch(kind):
            yield f"secrets.patterns: a kind must be lower-case letters, digits and hyphens: `{ascii(kind)[1:-1]}`"
        elif why := _wrong_pattern(pattern):
            yield f"secrets.patterns.{kind}: {why}: `{ascii(pattern)[1:-1]}`"
    for name in own.names:
        if not _NAME.fullmatch(name):
            yield f"secrets.names: a name must be 3 to 40 letters, digits, `_`, `.` and `-`: `{ascii(name)[1:-1]}`"
    for text in own.allow:
        if len(text) not in _TEXT:
            yield f"secrets.allow: a text must be {_TEXT[0]} to {_TEXT[-1]} characters long: `{ascii(text[:40])[1:-1]}`"


def _wrong_pattern(pattern: str) -> str | None:  # noqa: PLR0911  # one for each reason
    """Return why a pattern is refused: it must run in linear time on any input."""
    if len(pattern) > _LENGTH:
        return f"it is longer than {_LENGTH} characters"
    beginning = _LITERAL.match(pattern)
    if beginning is None or len(_rule("x", pattern).literals[0]) < _BEGINNING:
        return "it must begin with three plain characters at least, such as `acme_[a-z0-9]{32}`"
    position = open_ended = 0
    while position < len(pattern):
        item = _ITEM.match(pattern, position)
        if item is None:
            return "only characters, `\\d`, `\\w`, `[…]`, `{m}`, `{m,n}` and `?` are understood"
        least, most = int(item["least"] or 0), int(item["most"] or item["least"] or 1)
        if most > _REPEATS or most < least:
            return f"a class is repeated {_REPEATS} times at most"
        open_ended += bool(item["most"]) and least != most
        position = item.end()
    if open_ended > 1:
        return "only one class may have a number of times that varies"
    try:
        re.compile(pattern.encode())
    except (re.error, UnicodeEncodeError):
        return "it is not a valid pattern"
    return None
