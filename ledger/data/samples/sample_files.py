"""Which files of a dataset are samples: files beside them (licences, label files, lists of classes) are none."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from ledger.data.version.listing import Lines
from ledger.model.entries import ManifestLine

Rank = Literal[3, 2, 1, 0]
"""Rank of a file: 3 a sample by its kind, 2 a table of samples, 1 a text, 0 never one."""

TABLES = frozenset({".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson"})
TEXTS = frozenset({".txt", ".md", ".text", ".rst"})
_TEXTS_TOO = TEXTS | {".html", ".htm", ".xml", ".json", ".tex", ".pdf", ".log"}
"""Files that are samples where there is nothing better, and describe others where there is."""
_NEVER = frozenset(
    {
        *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".names", ".license", ".lock", ".dvc", ".cff", ".bib"),
        *(".sh", ".py", ".pyc", ".ipynb", ".sha1", ".sha256", ".md5", ".gitignore", ".gitattributes", ".gitkeep"),
    }
)
_ABOUT = re.compile(
    r"(?:licen[sc]e|readme|copying|copyright|notice|authors?|changelog|citation|attribution|terms|classes|obj\.names"
    r"|dataset_infos?|checksums?|md5sums?|sha\d+sums?)(?:[._-].*)?",
    re.IGNORECASE,
)
"""Names of files that describe a dataset."""
_MARKS = frozenset(
    {"labels", "label", "annotations", "annotation", "masks", "mask", "targets", "gt", "ground_truth", "groundtruth"}
)
"""Folders with masks of samples that are elsewhere."""
_LABEL_ARRAY = re.compile(r"(?:.*[._-])?(?:labels?|targets?|y|classes)(?:[._-].*)?\.(?:npy|npz|pt|pth|pkl|bin)")


def is_about(path: str) -> bool:
    """Return whether a file's name is one that describes a dataset, so that it is no sample of it."""
    return _ABOUT.fullmatch(path.rpartition("/")[2]) is not None


def samples_among(lines: Sequence[ManifestLine]) -> Callable[[str], bool]:
    """Return a function that decides whether a path of this dataset is a sample.

    Pictures, sounds, arrays and whatever else is no text are samples where there are any; else tables; else texts.
    A picture or array in a folder of marks is none where a file of its name lies outside of such folders.
    """
    paths = _paths(lines)
    best: Rank = max(map(_rank, paths()), default=0)
    outside: set[str] | None = None

    def is_sample(path: str) -> bool:
        nonlocal outside
        if best == 0:
            return True  # a dataset of licences is one, too
        if _rank(path) != best:
            return False
        if best < 3 or not _marks(path):  # noqa: PLR2004  # see `Rank`
            return True
        if outside is None:
            outside = {_stem(other) for other in paths() if _rank(other) == best and not _marks(other)}
        return _stem(path) not in outside and not (_LABEL_ARRAY.fullmatch(path.rpartition("/")[2]) and outside)

    return is_sample


def _paths(lines: Sequence[ManifestLine]) -> Callable[[], Iterable[str]]:
    """Return a function that yields every path; a path alone is half the cost of a line."""
    if isinstance(lines, Lines):
        return lambda: (path for path, _ in lines.texts())
    return lambda: (line.path for line in lines)


def _rank(path: str) -> Rank:
    last = path.rpartition("/")[2].lower()
    stem, dot, ending = last.rpartition(".")
    suffix = f".{ending}" if dot else ""
    if suffix in _NEVER or is_about(path) or (dot and not stem):
        return 0
    if suffix in TABLES:
        return 2
    return 1 if suffix in _TEXTS_TOO else 3


def _marks(path: str) -> bool:
    *folders, last = path.lower().split("/")
    return not _MARKS.isdisjoint(folders) or _LABEL_ARRAY.fullmatch(last) is not None


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]
