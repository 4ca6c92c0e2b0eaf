"""What is said and done when a run in a script has been recorded: one line, warnings, a push and a command on request.

Nothing here raises into training.
"""

import contextlib
import logging
import os
import sys

from ledger.model.characters import plain
from ledger.model.record import Record
from ledger.recorder.message import closing_line
from ledger.recorder.record.warnings import how_to_name, warn_of_record
from ledger.session.process.end_command import run_end_command
from ledger.session.spool.location import SpoolPlace
from ledger.settings import PUSH_SECONDS, PUSH_VARIABLE
from ledger.store.branch.branch import Branch

_LOG = logging.getLogger("ledger")


def tell_recorded(place: SpoolPlace, record: Record) -> None:
    """Print that a run is recorded, warnings about its datasets, and how to name unnamed ones; send it where asked."""
    try:
        warnings, name = warn_of_record(place.ledger, record), how_to_name(record)
    except Exception:  # noqa: BLE001  # it is recorded, whatever broke; the log has the trace
        _LOG.exception("run %s is recorded, but its datasets could not be looked at", record.id)
        warnings, name = [], None
    for warning in warnings:
        _LOG.warning("run %s: %s", record.id, warning)
    announce(closing_line(record) + (f"; to name its data: {name}" if name else ""))
    if place.ledger is None:
        return
    if os.environ.get(PUSH_VARIABLE) == "1":  # only on request, so that no other training waits for a network
        _push(place.ledger, record)
    if why := run_end_command(place.ledger.repository, record):
        _LOG.warning("run %s: %s", record.id, why)


def _push(ledger: Branch, record: Record) -> None:
    """Send a record to the remote."""
    try:
        from ledger.store.sync.sync import sync

        made = sync(ledger, timeout_seconds=PUSH_SECONDS, hurry=True)
    except Exception:  # noqa: BLE001  # training goes on, whatever broke; the log has the trace
        _LOG.exception("run %s is recorded here, but was not sent", record.id)
        return
    if made.safe:
        announce(made.message)
    else:
        _LOG.warning("run %s is safe here, but %s (hint: %s)", record.id, made.message, made.hint)


def announce(line: str) -> None:
    """Print one line: to the log where there is one, else to stderr."""
    if _LOG.hasHandlers():
        _LOG.info(plain(line))
    else:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed or missing
            sys.stderr.write(f"{plain(line)}\n")
