"""Removal of the home folder's path from appended files, where the policy demands it."""

import re
from collections.abc import Mapping
from pathlib import Path

_AFTER = rb"""(?=[/"'\\\s:,;)\]}>]|$)"""
"""What may follow the path of a home folder: with a longer name it is another folder."""
_DOCUMENTS = re.compile(r"(?:evaluations|notes|cases)/.*\.json|datasets/[^/]+/[^/]+/dataset\.json")
"""Documents that contain people's texts and paths; those of runs were treated when they were made."""


def without_home(data: bytes) -> bytes:
    """Return bytes with `~` in place of the path of the home folder."""
    try:
        homes = {str(Path.home()), str(Path.home().resolve())} - {"/"}
    except (RuntimeError, OSError):
        return data
    for home in sorted(homes, key=len, reverse=True):
        data = re.sub(re.escape(home.encode()) + _AFTER, b"~", data)
    return data


def private_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of an entry without paths of the home folder."""
    return {path: without_home(data) if _DOCUMENTS.fullmatch(path) else data for path, data in files.items()}
