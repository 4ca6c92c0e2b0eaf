"""Making repositories, through GitPython, and reading their history.

GitPython costs 0.07 to 0.2 s of CPU to import, and takes the ids of SHA-256 repositories for damage.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.entries import LogEntry
from ledger.model.record import Author
from ledger.repository.repository import EMBEDDED, Repository


def create_embedded(folder: Path) -> Repository:
    """Make a repository for the ledger alone inside `folder`, and return it; it is found again if it exists.

    Raises:
        LedgerError: the folder cannot be written to.
    """
    import git

    git_dir = folder.resolve() / EMBEDDED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = git.Repo.init(git_dir, bare=True, initial_branch="main")
        with made.config_writer() as config:
            config.set_value("core", "bare", "false")
            config.set_value("core", "worktree", "..")
        exclude = git_dir / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(f"/{EMBEDDED}/\n", encoding="utf-8")
        made.close()
    except (OSError, git.GitCommandError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise LedgerError(f"cannot make a ledger here ({why}): `{folder}`") from error
    return Repository.at_embedded(git_dir)


_FIELDS = ("%H", "%ct", "%an", "%ae", "%s", "%B")
"""Commit, seconds since 1970, author's name and address, subject, whole message (git-log, pretty formats)."""


def read_log(repository: Repository, tip: str, limit: int | None = None) -> Iterator[LogEntry]:
    """Yield the commits that lead to `tip`, newest first.

    Raises:
        LedgerError: the history is damaged.
    """
    options = ("-z", "--encoding=UTF-8", "--no-show-signature", f"--format={'%x00'.join(_FIELDS)}")
    limited = () if limit is None else (f"--max-count={limit}",)
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
