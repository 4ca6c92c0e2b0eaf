"""Secrets in sentences: `the password is swordfish`, `log in with token 8f3a…`."""

import re
from collections.abc import Iterator

from ledger.capture.secrets.span import Span
from ledger.capture.secrets.value_kinds import is_code, is_number, is_word, looks_random, never_a_value

_SAID = re.compile(
    rb"[ \t]{1,2}(?:(?:for|of)[ \t]{1,2}[^\s]{1,64}[ \t]{1,2})?"
    rb"(?P<verb>(?:is|was|will be|(?:is |was )?(?:set|changed|reset) to):?[ \t]{1,2}(?:now[ \t])?)?"
    rb"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`\[({<$][^\s\"'`]{2,255})"
)
_END = b".,;:!?)]}"
_TOKEN_LENGTH = 16
"""Fewest characters of an access token after the word `token`; shorter words are those of a language model."""
_SHORTEST = 4
"""Fewest characters of a password in a sentence; two more where it merely follows the word."""
_PLAIN = frozenset(
    b"""a about above access account accounts across admin after again all allowed already also alone always am an and
    any app apply are argument as ask asked asks at authentication available back bad based be because been before
    being below both but by can cannot case change changed changes character characters check checked checking
    clear common config configured contains copied correct could create created credentials data default defined
    denied did do does done don't during each either else empty encoded encrypted enter entered entry environment
    error expired expires fails failed failure field fields file files first flag for form format forgotten found
    from generate generated generation generator get gets given good had has hash hashed hashes hashing have here
    hidden how if in incorrect input inside instead into invalid is it item its itself just kept key keys last
    least length let like limit line list loaded login long longer lost made make manager managers mandatory match
    matches may mean means mismatch missing more must name names needed needs never new no not nothing now null of
    off ok old on once one only operator option optional options or other our out output over param parameter
    parameters passed per permitted please policy policies present private prompt prompts protected protection
    provided public question random read reads recovery rejected reminder removed repeat replace replaced required
    requires reset resets rule rules safe same saved screen secret secure see sent set sets settings shared should
    show shown since size so some stolen store stored string strong such support supported than that the their
    them then there these they this those through to too try twice type typed under undefined unknown unless unset
    until up update updated use used user username users uses using valid validation value values variable
    variables verification via visible was we weak were what when where whether which who whose why will with
    without word words work works would wrong yes yet you your yours raise return pass break continue lambda await
    yield import assert""".split()
)
"""Words that follow `password` in sentences, help texts and messages."""
_ENDINGS = (
    b"ed",
    b"ing",
    b"able",
    b"ible",
    b"ally",
    b"ation",
    b"ations",
    b"ement",
    b"-only",
    b"-protected",
    b"-based",
    b"less",
)


def is_prose(value: bytes) -> bool:
    """Return whether it is a word of a sentence about secrets, and not a secret."""
    word = value.rstrip(_END).lower()
    return is_word(word) and (word in _PLAIN or word.endswith(_ENDINGS))


def find_in_prose(data: bytes, position: int, kind: str, *, strong: bool) -> Iterator[Span]:
    """Yield the secret in a sentence after a name that ends at `position`."""
    said = _SAID.match(data, position)
    if said is None:
        return
    value = said["value"].rstrip(_END)
    if (
        is_code(value)
        or is_number(value)
        or never_a_value(value)
        or is_prose(value)
        or value.startswith((b"-", b"/", b"=", b"|", b"#"))
    ):
        return
    if _is_told(value, kind, strong=strong, verb=bool(said["verb"]), quoted=bool(said["quote"])):
        start = said.start("value")
        yield Span(start, start + len(value), kind)


def _is_told(value: bytes, kind: str, *, strong: bool, verb: bool, quoted: bool) -> bool:
    if not strong:
        return looks_random(value) and (verb or len(value) >= _TOKEN_LENGTH)
    if kind == "password" and (verb or quoted):
        return len(value) >= _SHORTEST  # a word may be one: `the password is swordfish`
    if kind == "password":
        return len(value) > _SHORTEST + 1 and not value.isalpha() and not is_word(value)
    return looks_random(value)
