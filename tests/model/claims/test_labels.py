"""Every name of every kind of document is looked at, and the fast way through the bytes knows the same ones."""

import msgspec
import pytest

from ledger.model.boxes.inputs import Datasets, DatasetUse, Params, Step
from ledger.model.boxes.outputs import Figure, Metric, Results, Table
from ledger.model.claims.labels import labels_of
from ledger.model.claims.soundness import NAMES, is_sound
from ledger.model.document import dump
from ledger.model.entries import Case, DatasetVersion, Evaluation, Note
from ledger.model.hosts import GpuDay, Holder, HostDay
from ledger.model.record import Record
from ledger.model.values import Document, NoteKind
from tests.minimal import ADA, NOW, TOOL, minimal_record

METRIC = Metric(name="f1", split="night", evaluator="eval 1", value=0.5)
BARE = Metric(name="loss", value=1.0)
USE = DatasetUse(role="test", split="test", name="digits", version="v2")
RECORD = minimal_record(
    experiment="mnist",
    tags=["a", "b"],
    params=Params(chain=[Step(name="augment", stage="input")]),
    results=Results(metrics=[BARE, METRIC]),
    datasets=Datasets(used=[DatasetUse(role="train", split="train"), USE]),
)
EVALUATION = Evaluation(
    format=1, id="20261120-194812-abcdef", run=RECORD.id, metrics=[METRIC], datasets=[USE], author=ADA,
    evaluated_at=NOW, tool=TOOL,
)  # fmt: skip
VERSION = DatasetVersion(
    format=1, name="digits", version="v2", role="test", hash=f"blake3:{'0' * 64}", files=1, bytes=1, author=ADA,
    added_at=NOW, tool=TOOL,
)  # fmt: skip
CASE = Case(
    format=1, id="20261120-194812-abcdef", dataset="digits", input="1.png", expected="7", author=ADA, added_at=NOW,
    tool=TOOL,
)  # fmt: skip


HOST_DAY = HostDay(
    format=1, id="20261120-000000-abcdef", host="gpu01", source="watch", started_at=NOW, ended_at=NOW, watched="0*24",
    gpus=[GpuDay(name="L4")], holders=[Holder(user="ada", job="slurm 7", gpu="L4")], author=ADA, tool=TOOL,
)  # fmt: skip


def note(kind: NoteKind, **fields: object) -> Note:
    values: dict[str, object] = {"run": RECORD.id, "noted_at": NOW, "id": RECORD.id, **fields}
    return Note(format=1, kind=kind, text="said", author=ADA, tool=TOOL, **values)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        (
            RECORD,
            {
                "experiment": "mnist", "tags[0]": "a", "tags[1]": "b", "results.metrics[0].name": "loss",
                "results.metrics[1].name": "f1", "results.metrics[1].split": "night",
                "results.metrics[1].evaluator": "eval 1", "datasets.used[0].split": "train",
                "datasets.used[1].split": "test", "datasets.used[1].name": "digits", "datasets.used[1].version": "v2",
                "params.chain[0].name": "augment",
            },
        ),
        (
            EVALUATION,
            {
                "metrics[0].name": "f1", "metrics[0].split": "night", "metrics[0].evaluator": "eval 1",
                "datasets[0].split": "test", "datasets[0].name": "digits", "datasets[0].version": "v2",
            },
        ),
        (VERSION, {"name": "digits", "version": "v2"}),
        (CASE, {"dataset": "digits"}),
        (
            HOST_DAY,
            {
                "host": "gpu01", "gpus[0].name": "L4", "holders[0].user": "ada", "holders[0].gpu": "L4",
                "holders[0].job": "slurm 7",
            },
        ),
        (note("tag"), {"text": "said"}),
        (note("untag"), {"text": "said"}),
        (note("comment"), {}),
        (note("milestone", stage=1, model="resnet"), {"model": "resnet"}),
        (object(), {}),
        (None, {}),
    ],
)  # fmt: skip
def test_every_name_of_a_document_is_told_with_its_field(document: object, labels: dict[str, str]) -> None:
    assert dict(labels_of(document)) == labels
    assert len(list(labels_of(document))) == len(labels)


def changed(document: Document, path: list[str | int], text: str) -> Document:
    """Return a document with one text in it changed."""
    built = msgspec.to_builtins(document)
    inner = built
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = text
    return msgspec.convert(built, type(document))


def parts_of(field: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in field.replace("]", "").replace("[", ".").split(".")]


@pytest.mark.parametrize("document", [RECORD, EVALUATION, VERSION, CASE, HOST_DAY], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\u200bb", "\u0430ccuracy", "e\u0301"])
def test_a_bad_name_in_any_field_is_never_called_sound(document: Document, text: str) -> None:
    assert is_sound(dump(document), type(document))
    for field, good in labels_of(document):
        bad = changed(document, parts_of(field), text)
        assert dict(labels_of(bad))[field] == text, f"{field} was {good}"
        assert not is_sound(dump(bad), type(document)), field


def test_the_fast_way_knows_the_fields_that_hold_names_and_no_others() -> None:
    told: dict[type, set[str]] = {}
    holders = {"results.metrics": Metric, "metrics": Metric, "datasets.used": DatasetUse}
    holders |= {"datasets": DatasetUse, "params.chain": Step, "gpus": GpuDay, "holders": Holder}
    for document in (RECORD, EVALUATION, VERSION, CASE, HOST_DAY):
        for field, _ in labels_of(document):
            start, _, last = field.rpartition(".")
            kind = holders.get(start.partition("[")[0], type(document)) if start else type(document)
            told.setdefault(kind, set()).add(last.partition("[")[0])
    assert told == {kind: set(NAMES[kind]) for kind in told}
    assert set(NAMES) - set(told) == {Figure, Table}
    assert Record in told
