"""Addresses of data servers, and the files with their keys: what may be reached without encryption, and by whom.

Without keys, a server listens only where nobody but its user can reach it: at a socket in a folder of the user's own,
or at the loopback interface.
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ledger.errors import LedgerError, UsageError
from ledger.model.feed import Transport
from ledger.wire.curve import KeyPair, new_pair

_KEY = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""A key of 32 bytes in Z85: https://rfc.zeromq.org/spec/32/."""
_MOST_PATH = 100
"""Longest path of a socket, in bytes: Linux allows 107, macOS 103."""


class Keys(NamedTuple):
    """Keys of an encrypted connection."""

    server: bytes
    """Public key of the server."""
    own: KeyPair
    """Key pair of the client."""


def transport_of(address: str) -> Transport:
    """Return how an address is reached.

    Raises:
        UsageError: it is none, or the path of its socket is too long.
    """
    told = urlsplit(address)
    path = address.removeprefix("ipc://")
    if told.scheme == "ipc" and path.startswith("/"):  # a name that begins with "@" would be open to everybody
        if len(os.fsencode(path)) > _MOST_PATH:
            raise UsageError(f"the path of the socket is longer than {_MOST_PATH} bytes: `{path}`")
        return "ipc"
    try:
        if told.scheme == "tcp" and told.hostname and (told.netloc.endswith(":*") or told.port is not None):
            return "tcp"
    except ValueError:
        pass
    raise UsageError(f"not an address of a data server: `{address}`", hint="ipc:///FOLDER/NAME or tcp://HOST:PORT")


def is_own_host(address: str) -> bool:
    """Return whether only processes of this host can reach an address."""
    if transport_of(address) == "ipc":
        return True
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def default_address(content: str) -> str:
    """Return the address at which a dataset is served by default: a socket in a folder that only the user opens."""
    name = content.rpartition(":")[2][:16]
    if folder := os.environ.get("XDG_RUNTIME_DIR"):
        own = f"{folder}/ledger-serve/{name}"
        if len(os.fsencode(own)) <= _MOST_PATH:
            return f"ipc://{own}"
    # Right in /tmp, whose folders only their owners can replace.
    return f"ipc:///tmp/ledger-serve-{os.getuid()}/{name}"  # checked where it is made


def prepare_socket(address: str) -> None:
    """Make the folder of a socket, which nobody else may open.

    Raises:
        LedgerError: it belongs to somebody else, is open to others, cannot be made, or its address is none; or what
            lies there is no socket, which listening would remove.
    """
    transport_of(address)
    path = Path(address.removeprefix("ipc://"))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.parent.lstat()
    except OSError as error:
        why = (error.strerror or "").lower()
        raise LedgerError(
            f"the folder of the socket cannot be made ({why}): `{path.parent}`", hint="--listen ipc:///FOLDER/NAME"
        ) from error
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise LedgerError(f"others may open the folder of the socket: `{path.parent}`", hint=f"chmod 700 {path.parent}")
    if os.path.lexists(path) and not path.is_socket():
        raise LedgerError(f"what lies there is no socket, and would be lost: `{path}`", hint="name another address")


def write_keys(path: Path) -> bytes:
    """Write a new key pair to a file that only the user reads, and return its public key.

    Raises:
        LedgerError: there is a file already, or it cannot be written.
    """
    pair = new_pair()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, b"public " + pair.public + b"\nsecret " + pair.secret + b"\n")
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LedgerError(f"the keys cannot be written ({(error.strerror or '').lower()}): `{path}`") from error
    return pair.public


def load_pair(path: Path) -> KeyPair:
    """Return the key pair in a file.

    Raises:
        LedgerError: it cannot be read, holds none, or others may read it.
    """
    found = _lines(path)
    if "public" not in found or "secret" not in found:
        raise LedgerError(f"the file holds no key pair: `{path}`", hint="ledger serve --keygen FILE")
    if path.stat().st_mode & 0o077:
        raise LedgerError(f"others may read the secret key: `{path}`", hint=f"chmod 600 {path}")
    return KeyPair(found["public"], found["secret"])


def load_keys(path: Path) -> Keys:
    """Return the keys of a client: its own pair, and the line `server KEY`.

    Raises:
        LedgerError: it cannot be read, or one is missing.
    """
    pair, found = load_pair(path), _lines(path)
    if "server" not in found:
        raise LedgerError(
            f"the file does not say the public key of the server: `{path}`", hint="add a line to it: server KEY"
        )
    return Keys(found["server"], pair)


def load_allowed(path: Path) -> frozenset[bytes]:
    """Return the public keys in a file, one on each line; what follows a key is a comment.

    Raises:
        LedgerError: it cannot be read, or a line begins with no key.
    """
    keys = set()
    for number, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip() or line.startswith(b"# "):
            continue
        word = line.split()[0]
        if not _KEY.fullmatch(word):
            raise LedgerError(f"line {number} begins with no public key: `{path}`", hint="ledger serve --keygen FILE")
        keys.add(word)
    return frozenset(keys)


def _lines(path: Path) -> dict[str, bytes]:
    found = {}
    for line in _read(path).splitlines():
        name, _, key = line.strip().partition(b" ")
        if _KEY.fullmatch(key):
            found[name.decode("ascii", "replace")] = key
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LedgerError(f"the file cannot be read ({(error.strerror or '').lower()}): `{path}`") from error
