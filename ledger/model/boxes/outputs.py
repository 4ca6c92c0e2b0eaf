"""The boxes of a run record on what came out: the model, logs, results and statistics."""

import math
from typing import NamedTuple

from ledger.model.boxes.box import Box
from ledger.model.values import (
    Direction,
    Document,
    Number,
    Origin,
    Reduction,
    TableKind,
)


class Model(Box, frozen=True, kw_only=True):
    """The trained model: its file, and what a forward pass of it costs."""

    path: str | None = None
    """Path at which the run left it."""
    hash: str | None = None
    """Hash of the file, or of the folder's listing."""
    bytes: int | None = None
    """Size in bytes."""
    parameters: int | None = None
    """Number of parameters."""
    trainable: int | None = None
    """Number of trainable parameters."""
    format: str | None = None
    """Format of the file (`torch`, `safetensors`, `onnx`, …)."""
    flops: int | None = None
    """Floating-point operations of one forward pass, of the kinds that `flops_counter` names."""
    flops_counter: str | None = None
    """Counter of these operations, and what it counts."""
    input_shapes: list[str] = []
    """Shape of each input of that pass."""
    latency_seconds: float | None = None
    """Median time of a forward pass in seconds, after warm-up, in eval mode and without gradients."""
    latency_p99_seconds: float | None = None
    """Time in seconds that 99 of 100 such passes do not exceed."""
    latency_calls: int | None = None
    """Number of passes that were timed."""
    device: str | None = None
    """Device on which they were timed."""
    threads: int | None = None
    """Threads that torch used on the CPU."""
    pass_memory_bytes: int | None = None
    """Peak memory of such a pass in bytes, weights included, on a GPU."""


class Logs(Box, frozen=True, kw_only=True):
    """The training log in short; the file beside the record holds head, tail, progress, and each problem once."""

    file: str = "log.txt"
    """File beside the record that holds the summary."""
    hash: str | None = None
    """Hash of the full log."""
    bytes: int | None = None
    """Size of the full log in bytes."""
    lines: int | None = None
    """Number of lines in the full log."""
    warnings: dict[str, int] = {}
    """Every distinct warning, with its count."""
    errors: dict[str, int] = {}
    """Every distinct error, with its count."""


class GroupId(NamedTuple):
    """What measurements must share to be comparable; the names of datasets play no part."""

    key: str
    """Metric and split: `validation/accuracy`."""
    dataset_hash: str
    """Content hash of the dataset version; empty when unknown, which makes a measurement comparable with nothing."""
    evaluator: str
    """Version of the evaluator; empty when none was stated."""


class Metric(Document, frozen=True, kw_only=True):
    """One measured number, with everything that decides which others it may be compared with."""

    name: str
    """Name of the metric, such as `accuracy`."""
    value: Number
    """Measured value."""
    split: str | None = None
    """Split that it was measured on."""
    direction: Direction | None = None
    """Which values are better; none when nobody stated it."""
    dataset: str | None = None
    """Dataset version as shown to people, such as `digits-validation@v2`."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    step: int | None = None
    """Step at which it was measured; none for the final value of the run."""
    epoch: float | None = None
    """Epoch at which it was measured."""
    period: str | None = None
    """First and last day of measurement in production (`2026-11-01/2026-11-07`); none for offline metrics."""
    derived_from: str | None = None
    """Metric that a rule of `policy.yaml` computed it from, such as a mean over dataset versions."""
    said: str | None = None
    """Name that was logged, where it differs from the name here: `val/accuracy` for the split `validation`."""
    origin: Origin = "said"
    """Source of the value: said, the last one of a learning curve, or in a file that the training left."""
    folds: list[Number] = []
    """Values on the folds of a cross-validation, whose mean is `value`; folds do not count as repeats."""

    @property
    def key(self) -> str:
        """The name shown to people: `split/name`, or `name` alone."""
        return f"{self.split}/{self.name}" if self.split else self.name

    @property
    def group_id(self) -> GroupId:
        """The identity that comparable measurements share."""
        return GroupId(self.key, self.dataset_hash or "", self.evaluator or "")

    @property
    def number(self) -> float:
        """The value as a float; the names of NaN and the infinities become floats again."""
        return float(self.value)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over the folds (n - 1); none with fewer than two folds."""
        values = [float(value) for value in self.folds]
        if len(values) < 2:  # noqa: PLR2004  # a single value has no spread
            return None
        mean = sum(values) / len(values)
        return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


class Curves(Document, frozen=True, kw_only=True):
    """The learning curves beside the record."""

    file: str = "curves.csv"
    """File beside the record: step, epoch, seconds, then one column per series."""
    hash: str
    """Hash of that file."""
    series: list[str]
    """Names of the columns."""
    points: int
    """Rows in the file."""
    logged: int
    """Number of points that were logged, before down-sampling."""


class Figure(Document, frozen=True, kw_only=True):
    """A picture that the run stored."""

    file: str
    """File beside the record (`figures/…`)."""
    title: str
    """What it shows."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""


class Results(Box, frozen=True, kw_only=True):
    """The outcome of the run: metrics, curves and figures."""

    headline: str | None = None
    """Key of the metric that represents the run, such as `validation/accuracy`."""
    metrics: list[Metric] = []
    """Every final metric."""
    curves: Curves | None = None
    """The learning curves."""
    figures: list[Figure] = []
    """Pictures that the run stored."""


class SeriesSummary(Document, frozen=True, kw_only=True):
    """Summary of one logged series, over every point that was logged."""

    count: int
    """Number of points logged."""
    first: Number
    """First value."""
    last: Number
    """Last value."""
    min: Number
    """Smallest finite value."""
    max: Number
    """Largest finite value."""
    mean: Number
    """Mean of the finite values."""
    stdev: Number
    """Sample standard deviation of the finite values (n - 1); 0 for one value."""
    not_finite: int = 0
    """Number of values that were NaN or infinite."""
    reduced: Reduction | None = None
    """How the values of several ranks became one; none for those of a single rank, the lowest that logged it."""


class Table(Document, frozen=True, kw_only=True):
    """A table that the run stored: results by class or slice, a confusion matrix, a value for each sample."""

    file: str
    """File beside the record (`tables/…`): CSV."""
    name: str
    """What it shows."""
    kind: TableKind = "table"
    """Kind of the table, which decides its columns."""
    metric: str | None = None
    """Key of the metric that the table explains, such as `validation/accuracy`."""
    dataset: str | None = None
    """Dataset version that it was measured on, as shown to people."""
    dataset_hash: str | None = None
    """Content hash of that dataset version."""
    evaluator: str | None = None
    """Version of the code that measured it."""
    hash: str
    """Hash of the file."""
    bytes: int
    """Size in bytes."""
    rows: int
    """Number of rows, without the header line."""
    columns: int
    """Names of the columns."""


class Statistics(Box, frozen=True, kw_only=True):
    """Summaries of the logged series, and the tables that the run stored."""

    steps: int | None = None
    """Last step logged."""
    epochs: float | None = None
    """Epochs trained, from the logged epochs: the last one, plus one where they are whole numbers counted from 0."""
    series: dict[str, SeriesSummary] = {}
    """Summary of every logged series."""
    tables: list[Table] = []
    """Tables that the run stored."""
