"""Invisible characters, characters that reorder text or control a terminal, and letters that look like others."""

import re
import unicodedata
from functools import cache

_UNSEEN = re.compile(
    # Categories Cc, Cf, Cs, Zl and Zp (Unicode 15): control, format, lone surrogates, line and paragraph separators.
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a"
    # Of other categories, but drawn as nothing (DerivedCoreProperties.txt, Default_Ignorable_Code_Point).
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\U000e0000-\U000e0fff]"
)
"""Invisible characters, which are always shown as an escape."""
_VARIATIONS = "\ufe00-\ufe0f"
"""Variation selectors: they choose between two pictures of one character, and two names that differ by one look alike.
In a sentence they are harmless (most emoji end with one); in a name they are refused."""


@cache  # Most texts are plain ASCII; recording must not pay for compiling an expression that it does not need.
def _in_labels() -> re.Pattern[str]:
    return re.compile(f"{_UNSEEN.pattern[:-1]}{_VARIATIONS}]")


@cache
def _in_prose() -> re.Pattern[str]:
    return re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f", 1))


@cache
def _joiners() -> re.Pattern[str]:
    return re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")


_BLANK = re.compile(r"[\s\u2800]*")
"""Spaces, and the braille pattern without a dot."""


def is_plain_text(text: str) -> bool:
    """Return whether `text` has visible characters only: no control or format character, line end or tab."""
    return (text.isascii() and text.isprintable()) or _UNSEEN.search(text) is None


def is_plain_prose(text: str) -> bool:
    """Return whether a text of sentences has visible characters only, apart from line feeds and tabs.

    Joiners and non-joiners are allowed, too: Persian, the scripts of India and emoji are written with them.
    """
    unseen = _in_prose()
    return unseen.search(text) is None or unseen.search(_joiners().sub("", text)) is None


def plain(text: str) -> str:
    """Return text that cannot control a terminal: invisible characters become visible escapes; line feeds stay."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_escape, text)


def escaped(text: str) -> str:
    """Return a text, such as JSON, with its invisible characters escaped as JSON does it; line feeds stay."""
    if text.isascii():  # JSON escapes the invisible characters of ASCII itself
        return text.replace("\x7f", "\\u007f")
    return _UNSEEN.sub(_as_json, text)


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else ascii(found[0])[1:-1]


def _as_json(found: re.Match[str]) -> str:
    if found[0] == "\n":
        return "\n"
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def unseen_in(text: str, *, label: bool = False) -> str | None:
    """Return the first invisible character as `U+200B`; none where all are visible.

    Args:
        text: what to look through.
        label: whether it is a name, in which variation selectors have no place either.
    """
    if text.isascii() and text.isprintable():
        return None
    found = (_in_labels() if label else _UNSEEN).search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def is_blank(text: str) -> bool:
    """Return whether nothing in a text is visible."""
    return _BLANK.fullmatch(_in_labels().sub("", text)) is not None


def composed(text: str) -> str:
    """Return a text in Unicode's form C, so that one text has one spelling."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC_OR_ARMENIAN = re.compile("[\u0400-\u052f\u0531-\u0587\u13a0-\u13ff\uab70-\uabbf]")
_LIKE_LATIN = frozenset(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4"
    "\u03a5\u03a7\u03bf\u03bd\u0131\u0251\u0261\u0269\u028f\u029c\u217c\u2113"
)
"""Letters of Greek and of phonetic writing that look the same as a Latin one (Unicode TR 39, confusables.txt)."""
_WHOLLY_LIKE_LATIN = frozenset(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u04cf"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423"
)
"""Cyrillic letters that can form whole words which read as Latin."""


def look_alikes(name: str) -> str | None:
    """Return the letters of a name that read as Latin and are not, each with its code point; none where there are none.

    A word that mixes Latin with another alphabet, one that is wholly of letters which look Latin, and letters that
    Unicode keeps for mathematics or for East Asian widths. Words that are wholly Cyrillic or Greek are just words, and
    a Greek letter beside a Latin one is a symbol, unless it has the shape of a Latin one.
    """
    if name.isascii():
        return None
    found: dict[str, None] = {}
    for word in _WORD.findall(name):
        if word.isascii():
            continue
        latin = any(letter.isascii() for letter in word)
        for letter in word:
            strange = not letter.isascii() and (
                (latin and (letter in _LIKE_LATIN or _CYRILLIC_OR_ARMENIAN.match(letter)))
                or (len(word) > 1 and all(one in _WHOLLY_LIKE_LATIN for one in word))
                or _is_styled(letter)
            )
            if strange:
                found[letter] = None
    return ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in list(found)[:5]) or None


def _is_styled(letter: str) -> bool:
    """Return whether a letter is a styled Latin one: wide, mathematical or in a circle; superscripts do not count."""
    folded = unicodedata.normalize("NFKC", letter)
    return folded != letter and folded.isascii() and folded.isalpha() and unicodedata.category(letter) != "Lm"
