"""`ledger dataset`: versions of datasets, why each exists, and how they differ. One file per verb in `datasets/`."""

from importlib import import_module

import click

_VERBS = {
    "add": "Add a version of a dataset, with what it looks like and what it changed.",
    "list": "List dataset versions.",
    "show": "Show a version: what it holds, changed, and how far it is from production.",
    "diff": "Show how two versions differ, from what stands on the ledger.",
    "check": "Say whether data is a known version, or how it differs.",
    "retire": "Say that a version is used no longer.",
    "history": "Tell the history of a dataset, and of every metric on it.",
}
"""Every verb and its one line; the file `datasets/<verb>.py` is imported when the verb is chosen."""


class _DatasetVerbs(click.Group):
    """A group that imports a command only when it is chosen."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in _VERBS:
            return None
        command = getattr(import_module(f"ledger.commands.datasets.{cmd_name}"), f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"not a command: `{cmd_name}`")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group("dataset", cls=_DatasetVerbs)
def dataset_command() -> None:
    """Keep versions of datasets: why each exists, what it changed, and what it did to every metric."""
