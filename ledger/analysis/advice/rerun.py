"""What a record lacks for its run to be run again, box by box; nothing is run and nothing is looked for."""

from collections.abc import Iterator
from typing import Literal

from ledger.model.record import Record
from ledger.model.values import Document

Effect = Literal["blocks", "elsewhere", "differs"]
"""It cannot be run again; it can be where it ran, and perhaps nowhere else; it can be, and may come out another."""


class Lack(Document, frozen=True, kw_only=True):
    """Something that is missing."""

    box: str
    """Box of the record."""
    what: str
    """What is missing, in words that runs share, so that they can be counted."""
    effect: Effect = "blocks"
    """What it does to another run."""


def lacks_of(record: Record) -> list[Lack]:
    """Return what a record lacks, in the order code, params, data, environment."""
    return [*_code(record), *_params(record), *_data(record), *_environment(record)]


def _code(record: Record) -> Iterator[Lack]:
    code = record.code
    if code.commit is None:
        yield Lack(box="code", what="no commit is known")
        return
    if code.dirty is None:
        yield Lack(box="code", what="whether something was uncommitted is unknown", effect="differs")
    if code.dirty and code.patch is None and not code.omitted:
        yield Lack(box="code", what="the uncommitted changes were not kept")
    if code.patch is not None and not code.patch.exact:
        yield Lack(box="code", what="the patch is not exact: something was redacted or left out")
    elif any(file.code for file in code.omitted):
        yield Lack(box="code", what="changed files were left out of the patch")
    if code.pushed is False:
        yield Lack(box="code", what="no remote branch has the commit; refs/ledger/kept may", effect="elsewhere")


def _params(record: Record) -> Iterator[Lack]:
    notebook = record.code.notebook
    if not record.command and not (notebook and notebook.command):
        yield Lack(box="params", what="the command is unknown")
    if record.redactions:
        yield Lack(box="params", what="secrets were redacted: they must be given again")
    if record.seed is None and not any("seed" in name.lower() for name in record.params.values):
        yield Lack(box="params", what="no seed is known", effect="differs")


def _data(record: Record) -> Iterator[Lack]:
    used = record.datasets.used
    if not used:
        yield Lack(box="datasets", what="no dataset was named")
    if any(use.hash is None for use in used):
        yield Lack(box="datasets", what="the content of a dataset is unknown")
    elif any(use.declared for use in used):
        yield Lack(box="datasets", what="a dataset was declared and never verified", effect="differs")
    if any(use.memory for use in used):
        yield Lack(box="datasets", what="a dataset was in memory only", effect="elsewhere")


def _environment(record: Record) -> Iterator[Lack]:
    environment = record.environment
    if environment.packages is None:
        yield Lack(box="environment", what="the packages are unknown")
    if environment.python is None:
        yield Lack(box="environment", what="the version of Python is unknown")
    if environment.working_copies:
        yield Lack(box="environment", what="a package was installed from a folder", effect="elsewhere")
