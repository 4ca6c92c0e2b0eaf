"""Tables and metrics of a classifier, made by `run.predictions` from single predictions."""

from collections.abc import Mapping

from ledger.analysis.data.prediction_statistics import (
    Confusion,
    calibration_error,
    calibration_table,
    class_table,
    confused_pairs,
    confusion_table,
    slice_table,
)
from ledger.capture.outputs.table_input import cell_text, plain_values
from ledger.errors import LedgerError
from ledger.model.tables import MISTAKE_COLUMNS, PAIR_COLUMNS, Cells, number_text
from ledger.model.values import Document, TableKind

_MATRIX = 400
"""Most classes of a matrix: beyond it, the file would have hundreds of kilobytes, nearly all zeros."""
_PAIRS = 2_000
"""Most confused pairs that are stored instead."""
_MISTAKES = 200
"""Most mistakes that are stored, the surest first: more than anybody looks at one by one."""


class Predictions(Document, frozen=True, kw_only=True):
    """Predictions, read and counted."""

    confusion: Confusion
    """Number of times that each class was predicted for each true class."""
    right: list[bool]
    """Whether each prediction is right."""
    ids: list[str]
    """Id of each sample."""
    truth: list[str]
    """True class of each sample."""
    predicted: list[str]
    """Predicted class of each sample."""

    @property
    def accuracy(self) -> float:
        """Share of right predictions (0..1)."""
        return sum(self.right) / len(self.right)


def read_predictions(truth: object, predicted: object, samples: object) -> Predictions:
    """Return the predictions, one label for each sample; ids are positions where none are given.

    Raises:
        LedgerError: they are not labels, have different lengths, or there are none.
    """
    labels, taken = _labels("truth", truth), _labels("predicted", predicted)
    confusion = confusion_table(labels, taken)
    ids = [str(place) for place in range(len(labels))] if samples is None else _labels("samples", samples)
    if len(ids) != len(labels):
        raise LedgerError(f"one id for each sample expected: `{len(ids)} for {len(labels)}`")
    return Predictions(
        confusion=confusion,
        right=[one == other for one, other in zip(labels, taken, strict=True)],
        ids=ids,
        truth=labels,
        predicted=taken,
    )


def tables_of(seen: Predictions) -> list[tuple[str, TableKind, Cells]]:
    """Return name, kind and content of each table: confusion, classes, samples."""
    confusion = seen.confusion
    if len(confusion.labels) > _MATRIX:
        pairs = [[truth, taken, str(count)] for truth, taken, count in confused_pairs(confusion, _PAIRS)]
        first: tuple[str, TableKind, Cells] = (
            "confused pairs", "table", Cells(columns=list(PAIR_COLUMNS), rows=pairs),
        )  # fmt: skip
    else:
        rows = [[label, *map(str, confusion.row(label))] for label in confusion.labels]
        first = "confusion", "confusion", Cells(columns=["truth", *confusion.labels], rows=rows)
    classes = [
        [score.label, _ratio(score.precision), _ratio(score.recall), _ratio(score.f1), str(score.support)]
        for score in class_table(confusion)
    ]
    values = [[name, "1" if is_right else "0"] for name, is_right in zip(seen.ids, seen.right, strict=True)]
    return [
        first,
        ("classes", "classes", Cells(columns=["class", "precision", "recall", "f1", "support"], rows=classes)),
        ("samples", "samples", Cells(columns=["sample", "value"], rows=values)),
    ]


def calibration_of(seen: Predictions, confidence: object) -> tuple[Cells, float]:
    """Return the table of calibration and the expected calibration error (0..1).

    Raises:
        LedgerError: there is not one probability for each sample.
    """
    bins = calibration_table(_probabilities(confidence), seen.right)
    rows = [[number_text(each.confidence), number_text(each.accuracy), str(each.samples)] for each in bins]
    return Cells(columns=["confidence", "accuracy", "samples"], rows=rows), calibration_error(bins) or 0.0


def mistakes_of(seen: Predictions, confidence: object) -> Cells:
    """Return the mistakes that the model was surest of, the surest first; of equally sure ones the first samples.

    Raises:
        LedgerError: there is not one probability for each sample.
    """
    values = _probabilities(confidence)
    wrong = [place for place, is_right in enumerate(seen.right) if not is_right]
    surest = sorted(wrong, key=lambda place: -values[place])[:_MISTAKES]
    rows = [[seen.ids[at], seen.truth[at], seen.predicted[at], number_text(values[at])] for at in surest]
    return Cells(columns=list(MISTAKE_COLUMNS), rows=rows)


def _probabilities(confidence: object) -> list[float]:
    try:
        return [float(value) for value in plain_values(confidence)]  # type: ignore[arg-type]  # anything but a number is refused here
    except (TypeError, ValueError):
        raise LedgerError(
            "confidence is one probability for each sample", hint="such as confidence=probabilities.max(1)"
        ) from None


def slices_of(seen: Predictions, slices: object, name: str) -> tuple[Cells, float]:
    """Return the table of slices, the worst first, and the value of the worst.

    Args:
        seen: the predictions.
        slices: one label for each sample, or a boolean for each sample by name of the slice.
        name: name of the metric for the share of right predictions.

    Raises:
        LedgerError: they do not cover each sample, or no sample is in a slice.
    """
    places: dict[str, list[int]] = {}
    if isinstance(slices, Mapping):
        for key, mask in slices.items():
            held = plain_values(mask)
            _check_length(f"slice `{key}`", len(held), seen)
            places[cell_text(key)] = [place for place, is_in in enumerate(held) if is_in]
    else:
        labels = _labels("slices", slices)
        _check_length("slices", len(labels), seen)
        for place, label in enumerate(labels):
            places.setdefault(label, []).append(place)
    scores = slice_table(seen.right, places)
    if not scores:
        raise LedgerError("no slice holds a sample")
    rows = [[score.name, number_text(score.value), str(score.samples)] for score in scores]
    return Cells(columns=["slice", name, "samples"], rows=rows), scores[0].value


def _labels(what: str, values: object) -> list[str]:
    try:
        return [_label(value) for value in plain_values(values)]
    except LedgerError as error:
        raise LedgerError(
            f"{what} is one label for each sample: {error.message}", hint="such as predicted=logits.argmax(1)"
        ) from None


def _label(value: object) -> str:
    text = cell_text(value)
    if not text.strip():
        raise LedgerError("a label is empty")
    # A class given as float on one side and as int on the other is the same class.
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


def _check_length(what: str, length: int, seen: Predictions) -> None:
    if length != len(seen.right):
        raise LedgerError(f"{what} must have one value for each sample: `{length} for {len(seen.right)}`")


def _ratio(value: float | None) -> str:
    return "" if value is None else number_text(value)
