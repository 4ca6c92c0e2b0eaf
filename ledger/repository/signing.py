"""SSH signatures (OpenSSH's PROTOCOL.sshsig), made and checked by `ssh-keygen`, which git also uses.

Nothing here can wait for a person: no terminal, no passphrase prompt; a key without passphrase or an agent it is.
"""

import base64
import binascii
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from ledger.errors import LedgerError
from ledger.repository.repository import Repository

NAMESPACE = "ledger"
"""Namespace of our signatures: one made for a commit, a mail or a login is not valid for an entry."""
_SECONDS = 10.0
"""Time limit for an agent to sign."""
_MAGIC = b"SSHSIG\0\0\0\1"
"""Beginning of a signature, with the version of its format (PROTOCOL.sshsig, section 3)."""


def signing_key(repository: Repository) -> str:
    """Return the signing key in git's configuration: a file, or the public key itself.

    Raises:
        LedgerError: git is told of none, or of one that is no SSH key.
    """
    settings = dict(repository.config(r"^(user\.signingkey|gpg\.format)$"))
    key = settings.get("user.signingkey", "")
    if not key or (settings.get("gpg.format") != "ssh" and not _is_ssh_key(key)):
        said = "git has no signing key" if not key else f"git's signing key is not an SSH key: `{key}`"
        raise LedgerError(said, hint="git config gpg.format ssh; git config user.signingKey ~/.ssh/id_ed25519.pub")
    return key


def _is_ssh_key(key: str) -> bool:
    return key.startswith(("ssh-", "ecdsa-", "sk-", "key::")) or Path(key).expanduser().with_suffix(".pub").is_file()


def sign(key: str, payload: bytes) -> bytes:
    """Return the armoured signature of a payload.

    Args:
        key: file of the private or public key, or the public key itself, whose private half an agent holds.
        payload: what is signed.

    Raises:
        LedgerError: it cannot be signed: no such key, a passphrase that nobody can type, no `ssh-keygen`.
    """
    literal = key.removeprefix("key::")
    if literal == key and not key.startswith(("ssh-", "ecdsa-", "sk-")):
        return _signed(Path(key).expanduser(), payload)
    with tempfile.NamedTemporaryFile("w", suffix=".pub") as file:
        file.write(f"{literal}\n")
        file.flush()
        return _signed(Path(file.name), payload)


def _signed(file: Path, payload: bytes) -> bytes:
    code, out, err = _ssh_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(file)], payload)
    if code or not out.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        said = (err.decode("utf-8", "replace").strip().splitlines() or ["no signature came back"])[-1]
        raise LedgerError(
            f"signing with this key failed ({said}): `{file}`", hint="load the key into an agent with ssh-add"
        )
    return out


def public_key(signature: bytes) -> bytes | None:
    """Return the public key inside a signature, as SSH writes it; none when it is no signature."""
    lines = signature.split(b"\n")
    try:
        inside = base64.b64decode(b"".join(lines[1 : lines.index(b"-----END SSH SIGNATURE-----")]), validate=True)
    except (ValueError, binascii.Error):
        return None
    if not inside.startswith(_MAGIC):
        return None
    size = int.from_bytes(inside[len(_MAGIC) : len(_MAGIC) + 4], "big")
    return inside[len(_MAGIC) + 4 :][:size]


class Signers:
    """Allowed signers, in a file for `ssh-keygen` that exists for the length of the block.

    Args:
        allowed: lines of an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS).
    """

    def __init__(self, allowed: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ledger-signers-")
        self.file = Path(self._folder.name) / "allowed_signers"
        self.file.write_text(f"{allowed.rstrip()}\n", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def signer(self, payload: bytes, signature: bytes, at: datetime) -> str | None:
        """Return the signer of a payload: a listed name whose key was valid then; none when no listed key signed it."""
        if public_key(signature) is None:
            return None
        with tempfile.NamedTemporaryFile(dir=self._folder.name, suffix=".sig") as file:
            file.write(signature)
            file.flush()
            about = ["-f", str(self.file), "-s", file.name, f"-Overify-time={at:%Y%m%d%H%M%S}"]
            code, out, _ = _ssh_keygen(["-Y", "find-principals", *about], b"")
            for name in out.decode("utf-8", "replace").splitlines() if code == 0 else []:
                if _ssh_keygen(["-Y", "verify", "-I", name, "-n", NAMESPACE, *about], payload)[0] == 0:
                    return re.sub(r"[^\x20-\x7e]", "?", name)
        return None


def _ssh_keygen(arguments: Sequence[str], stdin: bytes) -> tuple[int, bytes, bytes]:
    # Times of an allowed-signers file are in the time zone of the process; entries' are UTC.
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=stdin,
            capture_output=True,
            env=environment,
            timeout=_SECONDS,
            start_new_session=True,  # no terminal to ask for a passphrase at
            check=False,
        )
    except FileNotFoundError as error:
        raise LedgerError("ssh-keygen is not installed", hint="install openssh-client") from error
    except subprocess.TimeoutExpired as error:
        raise LedgerError(f"ssh-keygen gave no answer within {_SECONDS:.0f} s") from error
    return done.returncode, done.stdout, done.stderr
