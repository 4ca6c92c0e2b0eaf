"""Use of a GPU by stretches: however long the run, as many at most, each the mean of what was seen in it."""

from ledger.capture.machine.gpus.over_time import UseOverTime
from ledger.model.boxes.machine import MOST_STRETCHES, GpuTimeline


def test_stretches_grow_with_the_run_and_keep_its_mean() -> None:
    watch = UseOverTime()
    for second in range(0, 1000, 2):
        watch.add(float(second >= 500), 2.0)
    use = watch.use()
    assert use is not None
    assert use.stretch_seconds == 32.0
    assert len(use.percent) == 32 <= MOST_STRETCHES
    assert use.percent == [0] * 15 + [38] + [100] * 16  # 12 of the 32 seconds from 480 on


def test_a_sample_counts_in_every_stretch_that_it_spans() -> None:
    watch = UseOverTime()
    watch.add(0.5, 0.5)
    watch.add(1.0, 2.0)
    assert watch.use() == GpuTimeline(stretch_seconds=1.0, percent=[75, 100, 100])


def test_what_was_not_seen_is_none_and_nothing_at_all_is_no_use() -> None:
    watch = UseOverTime()
    assert watch.use() is None
    watch.add(None, 2.0)
    assert watch.use() is None
    watch.add(0.2, 1.0)
    watch.add(None, 3.0)
    assert watch.use() == GpuTimeline(stretch_seconds=1.0, percent=[None, None, 20])


def test_one_gap_of_a_year_is_one_of_the_stretches() -> None:
    watch = UseOverTime()
    watch.add(1.0, 1.0)
    watch.add(None, 365 * 86_400.0)
    watch.add(1.0, 1.0)
    use = watch.use()
    assert use is not None
    assert len(use.percent) <= MOST_STRETCHES
    assert use.percent[0] == use.percent[-1] == 100
    assert set(use.percent[1:-1]) == {None}
