"""Update of the index tables from one commit of the branch to another: completely, or by the difference."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

import msgspec

from ledger.analysis.comparing.comparable import counts
from ledger.analysis.comparing.leaderboard import latest_metrics, short_key
from ledger.analysis.comparing.ranks import encode_trace, trace_of
from ledger.analysis.query.fields import metrics_of, own_fields
from ledger.analysis.query.fulltext import spoken
from ledger.analysis.query.row import line_of
from ledger.analysis.query.sort_keys import sortable, sortable_items
from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Evaluation, Note, Problem, StoredRun
from ledger.model.hosts import HostDay
from ledger.model.record import Record
from ledger.model.values import Document
from ledger.repository.history.walk import PathChange, read_difference
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import about_no_run, by_time, kind_of, load_entry, said_at, split_run
from ledger.store.index.spent import Spent, spent_row
from ledger.store.index.watched import write_watched

SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    # `facts` is JSON: sortable text by field; `group.KEY` in it names the comparable group of a metric.
    (
        "CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT UNIQUE, place TEXT, folder TEXT,"
        " files TEXT, facts TEXT, words TEXT, named INTEGER, cells TEXT)"
    ),
    "CREATE INDEX runs_by_place ON runs (place)",
    "CREATE INDEX runs_by_end ON runs (substr(id, 17))",
    # Folders of runs that had no record when they were last read.
    "CREATE TABLE strays (folder TEXT PRIMARY KEY)",
    "CREATE TABLE later (path TEXT PRIMARY KEY, blob TEXT, run TEXT, kind TEXT)",
    "CREATE INDEX later_by_run ON later (run)",
    "CREATE TABLE problems (path TEXT PRIMARY KEY, run TEXT, message TEXT)",
    "CREATE INDEX problems_by_run ON problems (run)",
    # What decides which values of a metric are comparable; empty texts where nobody said. Runs that do not count have
    # groups of their own, so that an order sets them aside without a look at each.
    (
        "CREATE TABLE groups (number INTEGER PRIMARY KEY, content TEXT, evaluator TEXT, label TEXT, direction TEXT,"
        " aside INTEGER)"
    ),
    # The names of params in one text: most runs of an experiment share them.
    "CREATE TABLE names (named INTEGER PRIMARY KEY, said TEXT UNIQUE)",
    # Every `params.NAME` and `metrics.KEY` that a run has: candidates for a name in a query.
    "CREATE TABLE held (field TEXT PRIMARY KEY) WITHOUT ROWID",
    # What leaderboards need of every run, apart from the long rows of the runs themselves.
    (
        "CREATE TABLE settled (run TEXT PRIMARY KEY, setting TEXT, headline TEXT, unranked TEXT, trace TEXT)"
        " WITHOUT ROWID"
    ),
    # What a run cost, and what of it went where; sums over all runs read nothing else.
    (
        "CREATE TABLE spent (run TEXT PRIMARY KEY, experiment TEXT, person TEXT, week TEXT, month TEXT, status TEXT,"
        " aside TEXT, currency TEXT, amount REAL, idle REAL, waited REAL, seconds REAL, energy REAL, co2e REAL)"
        " WITHOUT ROWID"
    ),
    # Days of hosts, summed up over their GPUs.
    "CREATE TABLE watched (path TEXT PRIMARY KEY, host TEXT, day TEXT, said BLOB) WITHOUT ROWID",
    "CREATE INDEX watched_by_day ON watched (day)",
    # Measurements other than the one in `facts`: on other data, by other evaluators, or repeated.
    (
        "CREATE TABLE again (metric TEXT, run TEXT, number INTEGER, value TEXT,"
        " PRIMARY KEY (metric, run, number)) WITHOUT ROWID"
    ),
    "CREATE INDEX again_by_run ON again (run)",
    "CREATE TABLE fields (name TEXT PRIMARY KEY, number INTEGER)",
)
"""The tables of the index, and the SQL indexes that every question needs."""

_AT_ONCE = 100
"""Runs that are held while the tables are filled; 2,000 of them leave the cache of a core, 4 % slower."""
_FOLDERS_ASKED = 500
"""Most folders of runs that are listed by name; beyond that, listing the whole tree costs less."""


class _Changes(Document, frozen=True, kw_only=True):
    """Changes to make to the tables."""

    folders: dict[str, dict[str, str]]
    """The present files of each changed run folder; none when the folder was removed."""
    documents: dict[str, str | None]
    """The blob of every other changed document, by path; none when it was removed."""


def update(database: sqlite3.Connection, ledger: Branch, old: str | None, new: str) -> None:
    """Update the tables from commit `old` to `new`, inside the caller's transaction.

    Raises:
        InvalidDocument: the format of the ledger is newer than this version reads.
        LedgerError: git cannot read the commit.
    """
    repository = ledger.repository
    differing = _read_difference(repository, old, new) if old else None
    if differing is None or any(change.path == paths.FORMAT_FILE for change in differing):
        ledger.check_format(new)
    changes = None if differing is None else _changes(database, repository, differing, new)
    if changes is None:
        for table in ("runs", "strays", "later", "problems", "settled", "spent", "again", "held", "watched"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608  # the name is our own
        changes = _everything(repository, new)
        about = _write_documents(database, repository, changes.documents)
        write_runs(database, repository, changes.folders)
    else:
        about = _write_documents(database, repository, changes.documents)
        before = database.total_changes
        about.update([_remove_run(database, folder) for folder in changes.folders])
        changed = database.total_changes > before or None in changes.documents.values()
        for folder in changes.folders:
            database.execute("DELETE FROM problems WHERE path = ?", (f"{folder}/{paths.RECORD_FILE}",))
        write_runs(database, repository, changes.folders | _stored_folders(database, about, changes.folders))
        if changed:  # a redaction, or a rewound branch
            _hold_anew(database)
    _write_homeless(database, about)


def _hold_anew(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM held")
    database.execute(
        "INSERT INTO held SELECT DISTINCT key FROM runs, json_each(facts)"
        " WHERE key >= 'params.' AND key < 'params/' OR key >= 'metrics.' AND key < 'metrics/'"
    )


def _remove_run(database: sqlite3.Connection, folder: str) -> str:
    """Remove the run of a folder, if it exists, and return its id."""
    run = folder.rpartition("/")[2]
    if database.execute("DELETE FROM runs WHERE id = ? AND folder = ?", (run, folder)).rowcount:
        database.execute("DELETE FROM settled WHERE run = ?", (run,))
        database.execute("DELETE FROM spent WHERE run = ?", (run,))
        database.execute("DELETE FROM again WHERE run = ?", (run,))
    return run


def _everything(repository: Repository, tip: str) -> _Changes:
    folders: dict[str, dict[str, str]] = {}
    documents: dict[str, str | None] = {}
    names: dict[str, str] = {}  # a million runs have few names of files
    for file in repository.walk_tree(tip, paths.ENTRY_FOLDERS):
        if not _is_text(file.path):
            continue
        folder, name = split_run(file.path)
        if folder:
            folders.setdefault(folder, {})[names.setdefault(name, name)] = file.blob
        elif kind_of(file.path) is not None:
            documents[file.path] = file.blob
    return _Changes(folders=folders, documents=documents)


def _is_text(path: str) -> bool:
    """Return whether a path is UTF-8, which SQLite needs: no entry has another, and `ledger verify` reports those."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_difference(repository: Repository, old: str, new: str) -> list[PathChange] | None:
    """Return the difference; none where the old commit is missing, after a gc or in an index from another clone."""
    try:
        return read_difference(repository, old, new, (paths.FORMAT_FILE, *paths.ENTRY_FOLDERS))
    except LedgerError:
        if repository.resolve(old) is None:
            return None
        raise


def _changes(
    database: sqlite3.Connection, repository: Repository, differing: Sequence[PathChange], new: str
) -> _Changes:
    touched: dict[str, dict[str, str]] = {}
    documents: dict[str, str | None] = {}
    known = set()
    for change in differing:
        if not _is_text(change.path):
            continue
        folder, name = split_run(change.path)
        if folder:
            touched.setdefault(folder, {})[name] = change.blob
            if change.status != "A":
                known.add(folder)
        elif kind_of(change.path) is not None:
            documents[change.path] = None if change.status == "D" else change.blob
    # The difference has every file of a new folder; of an existing folder it has only the changed files.
    known |= {folder for folder in touched if _is_known(database, folder)}
    if known:
        for folder in known:
            touched[folder] = {}
        for file in repository.read_tree(new, list(known) if len(known) <= _FOLDERS_ASKED else ()):
            folder, name = split_run(file.path)
            if folder in known and _is_text(file.path):
                touched[folder][name] = file.blob
    return _Changes(folders=touched, documents=documents)


def _is_known(database: sqlite3.Connection, folder: str) -> bool:
    """Return whether a folder was known before."""
    asked = (
        "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND folder = ?)"
        " OR EXISTS (SELECT 1 FROM problems WHERE path = ?) OR EXISTS (SELECT 1 FROM strays WHERE folder = ?)"
    )
    run, record = folder.rpartition("/")[2], f"{folder}/{paths.RECORD_FILE}"
    return bool(database.execute(asked, (run, folder, record, folder)).fetchone()[0])


def _write_documents(
    database: sqlite3.Connection, repository: Repository, documents: Mapping[str, str | None]
) -> set[str]:
    """Write the documents that are not records, and return the runs that they refer to, before and now."""
    about: set[str] = set()
    for path in documents:
        about.update(run for (run,) in database.execute("SELECT run FROM later WHERE path = ?", (path,)))
        database.execute("DELETE FROM later WHERE path = ?", (path,))
        database.execute("DELETE FROM problems WHERE path = ?", (path,))
        database.execute("DELETE FROM watched WHERE path = ?", (path,))
    present = [(path, blob, kind) for path, blob in documents.items() if blob and (kind := kind_of(path))]
    contents = repository.read_objects(blob for _, blob, _ in present)
    for (path, blob, kind), data in zip(present, contents, strict=True):
        entry = load_entry(path, data, kind)
        if isinstance(entry, Problem):
            _write_problem(database, entry)
        elif isinstance(entry, HostDay):
            write_watched(database, path, entry)
        elif isinstance(entry, Evaluation) or (isinstance(entry, Note) and entry.about_run):
            kind_of_note = entry.kind if isinstance(entry, Note) else ""
            database.execute("INSERT INTO later VALUES (?, ?, ?, ?)", (path, blob, entry.run, kind_of_note))
            about.add(entry.run)
    return about


def _stored_folders(
    database: sqlite3.Connection, runs: Iterable[str], known: Mapping[str, object]
) -> dict[str, dict[str, str]]:
    """Return folder and files of runs whose own folder did not change."""
    found = {}
    for run in runs:
        for folder, files in database.execute("SELECT folder, files FROM runs WHERE id = ?", (run,)).fetchall():
            if folder not in known:
                found[folder] = msgspec.json.decode(files, type=dict[str, str])
                _remove_run(database, folder)
    return found


def write_runs(database: sqlite3.Connection, repository: Repository, folders: Mapping[str, Mapping[str, str]]) -> None:
    """Write the rows of runs that have none yet.

    Args:
        database: the tables, already updated with later statements.
        repository: where the records are.
        folders: files of each run, by folder.

    Raises:
        LedgerError: git cannot read one.
    """
    strays = ((folder,) for folder, files in folders.items() if paths.RECORD_FILE not in files)
    database.executemany("INSERT OR IGNORE INTO strays VALUES (?)", strays)
    rows = _Rows(database)
    found = read_runs(repository, _with_later(database, folders))
    columns = "id, place, folder, files, facts, words, named, cells"
    while some := list(islice(found, _AT_ONCE)):
        made = [rows.row(run) for run in some if isinstance(run, StoredRun)]
        database.executemany(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)  # noqa: S608  # the names are our own
        rows.write(database)
        for problem in some:
            if isinstance(problem, Problem):
                _write_problem(database, problem)


def _with_later(
    database: sqlite3.Connection, folders: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, Mapping[str, str], list[tuple[str, str]]]]:
    later = "SELECT path, blob FROM later WHERE run = ?"
    (any_later,) = database.execute("SELECT EXISTS (SELECT 1 FROM later)").fetchone()
    return [
        (folder, files, database.execute(later, (folder.rpartition("/")[2],)).fetchall() if any_later else [])
        for folder, files in folders.items()
        if paths.RECORD_FILE in files
    ]


def read_runs(
    repository: Repository, wanted: Iterable[tuple[str, Mapping[str, str], list[tuple[str, str]]]]
) -> Iterator[StoredRun | Problem]:
    """Yield the run of each folder, or why its record is invalid.

    Args:
        repository: where the records are.
        wanted: folder, blob ids of its files, and path and blob id of each later statement.

    Raises:
        LedgerError: git fails on the way; a later statement is missing.
    """
    listed = list(wanted)
    blobs = (blob for _, files, later in listed for blob in (files[paths.RECORD_FILE], *(blob for _, blob in later)))
    contents = repository.read_objects(blobs)
    for folder, files, later in listed:
        record = load_entry(f"{folder}/{paths.RECORD_FILE}", next(contents), Record)
        said = []
        for path, _ in later:
            kind = kind_of(path)
            entry = load_entry(path, next(contents), kind) if kind else None
            if not isinstance(entry, Evaluation | Note):
                raise LedgerError(f"a statement about a run cannot be read: `{path}`")
            said.append(entry)
        if isinstance(record, Record):
            said.sort(key=said_at)
            evaluations = tuple(entry for entry in said if isinstance(entry, Evaluation))
            notes = tuple(entry for entry in said if isinstance(entry, Note))
            yield StoredRun(record=record, path=folder, files=files, evaluations=evaluations, notes=notes)
        elif isinstance(record, Problem):
            yield record


class _Rows:
    """Builds the rows of runs, and numbers the values that many of them share.

    Args:
        database: holds the numbers given so far.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        groups = database.execute("SELECT content, evaluator, label, direction, aside, number FROM groups")
        self._groups: dict[tuple[str | int, ...], int] = {tuple(group): number for *group, number in groups}
        self._names: dict[str, int] = dict(database.execute("SELECT said, named FROM names"))
        self._given = len(self._groups), len(self._names)
        self._settled: list[tuple[str, str, str | None, str, str]] = []
        self._spent: list[Spent] = []
        self._again: list[tuple[str, str, int, str | None]] = []
        self._held: set[str] = set()

    def row(self, run: StoredRun) -> tuple[str | int, ...]:
        """Return the row of the table of runs."""
        facts: dict[str, str | list[str] | int | None] = {}
        for name, value in own_fields(run).items():
            if value is not None:
                facts[name] = sortable_items(value) if isinstance(value, list) else sortable(value)
        for name, param in run.record.params.values.items():
            if isinstance(param, list):
                facts[f"params.{name}"] = sortable_items(param)
            elif param is not None:
                field, text = _param(name, param)
                facts[field] = text
        told = metrics_of(run)
        for key, metric in told.items():
            facts[f"metrics.{key}"], facts[f"group.{key}"] = sortable(metric.number), self._group(metric, run)
        self._held.update(facts)
        second, started, run_id = by_time(run)
        place = f"{second} {sortable(started.timestamp())} {run_id}"
        _, names, cells = line_of(run)
        named = self._names.setdefault(names, len(self._names) + 1)
        self._settle(run, told)
        files, said = msgspec.json.encode(run.files).decode(), msgspec.json.encode(facts).decode()
        return run_id, place, run.path, files, said, spoken(run), named, cells

    def write(self, database: sqlite3.Connection) -> None:
        """Write new numbers, and what leaderboards need of the runs since it was called last."""
        database.executemany("INSERT OR REPLACE INTO settled VALUES (?, ?, ?, ?, ?)", self._settled)
        database.executemany(
            "INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._spent
        )
        database.executemany("INSERT OR REPLACE INTO again VALUES (?, ?, ?, ?)", self._again)
        held = ((field,) for field in self._held if field.startswith(("params.", "metrics.")))
        database.executemany("INSERT OR IGNORE INTO held VALUES (?)", held)
        for written in (self._settled, self._spent, self._again, self._held):
            written.clear()
        groups, names = self._given
        new_groups = [(number, *group) for group, number in list(self._groups.items())[groups:]]
        database.executemany("INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?)", new_groups)
        new_names = [(number, said) for said, number in list(self._names.items())[names:]]
        database.executemany("INSERT INTO names VALUES (?, ?)", new_names)
        self._given = len(self._groups), len(self._names)

    def _settle(self, run: StoredRun, told: Mapping[str, Metric]) -> None:
        record = run.record
        trace = encode_trace(trace_of(run))
        self._spent.append(spent_row(run))
        self._settled.append((record.id, short_key(run), record.results.headline, run.unranked or "", trace))
        if run.evaluations or len(told) < len(record.results.metrics):
            self._again += (
                (key, record.id, self._group(metric, run), sortable(metric.number))
                for (key, _, _), metric in latest_metrics(run).items()
                if told[key] is not metric
            )

    def _group(self, metric: Metric, run: StoredRun) -> int:
        """Return the number of a comparable group, as of `group_of`, with its direction and whether its runs count."""
        label = metric.dataset or (metric.dataset_hash or "unknown")[:19]
        said = metric.dataset_hash or "", metric.evaluator or "", label, metric.direction or "", int(not counts(run))
        return self._groups.get(said) or self._groups.setdefault(said, len(self._groups) + 1)


@lru_cache(maxsize=4096, typed=True)
def _param(name: str, value: bool | float | str) -> tuple[str, str | None]:  # noqa: FBT001  # a value, not a switch
    """Return field and sortable text of a param, cached: most params of a sweep take few values."""
    return f"params.{name}", sortable(value)


def _write_homeless(database: sqlite3.Connection, runs: Iterable[str]) -> None:
    """Write a problem for every statement about a missing run, and remove the problems of runs that arrived."""
    for run in runs:
        database.execute("DELETE FROM problems WHERE run = ?", (run,))
        if not database.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone():
            # Runs that were proposed and rejected never arrive, which is no problem.
            asked = "SELECT path FROM later WHERE run = ? AND kind <> 'rejection'"
            for (path,) in database.execute(asked, (run,)).fetchall():
                _write_problem(database, about_no_run(path, run), run)


def _write_problem(database: sqlite3.Connection, problem: Problem, run: str | None = None) -> None:
    database.execute("INSERT OR REPLACE INTO problems VALUES (?, ?, ?)", (problem.path, run, problem.message))
