"""Ranks of one training are no repeats of it."""

from ledger.analysis.comparing.ranks import Trace, other_ranks


def trace(values: str = "a", started: float = 0.0, ended: float | None = 100.0, **more: object) -> Trace:
    return Trace(values=values, started=started, ended=ended, **more)  # type: ignore[arg-type]  # fields by name


def test_runs_that_lived_together_and_share_every_value_are_ranks() -> None:
    assert other_ranks([("one", trace()), ("two", trace(started=5.0)), ("three", trace(started=59.0))]) == {
        "two": "one",
        "three": "one",
    }


def test_repeats_are_no_ranks() -> None:
    assert other_ranks([("one", trace()), ("two", trace("b", started=5.0))]) == {}
    assert other_ranks([("one", trace()), ("two", trace(started=61.0))]) == {}
    assert other_ranks([("one", trace(ended=10.0)), ("two", trace(started=11.0, ended=20.0))]) == {}
    assert other_ranks([("one", trace(ended=None)), ("two", trace(ended=None))]) == {}
    assert other_ranks([("one", trace("")), ("two", trace(""))]) == {}


def test_ranks_of_one_job_are_known_whatever_they_measured() -> None:
    same = [("one", trace("a", rank=1, job="7")), ("zero", trace("b", rank=0, job="7", started=900.0))]
    assert other_ranks(same) == {"one": "zero"}
    other = [("one", trace("a", rank=1, job="7")), ("zero", trace("b", rank=0, job="8"))]
    assert other_ranks(other) == {}


def test_repeats_inside_one_job_stay_repeats() -> None:
    assert other_ranks([("a", trace("a", rank=0, job="7")), ("b", trace("b", rank=0, job="7", started=9.0))]) == {}


def test_a_rank_without_a_job_is_known_by_its_values_though_it_ran_later() -> None:
    later = trace(rank=1, started=30.0, ended=40.0)
    assert other_ranks([("zero", trace(ended=10.0)), ("one", later)]) == {"one": "zero"}
