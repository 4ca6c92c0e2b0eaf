"""Reading of a dataset by sample, for statistics, drift, pictures and changes.

Files decide what a sample is: images where there are any (files, or rows of arrays), else rows of tables, else
texts, else files. Large sets are read in part, evenly spread; names, contents and labels are always complete.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from ledger.data.optional_packages import needing
from ledger.data.samples import tabular_files
from ledger.data.samples.annotations import Label
from ledger.data.samples.images import (
    SIDE,
    SUFFIXES,
    AnyImage,
    ImageFile,
    ImageRow,
    look_at_all,
    summarise_images,
    white_of,
)
from ledger.data.samples.labels import Labelling, Read, file_of, guess_from_folders, is_part, only, read_labels
from ledger.data.samples.sample_files import TEXTS, is_about
from ledger.data.samples.samples import Samples
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine
from ledger.model.statistics import ImageSummary

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Kind = Literal["images", "rows", "texts", "files"]
"""Kind of the samples of a dataset."""
Progress = Callable[[int, int], None]

_ARRAYS = frozenset({".npy", ".npz"})
MOST_IMAGES = 20_000
"""Most images that are read: decoding takes milliseconds, and a mean is known well before."""
MOST_ROWS = 100_000
"""Most rows whose values are kept; beyond it, single rows are not matched between versions."""
_TEXT_BYTES = 1 << 20
"""Most bytes of a text that are read."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read of a dataset; lists have one entry for each sample."""

    kind: Kind
    """Kind of its samples."""
    names: list[str]
    """Path inside the dataset; with `[row]` where a file has many samples."""
    contents: list[str]
    """Content hash of each, to recognise it under another name; empty where there are too many."""
    labels: list[Label] | None = None
    """Labels of each; none where it has none."""
    slices: dict[str, list[str | None]] = field(default_factory=dict)
    """Values by which samples are grouped."""
    samples: Samples
    """The samples that were read, for drift."""
    images: ImageSummary | None = None
    """Summary of its images."""
    pictures: Sequence[AnyImage] = ()
    """Where each image can be opened; empty where samples are no images, or their files are not available."""
    warnings: list[str] = field(default_factory=list)
    """What was odd."""

    def label(self, index: int) -> str | None:
        """Return the label of a sample in one word, none without."""
        return joined(self.labels[index]) if self.labels else None


def joined(label: Label) -> str | None:
    """Return the labels of a sample in one word, none without."""
    return " + ".join(label) or None


def read_dataset(
    root: Path,
    lines: Sequence[ManifestLine],
    *,
    labelling: Labelling | None = None,
    slices: Sequence[str] = (),
    progress: Progress | None = None,
) -> Reading:
    """Read a dataset's samples; files that cannot be read are counted and named, and never fatal.

    Args:
        root: file or folder of the dataset.
        lines: its manifest.
        labelling: source of the labels; by default folders that look like labels.
        slices: columns, or `folder:N` for a level of folders, by which samples are grouped.
        progress: receives how many are read, and of how many.

    Raises:
        LedgerError: its files are not on this machine, numpy, Pillow or pyarrow is not installed, or requested labels
            are not available.
    """
    if not lies_here(root, lines):
        raise LedgerError(f"only a file or folder on this machine can be looked at: `{root}`", hint="unpack it")
    with needing("looking at data"):
        found = _Found(root, lines, labelling)
        if found.pictures():
            return found.as_images(slices, progress)
        if found.tables():
            return found.as_rows(slices)
        return found.as_files(slices)


def lies_here(root: Path, lines: Sequence[ManifestLine]) -> bool:
    """Return whether a dataset's files are on this machine: not in archives, globs, or remote stores."""
    if root.is_file():
        return len(lines) == 1 and lines[0].path == unicodedata.normalize("NFC", root.name)
    return root.is_dir()


class _Found:
    """The files of a dataset by their content."""

    def __init__(self, root: Path, lines: Sequence[ManifestLine], labelling: Labelling | None) -> None:
        self.root = root
        self.labelling = labelling
        self.warnings: list[str] = []
        self._labels = file_of(labelling, root) if labelling else None
        self.is_own_table = self._labels is not None and is_part(self._labels, root)
        self.lines = [line for line in lines if not self._holds_labels(line)]
        self._names: list[str] = []
        self._contents: list[str] = []
        self._pictures: list[AnyImage] = []
        self._tables: list[tuple[ManifestLine, pa.Table]] = []

    def _holds_labels(self, line: ManifestLine) -> bool:
        """Return whether a file only labels other files; a table with rows of its own has samples as well."""
        if self._labels is None:
            return False
        file = self.path(line).resolve()
        if self._labels.is_dir():
            return PurePosixPath(line.path).suffix == ".txt" and self._labels.resolve() in file.parents
        return file == self._labels.resolve() and self.labelling is not None and self.labelling.kind != "table"

    def path(self, line: ManifestLine) -> Path:
        """Return the path of a file on disk; names in manifests are composed, those on disk need not be."""
        if self.root.is_file():
            return self.root
        path = self.root / line.path
        return path if path.exists() else self.root / unicodedata.normalize("NFD", line.path)

    def pictures(self) -> Sequence[AnyImage]:
        """Return every image, in the order of the manifest."""
        for line in self.lines:
            suffix = PurePosixPath(line.path).suffix.lower()
            if suffix in SUFFIXES:
                self._names.append(line.path)
                self._contents.append(line.hash)
                self._pictures.append(ImageFile(self.path(line)))
            elif suffix in _ARRAYS:
                for name, array in self._arrays(line):
                    self._add_array(line, name, array)
        return self._pictures

    def _arrays(self, line: ManifestLine) -> "Iterable[tuple[str, NDArray[np.generic]]]":
        import numpy as np

        try:
            path = self.path(line)
            if path.suffix.lower() == ".npy":
                yield line.path, np.lib.format.open_memmap(path, mode="r")  # never unpickles
            else:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                    yield from ((f"{line.path}:{name}", archive[name]) for name in archive.files)
        except Exception as error:  # noqa: BLE001  # damaged files make numpy and zipfile raise anything
            self._warn_unreadable(line.path, error)

    def _add_array(self, line: ManifestLine, name: str, array: "NDArray[np.generic]") -> None:
        if array.dtype.kind not in "biuf":
            return
        if array.ndim in {3, 4} and (array.ndim == 3 or array.shape[3] in {1, 3, 4}):  # noqa: PLR2004  # (n, h, w[, c])
            white = white_of(array)
            for row in range(len(array)):
                self._names.append(f"{name}[{row}]")
                values = array[row]
                self._contents.append(hash_bytes(f"{values.dtype}{values.shape}".encode() + values.tobytes()))
                self._pictures.append(ImageRow(array, row, white))
        elif array.ndim in {1, 2} and len(array):
            self._tables.append((line, tabular_files.table_of(array, PurePosixPath(name).stem)))

    def tables(self) -> Sequence[object]:
        """Return every readable table; called when there are no images."""
        for line in self.lines:
            if PurePosixPath(line.path).suffix.lower() in tabular_files.SUFFIXES:
                try:
                    self._tables.append((line, tabular_files.read_table(self.path(line))))
                except LedgerError as error:
                    self.warnings.append(error.message)
        return self._tables

    def _warn_unreadable(self, name: str, error: Exception) -> None:
        self.warnings.append(f"cannot be read ({type(error).__name__}): {name}")

    def as_images(self, slices: Sequence[str], progress: Progress | None) -> Reading:
        """Return images as samples."""
        import numpy as np

        read = self._labelled(self._names, slices)
        chosen = _spread(len(self._names), MOST_IMAGES)
        looks = look_at_all([self._pictures[index] for index in chosen], progress)
        names = [self._names[index] for index in chosen]
        summary = summarise_images(names, looks)
        if broken := sum(look is None for look in looks):
            shown = ", ".join(summary.unreadable[:3])
            self.warnings.append(f"{broken} of {len(looks)} images cannot be read: {shown}{' …' if broken > 3 else ''}")  # noqa: PLR2004  # three are named
        if len(chosen) < len(self._names):
            self.warnings.append(f"{len(chosen)} of {len(self._names)} images were looked at, evenly spread")
        blank = np.full((SIDE, SIDE), np.nan, dtype=np.float32)
        grey = np.stack([blank if look is None else look.grey for look in looks])
        measured = {
            "width": [np.nan if look is None else look.size[0] for look in looks],
            "height": [np.nan if look is None else look.size[1] for look in looks],
            "brightness": [np.nan if look is None else float(look.grey.mean()) for look in looks],
        }
        features = {name: np.asarray(values, dtype=np.float64) for name, values in measured.items()}
        return Reading(
            kind="images",
            names=self._names,
            contents=self._contents,
            labels=read.labels,
            slices=read.slices,
            samples=_samples(self._names, read, chosen, features=features, images=grey),
            images=summary,
            pictures=self._pictures,
            warnings=[*self.warnings, *read.warnings],
        )

    def as_rows(self, slices: Sequence[str]) -> Reading:
        """Return rows of tables as samples."""
        import numpy as np

        column = self._column_of_labels()
        levels = [name for name in slices if name.startswith("folder:")]
        wanted = [name for name in (column, *slices) if name and name not in levels]
        found = tabular_files.columns_of([table for _, table in self._tables], wanted)
        for name in wanted:
            if name not in found.words:
                known = ", ".join([*found.words, *found.numbers][:30])
                raise LedgerError(f"the dataset has no such column: `{ascii(name)[1:-1]}`", hint=f"one of {known}")
        names = [f"{line.path}[{row}]" for line, table in self._tables for row in range(table.num_rows)]
        read = self._labelled(names, levels) if column is None else Read()
        labels = [only(word) for word in found.words[column]] if column else read.labels
        text = tabular_files.text_column(found, [*wanted])
        features = dict(found.numbers)
        texts = [word or "" for word in found.words[text]] if text else None
        if texts is not None:
            features[f"length of {text}"] = np.asarray([len(word) for word in texts], dtype=np.float64)
        if found.left_out:
            self.warnings.append(f"{len(found.left_out)} columns of numbers were not looked at: {found.left_out[0]} …")
        chosen = _spread(len(names), MOST_ROWS)
        read = Read(
            labels=labels, slices={**read.slices, **{name: found.words[name] for name in slices if name in wanted}}
        )
        return Reading(
            kind="rows",
            names=names,
            contents=_row_contents(self._tables, column) if len(names) <= MOST_ROWS else [],
            labels=labels,
            slices=read.slices,
            samples=_samples(
                names,
                read,
                chosen,
                features={name: values[chosen] for name, values in features.items()},
                texts=[texts[index] for index in chosen] if texts is not None else None,
            ),
            warnings=self.warnings,
        )

    def _column_of_labels(self) -> str | None:
        labelling = self.labelling
        if labelling is None or labelling.kind != "table":
            return None
        if not self.is_own_table:
            raise LedgerError(
                f"samples are rows of the dataset's tables, but labels are in another table: `{labelling.place}`",
                hint="name a column of the dataset's own table",
            )
        return labelling.part

    def as_files(self, slices: Sequence[str]) -> Reading:
        """Return texts as samples, else all files."""
        import numpy as np

        lines = [line for line in self.lines if not is_about(line.path)] or self.lines
        texts = [line for line in lines if PurePosixPath(line.path).suffix.lower() in TEXTS]
        lines = texts or lines
        names = [line.path for line in lines]
        read = self._labelled(names, slices)
        chosen = _spread(len(names), MOST_IMAGES)
        words = [self._text(lines[index]) for index in chosen] if texts else None
        features = {}
        if words is not None:
            features["length in characters"] = np.asarray([len(word) for word in words], dtype=np.float64)
            features["length in words"] = np.asarray([len(word.split()) for word in words], dtype=np.float64)
        else:
            features["size in bytes"] = np.asarray([lines[index].bytes for index in chosen], dtype=np.float64)
        return Reading(
            kind="texts" if texts else "files",
            names=names,
            contents=[line.hash for line in lines],
            labels=read.labels,
            slices=read.slices,
            samples=_samples(names, read, chosen, features=features, texts=words),
            warnings=[*self.warnings, *read.warnings],
        )

    def _text(self, line: ManifestLine) -> str:
        try:
            with self.path(line).open("rb") as file:
                return file.read(_TEXT_BYTES).decode("utf-8", "replace")
        except OSError as error:
            self._warn_unreadable(line.path, error)
            return ""

    def _labelled(self, names: Sequence[str], slices: Sequence[str]) -> Read:
        if self.root.is_file() and self.labelling is None:
            return Read()
        if self.labelling is not None or slices:
            return read_labels(self.labelling, self.root, names, slices)
        return Read(labels=guess_from_folders(names))


def _spread(count: int, most: int) -> list[int]:
    """Return the positions to read: all, or evenly spread ones."""
    return list(range(count)) if count <= most else [index * count // most for index in range(most)]


def _samples(
    names: Sequence[str],
    read: Read,
    chosen: Sequence[int],
    *,
    features: "dict[str, NDArray[np.float64]]",
    images: "NDArray[np.float32] | None" = None,
    texts: list[str] | None = None,
) -> Samples:
    return Samples(
        names=[names[index] for index in chosen],
        labels=[joined(read.labels[index]) for index in chosen] if read.labels else None,
        slices={name: [values[index] for index in chosen] for name, values in read.slices.items()},
        features=features,
        images=images,
        texts=texts,
    )


def _row_contents(read: "Sequence[tuple[ManifestLine, pa.Table]]", but: str | None) -> list[str]:
    """Return the content of each row without its label, so that a relabelled row is recognised."""
    contents = []
    for _, table in read:
        names = sorted(name for name in table.column_names if name != but)
        columns = [table.column(name).to_pylist() for name in names]
        contents += [
            hash_bytes(repr([names, row]).encode("utf-8", "surrogatepass")) for row in zip(*columns, strict=True)
        ]
    return contents
