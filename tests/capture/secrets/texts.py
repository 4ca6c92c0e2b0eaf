"""Makes texts that look like secrets out of descriptions, so that no file of ours holds one."""

import random
import re
import string

_LETTERS = {
    "a": string.ascii_letters + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
    "c": string.ascii_lowercase + "234567",
    "B": string.ascii_uppercase + "234567",
    "z": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
_CASES = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_PLACE = re.compile(r"\{([alUhHdwbcBz])(\d+)\}")


def made(description: str, seed: int = 1) -> str:
    """Return the text that a description stands for: `{a36}` is 36 letters and digits, drawn by the seed.

    The places are: `a` letters and digits, `l` lower-case ones, `U` upper-case ones, `h` and `H` hexadecimal digits,
    `d` digits, `w` as `a` with `_` and `-`, `b` those of base64, `B` those of base32, `c` the same in lower case,
    `z` those of Bech32 in capitals. A place of ten characters and more holds a digit and a letter of each case that it
    may hold.
    """
    pieces = iter(drawn(description, seed))
    return _PLACE.sub(lambda _: next(pieces), description)


def drawn(description: str, seed: int = 1) -> list[str]:
    """Return what stands in the places of a description, in order; the whole of one that has none."""
    draw = random.Random(f"{description} {seed}")  # noqa: S311  # no secret is made, only the looks of one
    return [_piece(draw, _LETTERS[place[1]], int(place[2])) for place in _PLACE.finditer(description)] or [description]


def _piece(draw: random.Random, letters: str, length: int) -> str:
    chosen = [draw.choice(letters) for _ in range(length)]
    kinds = [[one for one in letters if one in kind] for kind in _CASES]
    if length >= 10:
        for spot, kind in zip(draw.sample(range(1, length - 1), len(kinds)), kinds, strict=True):
            chosen[spot] = draw.choice(kind or letters)
    # A boundary of words is looked for at both ends.
    plain = [one for one in letters if one.isalnum()]
    for end in (0, -1):
        chosen[end] = chosen[end] if chosen[end].isalnum() else draw.choice(plain)
    return "".join(chosen)
