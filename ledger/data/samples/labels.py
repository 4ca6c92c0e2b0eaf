"""Labels and slices of samples: from folders, tables, arrays, COCO, YOLO, or a user's function."""

import re
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from ledger.data.optional_packages import needing
from ledger.data.samples import tabular_files
from ledger.data.samples.annotations import Label, from_coco, from_yolo
from ledger.data.samples.matching import Match, match_keys
from ledger.errors import LedgerError, NotFound, UsageError

HINT = (
    "one of folder, none, FILE.csv:COLUMN, FILE.parquet:COLUMN, FILE.npy, coco:FILE.json, yolo:FOLDER, MODULE:FUNCTION"
)
_TABLE = re.compile(r"(.+(?:\.csv|\.tsv|\.parquet|\.pq|\.jsonl|\.ndjson)):(.+)", re.IGNORECASE)
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "images", "labels", "data"})
"""Folders named after the role of samples, not their label."""
_KEYS = frozenset(
    {
        *("path", "file", "filename", "file_name", "filepath", "image", "img", "picture", "photo", "name", "id", "key"),
        *("ids", "uid", "uuid", "sample", "example", "item", "frame", "stem"),
    }
)
"""Columns that name samples in tables; in others a number is never taken for the name of a file."""
_LEVEL = re.compile(r"folder:(\d)")


@dataclass(frozen=True)
class Labelling:
    """The source of labels."""

    kind: str
    """`folder`, `none`, `table`, `array`, `coco`, `yolo` or `function`."""
    place: str = ""
    """File, folder or module."""
    part: str = ""
    """Column or function."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """Labels and slices, one entry for each sample in each list."""

    labels: list[Label] | None = None
    """Label of each; none where it has none."""
    slices: dict[str, list[str | None]] = field(default_factory=dict)
    """Values by which samples are grouped."""
    warnings: list[str] = field(default_factory=list)
    """What was odd."""


def parse_labelling(text: str) -> Labelling:
    """Return the source of labels as typed on the command line.

    Raises:
        UsageError: it has none of the known forms.
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
    raise UsageError(f"not a source of labels: `{text}`", hint=HINT)


def file_of(labelling: Labelling, root: Path) -> Path | None:
    """Return the file or folder of the labels: as it was named, else inside the dataset; none where they have none.

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
    """Return whether labels are inside the dataset, and so in its hash; labels without a file come from its paths."""
    return file is None or file.resolve() == root.resolve() or root.resolve() in file.resolve().parents


def moved(labelling: Labelling | None, root: Path, place: Path) -> Labelling | None:
    """Return the source of another version's labels; none where they are outside of the dataset.

    Args:
        labelling: source of a dataset's labels.
        root: that dataset.
        place: path of its other version.
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
        labelling: source of the labels; by default folders, where these look like labels.
        root: path of the dataset.
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
            return from_table(file, labelling.part, columns, names, root)
        case "function":
            return from_function(labelling, [_label_file(root, name) for name in names])
        case "folder":
            labels = from_folders(names)
        case "coco":
            labels, warnings = from_coco(file, names, root)
            return Read(labels=labels, warnings=warnings)
        case "yolo":
            labels, warnings = from_yolo(file, names, root)
            return Read(labels=labels, warnings=warnings)
        case "array":
            labels = from_array(file, len(names))
        case _:
            return Read()
    return Read(labels=labels)


def _label_file(root: Path, name: str) -> Path:
    return root if root.is_file() else root / name


def _level(name: str, level: int) -> str | None:
    folders = PurePosixPath(name).parts[:-1]
    return folders[level - 1] if 0 < level <= len(folders) else None


def from_folders(names: Sequence[str]) -> list[Label]:
    """Return the first folder of each path; an array file beside others, such as `7.npy`, is its own label."""
    labels: list[Label] = []
    for name in names:
        first, slash, _ = name.partition("/")
        array = re.fullmatch(r"(.+)\.np[yz](\[.*\])?", first)
        labels.append((first,) if slash else (array[1],) if array else ())
    return labels


def guess_from_folders(names: Sequence[str]) -> list[Label] | None:
    """Return the labels that folders imply; none where they do not look like labels."""
    labels = from_folders(names)
    different = set(labels)
    if () in different or len(different) < 2 or {label[0].lower() for label in different} <= _SPLITS:  # noqa: PLR2004
        return None
    return labels


def from_table(path: Path, column: str, slices: Sequence[str], names: Sequence[str], root: Path) -> Read:
    """Return labels and slices from the rows of a table, each of which names a sample: by path, file name, stem or id.

    `COLUMN@KEY` says in which column the samples are named; else it is found, and must be beyond doubt.

    Raises:
        LedgerError: the table cannot be read, has no such column, names no sample, or names them ambiguously.
    """
    table = tabular_files.read_table(path)
    column, at, key = _column_and_key(column, table.column_names)
    label = tabular_files.read_words(table, column, str(path))
    shared = {name: tabular_files.read_words(table, name, str(path)) for name in slices}
    if at:
        candidates = [key]
    else:
        candidates = [name for name in table.column_names if name != column and table.column_names.count(name) == 1]
    found = {}
    for name in candidates:
        words = tabular_files.read_words(table, name, str(path))
        counted = tabular_files.is_number(table, name)
        if not at and counted and not _is_key(name):
            continue  # numbers that coincide with file names: folds, ages, counts
        said = partial(_label_in_row, label, shared)
        match = match_keys(words, names, root=root, says=said, numbers=bool(at) or _is_key(name))
        if not at and (counted or match.strength == 0) and match.strangers and match.named < len(names):
            match = replace(match, problem=match.problem or _off(match, words, names, name))
        if match.named:
            found[name] = match
    chosen = _chosen(found, label, path, names)
    rows = found[chosen].keys
    strangers = found[chosen].strangers or []
    return Read(
        labels=[only(label[row]) if row is not None else () for row in rows],
        slices={name: [words[row] if row is not None else None for row in rows] for name, words in shared.items()},
        warnings=_strangers(strangers, len(label), "rows", tabular_files.read_words(table, chosen, str(path))),
    )


def _off(match: Match, words: Sequence[str | None], names: Sequence[str], column: str) -> str:
    """Return why numbers are not trusted that leave both a row and a sample over: they may start at another number."""
    left = names[match.keys.index(None)]
    stranger = words[(match.strangers or [0])[0]]
    return f"`{stranger}` of column {column} names no sample, and no row names `{left}`"


def _label_in_row(label: Sequence[str | None], shared: Mapping[str, Sequence[str | None]], row: int) -> Hashable:
    return (label[row], *(words[row] for words in shared.values()))


def _column_and_key(text: str, columns: Sequence[str]) -> tuple[str, str, str]:
    """Return the column of labels, and the column of names where it is stated: `label@path`."""
    if text in columns or "@" not in text:
        return text, "", ""
    return text.rpartition("@")


def _is_key(column: str) -> bool:
    """Return whether a column's name is one for sample names, so that its numbers may be names."""
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return name in _KEYS or name.endswith(("_id", "_path", "_file", "_name", "_key"))


def _chosen(found: Mapping[str, Match], label: Sequence[str | None], path: Path, names: Sequence[str]) -> str:
    """Return the column that names the samples: the one that names most, the stricter one in a tie.

    Raises:
        LedgerError: there is none, it is not exact, or another equally strict one contradicts it.
    """
    hint = f"name the column of their paths, file names or ids: --labels {path.name}:COLUMN@PATHS"
    if not found:
        shown = f"samples are called {names[0]!r}" if names else "there are no samples"
        raise LedgerError(f"no column of the table names the samples ({shown}): `{path}`", hint=hint)
    best = max(found, key=lambda name: (found[name].named, found[name].strength, _is_key(name)))
    match = found[best]
    if match.problem is not None:
        raise LedgerError(f"the table does not say which sample is which: {match.problem}: `{path}`", hint=hint)
    for name, other in found.items():
        if other.problem is not None or (other.strength < match.strength and other.named <= match.named):
            continue
        for place, (row, another) in enumerate(zip(match.keys, other.keys, strict=True)):
            if row is not None and another is not None and label[row] != label[another]:
                told = f"`{names[place]}` is {label[row]} by column {best} and {label[another]} by column {name}"
                raise LedgerError(
                    f"two columns of the table name the samples and disagree: {told}: `{path}`", hint=hint
                )
    return best


def _strangers(positions: Sequence[int], count: int, what: str, words: Sequence[str | None]) -> list[str]:
    """Return a warning about keys that name no sample; none where all do."""
    if not positions:
        return []
    return [f"{len(positions)} of {count} {what} of labels name no sample, first {words[positions[0]]}"]


def only(word: str | None) -> Label:
    """Return a single word as a label; none for an empty one."""
    return () if word is None else (word,)


def from_array(path: Path, count: int) -> list[Label]:
    """Return the labels in an array, one for each sample in order.

    Raises:
        LedgerError: it cannot be read, or has another number of labels.
    """
    with needing("reading an array"):
        import numpy as np
    try:
        with path.open("rb") as file:  # numpy leaves a damaged file open
            values = np.asarray(np.load(file, allow_pickle=False))
    except Exception as error:  # noqa: BLE001  # damaged files make numpy and zipfile raise anything
        raise LedgerError(f"the array of labels cannot be read ({str(error)[:80].lower()}): `{path}`") from None
    if values.ndim != 1 or len(values) != count:
        raise LedgerError(f"there are {count} samples, but the labels have the shape {values.shape}: `{path}`")
    # Unlike in a table, `1.0` stays what it is: versions on the ledger hold it so.
    return [
        only(tabular_files.word_of(value) if isinstance(value, bytes) or value != value else str(value))  # noqa: PLR0124  # NaN
        for value in values.tolist()
    ]


def from_function(labelling: Labelling, paths: Sequence[Path]) -> Read:
    """Return the labels that a user's function gives for each path; where it raises, the sample has no label.

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
            f"the label function cannot be loaded ({type(error).__name__}: {str(error)[:120]}): "
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
        except Exception as error:  # noqa: BLE001  # a user's function may raise anything for one sample
            failed.append(f"{path.name}: {type(error).__name__}: {str(error)[:80]}")
            said = None
        labels.append(_label_of(said))
    if failed and len(failed) == len(paths):
        raise LedgerError(f"the label function raised an exception for every sample, first for {failed[0]}")
    more = [f"the label function gave no label for {len(failed)} samples, first {failed[0]}"] if failed else []
    return Read(labels=labels, warnings=more)


def _label_of(said: object) -> Label:
    """Return the label from a function's result: one, or several in a list, a tuple or a set."""
    if said is None:
        return ()
    several = said if isinstance(said, list | tuple | set | frozenset) else [said]
    return tuple(sorted({str(one) for one in several if one is not None}))
