"""The reference page of every command: what it does, its arguments, its options and an example, from click."""

import inspect
import re
from collections.abc import Iterator

import click

from ledger.cli import EXIT_CODES, SECTIONS, program
from tests.handbook.markdown import block, code, definitions, page, text

_EXTRA = re.compile(r"\s+\[([^\]]*)\]$")
"""What click adds to the help of an option: its default, its range."""
_DEFAULT = re.compile(r"default: ([^;]*)(?:; )?")
_EXAMPLE = "Example: "


def render_commands() -> str:
    parts, verbs = [_exit_codes()], dict(_below(program))
    for section in SECTIONS:
        parts.append(f"## {section.title}")
        for verb in section.verbs:
            parts += _command(verbs[verb], f"ledger {verb}", depth=3)
    return page(
        "Every command of ledger with its arguments, options, examples and exit codes",
        "Commands",
        "`ledger COMMAND --help` shows the same in a terminal. `ledger -C FOLDER COMMAND` works as if started in "
        "FOLDER, and `ledger --version` names the version. `git ledger` is the same program.",
        parts,
    )


def _exit_codes() -> str:
    codes = definitions((code(str(number)), text(meaning)) for number, meaning in EXIT_CODES.items())
    return f"## Exit codes\n\n{codes}\n\nA command that answers with its exit code says so below."


def every_command(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, each with the whole name it is called by."""
    yield name, command
    for verb, below in _below(command):
        yield from every_command(below, f"{name} {verb}")


def _below(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for verb in command.list_commands(context):
        found = command.get_command(context, verb)
        assert found is not None
        yield verb, found


def examples_of(command: click.Command) -> list[str]:
    """Return the command lines that the help of a command shows."""
    return [one.removeprefix(_EXAMPLE) for one in _paragraphs(command) if one.startswith(_EXAMPLE)]


def _paragraphs(command: click.Command) -> list[str]:
    return [" ".join(one.split()) for one in inspect.cleandoc(command.help or "").split("\n\n")]


def _command(command: click.Command, name: str, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"{'#' * depth} {name}"
    yield block("text", " ".join([name, *command.collect_usage_pieces(context)]))
    yield from (text(one) for one in _paragraphs(command) if not one.startswith(_EXAMPLE))
    if examples := examples_of(command):
        yield block("console", "\n".join(f"$ {example}" for example in examples))
    records = [param.get_help_record(context) for param in command.params if isinstance(param, click.Option)]
    if options := [_option(*record) for record in records if record]:
        yield definitions(options)
    for verb, below in _below(command):
        yield from _command(below, f"{name} {verb}", depth + 1)


def _option(names: str, said: str) -> tuple[str, str]:
    extra = _EXTRA.search(said)
    meaning = text(said[: extra.start()] if extra else said)
    if extra:
        default = _DEFAULT.search(extra[1])
        rest = _DEFAULT.sub("", extra[1])
        meaning += f" Default: {code(default[1])}." if default else ""
        meaning += f" Range: {code(rest)}." if rest else ""
    return ", ".join(code(name.strip()) for name in re.split(r", (?=-)|(?<=\w) / (?=-)", names)), meaning
