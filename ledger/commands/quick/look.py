"""Reading of the index without git and without the model, for commands that are called in loops.

It answers only in the ordinary case: a normal repository, one branch, nothing that waits, an index of its
tip. In any other case it returns nothing, and the caller uses the ordinary way. It trusts the index no more than a
record: lines that could control a terminal are refused.
"""

import fcntl
import os
import sqlite3

from ledger.analysis.query.table import BETWEEN, EXACTLY, Line
from ledger.store.index.file import FILE, config_stamp, is_ours, remembered
from ledger.store.index.order import order_rows, read_lines

# pathlib, re, typing and urllib each take longer to load than everything here takes to run.
# ruff: noqa: PTH109, PTH112, PTH116, PTH118, PTH120, PTH123, PTH208

_REF = "refs/heads/ledger"
_TELLING = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_COUNT",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_TRACE",
        "GIT_TRACE2_EVENT",
    }
)
"""Variables that make git look elsewhere or print more; `repository/process.py` keeps these, and drops GIT_DIR."""
_HEX = frozenset(b"0123456789abcdef")
_ID_LENGTHS = {40, 64}
"""Lengths of a commit id in hex digits: SHA-1 and SHA-256."""


class QuickAnswer:
    """The answer of the index.

    Args:
        lines: rows of the table, in order.
        warnings: warnings to print beside it.
    """

    def __init__(self, lines: list[Line], warnings: list[str]) -> None:
        self.lines = lines
        self.warnings = warnings

    def is_harmless(self) -> bool:
        """Return whether a text cannot control a terminal; checked again here, whoever wrote the index."""
        cells = (cells.replace(BETWEEN, "").replace(EXACTLY, "") for _, _, cells in self.lines)
        names = (f"{run}{names}".replace(BETWEEN, "") for run, names, _ in self.lines)
        return all(text.replace("\n", "").isprintable() for text in (*cells, *names)) and all(
            map(str.isprintable, self.warnings)
        )


def ask_index(sort: str | None, *, reverse: bool, limit: int | None) -> QuickAnswer | None:
    """Return the rows of the runs in an order, as `select_runs` does, where one look is enough; else none.

    An index that is behind is updated first: that loads the model and asks git, but still needs no command line.
    """
    try:
        git_dir = _find_git_dir()
        if git_dir and _names_a_branch(git_dir):
            return None
        tip = _read_tip(git_dir) if git_dir else None
        if git_dir is None or tip is None or _does_anything_wait(git_dir):
            return None
        if sort is not None and ("/" in sort or sort.startswith(("metrics.", "group."))):
            return None  # a ranking is checked against git
        file, now = os.path.join(git_dir, "ledger", FILE), (tip, config_stamp(git_dir))
        seen = _ask(file, now, sort, reverse=reverse, limit=limit)
        if seen is None and _bring_up_to_date():
            seen = _ask(file, now, sort, reverse=reverse, limit=limit)
    except Exception:  # noqa: BLE001  # whatever it is, the ordinary way answers or reports it
        return None
    return seen if seen is not None and seen.lines and seen.is_harmless() else None


def _names_a_branch(git_dir: str) -> bool:
    """Return whether the repository may name another branch for its ledger."""
    with open(os.path.join(git_dir, "config"), "rb") as file:
        _, found, section = file.read().lower().partition(b"[ledger]")
    return bool(found) and b"branch" in section


def _bring_up_to_date() -> bool:
    from ledger.store.branch.branch import Branch
    from ledger.store.index.index import ask_file

    return ask_file(Branch.open(), lambda _: True) is not None


def _connect(file: str) -> sqlite3.Connection:
    # These three characters have a meaning in such a URI: https://www.sqlite.org/uri.html
    quoted = file.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{quoted}?mode=ro", timeout=0, isolation_level=None, uri=True)


def _ask(file: str, now: tuple[str, str], sort: str | None, *, reverse: bool, limit: int | None) -> QuickAnswer | None:
    """Return the answer of an index; none where it is of another commit or configuration."""
    database = _connect(file)
    try:
        database.execute("BEGIN")
        if not is_ours(database) or (remembered(database, "tip"), remembered(database, "config")) != now:
            return None
        if sort is not None and _has_other_readings(database, sort):
            return None

        def column(field: str) -> str:
            # Only fields with existing columns: creating one is writing.
            row = database.execute("SELECT number FROM fields WHERE name = ?", (field,)).fetchone()
            if row is None:
                raise LookupError(field)
            return f"f{row[0]:d}"

        numbers, warning = order_rows(database, column, ("1", []), sort, reverse=reverse, limit=limit)
        rows = database.execute("SELECT path, message FROM problems ORDER BY path")
        warnings = [f"{path}: {message}" for path, message in rows] + ([warning] if warning else [])
        return QuickAnswer(read_lines(database, numbers), warnings)
    finally:
        database.close()


def _has_other_readings(database: sqlite3.Connection, name: str) -> bool:
    """Return whether a param or metric has the field's name, of which the ordinary way warns: see `Names.read`."""
    asked = "SELECT EXISTS (SELECT 1 FROM held WHERE field IN (?, ?))"
    return bool(database.execute(asked, (f"params.{name}", f"metrics.{name}")).fetchone()[0])


def _find_git_dir() -> str | None:
    """Return the git directory of the current folder, as git finds it; none where that takes more than a look.

    Raises:
        OSError: the folder is gone, or may not be read.
    """
    if not _TELLING.isdisjoint(os.environ):
        return None
    folder = os.getcwd()
    device, user = os.stat(folder).st_dev, os.geteuid()
    while True:
        seen = os.stat(folder)
        if seen.st_dev != device:
            return None
        found = os.path.join(folder, ".git")
        if os.path.lexists(found):
            ours = seen.st_uid == user and os.stat(found).st_uid == user
            return found if ours and _is_git_dir(found) else None
        if os.path.lexists(os.path.join(folder, "HEAD")) and os.path.isdir(os.path.join(folder, "objects")):
            return folder if seen.st_uid == user and _is_git_dir(folder) else None
        folder, before = os.path.dirname(folder), folder
        if folder == before:
            return None


def _is_git_dir(folder: str) -> bool:
    """Return whether a folder is a git directory of its own, not that of a linked worktree, with an ordinary HEAD."""
    with open(os.path.join(folder, "HEAD"), "rb") as file:
        head = file.read(256)
    whole = all(os.path.isdir(os.path.join(folder, name)) for name in ("objects", "refs"))
    plain = head.startswith(b"ref: refs/heads/") or _is_id(head.strip())
    return whole and plain and not os.path.lexists(os.path.join(folder, "commondir"))


def _read_tip(git_dir: str) -> str | None:
    """Return the tip of the ledger's branch; none where it is neither a loose nor a packed ref."""
    try:
        with open(os.path.join(git_dir, *_REF.split("/")), "rb") as file:
            found = file.read(256).removesuffix(b"\n")
    except FileNotFoundError:
        with open(os.path.join(git_dir, "packed-refs"), "rb") as file:
            before, named, _ = file.read().partition(f" {_REF}\n".encode())
        found = before.rpartition(b"\n")[2] if named else b""
    return found.decode() if _is_id(found) else None


def _is_id(text: bytes) -> bool:
    return len(text) in _ID_LENGTHS and _HEX.issuperset(text)


def _does_anything_wait(git_dir: str) -> bool:
    """Return whether a crash may have left something: anything in the state folders that is not a living run's.

    Raises:
        OSError: it is something other than a spool.
    """
    with os.scandir(os.path.join(git_dir, "ledger")) as kinds:
        left = [os.path.join(kind.path, name) for kind in kinds if kind.is_dir() for name in os.listdir(kind.path)]
    return not all(map(_is_living_run, left))


def _is_living_run(spool: str) -> bool:
    """Return whether a process holds a spool: `session/spool/spool.py` locks it, and then writes `start.json`."""
    os.stat(os.path.join(spool, "start.json"))  # before it exists, a lock of ours could block that of the run
    with open(os.path.join(spool, "alive"), "rb") as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
