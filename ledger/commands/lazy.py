"""A group of verbs whose files are imported when a verb is chosen, so that `--help` starts at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from ledger.errors import UsageError


class LazyGroup(click.Group):
    """A click group that knows its verbs by their names and one line each.

    Args:
        verbs: verb to its one line.
        package: where `<verb>.py` is, with the command `<verb>_command`.
        settings: what click's own group takes.
    """

    def __init__(self, *, verbs: Mapping[str, str], package: str, **settings: Any) -> None:  # `Any`: click's own
        super().__init__(**settings)
        self._verbs = verbs
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the verbs in their order."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import a verb; none when there is no such verb."""
        if cmd_name not in self._verbs:
            return None
        command = getattr(import_module(f"{self._package}.{cmd_name}"), f"{cmd_name}_command")
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
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))

    def _nearest(self, verb: str, program: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(verb, self._verbs, n=1)
        return f"did you mean `{program} {close[0]}`?" if close else f"{program} --help lists every command"
