"""What names in a query mean, and what is said where they may mean several things."""

import pytest

from ledger.analysis.query.language import parse_query
from ledger.analysis.query.names import Names
from ledger.errors import UsageError

HELD = [
    *("params.lr", "params.optimizer.name", "params.sched/gamma", "params.seed", "params.cost", "params.width"),
    *("metrics.validation/loss", "metrics.train/loss", "metrics.test/f1", "metrics.validation/lr", "metrics.width"),
    *("metrics.val/odd", "metrics.validation/odd"),
]
NAMES = Names(HELD, {"val": "validation"})


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("status", "status"),
        ("params.lr", "params.lr"),
        ("params.nobody", "params.nobody"),
        ("metrics.nobody", "metrics.nobody"),
        ("validation/loss", "metrics.validation/loss"),
        ("val/loss", "metrics.validation/loss"),
        ("Val/loss", "metrics.validation/loss"),
        ("metrics.val/loss", "metrics.validation/loss"),
        ("val/odd", "metrics.val/odd"),
        ("sched/gamma", "params.sched/gamma"),
        ("gamma", "params.sched/gamma"),
        ("f1", "metrics.test/f1"),
        ("optimizer.name", "params.optimizer.name"),
        ("name", "params.optimizer.name"),
        ("seed", "seed"),
    ],
)
def test_a_name_with_one_meaning_has_it(name: str, field: str) -> None:
    reading = NAMES.read(name)
    assert (reading.field, reading.warning) == (field, None)


def test_a_rule_that_decides_names_the_other_reading() -> None:
    assert NAMES.read("lr").warning == "`lr` is read as `params.lr`; there is also `metrics.validation/lr`"
    assert NAMES.read("cost").warning == "`cost` is read as `cost`; there is also `params.cost`"


def test_what_may_mean_several_things_is_refused_with_all_of_them() -> None:
    with pytest.raises(UsageError, match=r"^`loss` may mean `metrics.train/loss` or `metrics.validation/loss`$"):
        NAMES.read("loss")
    with pytest.raises(UsageError, match=r"^`width` may mean `metrics.width` or `params.width`$"):
        NAMES.read("width")
    many = Names([f"params.{letter}.x" for letter in "abcdef"], {})
    with pytest.raises(UsageError, match=r"`params.a.x`, `params.b.x`, `params.c.x`, `params.d.x` or 2 more$"):
        many.read("x")


@pytest.mark.parametrize(("name", "near"), [("sttus", "status"), ("optimizer.nam", "optimizer.name")])
def test_a_misspelt_name_is_offered_the_right_one(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"^no such field, param or metric: `{name}`$") as caught:
        NAMES.read(name)
    assert caught.value.hint == f"did you mean `{near}`?"


@pytest.mark.parametrize("name", ["params.", "metrics.", "", "group.validation/loss"])
def test_what_is_no_name_has_no_meaning(name: str) -> None:
    with pytest.raises(UsageError, match="no such field"):
        NAMES.read(name)


def test_a_query_is_read_whole_and_each_thing_is_said_once() -> None:
    query, said = NAMES.resolve(parse_query("(lr = 1 or not lr = 2) f1 > 0.5 and word"))
    plain = parse_query("(params.lr = 1 or not params.lr = 2) metrics.test/f1 > 0.5 and word")
    assert query == plain
    assert len(said) == 1
