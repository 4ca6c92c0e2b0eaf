"""Samples in tar archives as WebDataset writes them.

Files that follow one another and share the name before the first dot are one sample.
Source: https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

import json
import os
import tarfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.data.sources.sample_sources import decoder_for
from ledger.data.sources.source import LABEL, BrokenSample, changed_data, content_facts, stacked
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

_LABEL = "cls"
"""Ending of the file with a sample's label: a whole number."""


class _Part(NamedTuple):
    """A file of a sample."""

    ending: str
    start: int
    size: int


class _Sample(NamedTuple):
    """A sample of an archive."""

    archive: int
    name: str
    parts: list[_Part]


class ShardSource:
    """The samples of tar archives, read at their place.

    Pictures give the array `image`, `.cls` gives `label`, `.npy` and texts give arrays named by their ending, and the
    numbers in a `.json` file one each, by name.

    Args:
        paths: the archives, in order; they are not compressed.

    Raises:
        LedgerError: one cannot be read.
    """

    kind = "shards"

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._files: list[int] = []
        self._facts: list[tuple[int, int, int]] = []
        self._close = weakref.finalize(self, _close_all, self._files)
        self._samples: list[_Sample] = []
        for number, path in enumerate(paths):
            try:
                self._files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                self._facts.append(content_facts(os.fstat(self._files[-1])))
                self._samples += _index(number, path)
            except (OSError, tarfile.TarError) as error:
                self.close()
                raise LedgerError(
                    f"the archive cannot be read ({str(error)[:80].lower()}): `{path}`",
                    hint="a tar archive without compression",
                ) from None

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return the samples at some rows.

        Raises:
            BrokenSample: one cannot be read.
            LedgerError: an archive has changed since it was opened, or they do not fit in one array.
        """
        numbers = rows.tolist()
        return stacked([self._decoded(row) for row in numbers], [self._samples[row].name for row in numbers])

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return the label of each sample, where it has one."""
        if name != LABEL or not any(part.ending == _LABEL for sample in self._samples[:1] for part in sample.parts):
            return None
        return [
            next((self._bytes(sample, part).decode().strip() for part in sample.parts if part.ending == _LABEL), None)
            for sample in self._samples
        ]

    def close(self) -> None:
        """Close the archives; closing them again does nothing."""
        self._close()

    def __reduce__(self) -> "tuple[Any, ...]":
        """Open the archives anew in another process: the number of an open file means another one there."""
        return ShardSource, (self._paths,), self._facts

    def __setstate__(self, facts: list[tuple[int, int, int]]) -> None:
        """Take over what the archives were when they were first opened: if one is another now, reading says so."""
        self._facts = facts

    def _bytes(self, sample: _Sample, part: _Part) -> bytes:
        file = self._files[sample.archive]
        data = os.pread(file, part.size, part.start)
        if len(data) != part.size or content_facts(os.fstat(file)) != self._facts[sample.archive]:
            raise changed_data(self._paths[sample.archive])
        return data

    def _decoded(self, row: int) -> dict[str, Any]:
        sample, values = self._samples[row], dict[str, Any]()
        for part in sample.parts:
            try:
                values |= _values(part.ending, self._bytes(sample, part))
            except LedgerError:
                raise
            except Exception as error:  # damaged files make decoders raise anything
                raise BrokenSample(
                    row,
                    f"a sample cannot be read ({type(error).__name__}: {str(error)[:80]}): "
                    f"`{self._paths[sample.archive]}:{sample.name}.{part.ending}`",
                ) from error
        return values


def _close_all(files: list[int]) -> None:
    while files:
        os.close(files.pop())


def _index(number: int, path: Path) -> list[_Sample]:
    samples: list[_Sample] = []
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            folder, slash, last = member.name.rpartition("/")
            stem, dot, ending = last.partition(".")
            if not member.isfile() or not stem or not dot:
                continue
            name = f"{folder}{slash}{stem}"
            if not samples or samples[-1].name != name:
                samples.append(_Sample(number, name, []))
            samples[-1].parts.append(_Part(ending.lower(), member.offset_data, member.size))
    return samples


def _values(ending: str, data: bytes) -> dict[str, Any]:
    if ending == _LABEL:
        return {"label": int(data)}
    if ending == "json":
        found = json.loads(data)
        return {name: value for name, value in found.items() if isinstance(value, int | float)}
    decoder = decoder_for(f"x.{ending}")
    if decoder is None:
        raise LedgerError(
            f"a sample holds a file that is no picture, array, text or number: `.{ending}`",
            hint="write a map-style object, and give it as package.module:factory",
        )
    name, decode = decoder
    return {"image" if name == "image" else ending.rpartition(".")[2] if name == "text" else ending: decode(data)}
