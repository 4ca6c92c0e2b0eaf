"""Keys of a link: made for one training, or derived by both sides from a secret that they were given.

Source of the protocol that they are for: https://rfc.zeromq.org/spec/26/ (CurveZMQ, Curve25519).
"""

import hashlib
import hmac
from typing import NamedTuple

SECRET_LENGTH = 32
"""Characters of a secret at least: whoever records a handshake may try short ones without asking anybody."""


class KeyPair(NamedTuple):
    """A Curve25519 key pair, each key in the 40 letters of Z85."""

    public: bytes
    """Key that others may know."""
    secret: bytes
    """Key that stays in this process."""


def new_pair() -> KeyPair:
    """Return a new key pair."""
    import zmq

    return KeyPair(*zmq.curve_keypair())


def derived_pair(secret: str, *purpose: str) -> KeyPair:
    """Return the key pair of a purpose: the same wherever the secret is known, another one for every other purpose.

    One block of HKDF-SHA256 (RFC 5869) whose info is the purpose.
    """
    import zmq
    from zmq.utils import z85

    told = "\0".join(purpose).encode()
    key = hmac.digest(b"git-ledger link", secret.encode("utf-8", "surrogateescape"), hashlib.sha256)
    own = z85.encode(hmac.digest(key, told + b"\x01", hashlib.sha256))
    return KeyPair(zmq.curve_public(own), own)
