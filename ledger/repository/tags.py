"""Annotated tags: statements about a commit, signed where there is a key."""

import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.repository.process import git_error
from ledger.repository.repository import Repository


class Tag(Document, frozen=True, kw_only=True):
    """An annotated tag."""

    name: str
    """Name below `refs/tags/`."""
    commit: str
    """Commit it is about."""
    message: str
    """Its message, without the signature."""
    made_at: datetime
    """When, UTC."""
    signed: bool
    """Whether it has an SSH signature, of anybody."""


def make_tag(repository: Repository, name: str, commit: str, message: str, *, key: str | None) -> None:
    """Make an annotated tag, signed with an SSH key where one is given.

    Raises:
        LedgerError: the name is taken, or git cannot sign with this key.
    """
    settings = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key}"] if key else []
    kind = "--sign" if key else "--no-sign"
    arguments = ("tag", "--annotate", kind, "--cleanup=verbatim", "--file=-", "--end-of-options", name, commit)
    # A passphrase that nobody types ends with the time, not with the job's allocation.
    code, _, err = repository.git.attempt(*settings, *arguments, stdin=message.encode(), timeout_seconds=30)
    if code:
        raise git_error("tag", code, err)


def read_tags(repository: Repository, pattern: str) -> list[Tag]:
    """Return the annotated tags that match a pattern such as `ledger/*`, by name; lightweight ones are skipped."""
    wanted = "%(refname:strip=2)%00%(*objectname)%00%(taggerdate:unix)%00%(contents:signature)%00%(contents)%00%01"
    out = repository.git.output("for-each-ref", f"--format={wanted}", f"refs/tags/{pattern}")
    tags = []
    for line in os.fsdecode(out).split("\x01"):
        name, commit, seconds, signature, message, *_ = [*line.lstrip("\n").split("\0"), *[""] * 5]
        if commit and seconds.isdigit():
            tags.append(
                Tag(
                    name=name,
                    commit=commit,
                    message=message.removesuffix(signature),
                    made_at=datetime.fromtimestamp(int(seconds), tz=UTC),
                    signed=signature.startswith("-----BEGIN SSH SIGNATURE-----"),
                )
            )
    return tags


def read_tag(repository: Repository, name: str, object_id: str) -> Tag | None:
    """Return the annotated tag in an object; none when it is something else; it need not have a ref yet.

    Args:
        repository: where the object is.
        name: name of the tag, below `refs/tags/`.
        object_id: the object.
    """
    code, out, _ = repository.git.attempt("cat-file", "tag", object_id)
    head, _, said = out.decode("utf-8", "replace").partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.split("\n") if " " in line)
    if code or fields.get("type") != "commit":
        return None
    message, mark, _ = said.partition("-----BEGIN SSH SIGNATURE-----")
    words = fields.get("tagger", "").split()
    seconds = int(words[-2]) if len(words) > 1 and re.fullmatch(r"\d{1,11}", words[-2]) else 0
    return Tag(
        name=name,
        commit=fields.get("object", ""),
        message=message,
        made_at=datetime.fromtimestamp(seconds, tz=UTC),
        signed=bool(mark),
    )


def is_signed_by(repository: Repository, name: str, allowed: str) -> bool:
    """Return whether a tag is signed by somebody in the lines of an allowed-signers file.

    Raises:
        LedgerError: the list cannot be handed to git.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="ledger-signers-") as folder:
            file = Path(folder) / "allowed_signers"
            file.write_text(f"{allowed.rstrip()}\n", encoding="utf-8")
            settings = (
                "-c",
                "gpg.format=ssh",
                "-c",
                f"gpg.ssh.allowedSignersFile={file}",
                "-c",
                "gpg.minTrustLevel=fully",
            )
            return repository.git.attempt(*settings, "verify-tag", "--end-of-options", name)[0] == 0
    except OSError as error:
        raise LedgerError(f"the list of signers cannot be written: {error.strerror}") from error
