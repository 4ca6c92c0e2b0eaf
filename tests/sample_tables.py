"""Tables beside sample runs: a small study of digits, and a table of each kind whose every text is hostile."""

import random

import msgspec

from ledger.analysis.data.prediction_statistics import calibration_table, class_table, confusion_table, slice_table
from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import Table
from ledger.model.entries import StoredRun
from ledger.model.tables import KINDS, LAYER_COLUMNS, Cells, dump_cells
from ledger.model.values import TableKind
from tests.sample_runs import HOSTILE, Blobs, files_beside, keep_beside

Named = tuple[str, TableKind, Cells]
"""Name, kind and content of a table."""


def with_tables(blobs: Blobs, run: StoredRun, tables: list[Named]) -> StoredRun:
    """Return the run with tables of its validation accuracy beside its record."""
    metric = run.record.metric("validation/accuracy")
    files = {f"tables/{number}-{kind}.csv": dump_cells(cells) for number, (_, kind, cells) in enumerate(tables)}
    described = [
        Table(
            file=file,
            name=name,
            kind=kind,
            metric="validation/accuracy",
            dataset=metric.dataset if metric else None,
            dataset_hash=metric.dataset_hash if metric else None,
            hash=hash_bytes(files[file]),
            bytes=len(files[file]),
            rows=len(cells.rows),
            columns=len(cells.columns),
        )
        for file, (name, kind, cells) in zip(files, tables, strict=True)
    ]
    statistics = msgspec.structs.replace(run.record.statistics, tables=described)
    record = msgspec.structs.replace(run.record, statistics=statistics)
    return keep_beside(blobs, record, {**files_beside(blobs, run), **files}, run.evaluations)


def sample_tables(classes: int = 10, samples: int = 360) -> list[Named]:
    """Return a table of each kind, from seeded predictions that take some digits for others."""
    chance = random.Random(5)  # noqa: S311  # samples, not secrets
    truth = [str(chance.randrange(classes)) for _ in range(samples)]
    sure = [0.5 + 0.5 * chance.random() ** 0.5 for _ in truth]
    taken = [
        label if chance.random() < confidence - 0.04 else str((int(label) * 3 + 5) % classes)
        for label, confidence in zip(truth, sure, strict=True)
    ]
    right = [one == other for one, other in zip(truth, taken, strict=True)]
    confusion = confusion_table(truth, taken)
    writers = {
        f"writer {number}": [place for place in range(samples) if chance.random() < 0.3 / number]
        for number in range(1, 7)
    }
    return [
        ("confusion", "confusion", Cells(
            columns=["truth", *confusion.labels],
            rows=[[label, *map(str, confusion.row(label))] for label in confusion.labels],
        )),
        ("by class", "classes", Cells(
            columns=["class", "precision", "recall", "f1", "support"],
            rows=[
                [score.label, *map(_cell, (score.precision, score.recall, score.f1)), str(score.support)]
                for score in class_table(confusion)
            ],
        )),
        ("calibration", "calibration", Cells(
            columns=["confidence", "accuracy", "samples"],
            rows=[
                [repr(each.confidence), repr(each.accuracy), str(each.samples)]
                for each in calibration_table(sure, right)
            ],
        )),
        ("by writer", "slices", Cells(
            columns=["slice", "accuracy", "samples"],
            rows=[[score.name, repr(score.value), str(score.samples)] for score in slice_table(right, writers)][::-1],
        )),
        ("per sample", "samples", Cells(
            columns=["sample", "value"],
            rows=[[str(number), str(int(is_right))] for number, is_right in enumerate(right)],
        )),
        ("layers", "layers", Cells(columns=list(LAYER_COLUMNS), rows=[
            ["(model)", "Classifier", "(64, 1, 8, 8)", "(64, 10)", "1", "0", "1320960", ""],
            ["body", "Sequential", "(64, 1, 8, 8)", "(64, 256)", "1", "0", "147456", ""],
            ["body.0", "Conv2d", "(64, 1, 8, 8)", "(64, 4, 8, 8)", "1", "40", "147456", ""],
            ["head", "Linear", "(64, 256)", "(64, 10)", "1", "2570", "327680", ""],
        ])),
        ("hyper-parameters tried", "table", Cells(
            columns=["what", "lr", "note"], rows=[["a", "0.1", "too large"], ["b", "0.01", ""]]
        )),
    ]  # fmt: skip


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def hostile_tables() -> list[Named]:
    """Return a table of each kind whose names and labels try to be markup, or are very long, and one that is broken."""
    long, markup = "w" * 190, "<script>alert(1)</script>\"'&{{7*7}}"
    contents: dict[TableKind, Cells] = {
        "confusion": Cells(columns=["truth", markup, long], rows=[[HOSTILE, "3", "1"], [long, "0", "9"]]),
        "classes": Cells(
            columns=["class", "precision", "recall", "f1", "support", markup],
            rows=[[HOSTILE, "0.5", "", "0.5", "3", "NaN"], [long, "1.0", "1.0", "1.0", "9", "Infinity"]],
        ),
        "calibration": Cells(columns=["confidence", "accuracy", "samples"], rows=[["0.5", "0.25", "4"]]),
        "slices": Cells(columns=["slice", markup, "samples"], rows=[[HOSTILE, "3.5", "2"], [long, "", "0"]]),
        "samples": Cells(columns=["sample", "value"], rows=[[HOSTILE, "1"]]),
        "layers": Cells(
            columns=list(LAYER_COLUMNS),
            rows=[
                [HOSTILE, markup, markup, "", "1", "3", "", "failed inside"],
                [f"{markup}.{long}", long, long * 5, long, "9", "9", "9", "failed here"],
            ],
        ),
        "table": Cells(columns=[markup, long, "formula"], rows=[[HOSTILE, long * 5, "=cmd|' /C calc'!A0"]] * 3),
    }
    broken: Named = (HOSTILE, "confusion", Cells(columns=[HOSTILE], rows=[[HOSTILE]]))
    return [*((f"{kind} {HOSTILE}", kind, contents[kind]) for kind in KINDS), broken]
