"""The run in a folder of DVCLive, read without DVC.

Format: `dvclive/live.py` (https://github.com/treeverse/dvclive), seen in 3.49: `params.yaml`, `metrics.json` with the
last values, and a table with tabs for each series below `plots/metrics`. The next run overwrites the folder; runs that
DVC keeps are commits, and no matter of this file.
"""

from collections.abc import Iterator
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_files import files_below, files_in, folders_in, read_store_bytes, read_store_text
from ledger.formats.stores.store_values import load_mapping, number_in, number_of, same_number, step_of
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.yaml_file import load_yaml
from ledger.model.values import counted

_SERIES = Path("plots") / "metrics"
_METRICS, _PARAMS = "metrics.json", ("params.yaml", "params.yml")
_STEP, _TIME = "step", "timestamp"
_MILLISECONDS = 1000
_MOST_PARAMS = 5_000_000


def is_dvclive(path: Path) -> bool:
    """Return whether a folder was written by DVCLive, or holds one named `dvclive`."""
    return _folder(path) is not None


def read_dvclive(path: Path) -> Iterator[ForeignRun]:
    """Yield the run of a folder of DVCLive, whose name is its id.

    Raises:
        LedgerError: it is none.
    """
    folder = _folder(path)
    if folder is None:
        raise LedgerError(f"it is no folder of DVCLive: `{path}`")
    losses: list[str] = []
    scalars = [point for file in _tables(folder) for point in _points(file, _name(folder, file), losses)]
    yield ForeignRun(
        id=folder.resolve().name,
        params=_params(folder, losses),
        scalars=scalars,
        metrics=dict(_finals(folder, {point.tag: point.value for point in scalars}, losses)),
        losses=[*losses, *_plots(folder), "when it ran and how it ended, which DVCLive does not keep"],
    )


def _folder(path: Path) -> Path | None:
    for folder in (path, path / "dvclive"):
        if not folder.is_symlink() and (_tables(folder) or _STEP in _values(folder, [])):
            return folder
    return None


def _tables(folder: Path) -> list[Path]:
    return [file for file in files_below(folder / _SERIES) if file.suffix == ".tsv"]


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder / _SERIES).with_suffix("").as_posix()


def _points(file: Path, name: str, losses: list[str]) -> Iterator[Scalar]:
    try:
        header, *lines = read_store_text(file).split("\n")
    except LedgerError as error:
        losses.append(f"`{name}`: {error.message.partition(': `')[0]}")
        return
    columns = header.split("\t")
    rest = lines.pop() if lines else ""  # a line that is not ended may be half a number
    points = [point for line in lines if (point := _point(name, columns, line.split("\t")))]
    if broken := len(lines) + bool(rest) - len(points):
        losses.append(f"`{name}`: {counted(broken, 'line')} without a point")
    yield from points


def _point(name: str, columns: list[str], cells: list[str]) -> Scalar | None:
    if len(cells) != len(columns):
        return None
    row = dict(zip(columns, map(number_in, cells), strict=True))
    step, value, time = step_of(row.get(_STEP)), row[columns[-1]], row.get(_TIME)
    if step is None or value is None or len(columns) == 1:
        return None
    return Scalar(name, step, None if time is None else time / _MILLISECONDS, value)


def _params(folder: Path, losses: list[str]) -> dict[str, object]:
    for name in _PARAMS:
        if (folder / name).exists():
            try:
                found = load_yaml(read_store_text(folder / name, _MOST_PARAMS), name)
            except LedgerError as error:
                losses.append(error.message.replace(str(folder / name), name))
                return {}
            return found if isinstance(found, dict) else {}
    return {}


def _values(folder: Path, losses: list[str]) -> dict[str, object]:
    if not (folder / _METRICS).is_file():
        return {}
    try:
        return load_mapping(read_store_bytes(folder / _METRICS), _METRICS)
    except LedgerError as error:
        losses.append(error.message.replace(str(folder / _METRICS), _METRICS))
        return {}


def _finals(folder: Path, series: dict[str, float], losses: list[str]) -> Iterator[tuple[str, float]]:
    """Yield the values of the summary that are not the last ones of series."""
    for name, value in _leaves(_values(folder, losses)):
        number = number_of(value)
        if name == _STEP or (number is not None and same_number(number, series.get(name))):
            continue
        if number is None:
            losses.append(f"`{name}`: a final value without a number")
        else:
            yield name, number


def _leaves(values: dict[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name}/{inner}", found) for inner, found in _leaves(value))
        else:
            yield name, value


def _plots(folder: Path) -> Iterator[str]:
    for kind in folders_in(folder / "plots"):
        if kind.name != _SERIES.name and (files_in(kind) or folders_in(kind)):
            yield f"plots: {kind.name}"
