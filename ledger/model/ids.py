"""Run ids: sortable by time, unique without coordination, short enough to type.

An id is `YYYYMMDD-HHMMSS-xxxxxx` in UTC; the last part is 30 random bits in Crockford's base 32
(https://www.crockford.com/base32.html), which has no letters that look like digits.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from ledger.errors import NotFound, UsageError

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_SHOWN = 5
ID = re.compile(r"(\d{4})(\d{2})(\d{2})-\d{6}-[0-9a-hjkmnp-tv-z]{6}")
"""The shape of a run id; its groups are year, month and day."""


def new_id(now: datetime, entropy: bytes) -> str:
    """Return the id of something made at `now` (UTC); `entropy` gives at least four random bytes."""
    bits = int.from_bytes(entropy[:4], "big")
    letters = "".join(_DIGITS[(bits >> shift) & 31] for shift in range(0, 30, 5))
    return f"{now:%Y%m%d-%H%M%S}-{letters}"


def is_id(text: str) -> bool:
    """Return whether `text` is a whole, well-formed id."""
    return ID.fullmatch(text) is not None


def resolve(short: str, ids: Iterable[str]) -> str:
    """Return the one id that `short` names: a whole id, the start of one, or the start of its last part.

    Raises:
        NotFound: no id matches.
        UsageError: several do; the hint lists them.
    """
    wanted = short.strip().lower()
    known = sorted(ids)
    if wanted in known:
        return wanted
    matches = [known_id for known_id in known if known_id.startswith(wanted) or known_id[16:].startswith(wanted)]
    if not wanted or not matches:
        raise NotFound(f"no run has this id: `{ascii(short)[1:-1]}`", hint="to see every run: ledger list")
    if len(matches) > 1:
        shown = ", ".join(matches[-_SHOWN:])
        more = f" and {len(matches) - _SHOWN} more" if len(matches) > _SHOWN else ""
        raise UsageError(f"{len(matches)} runs match this id: `{wanted}`", hint=f"give more of the id: {shown}{more}")
    return matches[0]
