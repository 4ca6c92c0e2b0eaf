"""The index: an SQLite file beside the repository that answers queries without reading every record.

A cache that can be deleted. It knows which runs match, and stores the row that `ledger list` shows of each; all else
is read from git by blob id. It is updated before every answer; one that is damaged, foreign, older or newer
in format is made anew, and where none can be written the same tables are made in memory.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from ledger import __version__
from ledger.store.branch.branch import Branch, main_branch
from ledger.store.branch.write_lock import queued
from ledger.store.index.file import APPLICATION, FILE, FORMAT, config_stamp, is_ours, remembered
from ledger.store.index.questions import Index
from ledger.store.index.update import SCHEMA, update

_PATIENCE_SECONDS = 10.0
"""Longest wait while another process updates the index, before an answer is made without the file."""
_DAMAGED = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
"""Result codes (https://www.sqlite.org/rescode.html) that a new file cures; with others no file can be used now."""

T = TypeVar("T")


class Unusable(Exception):
    """The file is not an index that this version can use; a new one may be."""


def ask(ledger: Branch, question: Callable[[Index], T], shown: Callable[[T], Sequence[str]] | None = None) -> T:
    """Return the answer to a question, from the index at the tip of the branch.

    Args:
        ledger: ledger of the index.
        question: function that queries the index.
        shown: runs in an answer that ranks or judges: where the index contradicts git on them, it is made anew.

    Raises:
        LedgerError: the question raises it, or git cannot read the branch.
    """
    answered = _ask_file(ledger, question, shown)
    if answered is not None:
        return answered[0]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        _make_tables(database)
        if (tip := ledger.tip()) is not None:
            update(database, ledger, None, tip)
        return question(Index(database, ledger.repository, lambda: ledger.policy.splits))


def ask_file(ledger: Branch, question: Callable[[Index], T]) -> T | None:
    """Return the answer of the file; none where there can be no file. For callers that would rather skip a full read.

    Raises:
        LedgerError: the question raises it, or git cannot read the branch.
    """
    answered = _ask_file(ledger, question, None)
    return None if answered is None else answered[0]


def _ask_file(
    ledger: Branch, question: Callable[[Index], T], shown: Callable[[T], Sequence[str]] | None
) -> tuple[T] | None:
    if ledger.branch != main_branch(ledger.repository):
        return None  # the file belongs to the ledger: for a proposal's tip it would be rebuilt back and forth
    file = ledger.repository.state_dir / FILE
    for _ in range(2):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect(file)) as database:
                if not _is_empty(database) and not is_ours(database):
                    raise Unusable  # noqa: TRY301  # files are removed in one place
                _bring_up_to_date(database, ledger)
                with _transaction(database, "DEFERRED"):
                    answer = question(Index(database, ledger.repository, lambda: ledger.policy.splits))
                    if shown is not None:
                        _prove(database, ledger, shown(answer))
                    return (answer,)
        except Unusable:
            _remove(file)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _DAMAGED:
                return None
            _remove(file)
        except (OSError, UnicodeEncodeError):  # a folder that cannot be created; a path that is not text
            return None
    return None


def _prove(database: sqlite3.Connection, ledger: Branch, ids: Sequence[str]) -> None:
    from ledger.store.index.proof import is_proved

    tip = remembered(database, "tip")
    if tip is not None and not is_proved(database, ledger.repository, tip, ids):
        raise Unusable


def remove_index(ledger: Branch) -> None:
    """Remove the index of a clone; the next question makes it anew."""
    _remove(ledger.repository.state_dir / FILE)


def _connect(file: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(file))}?mode=rwc"
    database = sqlite3.connect(address, timeout=_PATIENCE_SECONDS, isolation_level=None, uri=True)
    # The branch has every record, so the index need not survive a power cut.
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def _is_empty(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _bring_up_to_date(database: sqlite3.Connection, ledger: Branch) -> None:
    known = None if _is_empty(database) else remembered(database, "tip")
    tip, stamp = ledger.tip(), _stamp(ledger)
    if known is not None and known == tip and remembered(database, "config") == stamp:
        return
    with queued(ledger.repository.state_dir / "index.lock", _PATIENCE_SECONDS), _transaction(database, "IMMEDIATE"):
        begun = _is_empty(database)
        if begun:
            _make_tables(database)
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {FORMAT}")
            database.execute("INSERT INTO meta VALUES ('tool', ?)", (__version__,))
        old = remembered(database, "tip")
        if old != known:
            tip = ledger.tip()  # while this process waited, another has done the work, perhaps for a newer tip
        if tip is not None and tip != old:
            update(database, ledger, old, tip)
            database.execute("INSERT OR REPLACE INTO meta VALUES ('tip', ?)", (tip,))
        database.execute("INSERT OR REPLACE INTO meta VALUES ('config', ?)", (stamp,))
    if begun:
        # Only now: the first filling is written once this way, not first to a log and then to the file.
        with suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")


def _make_tables(database: sqlite3.Connection) -> None:
    for statement in SCHEMA:
        database.execute(statement)


def _stamp(ledger: Branch) -> str:
    """Return the stamp of the configuration with which git has just accepted the repository."""
    try:
        return config_stamp(ledger.repository.common_dir)
    except OSError:
        return ""


@contextmanager
def _transaction(database: sqlite3.Connection, kind: str) -> Iterator[None]:
    database.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _remove(file: Path) -> None:
    """Remove the index and SQLite's files beside it; processes that have them open keep them."""
    with queued(file.with_name("index.lock"), _PATIENCE_SECONDS):
        for suffix in ("-journal", "-wal", "-shm", ""):
            with suppress(OSError):
                file.with_name(file.name + suffix).unlink()
