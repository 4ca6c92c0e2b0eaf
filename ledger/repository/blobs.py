"""Reads many objects one at a time, through GitPython's long-lived `cat-file --batch`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.errors import NotFound
from ledger.repository.repository import Repository


@contextmanager
def blob_reader(repository: Repository) -> Iterator[Callable[[str], bytes]]:
    """Yield a function from object id to content; its git process lives as long as the block.

    The function raises `NotFound` for an object that is not there.
    """
    import git

    with git.Repo(repository.git_dir) as repo:
        repo.git.update_environment(GIT_DIR=str(repository.git_dir))

        def read(blob: str) -> bytes:
            try:
                return bytes(repo.git.get_object_data(blob)[3])
            except ValueError as error:
                raise NotFound(f"no such object in the repository: `{blob}`") from error

        yield read
