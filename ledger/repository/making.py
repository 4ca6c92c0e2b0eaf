"""Creation of repositories: for a ledger alone, for pushes of a team, and for a project.

GitPython costs 0.07 to 0.2 s of CPU to import, so nothing that a record waits for stands here.
"""

from pathlib import Path

import git

from ledger.errors import LedgerError
from ledger.model.record import Author
from ledger.repository.process import Git
from ledger.repository.repository import EMBEDDED, Repository


def create_embedded(folder: Path) -> Repository:
    """Create a repository for the ledger alone inside `folder`, or find the existing one, and return it.

    Raises:
        LedgerError: the folder cannot be written to.
    """
    git_dir = folder.resolve() / EMBEDDED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with git.Repo.init(git_dir, bare=True, initial_branch="main") as made, made.config_writer() as config:
            config.set_value("core", "bare", "false")
            config.set_value("core", "worktree", "..")
        exclude = git_dir / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(f"/{EMBEDDED}/\n", encoding="utf-8")
    except (OSError, git.GitError) as error:
        raise LedgerError(f"cannot make a ledger here ({_why(error)}): `{folder}`") from error
    return Repository.at_embedded(git_dir)


def create_server(folder: Path, object_format: str) -> Repository:
    """Create a bare repository for pushes, or find the existing one, and return it.

    Args:
        folder: of the repository; made where it is missing.
        object_format: `sha1` or `sha256`, as git names them.

    Raises:
        LedgerError: the folder cannot be written to, or holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()):
        found = Repository.discover(folder)
        if found.worktree is not None or found.git_dir.resolve() != folder.resolve():
            raise LedgerError(
                f"this folder already holds something else: `{folder}`", hint="name a new folder, such as ledger.git"
            )
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"cannot make a repository here ({_why(error)}): `{folder}`") from error
    maker = Git(folder)  # GitPython would expand a dollar sign in the path
    maker.output("init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}")
    # A reflog shows an admin the former tips of a branch; bare repositories have none by default.
    maker.output("config", "core.logAllRefUpdates", "true")
    # Git refuses malformed objects only on request (git-config, receive.fsckObjects).
    maker.output("config", "receive.fsckObjects", "true")
    return Repository.discover(folder)


def create_project(folder: Path, author: Author, message: str) -> Repository:
    """Create a repository with the files in `folder`, except ignored ones, in one commit, and return it.

    Args:
        folder: exists and is in no repository.
        author: who works in it, from now on.
        message: of the commit.

    Raises:
        LedgerError: the folder cannot be written to.
    """
    try:
        with git.Repo.init(folder, initial_branch="main") as made:
            with made.config_writer() as config:
                config.set_value("user", "name", author.name)
                config.set_value("user", "email", author.email)
            made.git.add("--all")
            who = git.Actor(author.name, author.email)
            made.index.commit(message, author=who, committer=who)
    except (OSError, git.GitError) as error:
        raise LedgerError(f"cannot make a repository here ({_why(error)}): `{folder}`") from error
    return Repository.discover(folder)


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
