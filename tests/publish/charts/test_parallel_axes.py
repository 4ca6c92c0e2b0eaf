"""Parallel coordinates: one line for each run through all axes, words as places, what is equal set apart."""

import re

from ledger.publish.charts.parallel_axes import ParallelAxis, render_parallel

HOSTILE = '<script>"&'


def lines(svg: str) -> list[str]:
    return [line for data in re.findall(r'class="lg-strand[^>]* d="([^"]*)"', svg) for line in data.split("M")[1:]]


def test_each_run_is_one_line_through_every_axis_and_the_strongest_lie_in_front() -> None:
    axes = [
        ParallelAxis(name="lr", values=(0.001, 0.01, 1.0), log=True),
        ParallelAxis(name="opt", values=(0.0, 1.0, 0.0), words=("adam", "sgd")),
        ParallelAxis(name="accuracy", values=(0.1, 0.2, 0.3)),
    ]
    svg = render_parallel(axes, [0, 3, 3], [7, 8, 9], title="t")
    assert [len(line.split("L")) for line in lines(svg)] == [3, 3, 3]
    assert re.findall(r'lg-strand-(\d)" data-lg-runs="([^"]*)"', svg) == [("0", "7"), ("3", "8 9")]
    heights = [float(line.split("L")[0].split()[1]) for line in lines(svg)]
    assert heights == sorted(heights, reverse=True)
    assert abs((heights[0] - heights[1]) * 2 - (heights[1] - heights[2])) < 1, "the axis is logarithmic"
    assert re.findall(r'text-anchor="end">(adam|sgd|0\.001|0\.3)<', svg) == ["0.001", "adam", "sgd", "0.3"]


def test_equal_values_of_an_axis_with_few_are_told_apart() -> None:
    axes = [ParallelAxis(name="a", values=(1.0, 1.0, 2.0)), ParallelAxis(name="b", values=(1.0, 1.0, 2.0))]
    assert len(set(lines(render_parallel(axes, [0, 0, 0], [0, 1, 2], title="t")))) == 3


def test_hostile_names_and_words_are_text_and_long_names_keep_their_last_part() -> None:
    axes = [
        ParallelAxis(name=HOSTILE, values=(0.0, 0.0), words=(HOSTILE,)),
        *[ParallelAxis(name=f"optimizer.schedule.warmup.option_{number}", values=(1.0, 2.0)) for number in range(4)],
    ]
    svg = render_parallel(axes, [0, 1], [0, 1], title=HOSTILE)
    assert "<script" not in svg
    assert ">option_3<" in svg
    assert "NaN" not in svg
    assert "inf" not in svg
