"""Values of single samples that runs stored: their tables of kind `samples`, as far as they can be read."""

from collections.abc import Sequence

from ledger.analysis.comparing.comparable import Group
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import GroupId, Table
from ledger.model.entries import StoredRun
from ledger.model.tables import load_cells, number_in
from ledger.store.branch.branch import Branch

MOST_REPEATS = 8
"""Most repeats of a setting that are read, the latest first: more would hardly narrow the mean of a sample."""


def read_samples(ledger: Branch, runs: Sequence[StoredRun], group: Group) -> list[dict[str, float]]:
    """Return the value of each sample, for every run that stored them for a comparable group.

    Runs without such a table, or with one that is damaged, are left out: `ledger verify` names those.

    Args:
        ledger: ledger of the runs.
        runs: the repeats of one setting, oldest first.
        group: comparable group of the values.
    """
    found: list[dict[str, float]] = []
    for run in reversed(runs):
        table = _table_of(run, group)
        if table is None or len(found) == MOST_REPEATS:
            continue
        try:
            cells = load_cells(ledger.read_blob(run.files[table.file]), table.file)
        except (LedgerError, OSError):
            continue
        values = {row[0]: number_in(row[-1]) for row in cells.rows}
        if values and None not in values.values():
            found.append({sample: value for sample, value in values.items() if value is not None})
    return found


def _table_of(run: StoredRun, group: Group) -> Table | None:
    for table in reversed(run.record.statistics.tables):
        same = GroupId(table.metric or "", table.dataset_hash or "", table.evaluator or "")
        if table.kind == "samples" and same == group.id:
            return table if table.file in run.files else None
    return None
