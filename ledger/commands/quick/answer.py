"""`ledger list` answered by one look into the index, in the same bytes as the ordinary command.

The ordinary command spends most of its time starting: click, msgspec, the model, git. This one loads SQLite. What it
does not know for certain (other options, a terminal, an index that is behind) it leaves to the ordinary way.
"""

import os
import sys
from collections.abc import Sequence

from ledger.analysis.query.table import BETWEEN, runs_table
from ledger.settings import COMPLETE_VARIABLE

_VALUES = {"-s": "sort", "--sort": "sort", "-n": "limit", "--limit": "limit"}
_SWITCHES = {"-r": "reverse", "--reverse": "reverse"}
_DIGITS = 9
"""Most digits of a limit; larger ones are left to the ordinary command."""


def answer(arguments: Sequence[str]) -> tuple[str, str] | None:
    """Return the output of a command line on stdout and on stderr where it is quickly known; else none."""
    if arguments[:1] != ["list"] or COMPLETE_VARIABLE in os.environ or sys.stdout.isatty():
        return None
    options = _read_options(arguments[1:])
    if options is None:
        return None
    from ledger.commands.quick.look import ask_index

    limit = int(options["limit"]) if "limit" in options else None
    seen = ask_index(options.get("sort"), reverse="reverse" in options, limit=limit)
    if seen is None:
        return None
    header, rows = runs_table(seen.lines)
    out = "".join(BETWEEN.join(row).replace("\n", " ") + "\n" for row in (header, *rows))
    return out, "".join(f"warning: {said}\n" for said in seen.warnings)


def _read_options(words: Sequence[str]) -> dict[str, str] | None:
    """Return the options of `ledger list`; none where there are unknown ones, or one is repeated."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word in _SWITCHES:
            option, value = _SWITCHES[word], "yes"
        elif word in _VALUES:
            option, value = _VALUES[word], next(rest, "")
        elif equals and name.startswith("--") and name in _VALUES:
            option = _VALUES[name]
        else:
            return None
        if option in found or not value or value.startswith("-"):
            return None
        found[option] = value
    limit = found.get("limit", "1")
    return found if limit.isascii() and limit.isdigit() and len(limit) <= _DIGITS and int(limit) else None
