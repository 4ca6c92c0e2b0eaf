"""The files of a folder that belong to a dataset, and their names. Reads folders, never files.

What counts, and why, stands in `.github/decisions/dataset-hash.md`.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from ledger.data.version.declared import nothing_at
from ledger.errors import LedgerError, NotFound
from ledger.model.values import Document

IGNORED = frozenset({".git", ".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files of version control and file browsers, which are no part of a dataset."""
_MAGIC = re.compile(r"[*?\[]")

# Text instead of `Path`: at 1,000,000 files these objects alone would be 300 MB.
# ruff: noqa: PTH112, PTH116


class ScannedFile(Document, frozen=True, kw_only=True):
    """The files of a dataset on this machine."""

    root: str
    """Folder to which their names are relative, absolute."""
    names: list[str]
    """Names inside the dataset, with `/` and in Unicode's composed form, in order."""
    spelled: dict[str, str] = {}
    """Path by name, where the file system spells it differently."""
    folders: dict[str, int] = {}
    """Modification time in nanoseconds of each folder that was read."""
    pattern: str | None = None
    """The glob they match; none for everything in the folder."""

    def path(self, name: str) -> str:
        """Return the path of a file."""
        return self.spelled.get(name) or f"{self.root}/{name}"


def scan(path: str) -> ScannedFile:
    """Return the files of a dataset: one file, a folder, or the matches of a glob.

    Raises:
        NotFound: there is nothing at `path`.
        LedgerError: it holds no file, something in it cannot be read or followed, or two names differ only in
            their Unicode form.
    """
    try:
        found = _scan_glob(path) if is_glob(path) else _scan_place(path)
    except FileNotFoundError as error:
        if not os.path.exists(path) and not is_glob(path):  # noqa: PTH110  # text in, text out
            raise nothing_at(path) from None
        raise LedgerError(f"the dataset changed while it was read: `{error.filename}`", hint="try again") from None
    except OSError as error:
        raise unreadable(path, error) from None
    if not found.names:
        raise LedgerError(f"the dataset holds no files: `{path}`", hint="name the folder that holds the data")
    return found


def check_unchanged(found: ScannedFile, path: str) -> None:
    """Refuse a dataset whose folders have changed their names since they were read.

    Raises:
        LedgerError: they do.
    """
    if all(_changed_ns(folder) == seen for folder, seen in found.folders.items()):
        return
    # A file browser may have left its own files: only the names that count, count.
    if scan(path).names != found.names:
        raise LedgerError(
            f"the dataset changed while it was hashed: `{path}`", hint="try again when nothing writes to it"
        )


def is_glob(path: str) -> bool:
    """Return whether a path is a pattern: it has `*`, `?` or `[`, and no file has that name."""
    return bool(_MAGIC.search(path)) and not os.path.lexists(path)


def unreadable(path: str, error: OSError) -> LedgerError:
    """Return the error for a file or folder that cannot be read."""
    reason = (error.strerror or str(error)).lower()
    return LedgerError(
        f"the dataset cannot be read ({reason}): `{error.filename or path}`", hint="check its permissions"
    )


def composed_name(name: str, path: str) -> str:
    """Return a name in Unicode's composed form, so that a dataset has one hash on every system.

    Raises:
        LedgerError: it is not UTF-8.
    """
    if name.isascii():
        return name
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise LedgerError(f"a file name in the dataset is not UTF-8: `{ascii(path)[1:-1]}`", hint="rename it") from None
    return unicodedata.normalize("NFC", name)


def _scan_place(path: str) -> ScannedFile:
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode):
        folder, own = os.path.split(os.path.abspath(path))  # noqa: PTH100  # links are followed when it is opened
        name = composed_name(own, path)
        return ScannedFile(root=folder.rstrip("/"), names=[name], spelled={name: f"{folder.rstrip('/')}/{own}"})
    if not stat.S_ISDIR(mode):
        raise LedgerError(f"a dataset must be a file or a folder: `{path}`")
    return _walk(os.path.realpath(path), None)


def _scan_glob(pattern: str) -> ScannedFile:
    parts = [part for position, part in enumerate(pattern.split("/")) if not position or part not in {"", "."}]
    magic = next(position for position, part in enumerate(parts) if _MAGIC.search(part))
    base = "/".join(parts[:magic]) or ("/" if pattern.startswith("/") else ".")
    if not os.path.isdir(base):
        raise NotFound(f"there is no dataset at: `{pattern}`", hint="check the path")
    found = _walk(os.path.realpath(base), _Glob(parts[magic:]))
    if not found.names:
        raise NotFound(f"nothing matches the pattern: `{pattern}`", hint="check it, and quote it for the shell")
    return found


class _Glob:
    """A pattern, and the folders in which it must be searched.

    `*` and `?` stop at `/` and match hidden names, too, as a folder includes them; `**` is any number of folders.

    Args:
        parts: the pattern between its `/`.
    """

    def __init__(self, parts: list[str]) -> None:
        self.text = "/".join(parts)
        deep = parts.index("**") if "**" in parts else len(parts)
        heads = [_glob_to_regex(parts[:count]) for count in range(1, deep)]
        below = [f"{_glob_to_regex(parts[:deep])}(?:/.*)?" if deep else ".*"] if deep < len(parts) else []
        # A file in a matching folder belongs to it.
        self._whole = re.compile(f"(?s:{_glob_to_regex(parts)}(?:/.*)?)")
        self._folder = re.compile(f"(?s:{'|'.join([*heads, *below]) or '(?!)'})")

    def holds(self, name: str) -> bool:
        """Return whether a file belongs to it."""
        return self._whole.fullmatch(name) is not None

    def enters(self, name: str) -> bool:
        """Return whether files below a folder may belong to it."""
        return self._folder.fullmatch(name) is not None or self.holds(name)


def _glob_to_regex(parts: list[str]) -> str:
    made = ""
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part == "**":
            made += ".+" if last else "(?:[^/]+/)*"
        else:
            made += "".join(map(_sign_to_regex, re.findall(r"\[[!^]?+\]?+[^]/]*\]|.", part))) + ("" if last else "/")
    return f"(?:{made})"


def _sign_to_regex(sign: str) -> str:
    if sign in {"*", "?"}:
        return "[^/]*" if sign == "*" else "[^/]"
    if len(sign) > 1:
        inner = re.sub(r"([\\\[&|~])|(?<=.)-(?=-)", r"\\\g<0>", sign[1:-1])
        made = f"[^/{inner[1:]}]" if inner[:1] in {"!", "^"} else f"[{inner}]"
        try:
            re.compile(made)
        except re.error:  # a range that ends before it begins matches nothing, as in a shell
            return "(?!)"
        return made
    return re.escape(sign)


def _walk(root: str, glob: _Glob | None) -> ScannedFile:
    root = root.rstrip("/")
    names: list[str] = []
    spelled: dict[str, str] = {}
    read: dict[str, int] = {}
    composed: list[str] = []
    folders = [("", root or "/")]
    while folders:
        prefix, folder = folders.pop()
        read[folder] = _changed_ns(folder)
        for name, path, inside in _entries(prefix, folder, glob):
            if inside:
                folders.append((f"{name}/", path))
                if not name.isascii():
                    composed.append(name)
                continue
            names.append(name)
            if path != f"{root}/{name}":
                spelled[name] = path
    names.sort()
    _check_forms(names)
    _check_forms(sorted(composed))
    return ScannedFile(root=root, names=names, spelled=spelled, folders=read, pattern=glob.text if glob else None)


def _entries(prefix: str, folder: str, glob: _Glob | None) -> Iterator[tuple[str, str, bool]]:
    """Yield name, path and whether it is a folder, of everything that belongs to the dataset."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in IGNORED:
                continue
            path = entry.path
            inside = entry.is_dir(follow_symlinks=False)
            name = composed_name(f"{prefix}{entry.name}", path)
            if inside:
                if glob is None or glob.enters(name):
                    yield name, path, True
            elif glob is None or glob.holds(name):
                _check_file(entry)
                yield name, path, False


def _check_forms(names: list[str]) -> None:
    """Refuse names that are equal in composed form; they are adjacent, since names are sorted."""
    for before, name in pairwise(names):
        if before == name:
            raise LedgerError(
                f"two names differ only in their Unicode form: `{ascii(name)[1:-1]}`", hint="rename one of them"
            )


def _check_file(entry: "os.DirEntry[str]") -> None:
    if entry.is_symlink():
        try:
            mode = entry.stat().st_mode
        except OSError:
            raise LedgerError(f"a link in the dataset is broken: `{entry.path}`", hint="mend or remove it") from None
        if stat.S_ISDIR(mode):
            raise LedgerError(
                f"a link in the dataset leads to a folder: `{entry.path}`",
                hint="name that folder as a dataset of its own, or replace the link by what it leads to",
            )
    if not entry.is_file():
        raise LedgerError(f"neither a file nor a folder, so not part of a dataset: `{entry.path}`", hint="move it away")


def _changed_ns(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return -1
