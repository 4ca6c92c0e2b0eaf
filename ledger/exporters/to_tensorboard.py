"""Runs as event files of TensorBoard: a folder for each, with its curves and final values."""

from collections.abc import Iterator, Sequence

from ledger.exporters.exported_run import Exported, ExportedRun, number_of
from ledger.formats.scalar import Scalar
from ledger.formats.tfevents_writer import render_scalars
from ledger.model.values import slug

_FINAL = "final/"
"""Start of the tags of final values, so that they are no points of a curve of the same name."""


def to_tensorboard(runs: Sequence[ExportedRun]) -> Exported:
    """Return runs as folders of event files; `tensorboard --logdir` shows them side by side."""
    files: dict[str, bytes] = {}
    for run in runs:
        started = run.record.timing.started_at.timestamp()
        name = f"{slug(run.record.experiment)}/{run.record.id}/events.out.tfevents.{int(started)}.ledger"
        files[name] = render_scalars(_scalars(run), started)
    return Exported(
        files=files,
        losses=[
            "values have 32 bits, seven decimal digits",
            "epochs, params, data, code, environment, cost, model, log, figures and tables",
            "a point without a step has its place in the curve instead",
        ],
        next="tensorboard --logdir .",
    )


def _scalars(run: ExportedRun) -> Iterator[Scalar]:
    timing = run.record.timing
    started = timing.started_at.timestamp()
    for place, point in enumerate(run.points):
        time = None if point.seconds is None else started + point.seconds
        step = place if point.step is None else point.step
        for name, value in point.values.items():
            yield Scalar(name, step, time, value)
    for metric in run.record.results.metrics:
        if metric.origin != "curve":
            yield Scalar(
                f"{_FINAL}{metric.key}", metric.step or 0, timing.ended_at.timestamp(), number_of(metric.value)
            )
