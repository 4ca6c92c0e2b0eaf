"""The index as a file: its name, how it says that it is ours, what it remembers of where it was made.

Loads nothing but SQLite: what only looks into the index must not pay for what makes it.
"""

import os
import sqlite3

from ledger import __version__

FILE = "index.sqlite3"
APPLICATION = 0x4C656467
"""`Ledg` in the header of the file: https://www.sqlite.org/pragma.html#pragma_application_id."""
FORMAT = 7
"""Raised when the tables change; a file of any other number is made anew."""


def is_ours(database: sqlite3.Connection) -> bool:
    """Say whether this version of the tool made the tables."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return (application, version) == (APPLICATION, FORMAT) and remembered(database, "tool") == __version__


def remembered(database: sqlite3.Connection, name: str) -> str | None:
    """Return what the index remembers under a name: `tool`, `tip`, `config`."""
    row = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def config_stamp(git_dir: str | os.PathLike[str]) -> str:
    """Return what changes when a repository's configuration does; git has accepted what bears the same stamp.

    Raises:
        OSError: there is no configuration.
    """
    seen = os.stat(os.path.join(git_dir, "config"))  # noqa: PTH116, PTH118  # pathlib takes longer to load than this to run
    return f"{seen.st_ino} {seen.st_size} {seen.st_mtime_ns}"
