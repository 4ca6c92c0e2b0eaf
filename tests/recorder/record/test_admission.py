"""Of a run that has ended nothing is lost for one field that cannot stand: it is left out, and its box says why."""

from collections.abc import Callable

import msgspec
import pytest

from ledger.errors import LedgerError
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.machine import Gpu, Hardware
from ledger.model.boxes.outputs import Metric, Model
from ledger.model.claims.rules import claims_in
from ledger.model.record import Record
from ledger.recorder.record.admission import few_enough, once, standing
from tests.samples import sample_ledger

WRONG = Gpu(name="H100", energy_kwh=-1.0)


def a_record() -> Record:
    return sample_ledger()[0].runs[0].record


def changed(**fields: object) -> Callable[[Record], Record]:
    return lambda record: msgspec.structs.replace(record, **fields)


@pytest.mark.parametrize(
    ("change", "kept", "box"),
    [
        (changed(seed=1 << 70), lambda one: one.seed is None, "params"),
        (changed(parent="SELF"), lambda one: one.parent is None, "params"),
        (changed(tags=[str(number) for number in range(1200)]), lambda one: len(one.tags) == 1000, None),
        (changed(tags=["a\u200bb"]), lambda one: one.tags == ["a\\u200bb"], None),
        (changed(experiment=" "), lambda one: one.experiment == "unnamed", None),
        (changed(model=Model(bytes=-1)), lambda one: one.model.bytes is None, "model"),
        (changed(cost=Cost(amount=-1.0, currency="EUR")), lambda one: one.cost.amount is None, "cost"),
        (
            changed(hardware=Hardware(gpus=[WRONG])),
            lambda one: one.hardware.gpus[0].energy_kwh is None,
            "hardware",
        ),
    ],
)
def test_what_cannot_stand_is_left_out_and_said(
    change: Callable[[Record], Record], kept: Callable[[Record], bool], box: str | None
) -> None:
    record = a_record()
    made = change(record)
    if made.parent == "SELF":
        made = msgspec.structs.replace(made, parent=made.id)
    with pytest.raises(LedgerError):
        standing(made, strict=True)
    mended = standing(made, strict=False)
    assert not [claim for claim in claims_in(mended) if claim.severity == "error"]
    assert kept(mended)
    if box is not None:
        assert len(mended.boxes()[box].unknown) > len(made.boxes()[box].unknown)


def test_a_good_record_stays_as_it_is() -> None:
    record = a_record()
    assert standing(record, strict=True) is record
    assert standing(record, strict=False) is record


def test_of_two_statements_of_one_measurement_the_later_stands() -> None:
    first, second = Metric(name="loss", value=1.0), Metric(name="loss", value=2.0)
    other = Metric(name="loss", value=3.0, step=7)
    assert once([first, other, second]) == [second, other]


def test_the_headline_is_among_the_metrics_that_are_kept() -> None:
    metrics = [Metric(name=f"m{number}", value=1.0) for number in range(5)]
    kept, said = few_enough(metrics, "m4", 2, strict=False)
    assert [metric.name for metric in kept] == ["m4", "m0"]
    assert said == "5 metrics, but at most 2 are allowed (limits.metrics)"
    with pytest.raises(LedgerError, match=r"limits\.metrics"):
        few_enough(metrics, "m4", 2, strict=True)
