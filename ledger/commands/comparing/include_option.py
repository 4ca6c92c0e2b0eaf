"""The option that lets unfinished runs count."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from ledger.errors import UsageError
from ledger.model.values import Status

F = TypeVar("F", bound=Callable[..., Any])  # click's own signature for decorators

_OTHERS = [status for status in get_args(Status) if status not in {"finished", "running"}]


def include_option(command: F) -> F:
    """Add `--include`: statuses that count beside `finished`."""
    option = click.option(
        "--include",
        multiple=True,
        metavar="STATUS,…",
        callback=_statuses,
        help=f"Let runs count that did not finish: {', '.join(_OTHERS)}.",
    )
    return option(command)


def _statuses(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    named = frozenset(word.strip() for text in given for word in text.split(",") if word.strip())
    for word in sorted(named - {"finished"}):
        if word not in _OTHERS:
            raise UsageError(f"no such status of a run: `{ascii(word)[1:-1]}`", hint=f"--include {','.join(_OTHERS)}")
    return named
