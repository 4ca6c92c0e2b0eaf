"""Reads the history of a branch."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ledger.errors import LedgerError
from ledger.model.entries import LogEntry
from ledger.model.record import Author
from ledger.repository.repository import Repository

_FIELDS = ("%H", "%ct", "%an", "%ae", "%s", "%B")
"""Commit, seconds since 1970, author's name and address, subject, whole message (git-log, pretty formats)."""


_MOST = (1 << 31) - 1
"""The largest number that git accepts."""


def read_log(repository: Repository, tip: str, limit: int | None = None) -> Iterator[LogEntry]:
    """Yield the commits that lead to `tip`, newest first.

    Raises:
        LedgerError: the history is damaged.
    """
    options = ("-z", "--encoding=UTF-8", "--no-show-signature", f"--format={'%x00'.join(_FIELDS)}")
    limited = () if limit is None else (f"--max-count={min(limit, _MOST)}",)
    try:
        out = repository.git.output("log", *options, *limited, "--end-of-options", tip, "--")
    except LedgerError as error:
        raise LedgerError(f"cannot read the history of the ledger: {error.message}", hint="git fsck") from error
    texts = iter(out.decode("utf-8", "replace").split("\0")[:-1])
    for commit, seconds, name, email, subject, message in zip(*[texts] * len(_FIELDS), strict=True):
        yield LogEntry(
            commit=commit,
            time=datetime.fromtimestamp(int(seconds), tz=UTC),
            author=Author(name=name or "unknown", email=email),
            subject=subject,
            message=message,
        )
