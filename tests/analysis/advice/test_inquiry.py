"""What is said of an experiment: the latest of each kind stands, and a later question opens it again."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest

from ledger.analysis.advice.experiment_summary import summarise_experiment
from ledger.analysis.advice.inquiry import NO_INQUIRY, inquiries_of, inquiry_of
from ledger.errors import InvalidDocument
from ledger.model.document import dump, load
from ledger.model.entries import Note
from ledger.model.values import NoteKind
from tests.sample_boxes import AUTHORS
from tests.samples import START, sample_ledger


def said(kind: NoteKind, text: str, number: int, experiment: str | None = "width", **fields: object) -> Note:
    values: dict[str, object] = {"experiment": experiment, **fields}
    return Note(
        format=1, id=f"20261121-0900{number:02}-aaaaaa", kind=kind, text=text, author=AUTHORS[0],
        noted_at=START + timedelta(days=30, seconds=number), tool="t", **values,  # type: ignore[arg-type]  # by name
    )  # fmt: skip


def test_the_latest_of_each_kind_stands_in_whatever_order_notes_were_read() -> None:
    notes = [said("question", "a?", 1), said("hypothesis", "yes", 2), said("question", "b?", 3)]
    for order in permutations(notes):
        found = inquiry_of(order)
        assert [note.text for note in found.standing] == ["b?", "yes"]
        assert [note.text for note in found.earlier] == ["a?"]
        assert found.state == "open"


def test_it_is_concluded_until_somebody_asks_again() -> None:
    concluded = [said("question", "a?", 1), said("conclusion", "no", 2)]
    assert inquiry_of(concluded).state == "concluded"
    assert inquiry_of([said("conclusion", "no", 2)]).state == "concluded"
    assert inquiry_of([*concluded, said("question", "b?", 3)]).state == "open"
    assert NO_INQUIRY.state == "open"
    at_once = msgspec.structs.replace(said("question", "a?", 2), id="20261121-090002-zzzzzz")
    assert inquiry_of([at_once, said("conclusion", "no", 2)]).state == "concluded", "ids of one command sort at random"


def test_runs_that_ended_after_the_conclusion_are_counted() -> None:
    runs = sample_ledger()[0].runs
    after = runs[3].record.timing.ended_at
    conclusion = msgspec.structs.replace(said("conclusion", "no", 2), noted_at=after)
    assert inquiry_of([conclusion]).runs_since(runs) == sum(run.record.timing.ended_at > after for run in runs) > 0
    assert NO_INQUIRY.runs_since(runs) == 0


def test_experiments_are_told_apart_and_notes_about_others_are_left_out() -> None:
    retired = said("retirement", "old", 4, None, dataset="digits@v1")
    found = inquiries_of([said("question", "a?", 1), said("question", "b?", 2, "other"), retired])
    assert {name: one.question and one.question.text for name, one in found.items()} == {"other": "b?", "width": "a?"}


@pytest.mark.parametrize(
    "change",
    [
        {"experiment": None},
        {"run": "20261121-090001-aaaaaa"},
        {"dataset": "digits@v1"},
        {"kind": "comment"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_statement_about_an_experiment_is_about_that_alone(change: dict[str, object]) -> None:
    values = {**msgspec.json.decode(dump(said("question", "a?", 1))), **change}
    with pytest.raises(InvalidDocument):
        load(msgspec.json.encode(values), Note, source="note")


def test_notes_of_before_have_the_same_bytes() -> None:
    before = said("comment", "x", 1, None, run="20261121-090001-aaaaaa")
    assert b"experiment" not in dump(before)
    assert load(dump(before), Note, source="note") == before


def test_the_summary_has_the_best_setting_of_the_leaderboard_and_its_interval() -> None:
    runs = [run for run in sample_ledger()[0].runs if run.record.experiment == "mlp-learning-rate"]
    known = summarise_experiment("mlp-learning-rate", runs, [])
    assert (known.runs, known.state) == (len(runs), "open")
    assert known.best is not None
    assert known.best.interval is not None
    assert known.best.interval[0] < known.best.mean < known.best.interval[1]
    assert known.best.n == len(known.best.runs)
    assert summarise_experiment("x", [], []).no_best == "it has no run yet"
