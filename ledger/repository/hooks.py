"""Git hooks of a repository: their location, and the installation of ours in front of existing ones.

What stood before ours is set aside beside it and runs first; its failure wins. Ours carry the hash of their own
bytes, so one that somebody changed is known and left alone, and no list of what was installed is needed. Knows
nothing of what the hooks do.
"""

import os
import re
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ledger.errors import Conflict, LedgerError
from ledger.hashing import hash_bytes
from ledger.model.values import Document
from ledger.repository.repository import Repository
from ledger.resources import shipped

CLIENT = ("pre-push", "reference-transaction", "pre-commit")
"""Hooks of a clone in which people work."""
SERVER = ("pre-receive", "post-receive")
"""Hooks of a bare repository that people push to."""
BEFORE = ".before-ledger"
"""Suffix of an existing hook that was set aside for ours."""
MOVED = "moved"
"""File in the ledger's state folder that `reference-transaction` touches when a ledger branch moves."""

_MARK = re.compile(rb"^# git-ledger hook (blake3:[0-9a-f]{64}); ledger hooks uninstall [^\n]*\n", re.MULTILINE)
_SHELL = re.compile(rb"#![ \t]*(?:/usr/bin/env[ \t]+)?((?:/[\w./-]*/)?(?:sh|bash|dash|ksh|zsh))[ \t]*\r?\n")
_MODE = 0o755

State = Literal["absent", "installed", "changed", "wrapped", "foreign"]
"""State of a hook: absent; ours; ours, changed by somebody; another that runs ours; another alone."""


class Hook(Document, frozen=True, kw_only=True):
    """One hook of a repository."""

    name: str
    """Name, as git calls it."""
    path: str
    """Path where git looks for it."""
    state: State
    """Its state."""
    before: str | None = None
    """Path of the hook from before ours, which runs first; none where there was none."""


def hooks_folder(repository: Repository) -> Path:
    """Return the folder in which git looks for hooks of this repository alone.

    Raises:
        LedgerError: all repositories of the user or machine share it, or there is none.
    """
    git = repository.git
    code, out, _ = git.attempt("config", "-z", "--show-scope", "--get", "core.hooksPath")
    scope, _, configured = os.fsdecode(out).removesuffix("\0").partition("\0")
    said = os.fsdecode(git.output("rev-parse", "--git-path", "hooks")).removesuffix("\n")
    folder = git.folder / said
    if code == 0 and scope not in {"local", "worktree"}:
        own = shlex.quote(str(repository.common_dir / "hooks"))
        raise LedgerError(
            f"all your repositories share these hooks (core.hooksPath, {scope}), so ledger leaves them: `{configured}`",
            hint=f"give this repository its own: git config core.hooksPath {own}; or add to theirs, as in the file "
            'pre-push: ledger hooks run pre-push "$@"',
        )
    if folder.exists() and not folder.is_dir():
        raise LedgerError(
            f"hooks are switched off here by core.hooksPath: `{configured or folder}`",
            hint="git config --unset core.hooksPath",
        )
    return folder


def read_hooks(repository: Repository, names: Sequence[str]) -> list[Hook]:
    """Return the state of each hook that we install.

    Raises:
        LedgerError: the folder of hooks is not this repository's own, or cannot be read.
    """
    folder = hooks_folder(repository)
    return [_look(folder, name) for name in names]


def install_hooks(repository: Repository, names: Sequence[str], python: str) -> list[Hook]:
    """Install our hooks in front of existing ones; idempotent.

    Args:
        repository: where to.
        names: hooks of `CLIENT` or `SERVER`.
        python: the interpreter that they start.

    Raises:
        Conflict: one of ours was changed by somebody, or another hook was put over it; nothing was done.
        LedgerError: the folder of hooks is not this repository's own, or cannot be written.
    """
    folder = hooks_folder(repository)
    found = [_look(folder, name) for name in names]
    for hook in found:
        _check_ours(hook)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for hook in found:
            if hook.state != "wrapped":
                _install(folder, hook, python)
    except OSError as error:
        raise _unwritten(error) from error
    return [_look(folder, name) for name in names]


def uninstall_hooks(repository: Repository, names: Sequence[str]) -> list[Hook]:
    """Remove our hooks and restore the ones from before, bytes and mode; idempotent.

    Returns:
        What stands there now; what is not `absent` or `foreign` was changed or wrapped by somebody and left alone.

    Raises:
        LedgerError: the folder of hooks is not this repository's own, or cannot be written.
    """
    folder = hooks_folder(repository)
    try:
        for name in names:
            hook = _look(folder, name)
            if hook.state not in {"installed", "absent"}:
                continue
            if hook.before is not None:
                Path(hook.before).replace(hook.path)
            else:
                Path(hook.path).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(error) from error
    return [_look(folder, name) for name in names]


def _look(folder: Path, name: str) -> Hook:
    path, before = folder / name, folder / f"{name}{BEFORE}"
    aside = str(before) if _stands(before) else None
    return Hook(name=name, path=str(path), state=_state(path), before=aside)


def _state(path: Path) -> State:
    if not _stands(path):
        return "absent"
    content = _content(path)
    mark = _MARK.search(content)
    if mark is None:
        # `pre-commit install` and others do it: they keep the hook that they found under a longer name.
        others = path.parent.glob(f"{path.name}.*")
        return "wrapped" if any(_MARK.search(_content(other)) for other in others) else "foreign"
    rest = content[: mark.start()] + content[mark.end() :]
    return "installed" if hash_bytes(rest).encode() == mark[1] and not path.is_symlink() else "changed"


def _check_ours(hook: Hook) -> None:
    """Refuse a location where ours would destroy the work of somebody else."""
    if hook.state == "changed":
        raise Conflict(
            f"this hook was changed after ledger installed it: `{hook.path}`",
            hint=f"move it away and install again: mv {shlex.quote(hook.path)} {shlex.quote(hook.path + '.changed')}",
        )
    if hook.state == "foreign" and hook.before is not None and not _same(Path(hook.path), Path(hook.before)):
        raise Conflict(
            f"another hook replaced that of ledger, and the hook from before is still beside it: `{hook.path}`",
            hint=f"keep one of the two; to keep the new one: rm {shlex.quote(hook.before)}; then install again",
        )


def _install(folder: Path, hook: Hook, python: str) -> None:
    path, before = Path(hook.path), folder / f"{hook.name}{BEFORE}"
    if hook.state == "foreign":
        path.replace(before)
    content = _render(hook.name, python, _content(before) if _stands(before) else b"")
    if hook.state == "installed" and _content(path) == content and stat.S_IMODE(path.stat().st_mode) == _MODE:
        return
    aside = folder / f".{hook.name}.{os.getpid()}.aside"
    try:
        aside.write_bytes(content)
        aside.chmod(_MODE)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _render(name: str, python: str, before: bytes) -> bytes:
    """Return the content of one of our hooks, marked with the hash of everything but the mark."""
    text = (shipped("hooks") / name).read_bytes()
    text = text.replace(b"@BEFORE@", _command(name, before)).replace(b"@PYTHON@", os.fsencode(shlex.quote(python)))
    first, mark, rest = text.partition(b"# @MARK@\n")
    said = f"# git-ledger hook {hash_bytes(first + rest)}; ledger hooks uninstall restores what stood here before\n"
    return first + (said.encode() if mark else b"") + rest


def _command(name: str, before: bytes) -> bytes:
    """Return how the hook from before is run: by its new name, unless it is a shell script that uses its name.

    A hook of husky finds the user's script by `$0`; renamed, it would find nothing and say nothing. Read by its own
    shell with the old `$0` it works.
    """
    shell = _SHELL.match(before)
    if shell is None or (b"$0" not in before and b"${0" not in before):
        return b'"$before"'
    interpreter = os.fsencode(shlex.quote(os.fsdecode(shell[1])))
    return interpreter + b" -c '. \"${0%/*}/" + f"{name}{BEFORE}".encode() + b'"\' "${0%/*}/' + name.encode() + b'"'


def _content(path: Path) -> bytes:
    """Return the content of a hook; none where it is no readable file, such as a dangling link."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _same(one: Path, other: Path) -> bool:
    return not one.is_symlink() and not other.is_symlink() and _content(one) == _content(other) != b""


def _stands(path: Path) -> bool:
    return os.path.lexists(path)


def _unwritten(error: OSError) -> LedgerError:
    return LedgerError(f"the hooks cannot be written ({(error.strerror or '').lower()}): `{error.filename}`")
