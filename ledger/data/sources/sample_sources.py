"""Samples that are files of their own: pictures, arrays and texts."""

import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ledger.data.samples.images import SUFFIXES
from ledger.data.samples.labels import parse_labelling, read_labels
from ledger.data.samples.sample_files import TEXTS, samples_among
from ledger.data.sources.local_copies import LocalCopies
from ledger.data.sources.source import LABEL, BrokenSample, changed_data, content_facts, stacked
from ledger.data.version.scan import scan
from ledger.errors import LedgerError
from ledger.model.entries import ManifestLine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

Decode = Callable[[bytes], Any]


class FileSource:
    """A folder whose files are samples: pictures, `.npy` arrays or texts.

    A sample has the array `image`, `array` or `text`, and `label`: the place of its label among all labels in their
    order.

    Args:
        root: the folder.
        labelling: where labels come from, as `ledger dataset add --labels`; by default folders that look like labels.
        copies: the files, where they are not in the folder but copied one by one when they are read.
        opened_ns: time from which on files must not change; by default now.

    Raises:
        LedgerError: it cannot be read, holds files of another kind, or the labels cannot be read.
    """

    kind = "files"

    def __init__(
        self,
        root: Path,
        labelling: str | None = None,
        copies: LocalCopies | None = None,
        *,
        opened_ns: int | None = None,
    ) -> None:
        import numpy as np

        self.opened_ns = time.time_ns() if opened_ns is None else opened_ns
        self._root = root
        found = scan(str(root)) if copies is None else copies
        is_sample = samples_among([ManifestLine(path=name, bytes=0, hash="") for name in found.names])
        self.names = [name for name in found.names if is_sample(name)]
        self._path_of, self._copies = found.path, copies
        self._facts = np.zeros((len(self.names), 3), np.int64)
        """Facts of the files that were read so far, from which a change is seen."""
        self._part, self._decode = _decoder_of(self.names)
        read = read_labels(parse_labelling(labelling) if labelling else None, root, self.names, [])
        labels = read.labels
        self._labels = None if labels is None else ["+".join(label) if label else None for label in labels]
        self.classes = sorted({label for label in self._labels or () if label is not None})
        """Every label, in order: `label` of a sample is a place in this list, -1 for none."""
        self._places = {label: place for place, label in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.names)

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return the samples at some rows.

        Raises:
            BrokenSample: a file is gone or cannot be decoded.
            LedgerError: a file has changed since the folder was opened, or the samples do not fit in one array.
        """
        import numpy as np

        samples, names = [], []
        for row in rows.tolist():
            names.append(self.names[row])
            samples.append(self._sample(row))
        arrays = stacked(samples, names)
        if self._labels is not None:
            labels = (self._labels[row] for row in rows.tolist())
            arrays[LABEL] = np.array([-1 if label is None else self._places[label] for label in labels], np.int64)
        return arrays

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return the label of each sample, or its folder at a level: `folder:1` is the outermost."""
        if name == LABEL:
            return self._labels
        return read_labels(None, self._root, self.names, [name]).slices[name] if name.startswith("folder:") else None

    def close(self) -> None:
        """Do nothing: files are open only while they are read."""

    def _sample(self, row: int) -> dict[str, Any]:
        try:
            return {self._part: self._decode(self._bytes(row))}
        except LedgerError:
            raise
        except Exception as error:  # damaged files make decoders raise anything, even struct.error and SyntaxError
            raise BrokenSample(
                row,
                f"a sample cannot be read ({type(error).__name__}: {str(error)[:80]}): `{self.names[row]}`",
                hint="mend or remove the file, and add a new version: ledger dataset add",
            ) from error

    def _bytes(self, row: int) -> bytes:
        if self._copies is not None:
            return self._copies.read(self.names[row])
        path = self._path_of(self.names[row])
        with Path(path).open("rb") as file:
            data = file.read()
            status = os.fstat(file.fileno())
            facts = content_facts(status)
        seen = self._facts[row]
        # Before it was read for the first time only its times tell: other rights set one of them, a write both.
        is_newer = min(status.st_mtime_ns, status.st_ctime_ns) > self.opened_ns
        is_changed = tuple(seen.tolist()) != facts if seen.any() else is_newer
        if is_changed:
            raise changed_data(path)
        seen[:] = facts
        return data


def _decoder_of(names: Sequence[str]) -> tuple[str, Decode]:
    """Return the name of the array that samples give, and what decodes them.

    Raises:
        LedgerError: they are not all of one kind.
    """
    first = decoder_for(names[0])
    other = next((name for name in names if decoder_for(name) != first), names[0])
    if first is None or other != names[0]:
        raise LedgerError(
            f"the samples are not all pictures, arrays or texts: `{other}`",
            hint="write a map-style object, and give it as package.module:factory",
        )
    return first


def decode_image(data: bytes) -> "NDArray[Any]":
    """Return a picture as (height, width) of grey, or (height, width, 3) of colour, 8 bits each."""
    import io

    import numpy as np
    from PIL import Image

    with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
        warnings.simplefilter("ignore")  # damaged metadata, large pictures
        return np.asarray(image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB"))


def decode_array(data: bytes) -> "NDArray[Any]":
    """Return the array in a `.npy` file; one of objects is refused."""
    import io

    import numpy as np

    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def decode_text(data: bytes) -> str:
    """Return a text."""
    return data.decode("utf-8", "replace")


def decoder_for(name: str) -> tuple[str, Decode] | None:
    """Return the name of the array that a file gives, and what decodes it; none where nothing does."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in SUFFIXES:
        return "image", decode_image
    if suffix == ".npy":
        return "array", decode_array
    return ("text", decode_text) if suffix in TEXTS else None
