"""`ledger watch`: how the GPUs of this host are used, run or no run, a document a day."""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from types import FrameType

import click

from ledger.commands.output import say, write_json, write_table
from ledger.commands.progress import Bar
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.formats.prometheus_dump import read_prometheus
from ledger.formatting import share
from ledger.hosts.day_log import gpus_of, holders_of
from ledger.hosts.from_cluster import ClusterDays, from_prometheus, from_sacct
from ledger.hosts.watcher import LOOK_SECONDS, Watcher
from ledger.model.hosts import HostSource
from ledger.model.values import counted, plain
from ledger.recorder.statements.host_days import HostDays, unknown_days
from ledger.store.branch.branch import Branch

_JSON_START = b"{"
_MOST_BYTES, _MOST_JSON_BYTES = 1 << 30, 1 << 27
_LINES_SHOWN = 10_000


@click.command("watch")
@click.option("--now", is_flag=True, help="Look once, print it, and record nothing.")
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read what a cluster keeps instead: output of sacct -P, or the answer of Prometheus to a range query.",
)
@click.option("--utc", is_flag=True, help="Times in the file of sacct are UTC, not of this machine's time zone.")
@click.option("--host", metavar="NAME", help="Name of the host in the documents. Default: that of the machine.")
@click.option("--no-names", is_flag=True, help="Name neither users nor jobs.")
@click.option(
    "--every",
    type=click.FloatRange(1, 30),
    default=LOOK_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks.",
)
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with --now or --from.")
def watch_command(
    now: bool,
    files: tuple[Path, ...],
    utc: bool,
    host: str | None,
    no_names: bool,
    every: float,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Watch the GPUs of this host until it is stopped, and record a document of each day: who held them, what worked.

    It looks every ten seconds and needs no root. A minute in which a process or a job held a GPU and less than 5 % of
    it worked is held idle. One watcher per host is enough; ledger idle and the site show what it saw.

    Example: ledger watch --now
    """
    if files and (now or host is not None):
        raise UsageError("a file names its hosts, and is recorded: --from goes with neither --now nor --host")
    if as_json and not (files or now):
        raise UsageError("a watcher prints nothing while it works: --json goes with --now or --from")
    ledger = open_ledger(writing=not now)
    if files:
        _import(ledger, files, utc=utc, names=not no_names, as_json=as_json)
        push_recorded(ledger, push=push, push_timeout=push_timeout)
        return
    watcher = Watcher(ledger, host, names=not no_names, every_seconds=every)
    if now:
        _tell_now(watcher, names=not no_names, as_json=as_json)
        return
    cards = watcher.open()
    say(f"watching {counted(cards, 'GPU')} of {watcher.host}; Ctrl-C or SIGTERM ends it and records what it saw")
    with _until_stopped() as stopped:
        for _ in watcher.days(stopped):
            push_recorded(ledger, push=push, push_timeout=push_timeout)


@contextmanager
def _until_stopped() -> Iterator[threading.Event]:
    """Provide an event that Ctrl-C and SIGTERM set; a second one ends the process at once."""
    stopped = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopped.set()

    # A process in the background of a script starts with SIGINT ignored: what is meant for others must not end it.
    numbers = [signal.SIGTERM, *([signal.SIGINT] if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN else [])]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_now(watcher: Watcher, *, names: bool, as_json: bool) -> None:
    watcher.open()
    looks = [(card, look if names else look.unnamed()) for card, look in watcher.look()]
    watcher.close()
    if as_json:
        write_json(
            [
                {
                    "gpu": card.gpu.name,
                    "uuid": card.gpu.uuid,
                    "use": look.use,
                    "activity": look.activity,
                    "owners": look.owners,
                }
                for card, look in looks
            ]
        )
        return
    rows = [
        [
            plain(card.gpu.name),
            "held idle" if look.use == "held" else look.use,
            "unknown" if look.activity is None else share(look.activity),
            plain(", ".join(f"{user} ({job})" if job else user for user, job in look.owners.items())),
        ]
        for card, look in looks
    ]
    write_table(["GPU", "use", "works", "held by"], rows)


def _import(ledger: Branch, files: tuple[Path, ...], *, utc: bool, names: bool, as_json: bool) -> None:
    added = known = left_out = 0
    maker = HostDays(ledger)
    for file in files:
        found, source = _read(file, utc=utc)
        days = [
            maker.make(
                log.host,
                source,
                (log.first, log.last),
                log.watched,
                gpus_of(log),
                holders_of(log, names=names),
                found.unknown | log.left_out,
            )
            for log in found.logs
            if log.cards
        ]
        fresh = unknown_days(ledger, days)
        added, known = added + maker.append(fresh), known + len(days) - len(fresh)
        left_out += found.left_out
        if found.left_out:
            say(f"warning: {counted(found.left_out, 'line')} of `{file}` left out: {'; '.join(found.unreadable[:3])}")
    if as_json:
        write_json({"added": added, "known": known, "left_out": left_out})
        return
    again = f", {counted(known, 'day')} known already" if known else ""
    say(f"{counted(added, 'day')} of hosts recorded{again}; next: ledger idle")


def _read(file: Path, *, utc: bool) -> tuple[ClusterDays, HostSource]:
    size = file.stat().st_size
    with file.open("rb") as opened:
        is_json = opened.read(256).lstrip().startswith(_JSON_START)
    most = _MOST_JSON_BYTES if is_json else _MOST_BYTES
    if size > most:
        raise LedgerError(f"larger than {most >> 20:,} MiB: `{file}`", hint="export fewer days at once")
    if is_json:
        return from_prometheus(read_prometheus(file.read_bytes(), str(file))), "prometheus"
    with file.open(encoding="utf-8", errors="replace", newline="\n") as lines, Bar(f"reading {file.name}") as bar:
        return from_sacct(_shown(lines, bar, size), str(file), UTC if utc else None), "sacct"


def _shown(lines: Iterable[str], bar: Bar, size: int) -> Iterator[str]:
    """Yield lines, and show how far the file is read."""
    read = 0
    for number, line in enumerate(lines):
        read += len(line)
        if number % _LINES_SHOWN == 0:
            bar.count(min(read, size), size)
        yield line
