"""The index as a file: its name, its mark of origin, and the metadata stored in it.

Loads nothing but SQLite: readers of the index must not pay for the code that fills it.
"""

import os
import sqlite3

from ledger import __version__

FILE = "index.sqlite3"
APPLICATION = 0x4C656467
"""`Ledg` in the header of the file: https://www.sqlite.org/pragma.html#pragma_application_id."""
FORMAT = 13
"""Version of the tables, raised when they, or the texts in them, change; a file of any other version is made anew."""


def is_ours(database: sqlite3.Connection) -> bool:
    """Return whether this version of the tool made the tables."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return (application, version) == (APPLICATION, FORMAT) and remembered(database, "tool") == __version__


def remembered(database: sqlite3.Connection, name: str) -> str | None:
    """Return an item of the metadata in the index: `tool`, `tip`, `config`."""
    row = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def config_stamp(git_dir: str | os.PathLike[str]) -> str:
    """Return a stamp of a repository's configuration; with an unchanged stamp, git need not check the repository again.

    Raises:
        OSError: there is no configuration.
    """
    seen = os.stat(os.path.join(git_dir, "config"))  # noqa: PTH116, PTH118  # importing pathlib takes longer than this whole function
    return f"{seen.st_ino} {seen.st_size} {seen.st_mtime_ns}"
