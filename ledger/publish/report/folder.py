"""The folder of a report: written aside and renamed, so there is the old one or the new one; foreign ones stay."""

import os
import shutil
from collections.abc import Mapping
from glob import escape
from pathlib import Path

import msgspec

from ledger.analysis.comparing.report import REPORT_FORMAT
from ledger.errors import Conflict, LedgerError

MARK = "report.json"
"""File by which a folder is known as a report."""


class _Mark(msgspec.Struct):
    format: int
    metric: str
    files: list[str]


def check_folder(folder: Path, *, force: bool) -> None:
    """Refuse a folder that is not a report, or is one and may not be replaced.

    Raises:
        Conflict: it holds something else, or a report and `force` is not given.
        LedgerError: it is no folder.
    """
    _restore(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise LedgerError(f"the output is not a folder: `{folder}`", hint="name a folder with --output")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    ours = _files_of(folder)
    if ours is None:
        said = f"the output folder is not empty and was not made by ledger report: `{folder}`"
        raise Conflict(said, hint="name a new folder with --output")
    strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in ours or not entry.is_file())
    if strange:
        said = f"the report's folder holds other files, as `{ascii(strange[0])[1:-1]}`: `{folder}`"
        raise Conflict(said, hint="move them away, or name a new folder with --output")
    if not force:
        raise Conflict(f"there is a report already: `{folder}`", hint="to replace it: --force")


def _files_of(folder: Path) -> set[str] | None:
    try:
        mark = msgspec.json.decode((folder / MARK).read_bytes(), type=_Mark)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return {*mark.files, MARK} if mark.format == REPORT_FORMAT else None


def write_folder(folder: Path, files: Mapping[str, bytes], *, force: bool) -> None:
    """Write the files of a report as one folder; where this is stopped, the old folder or none is there.

    Raises:
        Conflict: as `check_folder`; it is asked again, as drawing takes seconds.
        LedgerError: the disk refuses; what stood there stays.
    """
    try:
        _write(folder.absolute(), files, force=force)
    except OSError as error:
        why = error.strerror or str(error)
        raise LedgerError(f"the report cannot be written: {why}: `{folder}`", hint="-o FOLDER names another") from error


def _write(folder: Path, files: Mapping[str, bytes], *, force: bool) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name[:100]}.{os.getpid()}.aside")
    old = folder.with_name(f".{folder.name[:100]}.{os.getpid()}.old")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name, data in files.items():
            (aside / name).write_bytes(data)
        check_folder(folder, force=force)
        try:
            if folder.is_dir():
                folder.rename(old)
            aside.rename(folder)
        finally:
            if old.is_dir() and not folder.exists():
                old.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def _restore(folder: Path) -> None:
    """Put back the report that a process was replacing when it was killed between two renames."""
    name = folder.absolute().name[:100]
    found = sorted(folder.absolute().parent.glob(f".{escape(name)}.*.old")) if name and not folder.exists() else []
    if len(found) == 1:
        found[0].rename(folder)
