"""Data that a training holds in memory: arrays, tensors, frames, datasets by sample, and combinations of them.

Nothing is consumed: data that can be read only once is refused. Random generators are restored afterwards.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ledger.data.version.hashed_samples import sample_lines, value_line
from ledger.data.version.listing import Manifest, manifest_of
from ledger.errors import LedgerError
from ledger.model.entries import ManifestLine

MOST_SAMPLES = 100_000
"""Most samples that are hashed one by one; beyond it, an array or a frame is hashed whole, in a tenth of the time.

By one: a row of ten numbers takes 37 µs of CPU, a picture of 28 x 28 13 µs."""
_TRIED_AGAIN = 8
"""Number of samples that are read twice: with random augmentation they differ."""
_DEEPEST = 4


def hash_data(data: object) -> Manifest:
    """Return the manifest of data in memory: one line for each sample.

    Args:
        data: an array or a tensor (samples along its first axis), a frame of pandas or polars or a table of Arrow
            (rows), anything with a length and samples (a map-style dataset of torch, one of Hugging Face, a list), a
            data loader (its dataset). A tuple or mapping of arrays of one length is samples of several parts; of
            other things, it is several datasets.

    Raises:
        LedgerError: it has no length, holds what has no canonical bytes, or its samples change as they are read.
    """
    with _random_kept():
        return manifest_of(_lines(data, "", 0))


def describe(data: object) -> str:
    """Return a short description of data: its type, and shape or length."""
    kind = type(data)
    module = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
    try:
        shape = getattr(data, "shape", None)
        size = f" {tuple(shape)}" if isinstance(shape, tuple) else f" of {len(data)}"  # type: ignore[arg-type]  # tried
    except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
        size = ""
    return f"{name}{size}"[:200]


def count_samples(manifest: Manifest) -> int | None:
    """Return the number of samples in a manifest of data in memory; none where it was hashed whole."""
    lines = [line.path.rpartition("/")[2] for line in islice(manifest.lines, 2)]
    if any(not last.isdigit() and not last.endswith(".names") for last in lines):
        return None
    return sum(not path.endswith(".names") for path, _ in manifest.lines.texts())


def _lines(data: Any, prefix: str, depth: int) -> Iterator[ManifestLine]:  # noqa: ANN401  # data may be anything
    if depth > _DEEPEST:
        raise LedgerError("data is nested too deep to be hashed")
    data = _unwrapped(data)
    if isinstance(data, Mapping):
        parts = [(str(name), part) for name, part in data.items()]
        if _are_columns([part for _, part in parts]):
            yield from _columns(parts, prefix)
        else:
            yield from _parts(parts, prefix, depth)
    elif isinstance(data, tuple) and len(data) > 1 and all(_has_samples(part) for part in data):
        parts = [(str(number), part) for number, part in enumerate(data)]
        if _are_columns(list(data)):
            yield from _columns(parts, prefix)
        else:
            yield from _parts(parts, prefix, depth)
    elif (columns := _frame(data)) is not None:
        yield from _columns(columns, prefix)
    else:
        yield from _samples(data, prefix)


_Named = Sequence[tuple[str, Any]]
"""Columns or parts with their names: two columns of a frame may have one name."""


def _parts(parts: _Named, prefix: str, depth: int) -> Iterator[ManifestLine]:
    if not parts:
        raise LedgerError("the dataset holds no samples")
    for name, part in parts:
        if "/" in name or not name:
            raise LedgerError(f"not a valid name for a part of a dataset: `{ascii(name)[1:-1]}`")
        yield from _lines(part, f"{prefix}{name}/", depth + 1)


def _unwrapped(data: Any) -> Any:  # noqa: ANN401  # as above
    """Return the dataset of a data loader: the loader itself would shuffle it, and start workers."""
    inner = getattr(data, "dataset", None)
    return inner if inner is not None and hasattr(data, "batch_size") and hasattr(data, "sampler") else data


def _is_array(data: Any) -> bool:  # noqa: ANN401  # as above
    numpy, torch, pandas = (sys.modules.get(name) for name in ("numpy", "torch", "pandas"))
    return (
        (numpy is not None and isinstance(data, numpy.ndarray) and data.ndim > 0)
        or (torch is not None and isinstance(data, torch.Tensor) and data.ndim > 0)
        or (pandas is not None and isinstance(data, pandas.Series))
    )


def _has_samples(data: Any) -> bool:  # noqa: ANN401  # as above
    return _is_array(data) or (hasattr(data, "__len__") and not isinstance(data, str | bytes))


def _are_columns(parts: Sequence[Any]) -> bool:
    """Return whether parts belong to the same samples: arrays and lists of one length, with an array among them."""
    listed = all(_is_array(part) or isinstance(part, list) for part in parts)
    return bool(parts) and listed and any(map(_is_array, parts)) and len({len(part) for part in parts}) == 1


def _frame(data: Any) -> _Named | None:  # noqa: ANN401  # as above
    """Return the columns of a frame or a table by name; none where it is neither."""
    pandas, polars, arrow = (sys.modules.get(name) for name in ("pandas", "polars", "pyarrow"))
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return [(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    if polars is not None and isinstance(data, polars.DataFrame):
        return [(name, data[name]) for name in data.columns]
    if arrow is not None and isinstance(data, arrow.Table):
        return [(name, data.column(place)) for place, name in enumerate(data.column_names)]
    return None


def _columns(columns: _Named, prefix: str) -> Iterator[ManifestLine]:
    """Yield a line for each row; the column names have a line of their own, which is no sample."""
    yield value_line([name for name, _ in columns], f"{prefix}columns.names")
    count = max((len(column) for _, column in columns), default=0)
    if count > MOST_SAMPLES:
        for number, (_, column) in enumerate(columns):
            yield value_line(_as_array(column), f"{prefix}column {number}")
        return
    readable = [column if _is_array(column) and not _is_series(column) else _cells(column) for _, column in columns]
    yield from sample_lines(zip(*readable, strict=True), prefix)


def _is_series(data: Any) -> bool:  # noqa: ANN401  # as above
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.Series)


def _as_array(column: Any) -> object:  # noqa: ANN401  # as above
    """Return a numeric column as one array, else its cells."""
    try:
        array = column.to_numpy() if hasattr(column, "to_numpy") else column
        if _is_array(array) and (not hasattr(array, "dtype") or getattr(array.dtype, "kind", "f") in "biuf"):
            return array
    except Exception:  # noqa: BLE001, S110  # a column that is no array: its cells are hashed instead
        pass
    return _cells(column)


def _cells(column: Any) -> list[object]:  # noqa: ANN401  # as above
    """Return the cells of a column as plain values: a missing one is none, a time is text."""
    for way in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, way):
            return [_cell(value) for value in getattr(column, way)()]
    return [_cell(value) for value in column]


def _cell(value: Any) -> object:  # noqa: ANN401  # as above
    if isinstance(value, float) and math.isnan(value):
        return None  # pandas has no other way to mark a missing cell
    if value is None or isinstance(value, bool | int | float | str | bytes | list | tuple | dict):
        return value
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if type(value).__module__ in {"decimal", "uuid", "datetime"} else value


def _samples(data: Any, prefix: str) -> Iterator[ManifestLine]:  # noqa: ANN401  # as above
    try:
        count = len(data)
    except Exception as error:
        raise LedgerError(
            f"data without a length cannot be hashed, since reading it might use it up: {describe(data)}",
            hint="give the dataset itself, or declare it: run.dataset(NAME, declared=VERSION)",
        ) from error
    if isinstance(data, set | frozenset):
        raise LedgerError("a set has no order, so it has no hash: give a list")
    if isinstance(data, bytes | bytearray | memoryview):
        yield value_line(data, f"{prefix}bytes")
        return
    if _is_array(data) and count > MOST_SAMPLES:
        yield value_line(_as_array(data), f"{prefix}array")
        return
    if _is_series(data):
        data = _cells(data)
    lines = list(sample_lines(data, prefix))
    if not _is_array(data) and not isinstance(data, list | tuple):
        again = list(islice(sample_lines(data, prefix), _TRIED_AGAIN))
        if again != lines[: len(again)]:
            raise LedgerError(
                "samples change each time they are read (random augmentation?), so they have no hash",
                hint="give the dataset without its random transforms",
            )
    yield from lines


@contextmanager
def _random_kept() -> Iterator[None]:
    """Restore the random generators of Python, numpy and torch after the block: training must not be affected."""
    import random

    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy is not None and hasattr(numpy, "random") else None
    torch_state = torch.get_rng_state() if torch is not None and hasattr(torch, "get_rng_state") else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy is not None and numpy_state is not None:
            numpy.random.set_state(numpy_state)
        if torch is not None and torch_state is not None:
            torch.set_rng_state(torch_state)
