"""Reading of many objects one at a time, through one `cat-file --batch` that lives as long as it is needed."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ledger.errors import NotFound
from ledger.model.values import Document
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
        questions.close()  # git ends when no caller can ask any more


class ObjectFacts(Document, frozen=True, kw_only=True):
    """The facts of an object, without its content."""

    id: str
    """Object id."""
    kind: str
    """`blob`, `tree`, `commit` or `tag`."""
    bytes: int
    """Size in bytes."""


def read_facts(repository: Repository, names: Iterable[str]) -> list[ObjectFacts | None]:
    """Return the facts of each object, in order; none for a missing one. No content is read.

    Args:
        repository: where they are.
        names: object ids, or `commit:path`; none may hold a line feed.

    Raises:
        LedgerError: git fails.
    """
    asked = list(names)
    if not asked:
        return []
    with tempfile.TemporaryFile() as questions:
        questions.writelines(os.fsencode(name) + b"\n" for name in asked)
        questions.seek(0)
        with repository.git.streaming("cat-file", "--batch-check", stdin=questions) as answers:
            lines = answers.read().split(b"\n")
    return [_facts(line) for line in lines[: len(asked)]]


def _facts(line: bytes) -> ObjectFacts | None:
    words = line.rsplit(b" ", 2)
    if len(words) != _FACTS or words[-1] in {b"missing", b"ambiguous"} or not words[-1].isdigit():
        return None
    return ObjectFacts(id=words[0].decode(), kind=words[1].decode(), bytes=int(words[2]))


_FACTS = 3
"""Output of `cat-file --batch-check` for an object."""
