"""Pictures, tables and histograms as other trackers take them."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_CHANNELS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Colour type of PNG by number of channels."""


class Image:
    """A picture: a path, a figure of matplotlib, an image of PIL, or an array or tensor of pixels.

    Args:
        data: the picture.
        caption: its title, where the key says too little.
        options: what else W&B takes; masks and boxes are not drawn.
    """

    def __init__(self, data: Any, *_: object, caption: str | None = None, **options: object) -> None:  # noqa: ANN401, ARG002
        self.data = data
        self.caption = caption

    def drawable(self) -> object:
        """Return what `run.figure` takes.

        Raises:
            ValueError: it is no picture.
        """
        data = self.data.data if isinstance(self.data, Image) else self.data
        if isinstance(data, str | Path | bytes) or hasattr(data, "savefig"):
            return data
        return encode_png(data)


class MediaTable:
    """A table, made of rows.

    Args:
        columns: names of the columns.
        data: rows.
        dataframe: a frame of pandas, instead of both.
        rows: rows, by their former name.
        options: what else W&B takes.
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        data: Iterable[Sequence[object]] | None = None,
        rows: Iterable[Sequence[object]] | None = None,
        dataframe: Any = None,  # noqa: ANN401  # of pandas
        **options: object,  # noqa: ARG002
    ) -> None:
        if dataframe is not None or hasattr(data, "itertuples"):
            frame: Any = dataframe if dataframe is not None else data
            columns, data = [str(name) for name in frame.columns], frame.itertuples(index=False)
        self.data = [list(row) for row in data or rows or ()]
        self.columns = list(columns or [f"column {number}" for number in range(len(self.data[0]) if self.data else 0)])

    def add_data(self, *row: object) -> None:
        """Add a row."""
        self.data.append(list(row))

    def add_column(self, name: str, data: Iterable[object]) -> None:
        """Add a column."""
        values = list(data)
        self.data = [[*row, value] for row, value in zip(self.data or [[] for _ in values], values, strict=True)]
        self.columns.append(name)

    def cells(self) -> list[list[object]]:
        """Return the rows for `run.table`; pictures in cells are only named."""
        return [
            [f"a {type(cell).__name__}" if isinstance(cell, Image | MediaTable) else cell for cell in row]
            for row in self.data
        ]


class Histogram:
    """A histogram: values to be counted, or counts with the edges of their bins.

    Args:
        sequence: values.
        np_histogram: counts and edges, as `numpy.histogram` returns them.
        num_bins: number of bins for the values.
    """

    def __init__(self, sequence: Any = None, np_histogram: Any = None, num_bins: int = 64) -> None:  # noqa: ANN401
        if np_histogram is None:
            import numpy as np

            np_histogram = np.histogram(_array(sequence), bins=num_bins)
        counts, edges = np_histogram
        self.histogram, self.bins = [float(count) for count in counts], [float(edge) for edge in edges]

    def cells(self) -> list[list[object]]:
        """Return a row for each bin: its edges and its count."""
        return [list(row) for row in zip(self.bins, self.bins[1:], self.histogram, strict=False)]


def _cell(value: object) -> object:
    return f"a {type(value).__name__}" if isinstance(value, Image | MediaTable | Histogram) else value


def encode_png(picture: Any) -> bytes:  # noqa: ANN401  # of PIL, numpy, torch and their like
    """Return pixels as PNG: height by width, with channels last or first; floats are 0 to 1.

    Raises:
        ValueError: it has no such shape.
    """
    import numpy as np

    pixels = _array(picture)
    if pixels.ndim == 2:  # noqa: PLR2004  # height and width
        pixels = pixels[:, :, None]
    if pixels.ndim != 3:  # noqa: PLR2004  # and channels
        raise ValueError(f"a picture has two or three dimensions, not {pixels.ndim}")
    if pixels.shape[2] not in _CHANNELS and pixels.shape[0] in _CHANNELS:
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.shape[2] not in _CHANNELS:
        raise ValueError(f"a picture has 1 to 4 channels, not {pixels.shape[2]}")
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels * 255.0)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    height, width, channels = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, _CHANNELS[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _array(values: Any) -> Any:  # noqa: ANN401
    """Return an array of numpy; tensors are fetched from their device."""
    import numpy as np

    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)
