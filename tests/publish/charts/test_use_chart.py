"""The use of GPUs over a run: a row for each, gaps where nothing was seen, words where nothing was sampled."""

import re

from ledger.model.boxes.machine import Gpu, GpuTimeline, Hardware
from ledger.publish.charts.use_chart import GPUS_DRAWN, render_gpu_use
from ledger.publish.site.templating import environment


def gpu(*percent: int | None, **fields: object) -> Gpu:
    use = GpuTimeline(stretch_seconds=60.0, percent=list(percent))
    return Gpu(name="<L4>", use=use, **fields)  # type: ignore[arg-type]  # as given


def box(*gpus: Gpu) -> str:
    return str(environment().get_template("boxes.html.jinja").module.hardware(Hardware(gpus=list(gpus))))  # type: ignore[attr-defined]  # a macro


def test_heights_are_shares_and_a_stretch_that_was_not_seen_is_a_gap() -> None:
    svg = render_gpu_use([gpu(0, 50, None, 100, utilisation_mean=0.5, gpu_idle_fraction=0.25)])
    assert svg is not None
    areas = re.findall(r"M([\d.]+) [\d.]+v-([\d.]+)H([\d.]+)", svg)
    assert [float(height) for _, height, _ in areas] == [0.0, 17.0, 34.0]
    ends = [(float(left), float(right)) for left, _, right in areas]
    assert ends[0][1] == ends[1][0]
    assert ends[2][0] - ends[1][1] == ends[0][1] - ends[0][0]  # one stretch of nothing
    assert "GPU 1: mean 50 %, idle 25 %" in svg
    assert "&lt;L4&gt;" in svg
    assert ">min</text>" in svg


def test_a_strange_record_is_drawn_in_bounds() -> None:
    svg = render_gpu_use([gpu(*[-5, 1000] * 500)] * 40)
    assert svg is not None
    assert svg.count("lg-use-area") == GPUS_DRAWN
    assert {float(height) for height in re.findall(r"v-([\d.]+)", svg)} == {0.0, 34.0}
    assert svg.count("M") < GPUS_DRAWN * 70
    assert render_gpu_use([Gpu(name="x", use=GpuTimeline(stretch_seconds=0.0, percent=[1]))]) is None


def test_the_box_says_in_words_that_nothing_was_sampled() -> None:
    assert "GPU use over the run: not sampled" in box(Gpu(name="L4"))
    assert "GPU use over the run: several attempts" in box(Gpu(name="L4", unknown={"use": "several attempts"}))
    assert "lg-use-area" in box(gpu(5))
    assert "GPU use" not in box()
