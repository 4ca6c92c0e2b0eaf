"""A git repository as the ledger uses it: its location, its content, its author."""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ledger.errors import LedgerError, NotFound
from ledger.model.record import Author
from ledger.model.values import Document
from ledger.repository.process import Git

_AT_ONCE = 1 << 18
"""Bytes per read from git: with Python's own 8 KiB, reading 100,000 records of 8.5 KB took 1 s of CPU longer."""
_LIST = ("ls-tree", "-r", "-z", "--full-tree", "--end-of-options")
EMBEDDED = ".ledger"
"""Folder of the repository that `ledger init PATH` makes where there is none."""


class TreeFile(Document, frozen=True, kw_only=True):
    """One file of a commit's tree."""

    mode: str
    """Git's file mode, such as `100644`."""
    blob: str
    """Blob id."""
    path: str
    """Path inside the tree."""


class Repository:
    """A git repository: plain, bare, a linked worktree, or one embedded for the ledger alone.

    Args:
        git: git bound to it.
        git_dir: its git directory; a linked worktree has one of its own.
        common_dir: the directory that all worktrees share.
        worktree: the top of the checked-out files; none in a bare repository.
        prefix: the folder inside the worktree it was found from, ending in `/`, or empty.
    """

    def __init__(self, git: Git, git_dir: Path, common_dir: Path, worktree: Path | None, prefix: str) -> None:
        self.git = git
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.worktree = worktree
        self.prefix = prefix

    @classmethod
    def discover(cls, folder: Path) -> "Repository":
        """Find the repository that contains `folder`: the user's own, else one embedded by `ledger init`.

        Raises:
            NotFound: there is none.
            LedgerError: git refuses it (foreign owner, unknown format, …).
        """
        git = Git(folder)
        code, out, err = git.attempt("rev-parse", *_PLACES)
        if code:
            embedded = _find_embedded(_resolved(folder))
            if embedded is not None:
                return cls.at_embedded(embedded)
            reason = err.decode("utf-8", "replace").strip().removeprefix("fatal: ")
            if "not a git repository" not in reason:
                raise _refused(reason or f"exit code {code}")
            raise NotFound(
                f"not a git repository: `{folder.resolve()}`", hint="git init, or: ledger init . for a ledger alone"
            )
        places = os.fsdecode(out).removesuffix("\n").split("\n")
        if len(places) != _PLACES_ASKED:  # a folder with a line feed in its name: one question at a time
            questions = (*((name,) for name in _PLACES[:4]), _PLACES[4:])
            places = [os.fsdecode(git.output("rev-parse", *question)).removesuffix("\n") for question in questions]
        inside, cdup, prefix, git_dir, common_dir = places
        worktree = (folder / cdup).resolve() if inside == "true" else None
        # Bound to a folder that remains: a training may change its folder, or remove the one it began in.
        return cls(Git(worktree or Path(git_dir)), Path(git_dir), Path(common_dir), worktree, prefix)

    @classmethod
    def at_embedded(cls, git_dir: Path) -> "Repository":
        """Open a repository made by `ledger init PATH`; its worktree is the folder around it."""
        worktree = git_dir.parent
        git = Git(worktree, {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(worktree)})
        return cls(git, git_dir, git_dir, worktree, "")

    def with_objects(self, variables: Mapping[str, str]) -> "Repository":
        """Return the same repository, with git's variables for more objects, such as those of a push."""
        return Repository(self.git.having(variables), self.git_dir, self.common_dir, self.worktree, self.prefix)

    @property
    def folder(self) -> str | None:
        """The folder inside the worktree it was found from, in the form of records; none in a bare repository."""
        return (self.prefix.rstrip("/") or ".") if self.worktree else None

    @property
    def state_dir(self) -> Path:
        """The folder for derived and waiting files of the ledger; shared by all worktrees."""
        return self.common_dir / "ledger"

    def is_checked_out(self, ref: str) -> bool:
        """Return whether a worktree has a branch checked out: moving the branch would make its files look changed."""
        heads = [*self.common_dir.glob("worktrees/*/HEAD"), *([self.common_dir / "HEAD"] if self.worktree else [])]
        return any(head.read_text("utf-8", "replace").strip() == f"ref: {ref}" for head in heads if head.is_file())

    def author(self) -> Author:
        """Return the author in git's configuration; `unknown` where there is none."""
        return read_author(self.git)

    def config(self, pattern: str) -> list[tuple[str, str]]:
        """Return the configuration entries whose name matches a regular expression, in git's order."""
        _, out, _ = self.git.attempt("config", "-z", "--get-regexp", pattern)
        entries = out.decode("utf-8", "replace").split("\0")[:-1]
        return [(name, value) for name, _, value in (entry.partition("\n") for entry in entries)]

    def setting(self, name: str) -> str | None:
        """Return a setting as git reads it, the last of several; none where nothing sets it."""
        values = [value for _, value in self.config(f"^{re.escape(name)}$")]
        return values[-1] if values else None

    def resolve(self, revision: str) -> str | None:
        """Return the commit id that a revision names, or none."""
        code, out, _ = self.git.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return None if code else out.decode().strip()

    def is_pushed(self, commit: str) -> bool:
        """Return whether a remote-tracking branch of this clone contains the commit."""
        _, out, _ = self.git.attempt("for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes")
        return bool(out)

    def read_tree(self, tip: str, folders: Sequence[str] = ()) -> list[TreeFile]:
        """Return every file of a commit's tree, in git's order, or those in some folders of it.

        Raises:
            LedgerError: the commit or one of its trees is missing or damaged.
        """
        out = self.git.output(*_LIST, tip, *folders)
        return [_tree_file(line) for line in os.fsdecode(out).split("\0")[:-1]]

    def walk_tree(self, tip: str, folders: Sequence[str] = ()) -> Iterator[TreeFile]:
        """Yield what `read_tree` returns, without holding it: the lists of a million runs take 2 GB.

        Raises:
            LedgerError: the commit or one of its trees is missing or damaged.
        """
        with (
            Path(os.devnull).open("rb") as nothing,
            self.git.streaming(*_LIST, tip, *folders, stdin=nothing) as pipe,
        ):
            rest = b""
            while some := pipe.read(_AT_ONCE):
                *lines, rest = (rest + some).split(b"\0")
                yield from map(_tree_file, map(os.fsdecode, lines))

    def holds(self, commit: str, path: str) -> bool:
        """Return whether a path exists in a commit's tree."""
        return self.git.attempt("cat-file", "-e", f"{commit}:{path}")[0] == 0

    def read_objects(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """Yield the content of each object in order; none for one that does not exist.

        Args:
            names: object ids, or `commit:path`; none may hold a line feed.

        Raises:
            LedgerError: git fails on the way.
        """
        with tempfile.TemporaryFile() as questions:
            questions.writelines(os.fsencode(name) + b"\n" for name in names)
            questions.seek(0)
            with (
                self.git.streaming("cat-file", "--batch", stdin=questions) as pipe,
                open(pipe.fileno(), "rb", buffering=_AT_ONCE, closefd=False) as answers,  # a descriptor
            ):
                while header := answers.readline():
                    yield read_content(header, answers)

    def read_object(self, name: str) -> bytes:
        """Return the content of one object.

        Raises:
            NotFound: there is no such object.
        """
        content = next(iter(self.read_objects([name])), None)
        if content is None:
            raise NotFound(f"no such object in the repository: `{name}`")
        return content


def _tree_file(line: str) -> TreeFile:
    facts, _, path = line.partition("\t")
    mode, _, blob = facts.split(" ")
    return TreeFile(mode=mode, blob=blob, path=path)


def read_content(header: bytes, answers: IO[bytes]) -> bytes | None:
    """Return the object after a header of `git cat-file --batch`; none for a missing object."""
    facts = header.rstrip(b"\n").rsplit(b" ", 2)
    if facts[-1] in {b"missing", b"ambiguous"}:
        return None
    content = answers.read(int(facts[-1]))
    answers.read(1)
    return content


def read_author(git: Git) -> Author:
    """Return the author in git's configuration for a folder, inside a repository or not."""
    code, out, _ = git.attempt("var", "GIT_AUTHOR_IDENT")
    name, _, rest = out.decode("utf-8", "replace").partition(" <")
    if code:
        return Author(name="unknown", email="unknown@localhost")
    return Author(name=name or "unknown", email=rest.partition(">")[0] or "unknown@localhost")


_PLACES = (
    "--is-inside-work-tree",
    "--show-cdup",
    "--show-prefix",
    "--absolute-git-dir",
    "--path-format=absolute",
    "--git-common-dir",
)
_PLACES_ASKED = 5
"""Answers to these; the last but one only says how the last is written."""


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except OSError as error:
        raise NotFound("the current folder is gone", hint="cd to a folder that exists") from error


def _refused(reason: str) -> LedgerError:
    first = reason.splitlines()[0]
    _, found, top = first.partition("dubious ownership in repository at ")
    hint = f"if you trust its owner: git config --global --add safe.directory {top}" if found else None
    return LedgerError(f"git refuses this repository: {first}", hint=hint)


def _find_embedded(folder: Path) -> Path | None:
    for parent in (folder, *folder.parents):
        if (parent / EMBEDDED / "HEAD").is_file():
            return parent / EMBEDDED
    return None


def remotes(config: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the URL of each remote, from configuration entries such as `remote.origin.url`."""
    return {
        name.removeprefix("remote.").removesuffix(".url"): value
        for name, value in config
        if name.startswith("remote.") and name.endswith(".url")
    }
