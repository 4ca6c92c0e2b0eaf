"""`ledger dataset`: versions of datasets, why each exists, and how they differ. One file per verb in `versions/`."""

import click

from ledger.commands.lazy_group import LazyGroup, Section

_VERBS = {
    "add": "Add a version of a dataset, with what it looks like and what it changed.",
    "list": "List dataset versions.",
    "show": "Show a version: what it holds, changed, and how far it is from production.",
    "diff": "Show how two versions differ, from what stands on the ledger.",
    "check": "Say whether data is a known version, or how it differs.",
    "retire": "Say that a version is used no longer.",
    "history": "Tell the history of a dataset, and of every metric on it.",
}
"""Every verb with its one line; the file `versions/<verb>.py` is imported when the verb is chosen."""


@click.group("dataset", cls=LazyGroup, sections=[Section("Commands", "ledger.commands.data.versions", _VERBS)])
def dataset_command() -> None:
    """Keep versions of datasets: why each exists, what it changed, and what it did to every metric."""
