import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model.values import is_plain_text
from ledger.publish import text
from ledger.publish.charts.axes import Scale, scale_of, tick_text
from ledger.publish.charts.charts import Dot, Line, Stretch, render_history, render_lines, render_scatter


@given(st.text())
def test_what_is_shown_never_hides_or_reorders(given: str) -> None:
    assert is_plain_text(text.visible(given).replace("\n", "").replace("\t", ""))
    text.visible(given).encode()


@given(st.text())
def test_escaped_text_has_no_markup(given: str) -> None:
    assert not set("<>\"'") & set(text.escaped(given))


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c", True),
        ("HTTP://example.org", True),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//example.org", False),
        ("https:", False),
        ("java\nscript:alert(1)", False),
        ("https://example.org/\u202egnp", False),
        ("http://[broken", False),
    ],
)
def test_only_web_and_mail_addresses_become_links(url: str, *, safe: bool) -> None:
    assert (text.safe_url(url) == url) is safe


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.integers(min_value=2, max_value=9),
)
def test_ticks_stand_within_the_scale(low: float, high: float, count: int) -> None:
    scale = scale_of([low, high], 0, 100)
    ticks = scale.ticks(count)
    assert 0 < len(ticks) <= 3 * count
    assert all(-1 <= scale.place(tick) <= 101 for tick in ticks)
    assert all(tick_text(tick) for tick in ticks)


def test_a_logarithmic_scale_has_powers_of_ten() -> None:
    assert Scale(low=0.0009, high=11, start=0, end=100, log=True).ticks(6) == pytest.approx([0.001, 0.01, 0.1, 1, 10])


def test_a_line_breaks_where_a_value_is_not_finite() -> None:
    line = Line(name="a <b>", xs=[1, 2, 3, 4], ys=[1.0, math.nan, 2.0, 3.0])
    svg = render_lines([line], title="t", x_label="step", y_label="y")
    path = svg.split('class="lg-line lg-c0 lg-d0" d="')[1].split('"')[0]
    assert path.count("M") == 2
    assert "a &lt;b&gt;" in svg
    assert "<b>" not in svg


def test_lines_without_a_finite_value_draw_nothing() -> None:
    assert render_lines([Line(name="a", xs=[1], ys=[math.inf])], title="t", x_label="x", y_label="y") == ""


def test_one_point_can_be_seen() -> None:
    assert "h.1" in render_lines([Line(name="a", xs=[1], ys=[2.0])], title="t", x_label="x", y_label="y")


def test_a_param_over_decades_is_spread_by_logarithm() -> None:
    dots = [Dot(x=x, y=1.0, title="<t>", url='"x') for x in (0.001, 0.1, 1.0)]
    svg = render_scatter(dots, x_label="lr", y_label="accuracy")
    assert "lr (log)" in svg
    assert "&lt;t&gt;" in svg
    assert 'href="&quot;x"' in svg


def test_the_best_so_far_never_leaves_its_dataset_version() -> None:
    def stretch(label: str, *ys: float) -> Stretch:
        return Stretch(label=label, dots=[Dot(x=index, y=y, title="t", url="u") for index, y in enumerate(ys)])

    svg = render_history(
        [stretch("v1", 0.9, 0.95), stretch("v2", 0.7, 0.6)], title="t", y_label="y", direction="higher"
    )
    lines = re.findall(r'class="lg-line[^"]*" d="([^"]+)"', svg)
    assert len(lines) == 2
    assert "V" in lines[0], "a step up"
    assert "V" not in lines[1], "0.6 is no step down"
