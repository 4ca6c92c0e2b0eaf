"""Final values and the model in what a training left."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from ledger.capture.harvest.known_files import MODEL
from ledger.capture.harvest.search import Search
from ledger.capture.outputs.metrics import parse_key, read_metrics
from ledger.capture.outputs.model import is_beside_model
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Metric

_TIMINGS = ("runtime", "per_second", "total_flos", "epoch", "step", "time", "samples")
"""Ends of names that say how fast a training was, not how good."""
_MOST_METRICS = 100


def find_metrics(search: Search) -> None:
    """Add the final values of a training to a search."""
    for tracked in search.tracked():
        logged = {scalar.tag for scalar in tracked.run.scalars}
        stated = {name: value for name, value in tracked.run.metrics.items() if name not in logged}
        _add_metrics(search, _parsed(stated), search.shown(tracked.place))
    for _, files in search.files("metrics"):
        for file in sorted(files, key=lambda file: file.written):
            search.attempt(file.path, lambda path: _metrics_in(search, path))


def _metrics_in(search: Search, path: Path) -> None:
    _add_metrics(search, read_metrics(path).metrics, search.shown(path))


def _add_metrics(search: Search, metrics: Iterable[Metric], place: str) -> None:
    for metric in metrics:
        if metric.name.lower().endswith(_TIMINGS) or len(search.metrics) >= _MOST_METRICS:
            continue
        search.metrics = [one for one in search.metrics if one.key != metric.key]
        search.metrics.append(replace(metric, origin="file") if metric.origin == "said" else metric)
        search.sources[f"metrics.{metric.key}"] = place


def _parsed(values: Mapping[str, float]) -> Iterator[Metric]:
    for name, value in values.items():
        with suppress(LedgerError):
            yield parse_key(name, value)


def find_model(search: Search) -> None:
    """Add the model that was written last to a search."""
    files = [file for _, found in search.files(MODEL) for file in found if not is_beside_model(file.path.name)]
    if not files:
        return
    last = max(files, key=lambda file: (file.written, file.bytes))
    search.model = str(last.path)
    many = f"the last written of {len(files)} model files" if len(files) > 1 else "written by the run"
    search.sources["model"] = f"{search.shown(last.path)}, {many}"
