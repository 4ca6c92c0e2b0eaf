"""The run that an id or a part of one names. The recorder uses it, too, so nothing heavy is imported at the top."""

from collections.abc import Iterable

from ledger.errors import NotFound
from ledger.model import paths
from ledger.model.ids import is_id, resolve
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import living_run


def resolve_run(ledger: Branch, short: str) -> str:
    """Return the run that an id or a part of one names; an existing index is asked, and none is made.

    Raises:
        NotFound: no run has it.
        UsageError: several have it.
        LedgerError: git cannot read the branch.
    """
    whole = short.strip().lower()
    if is_id(whole) and ledger.read(f"{paths.run_path(whole)}/{paths.RECORD_FILE}") is not None:
        return whole
    from ledger.store.index.file import FILE  # SQLite: not needed for a whole id, as runs use it themselves

    if (ledger.repository.state_dir / FILE).exists():
        from ledger.store.index.index import ask_file

        if known := ask_file(ledger, lambda index: index.matching(whole)):
            return resolve(short, known)
    tip = ledger.tip()
    files = ledger.repository.read_tree(tip, ["runs/"]) if tip else []
    return match_run(ledger, short, filter(None, (paths.run_of(file.path) for file in files)))


def match_run(ledger: Branch, short: str, known: Iterable[str]) -> str:
    """Return the run among known ones, as `ids.resolve` does; the error for one without a record says that it lives.

    Raises:
        NotFound: no run has it.
        UsageError: several have it.
    """
    try:
        return resolve(short, known)
    except NotFound as error:
        if (living := living_run(ledger.repository.state_dir, short)) is None:
            raise
        raise NotFound(
            f"this run has not ended, so it has no record yet: `{living}`", hint=f"ledger show {living}"
        ) from error
