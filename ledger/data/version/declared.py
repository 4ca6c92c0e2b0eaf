"""Data whose bytes were not read: declared by name and version, or by a URL that no storage supports."""

import os
import re

from ledger.errors import LedgerError, NotFound
from ledger.model.values import declared_hash

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.+)", re.DOTALL)
_STORES = frozenset(
    {
        *(
            "file",
            "local",
            "memory",
            "tar",
            "zip",
            "http",
            "https",
            "ftp",
            "ftps",
            "sftp",
            "ssh",
            "smb",
            "dav",
            "webdav",
        ),
        *("s3", "s3a", "s3n", "gs", "gcs", "az", "abfs", "abfss", "adl", "wasb", "wasbs", "oss", "oci", "r2", "b2"),
        *("hdfs", "webhdfs", "viewfs", "dbfs", "hf", "github", "git", "dvc", "gdrive", "dropbox", "box", "lakefs"),
        *("azure", "simplecache", "filecache", "blockcache", "libarchive", "root", "reference", "data", "jar"),
    }
)
"""URL schemes that fsspec or a library for it reads (https://filesystem-spec.readthedocs.io/en/latest/api.html)."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def is_declared(address: str) -> bool:
    """Return whether a URL names data without saying where its bytes are: `gym://CartPole-v1`, `hub://cifar10`."""
    found = _SCHEME.fullmatch(address)
    return found is not None and found[1].lower() not in _STORES and "::" not in found[1]


def identity_of_declared(name: str | None, version: str | None, address: str) -> str | None:
    """Return the substitute for a content hash: from name and version, else the URL; none with neither.

    Never equal to a content hash, which names its algorithm.
    """
    if name and version:
        return declared_hash(f"{name}@{version}")
    if not address or not is_declared(address):
        return None
    # Neither credentials nor the query of a URL identify data.
    return declared_hash(re.sub(r"(?<=://)[^/@]*@", "", address.partition("?")[0]))


def nothing_at(path: str) -> LedgerError:
    """Return the message for missing data: a wrong path, or a name without files."""
    if _NAME.fullmatch(path) and not os.path.lexists(path):
        return NotFound(
            f"`{path}` is neither a file nor a folder here, and no version on the ledger; data without files is "
            f"declared: run.dataset({path!r}, declared=VERSION), or --dataset ROLE:{path.lower()}@VERSION=hub://{path}"
        )
    return NotFound(f"there is no dataset at: `{path}`", hint="check the path")
