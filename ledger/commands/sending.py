"""Sending of new entries to the remote, unless there is none or it is switched off."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ledger.capture.secrets.redactor import Redactor
from ledger.commands.output import say
from ledger.errors import LedgerError
from ledger.settings import PUSH_SECONDS
from ledger.store.branch.branch import Branch
from ledger.store.sync.consent import WHAT_GOES, read_consent

F = TypeVar("F", bound=Callable[..., Any])  # click's own signature for decorators

_LONGEST_SECONDS = 86_400.0


def push_options(command: F) -> F:
    """Add `--push/--no-push` and `--push-timeout`."""
    seconds = click.FloatRange(min=0, min_open=True, max=_LONGEST_SECONDS)
    options = [
        click.option(
            "--push/--no-push", default=None, help="Send it to the remote. Default: the setting `ledger.push`."
        ),
        click.option(
            "--push-timeout",
            type=seconds,
            default=PUSH_SECONDS,
            show_default=True,
            metavar="SECONDS",
            help="Time limit for the remote.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def push_recorded(ledger: Branch, *, push: bool | None, push_timeout: float) -> None:
    """Sync after recording; a failure is one line, since the record is safe locally."""
    try:
        _push(ledger, push=push, push_timeout=push_timeout)
    except KeyboardInterrupt:
        _warn("stopped", "ledger sync")
    except Exception as error:  # noqa: BLE001  # the record is safe, whatever fails here
        _warn(str(error) or type(error).__name__, "ledger sync")


def _push(ledger: Branch, *, push: bool | None, push_timeout: float) -> None:
    consent = read_consent(ledger, push=push)
    if not consent.given:
        if consent.remote is not None:
            say(
                f"hint: nothing was sent; to share records with {consent.remote}: ledger init;"
                " to keep them here without this line: git config ledger.push false"
            )
        return
    if consent.first and consent.url:
        say(f"sending to {consent.remote} ({Redactor().url(consent.url)}) {WHAT_GOES}")
    # Only here: a clone without a remote never pays for it.
    from ledger.store.sync.sync import sync

    made = sync(ledger, timeout_seconds=push_timeout, hurry=True)
    if made.safe:
        say(made.message)
    else:
        _warn(made.message, made.hint or "ledger sync")


def announce_first_push(ledger: Branch, *, push: bool | None) -> None:
    """Print what goes where before the first send of this clone; a proposal is sent only on request."""
    try:
        consent = read_consent(ledger, push=push)
    except LedgerError:
        return  # several remotes: whoever sends says so
    if consent.first and consent.url:
        say(f"sending to {consent.remote} ({Redactor().url(consent.url)}) {WHAT_GOES}")


def _warn(why: str, hint: str) -> None:
    type_this = hint if "ledger sync" in hint else f"{hint}; then: ledger sync"
    say(f"warning: the record is safe here, but {why}; next: {type_this}")
