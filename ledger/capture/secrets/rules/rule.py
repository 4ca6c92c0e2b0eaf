"""The type of a rule, and the ways to write one. Knows no vendor.

A rule is a literal that must occur, and a pattern that is tried only where the literal occurs. A pattern repeats
single character classes only, bounded wherever something must follow, so no input makes it backtrack for long.
"""

import re
from typing import Literal, NamedTuple

OPEN = rb"(?<![A-Za-z0-9])"
"""Where a token may begin: not inside a word."""
CLOSED = rb"(?![A-Za-z0-9])"
"""Where a token of a fixed length must end."""

Needs = Literal["", "digit", "mixed"]
"""Required content of a match, to exclude words joined by hyphens: a digit, or a digit and a capital."""
Place = Literal["word", "inside", "long", "anywhere", "folded", "beside"]
"""Where a rule is looked for: its literals at the head of a long word, or inside of one; its whole pattern in long words
that hold the literals; its literals anywhere, in the letter case given or in any; or beside words such as `key`."""

BESIDE = (b"key", b"token", b"secret", b"api", b"login", b"auth", b"pass")
"""A word that must be between a vendor's name and its secret."""

_INSIDE = re.compile(rb"[A-Za-z0-9_.\-+/=~:$@%!*]+")


class SecretRule(NamedTuple):
    """One kind of secret that is known by shape."""

    kind: str
    """Kind as in `[redacted: kind]`."""
    literals: tuple[bytes, ...]
    """A match begins with one of these, or with bytes of `before` and then one of these."""
    source: bytes
    """The pattern as written; the group `secret` is replaced, or the whole match without such a group."""
    needs: Needs = ""
    """Required content of a match."""
    place: Place = "word"
    """Where the literals are searched."""
    before: bytes = b""
    """Bytes that may come between the start of a match and its literal."""
    back: int = 0
    """Most of these bytes."""
    near: tuple[bytes, ...] = ()
    """Lower-case words of which one must precede it on its line; empty where none is required."""

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The pattern, compiled."""
        # Compiled when a literal first occurs: all together cost 60 ms, and most runs have none. `re` caches it.
        return re.compile(self.source)


def word(kind: str, prefixes: str, rest: str, needs: Needs = "") -> SecretRule:
    """Return a rule for tokens with a prefix of their vendor: `ghp_` and 36 letters and digits.

    Args:
        kind: kind as in `[redacted: kind]`.
        prefixes: separated by spaces; each has at least 16 characters with what follows.
        rest: pattern of what follows.
        needs: required content of that, to exclude words.
    """
    literals = tuple(prefixes.encode().split())
    either = b"|".join(map(re.escape, literals))
    return SecretRule(kind, literals, OPEN + b"(?:" + either + b")" + rest.encode(), needs)


def beside(kind: str, vendor: str, rest: str) -> SecretRule:
    """Return a rule for tokens without a mark of their own, after a vendor's name and a word such as `key`."""
    said = rb"[A-Za-z0-9 _.\-]{0,12}?(?i:" + b"|".join(BESIDE) + rb")[A-Za-z_ \-]{0,12}?"
    source = (
        b"(?i:" + re.escape(vendor.encode()) + b")" + said + rb"[ \t:=,(\"'\\>]{1,8}(?P<secret>" + rest.encode() + b")"
    )
    return SecretRule(kind, (vendor.encode(),), source + CLOSED, "digit", "beside")


def long(kind: str, literals: str, rest: str, needs: Needs = "") -> SecretRule:
    """Return a rule for tokens without a literal at the start: the pattern is tried on words of 16 and more characters.

    Such a word has letters, digits and `_ - .`; arguments as for `word`, with the literals anywhere in it.
    """
    return SecretRule(kind, tuple(literals.encode().split()), rb"(?<![A-Za-z0-9_.\-])" + rest.encode(), needs, "long")


def text(
    kind: str,
    literals: str,
    pattern: bytes,
    *,
    needs: Needs = "",
    folded: bool = False,
    inside: bool = False,
    before: tuple[str, int] = ("", 0),
    near: str = "",
) -> SecretRule:
    """Return a rule with a whole pattern; arguments as for `SecretRule`.

    Literals and words are separated by spaces; a space in one of them is written `|`. What is `inside` is part of a
    word of 16 characters and more, which holds letters, digits and `_ - . + / = ~ : $ @ % ! *`.
    """
    spelt = [tuple(one.replace("|", " ").encode() for one in some.split()) for some in (literals, near)]
    # Where a literal can only be part of a long word, only long words are searched.
    outside = near or any(not _INSIDE.fullmatch(literal) for literal in spelt[0])
    place: Place = "folded" if folded else "anywhere" if outside or not inside else "inside"
    return SecretRule(kind, spelt[0], pattern, needs, place, _letters(before[0]), before[1], spelt[1])


def _letters(short: str) -> bytes:
    """Return the bytes of a character class: `a-z0-9_`."""
    spans = re.sub(r"(.)-(.)", lambda span: "".join(map(chr, range(ord(span[1]), ord(span[2]) + 1))), short)
    return spans.encode()
