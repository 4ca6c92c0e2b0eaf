"""`ledger completion`: shell completion."""

import click

from ledger.settings import COMPLETE_VARIABLE


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script for SHELL.

    Example: ledger completion bash > ~/.local/share/bash-completion/completions/ledger
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for this shell: `{shell}`")
    click.echo(kind(click.get_current_context().find_root().command, {}, "ledger", COMPLETE_VARIABLE).source())
