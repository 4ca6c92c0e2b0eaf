"""From what a user names to a data server: the samples, the sockets, and the question how another one does."""

import os
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from ledger.data.sources.kept_samples import KeptSamples
from ledger.data.sources.source import Reader
from ledger.errors import LedgerError, UsageError
from ledger.hashing import hash_bytes
from ledger.serve import messages
from ledger.serve.addresses import is_own_host, load_allowed, load_keys, load_pair
from ledger.serve.decoding import Decoder, DecodingProcesses, Recipe, load_transform
from ledger.serve.messages import StatusReply
from ledger.serve.opening import open_version
from ledger.serve.server import ServedData
from ledger.wire.caller import Caller
from ledger.wire.listener import Listener

_ANSWER_SECONDS = 5.0


def open_served(
    data: str,
    *,
    path: str | None,
    columns: Sequence[str] = (),
    labels: str | None = None,
    transform: str | None = None,
    verify: bool = True,
    processes: int = 0,
    disk_bytes: int = 0,
) -> ServedData:
    """Return what a server serves.

    Args:
        data: `name@version` with `path`, or a path.
        path: where the data of the version lie.
        columns: columns that are read; all by default.
        labels: where labels of samples that are files come from.
        transform: `module:function`, which makes a sample of a sample.
        verify: compare the data with their version.
        processes: how many processes decode; none but this one by default.
        disk_bytes: room for decoded samples on disk; none by default.

    Raises:
        LedgerError: the data cannot be read, there is no such version, or no such function.
    """
    opened_ns = time.time_ns()
    used, source, check = open_version(data, path, columns=columns, labels=labels, verify=verify)
    label = f"{used.name}@{used.version}" if used.name else data
    here = Decoder(source, load_transform(transform) if transform is not None else None)
    recipe = Recipe(used.path, tuple(columns), labels, transform, opened_ns)
    decoder: Reader = DecodingProcesses(recipe, processes) if processes else here
    if disk_bytes:
        made_of = (check.expected, here.code, recipe.columns, labels, _pillow())
        key = hash_bytes(msgspec.json.encode(made_of)).removeprefix("blake3:")
        decoder = KeptSamples(decoder, len(source), key, disk_bytes, lambda: check.done)
    return ServedData(source, label, check, decoder, here.code)


def _pillow() -> str | None:
    """Return the version of Pillow, which may decode otherwise than another one."""
    try:
        return version("pillow")
    except PackageNotFoundError:
        return None


def listen(at: Sequence[str], key: Path | None, allow: Path | None) -> list[Listener]:
    """Return sockets at some addresses.

    Raises:
        LedgerError: an address is none, is in use, or could be reached by others without keys.
    """
    pair = load_pair(key) if key is not None else None
    allowed = load_allowed(allow) if allow is not None else frozenset()
    for address in at:
        if not is_own_host(address) and (pair is None or not allowed):
            raise UsageError(
                f"others could reach this address, so it needs keys: `{address}`",
                hint="--key FILE --allow FILE (encryption costs about 5 times the CPU; a tunnel is cheaper for bulk)",
            )
    listeners: list[Listener] = []
    for address in at:
        try:
            # A socket of the user's own is not encrypted: nobody else can open it.
            own = None if address.startswith("ipc://") else pair
            listeners.append(Listener(address, own, allowed.__contains__, message_bytes=messages.HEADER_BYTES))
        except OSError as error:
            for listener in listeners:
                listener.close()
            why = os.strerror(error.errno).lower() if error.errno else str(error)
            raise LedgerError(f"cannot listen there ({why}): `{address}`", hint="name another address") from None
    return listeners


def ask_status(address: str, key: Path | None) -> StatusReply:
    """Return what the server at an address does.

    Raises:
        LedgerError: none answers.
    """
    is_own_host(address)  # raises for what is no address
    keys = load_keys(key) if key is not None else None
    caller = Caller(address, keys.server if keys else None, keys.own if keys else None)
    try:
        caller.send([messages.encode(messages.Status())])
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline:
            told = caller.receive(0.2)
            if told:
                answer = messages.decode_server(told[0])
                if isinstance(answer, StatusReply):
                    return answer
    except (OSError, msgspec.DecodeError):
        pass
    finally:
        caller.close()
    raise LedgerError(f"no data server answers: `{address}`")
