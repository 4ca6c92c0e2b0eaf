"""How the ranks of a training that share no folder find each other: by what the user states, or by torch's own store.

Nothing is imported to find out: `torch.distributed` is asked only where the training has initialised it.
"""

import os
import socket
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from ledger.errors import LedgerError
from ledger.settings import LINK_KEY_VARIABLE, LINK_VARIABLE
from ledger.wire.curve import SECRET_LENGTH, KeyPair, derived_pair, new_pair


class LeaderAddress(NamedTuple):
    """Where rank 0 listens."""

    address: str
    """Its address."""
    key: bytes
    """Its public key."""


class Meeting(Protocol):
    """How ranks find rank 0, and how it knows them."""

    pair: KeyPair
    """Key pair of this process."""

    @property
    def asked(self) -> int:
        """How many ranks have asked for the link so far, seen by rank 0."""

    is_stated: bool
    """Whether the user states where rank 0 listens."""

    def is_asked(self) -> bool:
        """Return whether some rank asks for the link, seen by rank 0."""

    def addresses(self) -> list[str]:
        """Return where rank 0 should listen: the first that works."""

    def offer(self, address: str) -> None:
        """Tell the ranks where rank 0 listens."""

    def knows(self, key: bytes) -> bool:
        """Return whether a public key is that of a rank."""

    def ask(self) -> LeaderAddress | None:
        """Ask rank 0 for the link, and return where it listens; none as long as it has not answered."""


def find_meeting(group: str, *, leads: bool, environment: Mapping[str, str]) -> Meeting | None:
    """Return how the ranks of a training meet; none as long as there is no way.

    Args:
        group: key of the training.
        leads: whether this is rank 0.
        environment: environment variables of the process.

    Raises:
        LedgerError: the stated address or secret cannot be used.
    """
    if stated := environment.get(LINK_VARIABLE):
        return StatedMeeting(stated, environment.get(LINK_KEY_VARIABLE, ""), group, leads=leads)
    store = _store_of_torch()
    return None if store is None else StoreMeeting(store, group)


class StatedMeeting:
    """An address and a secret that every rank was given; both sides derive their keys of it.

    Raises:
        LedgerError: the address or the secret cannot be used.
    """

    is_stated = True
    asked = 0

    def __init__(self, address: str, secret: str, group: str, *, leads: bool) -> None:
        told = urlsplit(address)
        try:
            port = told.port
        except ValueError:
            port = None
        if told.scheme != "tcp" or not told.hostname or not port or told.path:
            raise LedgerError(f"{LINK_VARIABLE} is no address: `{address[:100]}`", hint="tcp://HOST:PORT")
        if len(secret) < SECRET_LENGTH:
            raise LedgerError(
                f"{LINK_VARIABLE} needs a secret of {SECRET_LENGTH} characters at least in {LINK_KEY_VARIABLE}",
                hint=f"export {LINK_KEY_VARIABLE}=$(openssl rand -hex 32), the same in every rank",
            )
        self._host, self._port, self._address = told.hostname, port, address
        self._listener, self._rank = (derived_pair(secret, group, role) for role in ("rank 0", "other ranks"))
        self.pair = self._listener if leads else self._rank

    def is_asked(self) -> bool:
        """Return that the link is wanted, since the user says so."""
        return True

    def addresses(self) -> list[str]:
        """Return the stated address, and the port on every interface: its name may be that of a service in front."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        with_name = [f"tcp://{found}:{self._port}" for found in _addresses_of(self._host)]
        return [*with_name, f"tcp://{host}:{self._port}", f"tcp://*:{self._port}"]

    def offer(self, address: str) -> None:
        """Tell nobody: every rank was given the address."""

    def knows(self, key: bytes) -> bool:
        """Return whether somebody who has the secret speaks."""
        return key == self._rank.public

    def ask(self) -> LeaderAddress:
        """Return the stated address."""
        return LeaderAddress(self._address, self._listener.public)


class StoreMeeting:
    """The store by which the ranks of `torch.distributed` find each other; it carries public keys, and no secret.

    Ranks that do not see the spool of rank 0 ask; rank 0 opens no port before.

    Args:
        store: store of the default process group, or a connection of our own to it.
        group: key of the training.
    """

    is_stated = False

    def __init__(self, store: Any, group: str) -> None:  # noqa: ANN401  # torch is not imported here
        self._store = store
        self._asked_at, self._place_at = f"ledger/{group}/asked", f"ledger/{group}/place"
        self._peers: dict[bytes, str] = {}
        self._told = False
        self.pair = new_pair()

    @property
    def asked(self) -> int:
        """How many ranks have asked."""
        return len(self._peers)

    def is_asked(self) -> bool:
        """Return whether some rank asks; a question to the store, which answers at once."""
        if self._store.check([self._asked_at]):
            told = bytes(self._store.get(self._asked_at)).split()
            self._peers = {
                key: host.decode("ascii", "replace") for key, _, host in (one.partition(b",") for one in told)
            }
        return bool(self._peers)

    def addresses(self) -> list[str]:
        """Return a free port of the interface that faces the ranks that asked."""
        own = [found for host in dict.fromkeys(self._peers.values()) if (found := _facing(host))]
        return [f"tcp://[{host}]:*" if ":" in host else f"tcp://{host}:*" for host in own]

    def offer(self, address: str) -> None:
        """Write the address and the own public key into the store."""
        self._store.set(self._place_at, f"{address} {self.pair.public.decode()}")

    def knows(self, key: bytes) -> bool:
        """Return whether a rank has written this key into the store."""
        return key in self._peers or (self.is_asked() and key in self._peers)

    def ask(self) -> LeaderAddress | None:
        """Write the own public key into the store once, and look whether rank 0 has answered."""
        if not self._told:
            facing = _facing(os.environ.get("MASTER_ADDR", "")) or socket.gethostname()
            self._store.append(self._asked_at, f"{self.pair.public.decode()},{facing} ")
            self._told = True
        if not self._store.check([self._place_at]):
            return None
        address, _, key = bytes(self._store.get(self._place_at)).decode("ascii", "replace").partition(" ")
        return LeaderAddress(address, key.encode())


def _store_of_torch() -> Any:  # noqa: ANN401  # torch is not imported here
    """Return a connection of our own to the store of the default process group; none where there is none."""
    distributed = sys.modules.get("torch.distributed")
    try:
        if distributed is None or not distributed.is_available() or not distributed.is_initialized():
            return None
        # A connection of our own: what the training waits for on its own one must not wait for us, nor we for it.
        return sys.modules["torch.distributed.distributed_c10d"]._get_default_store().clone()  # noqa: SLF001
    except Exception:  # noqa: BLE001  # an older torch, a store without connections, or a group that is being torn down
        return None


def _facing(host: str) -> str | None:
    """Return the own address on the interface by which a host is reached; no packet is sent."""
    for family, kind, protocol, _, address in _resolve(host):
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.connect(address)
                return str(probe.getsockname()[0]).partition("%")[0]
        except OSError:
            continue
    return None


def _addresses_of(host: str) -> list[str]:
    found = dict.fromkeys(str(address[0]) for _, _, _, _, address in _resolve(host))
    return [f"[{one}]" if ":" in one else one for one in found]


def _resolve(host: str) -> list[Any]:
    try:
        return socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM) if host else []
    except (OSError, UnicodeError):
        return []
