"""An index of an older tool is made anew: what changes in its rows, and not only its tables, raises `FORMAT`."""

import hashlib
import json
import sqlite3
from contextlib import closing

from ledger.store.branch.branch import Branch
from ledger.store.index.file import FILE, FORMAT
from ledger.store.index.index import ask
from tests.store.branch.test_branch import append_samples

ROWS_OF = (13, "8609ae035de97acc")
"""The format, and the hash of the rows that the sample ledger has in it."""


def test_rows_that_changed_have_a_format_of_their_own(ledger: Branch) -> None:
    append_samples(ledger)
    ask(ledger, lambda index: index.is_empty())
    with closing(sqlite3.connect(ledger.repository.state_dir / FILE)) as database:
        tables = [
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        rows = {
            name: sorted(map(repr, database.execute(f"SELECT * FROM {name}")))  # noqa: S608  # a name of ours
            for name in tables
            if name != "meta" and "_" not in name
        }
    assert rows["runs"]
    found = (FORMAT, hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16])
    assert found == ROWS_OF, "raise FORMAT in store/index/file.py, and write what was found here"
