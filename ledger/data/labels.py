"""Labels and slices of samples: from folders, tables, arrays, COCO, YOLO, or a function of the user's."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ledger.data import tables
from ledger.data.annotations import Label, from_coco, from_yolo
from ledger.data.needed import needing
from ledger.errors import LedgerError, NotFound, UsageError

HINT = (
    "one of folder, none, FILE.csv:COLUMN, FILE.parquet:COLUMN, FILE.npy, coco:FILE.json, yolo:FOLDER, MODULE:FUNCTION"
)
_TABLE = re.compile(r"(.+(?:\.csv|\.tsv|\.parquet|\.pq|\.jsonl|\.ndjson)):(.+)", re.IGNORECASE)
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "images", "labels", "data"})
"""Folders that say what samples are for, not what they show."""
_KEYS = ("path", "file", "filename", "file_name", "image", "name", "id")
"""Columns in which tables name the samples, looked at first."""
_LEVEL = re.compile(r"folder:(\d)")


@dataclass(frozen=True)
class Labelling:
    """Where labels come from."""

    kind: str
    """`folder`, `none`, `table`, `array`, `coco`, `yolo` or `function`."""
    place: str = ""
    """File, folder or module."""
    part: str = ""
    """Column or function."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """Labels and slices: each list has one entry for each sample."""

    labels: list[Label] | None = None
    """Label of each; none where nobody said."""
    slices: dict[str, list[str | None]] = field(default_factory=dict)
    """What samples share."""
    warnings: list[str] = field(default_factory=list)
    """What was odd."""


def parse_labelling(text: str) -> Labelling:
    """Return where labels come from, as it was typed.

    Raises:
        UsageError: it is none of the ways there are.
    """
    if text in {"folder", "none"}:
        return Labelling(text)
    kind, colon, place = text.partition(":")
    if colon and place and kind in {"coco", "yolo"}:
        return Labelling(kind, place)
    if match := _TABLE.fullmatch(text):
        return Labelling("table", match[1], match[2])
    if text.lower().endswith(".npy"):
        return Labelling("array", text)
    if _FUNCTION.fullmatch(text):
        return Labelling("function", kind, place)
    raise UsageError(f"labels do not come from: `{text}`", hint=HINT)


def file_of(labelling: Labelling, root: Path) -> Path | None:
    """Return the file or folder that holds the labels: as it was named, else inside the dataset; none without one.

    Raises:
        NotFound: there is none.
    """
    if labelling.kind not in {"table", "array", "coco", "yolo"}:
        return None
    for place in (Path(labelling.place), root / labelling.place):
        if place.exists():
            return place
    raise NotFound(f"there are no labels at: `{labelling.place}`", hint="check the path")


def is_part(file: Path | None, root: Path) -> bool:
    """Say whether labels lie in the dataset, so that its hash knows them; those of no file are of its paths."""
    return file is None or file.resolve() == root.resolve() or root.resolve() in file.resolve().parents


def moved(labelling: Labelling | None, root: Path, place: Path) -> Labelling | None:
    """Return where the labels of another version come from, none where they lie outside of the dataset.

    Args:
        labelling: where those of a dataset come from.
        root: that dataset.
        place: the other version of it.
    """
    file = file_of(labelling, root) if labelling else None
    if labelling is None or file is None:
        return labelling
    if not is_part(file, root):
        return None
    inside = file.resolve().relative_to(root.resolve())
    return replace(labelling, place=str((place / inside if inside.parts else place).absolute()))


def read_labels(labelling: Labelling | None, root: Path, names: Sequence[str], slices: Sequence[str]) -> Read:
    """Return labels and slices of samples that are files.

    Args:
        labelling: where they come from; by default from folders, where these look like labels.
        root: the dataset.
        names: path of each sample inside the dataset.
        slices: columns of the table of labels, or `folder:N` for a level of folders.

    Raises:
        LedgerError: the labels cannot be read, a column is missing, or no sample is named.
    """
    levels = {name: int(match[1]) for name in slices if (match := _LEVEL.fullmatch(name))}
    found = {name: [_level(path, level) for path in names] for name, level in levels.items()}
    columns = [name for name in slices if name not in levels]
    if columns and (labelling is None or labelling.kind != "table"):
        raise UsageError(
            f"slices are columns of the table of labels, or levels of folders: `{columns[0]}`",
            hint=f"--labels FILE.csv:COLUMN --slice {columns[0]}, or --slice folder:1",
        )
    if labelling is None:
        return Read(labels=guess_from_folders(names), slices=found)
    read = _read_from(labelling, file_of(labelling, root) or root, root, names, columns)
    return Read(labels=read.labels, slices={**found, **read.slices}, warnings=read.warnings)


def _read_from(labelling: Labelling, file: Path, root: Path, names: Sequence[str], columns: Sequence[str]) -> Read:
    match labelling.kind:
        case "table":
            return from_table(file, labelling.part, columns, names)
        case "function":
            return from_function(labelling, [_found_at(root, name) for name in names])
        case "folder":
            labels = from_folders(names)
        case "coco":
            labels = from_coco(file, names)
        case "yolo":
            labels = from_yolo(file, names)
        case "array":
            labels = from_array(file, len(names))
        case _:
            return Read()
    return Read(labels=labels)


def _found_at(root: Path, name: str) -> Path:
    return root if root.is_file() else root / name


def _level(name: str, level: int) -> str | None:
    folders = PurePosixPath(name).parts[:-1]
    return folders[level - 1] if 0 < level <= len(folders) else None


def from_folders(names: Sequence[str]) -> list[Label]:
    """Return the first folder of each path; a file of an array beside others, such as `7.npy`, is called like one."""
    labels: list[Label] = []
    for name in names:
        first, slash, _ = name.partition("/")
        array = re.fullmatch(r"(.+)\.np[yz](\[.*\])?", first)
        labels.append((first,) if slash else (array[1],) if array else ())
    return labels


def guess_from_folders(names: Sequence[str]) -> list[Label] | None:
    """Return the labels that folders give, none where they do not look like labels."""
    labels = from_folders(names)
    different = set(labels)
    if () in different or len(different) < 2 or {label[0].lower() for label in different} <= _SPLITS:  # noqa: PLR2004
        return None
    return labels


def from_table(path: Path, column: str, slices: Sequence[str], names: Sequence[str]) -> Read:
    """Return labels and slices from the rows of a table that name the samples: by path, file name or stem.

    Raises:
        LedgerError: the table cannot be read, has no such column, or names no sample.
    """
    table = tables.read_table(path)
    label = tables.read_words(table, column, str(path))
    shared = {name: tables.read_words(table, name, str(path)) for name in slices}
    ways: list[Callable[[str], str]] = [
        str,
        lambda name: name.rpartition("/")[2],
        lambda name: PurePosixPath(name).stem,
    ]
    others = sorted(
        (name for name in table.column_names if name != column),
        key=lambda name: _KEYS.index(name.lower()) if name.lower() in _KEYS else len(_KEYS),
    )
    for key in others:
        rows = {word.removeprefix("./"): row for row, word in enumerate(tables.read_words(table, key, "")) if word}
        for way in ways:
            places = [rows.get(way(name)) for name in names]
            if any(place is not None for place in places):
                return Read(
                    labels=[only(label[place]) if place is not None else () for place in places],
                    slices={
                        name: [words[place] if place is not None else None for place in places]
                        for name, words in shared.items()
                    },
                )
    raise LedgerError(
        f"no column of the table names the samples: `{path}`",
        hint=f"one column must hold their paths or file names, such as {names[0]!r}",
    )


def only(word: str | None) -> Label:
    """Return the label that one word is, none where there is none."""
    return () if word is None else (word,)


def from_array(path: Path, count: int) -> list[Label]:
    """Return the labels that an array holds, one for each sample in their order.

    Raises:
        LedgerError: it cannot be read, or holds another number of labels.
    """
    with needing("reading an array"):
        import numpy as np
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise LedgerError(f"the array of labels cannot be read ({str(error)[:80].lower()}): `{path}`") from None
    if values.ndim != 1 or len(values) != count:
        raise LedgerError(f"there are {count} samples, and labels of another shape {values.shape}: `{path}`")
    return [(str(value),) for value in values.tolist()]


def from_function(labelling: Labelling, paths: Sequence[Path]) -> Read:
    """Return what a function of the user's says of each path; where it raises, the sample has no label.

    The module is looked for in the current folder first, as `python -m` does.

    Raises:
        LedgerError: there is no such module or function, or it raises for every sample.
    """
    from importlib import import_module

    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(import_module(labelling.place), labelling.part)
    except Exception as error:
        raise LedgerError(
            f"labels cannot be asked for ({type(error).__name__}: {str(error)[:120]}): "
            f"`{labelling.place}:{labelling.part}`",
            hint="MODULE:FUNCTION, where function(path) returns the label",
        ) from error
    finally:
        sys.path.remove(here)
    labels: list[Label] = []
    failed: list[str] = []
    for path in paths:
        try:
            said = function(path)
        except Exception as error:  # noqa: BLE001  # the user's function may raise anything for one sample
            failed.append(f"{path.name}: {type(error).__name__}: {str(error)[:80]}")
            said = None
        labels.append(() if said is None else (str(said),))
    if failed and len(failed) == len(paths):
        raise LedgerError(f"the function raised for every sample, first for {failed[0]}")
    more = [f"the function gave no label for {len(failed)} samples, first {failed[0]}"] if failed else []
    return Read(labels=labels, warnings=more)
