"""Paths of entries on the ledger branch. Folders are by date, so that none grows with the ledger."""

import re

from ledger.errors import LedgerError
from ledger.model.ids import ID
from ledger.model.values import check_slug

RECORD_FILE = "record.json"
ENVIRONMENT_FILE = "environment.json"
CURVES_FILE = "curves.csv"
LOG_FILE = "log.txt"
PATCH_FILE = "code.patch"
NOTEBOOK_FILE = "notebook.py"
FIGURES = "figures"
TABLES = "tables"
PICTURES = "pictures"
DATASET_FILE = "dataset.json"
MANIFEST_FILE = "manifest.jsonl"
SHARDS = "manifests"
FORMAT_FILE = "format"
POLICY_FILE = "policy.yaml"
AGREED = re.compile(r"\.(?:github|forgejo)/workflows/ledger-[a-z]{1,20}\.yml|\.gitlab-ci\.yml", re.ASCII)
"""Paths that only a review may change, beside the policy: the workflows of `ledger ci install`."""
READ_FOLDERS = ("runs/", "datasets/", "evaluations/", "notes/", "cases/", "redactions/")
"""Folders whose entries are read together, as they speak of runs and of what they used."""
HOSTS = "hosts/"
"""Folder of the days of hosts, of which there are many, and of which no run knows."""
ENTRY_FOLDERS = (*READ_FOLDERS, HOSTS)
"""Folders that hold entries; apart from them there are only shards of manifests, of which there are many."""


def is_agreed(path: str) -> bool:
    """Return whether a path may be changed by review only: the policy, and the workflows of CI.

    Hosts read the workflows of a branch from the branch itself, so those of the ledger are stored there.
    """
    return path == POLICY_FILE or AGREED.fullmatch(path) is not None


def run_path(run_id: str) -> str:
    """Return the folder of a run: `runs/YYYY/MM/DD/<id>`.

    Raises:
        LedgerError: the id is not well-formed.
    """
    return f"runs/{_by_date(run_id)}"


def run_of(path: str) -> str | None:
    """Return the run whose record may stand at a path; none for any other path."""
    run_id = path.removesuffix(f"/{RECORD_FILE}").rpartition("/")[2]
    return run_id if ID.fullmatch(run_id) and path == f"{run_path(run_id)}/{RECORD_FILE}" else None


def evaluation_path(evaluation_id: str) -> str:
    """Return the file of an evaluation: `evaluations/YYYY/MM/DD/<id>.json`.

    Raises:
        LedgerError: the id is not well-formed.
    """
    return f"evaluations/{_by_date(evaluation_id)}.json"


def note_path(note_id: str) -> str:
    """Return the file of a note: `notes/YYYY/MM/DD/<id>.json`.

    Raises:
        LedgerError: the id is not well-formed.
    """
    return f"notes/{_by_date(note_id)}.json"


def case_path(dataset: str, case_id: str) -> str:
    """Return the file of a case: `cases/<dataset>/<id>.json`.

    Raises:
        LedgerError: the name cannot stand in a path, or the id is not well-formed.
    """
    if not ID.fullmatch(case_id):
        raise LedgerError(f"not an id: `{ascii(case_id)[1:-1]}`")
    return f"cases/{check_slug('dataset name', dataset)}/{case_id}.json"


def host_path(host: str, day_id: str) -> str:
    """Return the file of a day of a host: `hosts/<host>/YYYY/MM/DD/<id>.json`.

    Raises:
        LedgerError: the name cannot stand in a path, or the id is not well-formed.
    """
    return f"{HOSTS}{check_slug('host', host)}/{_by_date(day_id)}.json"


def picture_path(name: str, version: str, file: str) -> str:
    """Return the path of a version's picture: `datasets/<name>/<version>/pictures/<file>`.

    Raises:
        LedgerError: one of them cannot stand in a path.
    """
    return f"{dataset_path(name, version)}/{PICTURES}/{check_slug('picture', file)}"


def redaction_path(redaction_id: str) -> str:
    """Return the file of a redaction: `redactions/YYYY/MM/DD/<id>.json`.

    Raises:
        LedgerError: the id is not well-formed.
    """
    return f"redactions/{_by_date(redaction_id)}.json"


def signature_path(document: str, name: str) -> str:
    """Return the path of a signature: beside its document, named by a hash of the key and of the signed bytes."""
    return f"{document}.{name[:16]}.sig"


def dataset_path(name: str, version: str) -> str:
    """Return the folder of a dataset version: `datasets/<name>/<version>`.

    Raises:
        LedgerError: name or version cannot stand in a path.
    """
    return f"datasets/{check_slug('dataset name', name)}/{check_slug('dataset version', version)}"


def shards_path(name: str, version: str) -> str:
    """Return the folder of the shards of a large version's manifest: `manifests/<name>/<version>`.

    Raises:
        LedgerError: name or version cannot stand in a path.
    """
    return f"{SHARDS}/{dataset_path(name, version).partition('/')[2]}"


def _by_date(entry_id: str) -> str:
    match = ID.fullmatch(entry_id)
    if match is None:
        raise LedgerError(f"not an id: `{ascii(entry_id)[1:-1]}`")
    return f"{match[1]}/{match[2]}/{match[3]}/{entry_id}"
