"""Reads many objects one at a time, through one `cat-file --batch` that lives as long as they are asked for."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.errors import NotFound
from ledger.repository.repository import Repository, read_content


@contextmanager
def blob_reader(repository: Repository) -> Iterator[Callable[[str], bytes]]:
    """Yield a function from object id to content; its git process lives as long as the block.

    The function raises `NotFound` for an object that is not there. It is for one thread.
    """
    inlet, outlet = os.pipe()
    with (
        os.fdopen(inlet, "rb") as asked,
        os.fdopen(outlet, "wb", buffering=0) as questions,
        repository.git.streaming("cat-file", "--batch", stdin=asked) as answers,
    ):

        def read(blob: str) -> bytes:
            questions.write(blob.encode() + b"\n")
            header = answers.readline()
            content = read_content(header, answers) if header else None
            if content is None:
                raise NotFound(f"no such object in the repository: `{blob}`")
            return content

        yield read
        questions.close()  # git ends when nobody can ask any more
