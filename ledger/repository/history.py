"""Making repositories and reading their history, through GitPython.

GitPython costs 0.07 to 0.2 s of CPU to import, so only what is not on the way of a record stands here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import git

from ledger.errors import LedgerError
from ledger.model.entries import LogEntry
from ledger.model.record import Author
from ledger.repository.repository import EMBEDDED, Repository


def create_embedded(folder: Path) -> Repository:
    """Make a repository for the ledger alone inside `folder`, and return it; it is found again if it exists.

    Raises:
        LedgerError: the folder cannot be written to.
    """
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


def read_log(repository: Repository, tip: str, limit: int | None = None) -> Iterator[LogEntry]:
    """Yield the commits that lead to `tip`, newest first.

    Raises:
        LedgerError: the history is damaged.
    """
    with git.Repo(repository.git_dir) as repo:
        repo.git.update_environment(GIT_DIR=str(repository.git_dir))
        try:
            for commit in repo.iter_commits(tip, max_count=-1 if limit is None else limit):
                yield LogEntry(
                    commit=commit.hexsha,
                    time=datetime.fromtimestamp(commit.committed_date, tz=UTC),
                    author=Author(name=commit.author.name or "unknown", email=commit.author.email or ""),
                    subject=str(commit.summary),
                    message=str(commit.message),
                )
        except (git.GitCommandError, ValueError, OSError) as error:
            raise LedgerError(f"cannot read the history of the ledger: {error}") from error
