"""Params in a command line, and the defaults that a script declares for them.

Forms are those of argparse, click, absl, fire and tyro (`--lr 0.1`, `--lr=0.1`, `--no-amp`, `-b 32`) and of Hydra,
OmegaConf and Sacred (`lr=0.1`, `+model.depth=4`). Options of Python and of launchers before the script are none.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ledger.capture.code.source_kinds import is_program
from ledger.capture.harvest.script_options import ScriptOption, option_of
from ledger.capture.inputs.params import parse_assignment
from ledger.errors import LedgerError
from ledger.model.values import ParamValue

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "env", "nohup", "make"})
_LAUNCHERS = frozenset({
    "accelerate", "apptainer", "conda", "deepspeed", "docker", "ipython", "jupyter", "mpiexec", "mpirun", "nice",
    "numactl", "papermill", "pdm", "pipenv", "podman", "poetry", "singularity", "srun", "sudo", "taskset", "time",
    "torchrun", "uv",
})  # fmt: skip
"""Programs that start others: where no script is among their words, nobody knows which words are theirs."""
_TESTERS = frozenset({"pytest", "py.test"})
"""Programs whose words are their own, whatever scripts these name."""
_PYTHON = re.compile(r"pythonw?(?:\d(?:\.\d+)?)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*")
_OVERRIDE = re.compile(r"(?:\+\+?|~)?(?P<name>[A-Za-z_][\w.\-/@]*)=(?P<value>.*)", re.DOTALL)
_NEGATIVE = re.compile(r"-(?:\d|\.\d|inf\b)")
_MOST_VALUES = 1_000
"""Most words that are read: a command with more lists files."""


def read_arguments(command: Sequence[str], declared: Sequence[ScriptOption] = ()) -> dict[str, ParamValue]:
    """Return the params in a command line by name, `-` in names as `_`; of one that comes twice the last value.

    A flag without a value is true, `--no-amp` makes `amp` false, and an option with several values is a list. Words
    without a name are no params. Where the script does not declare its options, words after an option may be its values
    or the script's own: several that are not all numbers are left out.

    Args:
        command: command line.
        declared: options that its script declares: they decide names and values.
    """
    params: dict[str, ParamValue] = {}
    for name, words in _options(list(_own_words(command))[:_MOST_VALUES], declared):
        if isinstance(words, bool):
            params[name] = words
        elif not words:
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
    if Path(words[0]).name in _TESTERS or words[1:3] in [["-m", name] for name in _TESTERS]:
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
    if name in _SHELLS or name in _LAUNCHERS or _PYTHON.fullmatch(name):
        return  # its own words, or a program in `python -c`
    yield from words[1:]


def _starts_module(words: Sequence[str], place: int) -> bool:
    """Return whether `-m` names a module: after Python, or after a launcher such as torchrun."""
    return all(word.startswith("-") or number == 0 or not is_program(word) for number, word in enumerate(words[:place]))


def _options(words: Sequence[str], declared: Sequence[ScriptOption]) -> Iterator[tuple[str, list[str] | bool]]:
    """Yield each option with its values, or with what a switch makes it."""
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
        flag, equals, value = word.partition("=")
        option = option_of(flag, declared)
        if option is None and (joined := _joined(word, declared)) is not None:
            option, equals, value = joined
        name = flag.lstrip("-")
        if option is None and not _NAME.fullmatch(name):
            continue
        values = [value] if equals else []
        while not equals and place < len(words) and _is_value(words[place]) and _takes(option, values):
            values.append(words[place])
            place += 1
        if option is not None:
            yield option.name, values if option.takes_value or (on := option.switched(flag)) is None else on
        elif len(values) < 2 or all(isinstance(_value(one), int | float) for one in values):  # noqa: PLR2004
            yield name.replace("-", "_"), values


def _takes(option: ScriptOption | None, values: Sequence[str]) -> bool:
    """Return whether a further word is a value of an option."""
    return option is None or (option.takes_value and (option.many or not values))


def _joined(word: str, declared: Sequence[ScriptOption]) -> tuple[ScriptOption, str, str] | None:
    """Return the short option that a word begins with, and its value: `-b32`."""
    option = option_of(word[:2], declared) if not word.startswith("--") else None
    return (option, "=", word[2:].removeprefix("=")) if option is not None and option.takes_value else None


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


def read_defaults(options: Iterable[ScriptOption]) -> dict[str, ParamValue]:
    """Return the plain defaults of the options that a script declares, by name."""
    return {option.name: option.default for option in options if option.default is not None}
