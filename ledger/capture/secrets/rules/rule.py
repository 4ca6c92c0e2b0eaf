"""What a rule is, and the three ways to write one. Knows no vendor.

A rule is a literal that must occur, and a pattern that is tried only where the literal stands. A pattern repeats
single character classes only, bounded wherever something must follow, so no input makes it backtrack for long.
"""

import re
from typing import Literal, NamedTuple

OPEN = rb"(?<![A-Za-z0-9])"
"""Where a token may begin: not within a word."""
CLOSED = rb"(?![A-Za-z0-9])"
"""Where a token of a fixed length must end."""

Needs = Literal["", "digit", "mixed"]
"""What a match must hold to be more than words joined by hyphens: a digit, or a digit and a capital."""
Place = Literal["word", "inside", "long", "anywhere", "folded", "beside"]
"""Where a rule is looked for: its literals at the head of a long word, or inside of one; its whole pattern in long words
that hold the literals; its literals anywhere, in the letter case given or in any; or beside words such as `key`."""

BESIDE = (b"key", b"token", b"secret", b"api", b"login", b"auth", b"pass")
"""One of these stands between a vendor's name and its secret."""

_INSIDE = re.compile(rb"[A-Za-z0-9_.\-+/=~:$@%!*]+")


class SecretRule(NamedTuple):
    """One kind of secret that is known by its looks."""

    kind: str
    """As it stands in `[redacted: kind]`."""
    literals: tuple[bytes, ...]
    """One of these stands at the beginning of a match, or behind bytes of `before`."""
    source: bytes
    """The pattern as written; group `secret` is what goes, the whole match when there is no such group."""
    needs: Needs = ""
    """What a match must hold."""
    place: Place = "word"
    """Where the literals are looked for."""
    before: bytes = b""
    """Bytes that stand between the beginning of a match and its literal."""
    back: int = 0
    """How many of them there may be."""
    near: tuple[bytes, ...] = ()
    """Words of which one must stand before it on its line, in lower case; none where nothing must."""

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The pattern, compiled."""
        # Compiled when a literal is first met: all together cost 60 ms, and most runs meet none. `re` keeps it.
        return re.compile(self.source)


def word(kind: str, prefixes: str, rest: str, needs: Needs = "") -> SecretRule:
    """Return the rule of tokens that begin with a prefix of their vendor: `ghp_` and 36 letters and digits.

    Args:
        kind: as it stands in `[redacted: kind]`.
        prefixes: separated by spaces; each with what follows is 16 characters long at least.
        rest: the pattern of what follows.
        needs: what that must hold to be more than words.
    """
    literals = tuple(prefixes.encode().split())
    either = b"|".join(map(re.escape, literals))
    return SecretRule(kind, literals, OPEN + b"(?:" + either + b")" + rest.encode(), needs)


def beside(kind: str, vendor: str, rest: str) -> SecretRule:
    """Return the rule of tokens without any mark of their own, where vendor and a word such as `key` stand before."""
    said = rb"[A-Za-z0-9 _.\-]{0,12}?(?i:" + b"|".join(BESIDE) + rb")[A-Za-z_ \-]{0,12}?"
    source = (
        b"(?i:" + re.escape(vendor.encode()) + b")" + said + rb"[ \t:=,(\"'\\>]{1,8}(?P<secret>" + rest.encode() + b")"
    )
    return SecretRule(kind, (vendor.encode(),), source + CLOSED, "digit", "beside")


def long(kind: str, literals: str, rest: str, needs: Needs = "") -> SecretRule:
    """Return the rule of tokens that no literal begins: the pattern is searched for in words of 16 characters and more.

    Such a word holds letters, digits and `_ - .`; arguments as of `word`, the literals stand anywhere in it.
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
    """Return a rule by its whole pattern; arguments as of `Rule`.

    Literals and words are separated by spaces; a space in one of them is written `|`. What is `inside` is part of a
    word of 16 characters and more, which holds letters, digits and `_ - . + / = ~ : $ @ % ! *`.
    """
    spelt = [tuple(one.replace("|", " ").encode() for one in some.split()) for some in (literals, near)]
    # Where a literal can only be part of a long word, it is looked for in these.
    outside = near or any(not _INSIDE.fullmatch(literal) for literal in spelt[0])
    place: Place = "folded" if folded else "anywhere" if outside or not inside else "inside"
    return SecretRule(kind, spelt[0], pattern, needs, place, _letters(before[0]), before[1], spelt[1])


def _letters(short: str) -> bytes:
    """Return the bytes that a character class names: `a-z0-9_`."""
    spans = re.sub(r"(.)-(.)", lambda span: "".join(map(chr, range(ord(span[1]), ord(span[2]) + 1))), short)
    return spans.encode()
