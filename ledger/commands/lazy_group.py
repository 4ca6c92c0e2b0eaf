"""A group of verbs whose files are imported when a verb is chosen, so that `--help` starts at once."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any, NamedTuple

import click

from ledger.errors import UsageError


class Section(NamedTuple):
    """Verbs of a group that its help shows together."""

    title: str
    """Heading above them."""
    package: str
    """Package of the files `<verb>.py`, each with the command `<verb>_command`."""
    verbs: Mapping[str, str]
    """One line for each verb."""


class LazyGroup(click.Group):
    """A click group that knows its verbs by their names and one line each.

    Args:
        sections: verbs, in the order of the help.
        settings: arguments of click's own group.
    """

    def __init__(self, *, sections: Sequence[Section], **settings: Any) -> None:  # `Any`: click's own
        super().__init__(**settings)
        self._sections = sections
        self._verbs = {verb: section for section in sections for verb in section.verbs}

    @property
    def verbs(self) -> list[str]:
        """The verbs in the order of the help."""
        return list(self._verbs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the verbs in order."""
        return self.verbs

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import a verb; return none when there is no such verb."""
        if cmd_name not in self._verbs:
            return None
        package = self._verbs[cmd_name].package
        file = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name  # as PEP 8 has it: `import_`
        command = getattr(import_module(f"{package}.{file}"), f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"not a command: `{cmd_name}`")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with.

        Raises:
            UsageError: there is none; the hint names the nearest.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise UsageError(f"no such command: `{args[0]}`", hint=self._nearest(args[0], ctx.command_path)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the verbs without importing them."""
        width = max(map(len, self._verbs))
        for section in self._sections:
            with formatter.section(section.title):
                formatter.write_dl([(verb.ljust(width), said) for verb, said in section.verbs.items()])

    def _nearest(self, verb: str, program: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(verb, self._verbs, n=1)
        return f"did you mean `{program} {close[0]}`?" if close else f"{program} --help lists every command"
