"""`ledger serve`: hand out the samples of a dataset version to trainings."""

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click

from ledger.commands.output import echo, say, write_json
from ledger.errors import LedgerError, UsageError
from ledger.formatting import byte_size, duration

try:
    from ledger.serve import addresses
    from ledger.serve.hosting import ask_status, listen, open_served
    from ledger.serve.messages import StatusReply
    from ledger.serve.server import CACHE_BYTES, CLIENTS, DataServer
except ModuleNotFoundError as error:
    raise UsageError(f"a data server needs a package: `{error.name}`", hint="pip install 'git-ledger[serve]'") from None

_MEGABYTE = 1 << 20


@click.command("serve")
@click.argument("data", required=False)
@click.option("--path", type=click.Path(), help="Where the data of the version lie, if not where it was added from.")
@click.option("--transform", metavar="MODULE:FUNCTION", help="Make a sample of each sample, the same every time.")
@click.option("--labels", metavar="SOURCE", help="Where labels come from, as for `ledger dataset add`.")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Read only these columns of arrays.")
@click.option("--listen", "at", multiple=True, metavar="ADDRESS", help="ipc:///PATH or tcp://HOST:PORT; several work.")
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Threads that decode.")
@click.option("--processes", type=click.IntRange(0, 256), default=0, help="Decode in so many processes instead.")
@click.option(
    "--cache", "cache_mb", type=click.IntRange(0), default=CACHE_BYTES // _MEGABYTE, show_default=True,
    help="Memory for decoded batches, in MiB.",
)  # fmt: skip
@click.option(
    "--disk-cache", "disk_mb", type=click.IntRange(0), default=0, help="Room for decoded samples on disk, in MiB."
)
@click.option("--clients", type=click.IntRange(1, 4096), default=CLIENTS, show_default=True, help="Most trainings.")
@click.option("--no-verify", is_flag=True, help="Do not compare the data with their version.")
@click.option("--key", type=click.Path(dir_okay=False), help="File with the key pair of the server.")
@click.option("--allow", type=click.Path(dir_okay=False), help="File with the public keys of clients, one a line.")
@click.option("--keygen", type=click.Path(dir_okay=False), help="Write a new key pair to this file, and end.")
@click.option("--status", metavar="ADDRESS", help="Say what the server at this address does, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
def serve_command(  # one for each option
    data: str | None,
    path: str | None,
    transform: str | None,
    labels: str | None,
    columns: tuple[str, ...],
    at: tuple[str, ...],
    workers: int,
    processes: int,
    cache_mb: int,
    disk_mb: int,
    clients: int,
    no_verify: bool,
    key: str | None,
    allow: str | None,
    keygen: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    """Serve the samples of DATA, a version `name@version` or a path, to every training that asks.

    Example: ledger serve digits-train@v3 --path data/train
    """
    if keygen is not None:
        echo(addresses.write_keys(Path(keygen)).decode())
        return
    if status is not None:
        _tell_status(ask_status(status, Path(key) if key else None), as_json=as_json)
        return
    if data is None:
        raise UsageError("missing argument `DATA`", hint="ledger serve --help")
    if disk_mb and no_verify:
        raise UsageError("only data that are compared with their version are kept on disk", hint="not with --no-verify")
    served = open_served(
        data,
        path=path,
        columns=columns,
        labels=labels,
        transform=transform,
        verify=not no_verify,
        processes=processes,
        disk_bytes=disk_mb * _MEGABYTE,
    )
    listened = at or (addresses.default_address(served.check.expected),)
    with _Locks(listened):
        listeners = listen(listened, Path(key) if key else None, Path(allow) if allow else None)
        server = DataServer(
            served, listeners, workers=max(workers, processes), cache_bytes=cache_mb * _MEGABYTE, clients=clients
        )
        _end_on_signal(server)
        for listener in listeners:
            say(f"serving {served.label}, {len(served.source)} samples, at {listener.address}")
        try:
            server.run()
        finally:
            for address in listened:
                if address.startswith("ipc://"):
                    Path(address.removeprefix("ipc://")).unlink(missing_ok=True)
    done = server.status()
    say(f"served {done.batches} batches, {byte_size(done.bytes)}, in {duration(done.seconds)}")


class _Locks:
    """Locks on the sockets of a server: the next one would take an address away without a word."""

    def __init__(self, listened: tuple[str, ...]) -> None:
        self._paths = [address.removeprefix("ipc://") for address in listened if address.startswith("ipc://")]
        self._files: list[int] = []

    def __enter__(self) -> None:
        for path in self._paths:
            addresses.prepare_socket(f"ipc://{path}")
            try:
                file = os.open(f"{path}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._files.append(file)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.__exit__()
                raise LedgerError(
                    f"a data server listens there already: `ipc://{path}`", hint=f"ledger serve --status ipc://{path}"
                ) from None
            except OSError as error:
                self.__exit__()
                why = (error.strerror or "").lower()
                raise LedgerError(f"the socket cannot be locked ({why}): `{path}.lock`") from error

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            with suppress(OSError):
                os.close(file)
        self._files.clear()


def _end_on_signal(server: DataServer) -> None:
    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends us at once, whatever a transform does
        server.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _tell_status(status: StatusReply, *, as_json: bool) -> None:
    if as_json:
        write_json(status)
        return
    verified = "compared with its hash" if status.verified else "not compared with its hash"
    echo(f"{status.label}: {status.samples} samples, {verified}")
    echo(
        f"{status.clients} clients, {status.batches} batches ({status.decoded} decoded), {byte_size(status.bytes)}"
        f" in {duration(status.seconds)}"
    )
