"""Secrets by shape: the search for all rules at the speed of memory.

Most text contains no rule's literal. Tokens are long words, so the long words are extracted from the data first,
each once, and their heads (`ghp_`, `sk-`) looked up in one set; only those found are searched in the data, and a
pattern is tried only where its literal occurs.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from ledger.capture.secrets.rules import RULES
from ledger.capture.secrets.rules.rule import BESIDE, Needs, SecretRule
from ledger.capture.secrets.span import Span

_LONG = 16
"""Fewest characters of a long word."""
_WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-+/=~:$@%!*"
"""Characters of tokens, with the signs that vendors use in theirs."""
_WORDS = bytes(byte if byte in _WORD_BYTES else 0x20 for byte in range(256))
_SIGNS = b":/$=@%+~!*._-"
"""Signs by which literals are grouped: where a sign does not occur, no literal with it does."""
_HEAD = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{1,16}[_\-.]")
_LINE = 300
"""Bytes before a literal in which a word on its line is searched."""
_SHORT = 4096
"""Bytes up to which one pattern of all literals is faster than looking for each."""
_FLAGS = (b" -u", b" -p", b" -a", b" -w", b" -P", b" -N", b"-user")
"""Beginnings of options that take a password."""
_DIGIT = re.compile(rb"[0-9]")
_CAPITAL = re.compile(rb"[A-Z]")


class _Table(NamedTuple):
    """The rules by what must occur before they are tried."""

    by_head: dict[bytes, list[int]]
    """Rules by the head of their literals."""
    inside: dict[int, list[tuple[bytes, int, bool]]]
    """Other literals of long words, with their rules and whether they have capitals, by a sign in them; 0 for none."""
    long: list[int]
    """Rules that are tried on long words."""
    anywhere: list[int]
    """Rules whose literals may be outside of a long word."""
    commands: list[int]
    """Those of command-line options."""
    folded: list[int]
    """Those whose literals may have any letter case."""
    beside: list[int]
    """Rules that need a vendor's name, a word such as `key`, and a long word."""
    some: re.Pattern[bytes]
    """Matches any literal of the three before, in lower case."""


@cache
def _table() -> _Table:
    by_head: dict[bytes, list[int]] = defaultdict(list)
    inside: dict[int, list[tuple[bytes, int, bool]]] = defaultdict(list)
    places: dict[str, list[int]] = {"long": [], "anywhere": [], "commands": [], "folded": [], "beside": []}
    for number, rule in enumerate(RULES):
        if rule.place not in {"word", "inside"}:
            option = rule.place == "anywhere" and rule.near and all(one.startswith(b"-") for one in rule.literals)
            places["commands" if option else rule.place].append(number)
            continue
        for literal in rule.literals:
            head = _HEAD.match(literal) if rule.place == "word" else None
            if head:
                by_head[head[0]].append(number)
            else:
                sign = next((sign for sign in _SIGNS if sign in literal), 0)
                inside[sign].append((literal, number, literal != literal.lower()))
    outside = [
        literal
        for place in ("anywhere", "commands", "folded", "beside")
        for one in places[place]
        for literal in RULES[one].literals
    ]
    some = re.compile(b"|".join(re.escape(literal.lower()) for literal in dict.fromkeys(outside)))
    return _Table(by_head, inside, **places, some=some)


def long_words(data: bytes) -> set[bytes]:
    """Return the words that are long enough for a token, each once."""
    return {word for word in data.translate(_WORDS).split() if len(word) >= _LONG}


def find_shapes(data: bytes, lower: bytes, words: Collection[bytes], own: Iterable[SecretRule] = ()) -> Iterator[Span]:
    """Yield spans with the shape of a secret, in the order of the rules.

    Args:
        data: text to search.
        lower: the same in lower case.
        words: its long words.
        own: the team's own rules, tried first.
    """
    for rule in own:
        yield from _matches(data, lower, rule)
    table = _table()
    wanted = set(_in_words(words, table)) if words else set()
    if len(data) > _SHORT or table.some.search(lower):
        wanted.update(number for number in table.anywhere if _holds(data, lower, RULES[number]))
        if b" -" in data and any(flag in data for flag in _FLAGS):
            wanted.update(number for number in table.commands if _holds(data, lower, RULES[number]))
        wanted.update(number for number in table.folded if _holds(lower, lower, RULES[number]))
        if words and any(said in lower for said in BESIDE):
            wanted.update(number for number in table.beside if _holds(lower, lower, RULES[number]))
    for number in sorted(wanted):
        yield from _matches(data, lower, RULES[number])


def _holds(data: bytes, lower: bytes, rule: SecretRule) -> bool:
    if rule.near and not any(near in lower for near in rule.near):
        return False
    return any(literal in data for literal in rule.literals)


def _in_words(words: Collection[bytes], table: _Table) -> Iterator[int]:
    headed = b"\n".join([word for word in words if b"_" in word or b"-" in word or b"." in word])
    for head in table.by_head.keys() & set(_HEAD.findall(headed)):
        yield from table.by_head[head]
    together = b"\n".join(words)
    plain = together.islower()
    for sign, literals in table.inside.items():
        if sign and sign not in together:
            continue
        for literal, number, capitals in literals:
            if not (plain and capitals) and literal in together:
                yield number
    for number in table.long:
        rule = RULES[number]
        if all(literal in headed for literal in rule.literals) and rule.pattern.search(headed):
            yield number


def _matches(data: bytes, lower: bytes, rule: SecretRule) -> Iterator[Span]:
    pattern = rule.pattern
    group = "secret" if "secret" in pattern.groupindex else 0
    if rule.place == "long":
        for match in pattern.finditer(data):
            if _has(match[group], rule.needs):
                yield Span(*match.span(group), rule.kind)
        return
    searched = lower if rule.place in {"folded", "beside"} else data
    for literal in rule.literals:
        position = searched.find(literal)
        while position >= 0:
            resume = position + len(literal)
            found = pattern.match(data, _start(data, position, rule) if rule.back else position)
            if found and (not rule.near or _is_near(data, position, rule)):
                resume = max(resume, found.end())
                if _has(found[group], rule.needs):
                    yield Span(*found.span(group), rule.kind)
            position = searched.find(literal, resume)


def _start(data: bytes, position: int, rule: SecretRule) -> int:
    """Return the start of a match whose literal is at `position`."""
    window = data[max(0, position - rule.back) : position]
    return position - len(window) + len(window.rstrip(rule.before))


def _is_near(data: bytes, position: int, rule: SecretRule) -> bool:
    line = data[max(0, position - _LINE) : position].rpartition(b"\n")[2].lower()
    return any(near in line for near in rule.near)


def _has(secret: bytes, needs: Needs) -> bool:
    if not needs:
        return True
    return bool(_DIGIT.search(secret)) and (needs == "digit" or bool(_CAPITAL.search(secret)))
