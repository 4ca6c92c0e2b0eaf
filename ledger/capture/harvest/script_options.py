"""The options that a script declares with `add_argument`, read from its source; nothing is executed."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.model.values import ParamValue

_LARGEST_SCRIPT = 2_000_000
_SWITCHES = {"store_true": True, "store_false": False}
_BOTH_WAYS = "BooleanOptionalAction"
_VALUELESS = frozenset({*_SWITCHES, _BOTH_WAYS, "store_const", "append_const", "count", "help", "version"})
_OTHER_DEFAULTS = frozenset({"set_defaults", "add_subparsers"})
"""Calls after which the declared defaults need not be those that apply."""


class ScriptOption(NamedTuple):
    """An option that a script declares."""

    name: str
    """Name of its value in the script."""
    flags: tuple[str, ...]
    """How it is written in a command line."""
    action: str
    """What argparse does with it; `store` by default."""
    many: bool
    """Whether it takes several values."""
    default: ParamValue
    """Its default where that is a plain literal; none otherwise."""

    @property
    def takes_value(self) -> bool:
        """Whether a value follows it."""
        return self.action not in _VALUELESS

    def switched(self, flag: str) -> bool | None:
        """Return what a flag makes a switch; none where it is no switch, but a constant or a counter."""
        return not flag.startswith("--no-") if self.action == _BOTH_WAYS else _SWITCHES.get(self.action)


def read_script_options(script: Path) -> list[ScriptOption]:
    """Return the options of a script.

    Empty where a command line may mean other ones: several parsers, sub-commands, `set_defaults`, a name or a flag
    declared twice, arguments from files.
    """
    try:
        if script.suffix != ".py" or script.stat().st_size > _LARGEST_SCRIPT:
            return []
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [_called(call) for call in calls]
    from_files = any(word.arg == "fromfile_prefix_chars" for call in calls for word in call.keywords)
    if named.count("ArgumentParser") > 1 or _OTHER_DEFAULTS & set(named) or from_files:
        return []
    found = [
        option
        for call, name in zip(calls, named, strict=True)
        if name == "add_argument" and (option := _declared(call)) is not None
    ]
    names = [option.name for option in found]
    flags = [flag for option in found for flag in option.flags]
    return found if len(set(names)) == len(names) and len(set(flags)) == len(flags) else []


def option_of(word: str, options: Sequence[ScriptOption]) -> ScriptOption | None:
    """Return the option that a word names, whole or as the only one that begins so; none where it names none."""
    exact = next((option for option in options if word in option.flags), None)
    if exact is not None or not word.startswith("--"):
        return exact
    found = [option for option in options if any(flag.startswith(word) for flag in option.flags)]
    return found[0] if len(found) == 1 else None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _declared(call: ast.Call) -> ScriptOption | None:
    flags = tuple(word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str))
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    long = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else "")
    if not long.startswith("-"):
        return None
    dest, action = given.get("dest"), given.get("action")
    name = dest.value if isinstance(dest, ast.Constant) and isinstance(dest.value, str) else long
    kind = str(action.value) if isinstance(action, ast.Constant) else _action_class(action)
    off = tuple(f"--no-{flag[2:]}" for flag in flags if flag.startswith("--")) if kind == _BOTH_WAYS else ()
    return ScriptOption(
        name=name.lstrip("-").replace("-", "_"),
        flags=(*flags, *off),
        action=kind,
        many="nargs" in given or kind in {"append", "extend"},
        default=_default(given.get("default"), kind),
    )


def _action_class(action: ast.expr | None) -> str:
    return "store" if action is None else getattr(action, "attr", getattr(action, "id", "other"))


def _default(default: ast.expr | None, action: str) -> ParamValue:
    if default is None:
        return not _SWITCHES[action] if action in _SWITCHES else None
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, bool | int | float | str) else None
