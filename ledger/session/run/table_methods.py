"""The methods of a run for tables: given whole, or made from single predictions."""

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from ledger.capture.outputs.metrics import metric as make_metric
from ledger.capture.outputs.table_input import make_cells
from ledger.model.tables import Cells
from ledger.model.values import Direction, TableKind, check_label
from ledger.recorder import Dataset
from ledger.recorder.record.draft import TableSource
from ledger.session.run.lifetime import Lifetime
from ledger.session.run.predictions import calibration_of, mistakes_of, read_predictions, slices_of, tables_of
from ledger.session.run.spooled_tables import checked_kind, write_table
from ledger.session.spool.events import MetricEvent, Tabled


class Identity(TypedDict):
    """The dataset version that something was measured on."""

    dataset: str | None
    dataset_hash: str | None


def identity_of(dataset: Dataset | str | None) -> Identity:
    """Return the dataset version for a metric or a table: from `name@version`, or from a dataset that was used."""
    if not isinstance(dataset, Dataset):
        return Identity(dataset=dataset, dataset_hash=None)
    if dataset.name is None:
        return Identity(dataset=dataset.path or dataset.role, dataset_hash=dataset.hash)
    label = f"{dataset.name}@{dataset.version}" if dataset.version else dataset.name
    return Identity(dataset=label, dataset_hash=dataset.hash)


class Tabling:
    """The methods for tables, which `Run` inherits.

    Args:
        life: lifetime of the run.
    """

    def __init__(self, life: Lifetime) -> None:
        self._life = life
        self._stated: set[str] = set()
        """Keys of the metrics that the script stated."""

    def table(
        self,
        name: str,
        rows: object,
        *,
        kind: TableKind = "table",
        columns: Sequence[str] | None = None,
        metric: str | None = None,
        split: str | None = None,
        dataset: Dataset | str | None = None,
        evaluator: str | None = None,
    ) -> None:
        """Store a table: a confusion matrix, or values by class or slice; a later one of the same name replaces it.

        Example:
            >>> run.table("per class", [["cat", 0.9], ["dog", 0.8]], columns=["class", "recall"])

        Args:
            name: title of the table.
            rows: a list of mappings or of rows, an array of two dimensions, a mapping of columns, a DataFrame.
            kind: `table`, or one with columns of its own: `confusion` (`truth`, then a column for each predicted
                class), `classes` (`class`, `precision`, `recall`, `f1`, `support`), `slices` (`slice`, a metric,
                `samples`), `calibration` (`confidence`, `accuracy`, `samples`), `samples` (`sample`, `value`),
                `layers` (a shape trace: `ledger.shapes`).
            columns: names of the columns, where `rows` does not say them.
            metric: metric that it explains; `validation/accuracy` includes the split.
            split: split of that metric.
            dataset: return value of `run.dataset`, or `name@version`; by default that of the metric.
            evaluator: version of the code that measured it; by default that of the metric.
        """
        if self._life.silent:
            return
        with self._life.harmless(f"tables.{name}"):
            key = f"{check_label('split', split)}/{metric}" if split and metric else metric
            source = TableSource(
                name=check_label("table name", name),
                path="",
                kind=checked_kind(kind, key),
                metric=None if key is None else check_label("metric", key),
                **identity_of(dataset),
                evaluator=None if evaluator is None else check_label("evaluator", evaluator),
            )
            cells = make_cells(rows, columns, kind)
            if self._life.spool is not None:
                path = write_table(cells, self._life.spool.folder, name, source.kind or "table")
                self._life.say(Tabled(table=msgspec.structs.replace(source, path=str(path))))

    def predictions(
        self,
        truth: object,
        predicted: object,
        *,
        split: str = "validation",
        dataset: Dataset | str | None = None,
        evaluator: str | None = None,
        confidence: object = None,
        slices: object = None,
        samples: object = None,
        name: str = "accuracy",
    ) -> None:
        """Store tables made from single predictions of a classifier: confusion, classes, slices and samples.

        Sets the metric `split/accuracy` unless it was stated before; with slices `split/worst_slice_accuracy`,
        with confidence `split/calibration_error` (expected calibration error, 15 bins) and a table of the 200 mistakes
        that the model was surest of. `ledger weak` reads them.

        Example:
            >>> run.predictions(labels, predicted, confidence=scores, slices={"light": light})

        Args:
            truth: one label for each sample: a list, an array, a tensor.
            predicted: predicted label of each of them.
            split: split of the samples.
            dataset: return value of `run.dataset`, or `name@version`; by default the dataset of that split.
            evaluator: version of the code that measured it.
            confidence: probability of the predicted label, one for each sample, 0 to 1.
            slices: one label for each sample, or a boolean for each sample by name of the slice.
            samples: id of each sample; its position by default.
            name: name of the metric for the share of right predictions.
        """

        def keep(what: str, kind: TableKind, cells: Cells) -> None:
            self.table(
                f"{what} {split}/{name}",
                cells.rows,
                kind=kind,
                columns=cells.columns,
                metric=name,
                split=split,
                dataset=dataset,
                evaluator=evaluator,
            )

        def state(metric: str, value: float, direction: Direction) -> None:
            measured = make_metric(
                metric, value, split=split, direction=direction, evaluator=evaluator, **identity_of(dataset)
            )
            self._life.say(MetricEvent(metric=measured))

        if self._life.silent:
            return
        with self._life.harmless(f"tables.predictions {split}"):
            seen = read_predictions(truth, predicted, samples)
            if f"{split}/{name}" not in self._stated:
                state(name, seen.accuracy, "higher")
            for what, kind, cells in tables_of(seen):
                keep(what, kind, cells)
            if confidence is not None:
                with self._life.harmless(f"tables.calibration {split}"):
                    cells, error = calibration_of(seen, confidence)
                    keep("calibration", "calibration", cells)
                    state("calibration_error", error, "lower")
                    if (mistakes := mistakes_of(seen, confidence)).rows:
                        keep("mistakes", "table", mistakes)
            if slices is not None:
                with self._life.harmless(f"tables.slices {split}"):
                    cells, worst = slices_of(seen, slices, name)
                    keep("slices", "slices", cells)
                    state(f"worst_slice_{name}", worst, "higher")
