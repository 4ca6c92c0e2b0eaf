"""Params in a command line, and the defaults that a script declares for them.

Forms are those of argparse, click, absl, fire and tyro (`--lr 0.1`, `--lr=0.1`, `--no-amp`, `-b 32`) and of Hydra,
OmegaConf and Sacred (`lr=0.1`, `+model.depth=4`). Options of Python and of launchers before the script are none.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.capture.code.source_kinds import is_program
from ledger.capture.inputs.params import parse_assignment
from ledger.errors import LedgerError
from ledger.model.values import ParamValue

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "env", "nohup", "make"})
_PYTHON = re.compile(r"pythonw?(?:\d(?:\.\d+)?)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*")
_OVERRIDE = re.compile(r"(?:\+\+?|~)?(?P<name>[A-Za-z_][\w.\-/@]*)=(?P<value>.*)", re.DOTALL)
_NEGATIVE = re.compile(r"-(?:\d|\.\d|inf\b)")
_LARGEST_SCRIPT = 2_000_000
_MOST_VALUES = 1_000
"""Most words that are read: a command with more lists files."""


def read_arguments(command: Sequence[str]) -> dict[str, ParamValue]:
    """Return the params in a command line by name, `-` in names as `_`; of one that comes twice the last value.

    A flag without a value is true, `--no-amp` makes `amp` false, and an option with several values is a list. Words
    without a name are no params.
    """
    params: dict[str, ParamValue] = {}
    for name, words in _options(list(_own_words(command))[:_MOST_VALUES]):
        if not words:
            off = name.startswith("no_") and len(name) > len("no_")
            params[name.removeprefix("no_") if off else name] = not off
        elif len(words) == 1:
            params[name] = _value(words[0])
        else:
            params[name] = [_item(word) for word in words]
    return params


def _own_words(command: Sequence[str]) -> Iterator[str]:
    """Yield the words that the training itself reads: those after its script or module."""
    words = list(command)
    if not words:
        return
    for place, word in enumerate(words):
        if place and is_program(word) and not word.startswith("-"):
            yield from words[place + 1 :]
            return
        if word in {"-m", "--module"} and place + 1 < len(words) and _starts_module(words, place):
            rest = words[place + 2 :]
            # `python -m torch.distributed.run train.py`: the script comes later.
            later = next((at for at, one in enumerate(rest) if is_program(one) and not one.startswith("-")), None)
            yield from rest if later is None else rest[later + 1 :]
            return
    name = Path(words[0]).name
    if name in _SHELLS or _PYTHON.fullmatch(name):
        return  # a shell's own words, or a program in `python -c`
    yield from words[1:]


def _starts_module(words: Sequence[str], place: int) -> bool:
    """Return whether `-m` names a module: after Python, or after a launcher such as torchrun."""
    return all(word.startswith("-") or number == 0 or not is_program(word) for number, word in enumerate(words[:place]))


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each option with its values."""
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word == "--":
            return
        if (found := _override(word)) is not None:
            yield found
            continue
        if not word.startswith("-") or _NEGATIVE.match(word):
            continue  # a word without a name
        name, equals, value = word.lstrip("-").partition("=")
        if not _NAME.fullmatch(name):
            continue
        values = [value] if equals else []
        while not equals and place < len(words) and _is_value(words[place]):
            values.append(words[place])
            place += 1
        yield name.replace("-", "_"), values


def _override(word: str) -> tuple[str, list[str]] | None:
    found = None if word.startswith("-") else _OVERRIDE.fullmatch(word)
    return (found["name"], [found["value"]]) if found else None


def _is_value(word: str) -> bool:
    return (not word.startswith("-") or word == "-" or bool(_NEGATIVE.match(word))) and not _override(word)


def _value(word: str) -> ParamValue:
    try:
        value = parse_assignment(f"value={word}")[1]
    except LedgerError:
        return ascii(word)[1:-1]
    return {"True": True, "False": False}.get(word, value) if isinstance(value, str) else value


def _item(word: str) -> bool | int | float | str | None:
    value = _value(word)
    return word if isinstance(value, list) else value


def read_defaults(script: Path) -> dict[str, ParamValue]:
    """Return the plain defaults that a script declares with `add_argument`, by name; nothing is executed.

    Empty where they may be others than the declared ones: several parsers, `set_defaults`, a name declared twice.
    """
    try:
        if script.suffix != ".py" or script.stat().st_size > _LARGEST_SCRIPT:
            return {}
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [_called(call) for call in calls]
    if named.count("ArgumentParser") > 1 or {"set_defaults", "add_subparsers"} & set(named):
        return {}
    found: dict[str, ParamValue] = {}
    for call, name in zip(calls, named, strict=True):
        if name != "add_argument" or (declared := _declared(call)) is None:
            continue
        if declared[0] in found:
            return {}
        found[declared[0]] = declared[1]
    return {name: value for name, value in found.items() if value is not None}


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _declared(call: ast.Call) -> tuple[str, ParamValue] | None:
    """Return name and default of an option; a default that is no literal is none."""
    flags = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    long = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else "")
    dest = given.get("dest")
    name = dest.value if isinstance(dest, ast.Constant) and isinstance(dest.value, str) else long
    if not long.startswith("-"):
        return None
    action = given.get("action")
    kind = str(action.value) if isinstance(action, ast.Constant) else ""
    switch = {"store_true": False, "store_false": True}.get(kind)
    default = given.get("default")
    try:
        value = switch if default is None else ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = None
    known = value if isinstance(value, bool | int | float | str) else None
    return name.lstrip("-").replace("-", "_"), known
