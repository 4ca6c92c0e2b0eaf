"""Runs in the folders of Sacred's FileStorageObserver, read without Sacred.

Format: `sacred/observers/file_storage.py` (https://github.com/IDSIA/sacred), seen in 0.8.7: a folder for each run with
`run.json`, `config.json`, `metrics.json` and `info.json`. Times are UTC without a zone. A killed run stays `RUNNING`;
the age of its last heartbeat decides.
"""

from collections.abc import Iterator
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.series_rows import leaves
from ledger.formats.stores.store_files import folders_in, read_store_bytes
from ledger.formats.stores.store_values import (
    load_mapping,
    moment_in,
    number_of,
    status_of_open,
    step_of,
    text_of,
)
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import Status, counted

_RUN = "run.json"
_MARKS = (b'"experiment"', b'"start_time"')
_STATUSES: dict[object, Status] = {
    "COMPLETED": "finished", "FAILED": "failed", "INTERRUPTED": "interrupted", "TIMEOUT": "killed",
}  # fmt: skip
_SEQUENCES = ("py/tuple", "py/set")
"""Keys with which jsonpickle marks a tuple or a set."""
_LONGEST_REASON = 500


def is_sacred_folder(path: Path) -> bool:
    """Return whether a folder is a run of Sacred, or holds runs."""
    return next(_folders(path), None) is not None


def read_sacred_folder(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of a folder, by number.

    Raises:
        LedgerError: it holds no run of Sacred.
    """
    folders = list(_folders(path))
    if not folders:
        raise LedgerError(f"it holds no run of Sacred: `{path}`", hint="name the folder of its FileStorageObserver")
    for folder in folders:
        yield _read(folder)


def _folders(path: Path) -> Iterator[Path]:
    inner = sorted(folders_in(path), key=lambda folder: (len(folder.name), folder.name))
    yield from (folder for folder in (path, *inner) if _is_run(folder))


def _is_run(folder: Path) -> bool:
    try:
        data = read_store_bytes(folder / _RUN)
    except LedgerError:
        return False
    return any(mark in data for mark in _MARKS)


def _read(folder: Path) -> ForeignRun:
    losses: list[str] = []
    run = _mapping(folder, _RUN, losses)
    experiment, meta = _inner(run, "experiment"), _inner(run, "meta")
    metrics, others = _finals(run, _mapping(folder, "info.json", losses, needed=False))
    scalars = list(_scalars(_mapping(folder, "metrics.json", losses, needed=False), losses))
    return ForeignRun(
        id=folder.name,
        experiment=text_of(experiment.get("name")),
        status=_STATUSES.get(text_of(run.get("status"))) or status_of_open(moment_in(run.get("heartbeat"))),
        reason=_reason(run),
        started_at=moment_in(run.get("start_time")),
        ended_at=moment_in(run.get("stop_time")),
        params={name: _plain(value) for name, value in _mapping(folder, "config.json", losses).items()},
        scalars=scalars,
        metrics=metrics,
        note=text_of(meta.get("comment")),
        commit=_commit(experiment, losses),
        command=[part for part in (text_of(experiment.get("mainfile")), text_of(run.get("command"))) if part],
        losses=[*losses, *others, *_further(run)],
    )


def _mapping(folder: Path, name: str, losses: list[str], *, needed: bool = True) -> dict[str, object]:
    if not needed and not (folder / name).exists():
        return {}
    try:
        return load_mapping(read_store_bytes(folder / name), name)
    except LedgerError as error:
        losses.append(error.message.replace(str(folder / name), name))
        return {}


def _inner(values: dict[str, object], name: str) -> dict[str, object]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _scalars(metrics: dict[str, object], losses: list[str]) -> Iterator[Scalar]:
    for name, series in metrics.items():
        columns = [series.get(key) if isinstance(series, dict) else None for key in ("steps", "timestamps", "values")]
        steps, times, values = (column if isinstance(column, list) else [] for column in columns)
        points = 0
        for place, value in enumerate(values):
            step, number = step_of(steps[place] if place < len(steps) else None), number_of(value)
            moment = moment_in(times[place] if place < len(times) else None)
            if step is not None and number is not None:
                points += 1
                yield Scalar(name, step, None if moment is None else moment.timestamp(), number)
        if broken := max(len(values), 1) - points:
            losses.append(f"`{name}`: {counted(broken, 'value')} without a number")


def _finals(run: dict[str, object], info: dict[str, object]) -> tuple[dict[str, float], list[str]]:
    """Return the numbers of the result and of `info.json`, and phrases for what else is there."""
    metrics: dict[str, float] = {}
    losses: list[str] = []
    result = {} if run.get("result") is None else {"result": run["result"]}
    for name, value in leaves({**{f"info.{name}": value for name, value in info.items()}, **result}):
        if (number := number_of(value)) is not None:
            metrics[name] = number
        else:
            losses.append(f"`{name}`: a final value without a number")
    return metrics, losses


def _reason(run: dict[str, object]) -> str | None:
    """Return the last line of the trace of a failure."""
    trace = run.get("fail_trace")
    lines = "".join(str(part) for part in trace).strip().splitlines() if isinstance(trace, list) else []
    return lines[-1][:_LONGEST_REASON] if lines else None


def _commit(experiment: dict[str, object], losses: list[str]) -> str | None:
    repositories = experiment.get("repositories")
    first = repositories[0] if isinstance(repositories, list) and repositories else None
    if not isinstance(first, dict):
        return None
    if first.get("dirty"):
        losses.append("changes of its code that were not committed")
    return text_of(first.get("commit"))


def _further(run: dict[str, object]) -> Iterator[str]:
    for name in ("artifacts", "resources"):
        found = run.get(name)
        if isinstance(found, list) and found:
            yield f"{name}: {counted(len(found), 'file')}"


def _plain(value: object) -> object:
    """Return a value of a config, with tuples and sets of jsonpickle as lists."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (inner := next((value[key] for key in _SEQUENCES if key in value), None)) is not None:
        return _plain(inner)
    return {name: _plain(part) for name, part in value.items()}
