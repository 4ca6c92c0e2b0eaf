"""Charts on the page of a dataset version: balance of labels, drift, and reliability of a model's confidence."""

import re

import pytest

from ledger.analysis.data.prediction_statistics import Bin
from ledger.model.statistics import Drift, DriftFigure
from ledger.publish.charts.drift_figure import render_drift
from ledger.publish.charts.label_balance import MINUS, render_balance
from ledger.publish.charts.reliability import render_reliability

HOSTILE = '<script>alert(1)</script>"\N{RIGHT-TO-LEFT OVERRIDE}'


def titles(svg: str) -> list[str]:
    """The titles of the parts; the first is that of the whole picture."""
    return re.findall("<title>(.*?)</title>", svg)


def names(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def balance(now: dict[str, int], then: dict[str, int] | None = None) -> str:
    return render_balance(now, then, title="Labels", slot=0)


def test_labels_stand_in_the_order_of_their_numbers_and_names() -> None:
    svg = balance({"10": 1, "9": 1, "b": 1, "a": 1, "-1.5": 1})
    assert [title.partition(":")[0] for title in titles(svg)[1:]] == ["-1.5", "9", "10", "a", "b"]


def test_each_label_says_how_many_samples_it_has_and_had() -> None:
    svg = balance({"cat": 30, "dog": 5}, {"cat": 10, "emu": 5})
    assert titles(svg)[1:] == ["cat: 30, 10 before", "dog: 5, 0 before", "emu: 0, 5 before"]
    assert {"30 (+20)", "5 (+5)", f"0 ({MINUS}5)"} <= set(names(svg))
    assert titles(balance({"cat": 30}))[1:] == ["cat: 30"]


def test_of_many_labels_those_that_changed_most_are_shown_and_the_others_counted() -> None:
    now = {f"label{index:02}": 100 for index in range(30)}
    svg = balance(now | {"label07": 1000}, now)
    assert titles(svg)[0] == "Labels; 10 labels that changed less are left out"
    assert "label07: 1000, 100 before" in titles(svg)
    assert len(titles(svg)) == 21


def test_without_labels_there_is_no_balance_and_with_no_samples_bars_of_no_length() -> None:
    assert balance({}) == balance({}, {}) == ""
    assert re.findall(r'width="([\d.]+)" height', balance({"a": 0})) == ["0.5"]


def test_names_of_labels_stay_text_and_long_ones_are_cut_beside_the_bars_only() -> None:
    svg = balance({HOSTILE: 1, "x" * 50: 2})
    assert "<script" not in svg
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in svg
    assert f"{'x' * 50}: 2" in titles(svg)
    assert f"{'x' * 13}…" in names(svg)


def figure(subject: str = "width", adjusted: float = 0.5, **changes: object) -> DriftFigure:
    values: dict[str, object] = {"value": 0.1, "p": adjusted, "drifted": adjusted < 0.05, "reference": 9, "compared": 9}
    return DriftFigure(subject=subject, test="ks", adjusted=adjusted, **(values | changes))  # type: ignore[arg-type]


def drift(*figures: DriftFigure, alpha: float = 0.05) -> str:
    return render_drift(Drift(reference="digits@v1", reference_hash="blake3:0", alpha=alpha, figures=list(figures)))


def dots(svg: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle class="lg-dot[^"]*" cx="([^"]+)"', svg)]


def test_what_is_less_likely_by_chance_stands_further_right_and_first() -> None:
    svg = drift(figure("a", 0.5), figure("b", 1e-5), figure("c", 0.01))
    assert [title.split(" ")[0] for title in titles(svg)[1:]] == ["b", "c", "a"]
    assert dots(svg) == sorted(dots(svg), reverse=True)
    assert titles(svg)[0] == "Comparisons with digits@v1: 2 of 3 drifted"


def test_what_drifted_has_another_colour_than_what_did_not() -> None:
    assert re.findall(r"lg-dot (lg-c\d)", drift(figure(adjusted=1e-3), figure(adjusted=0.9))) == ["lg-c1", "lg-c7"]


@pytest.mark.parametrize("p", [0.0, -1.0, 5e-324, 1e-300, 1.0, 7.0, 1e300])
def test_whatever_probability_a_document_claims_its_dot_and_the_line_of_chance_lie_in_the_chart(p: float) -> None:
    svg = drift(figure(adjusted=p), alpha=p)
    (edge,) = re.findall(r'class="lg-break" d="M([\d.]+) ', svg)
    for place in [*dots(svg), float(edge)]:
        assert 150 <= place <= 358


def test_a_value_beyond_numbers_is_written_and_a_hostile_subject_stays_text() -> None:
    svg = drift(figure(HOSTILE, value="Infinity", expected="NaN"), figure("b", expected=0.25))
    assert "<script" not in svg
    assert "Infinity" in names(svg)
    assert "b KS: 0.1, 0.25 by chance, adjusted p 0.5" in titles(svg)


def test_of_many_comparisons_the_most_surprising_are_drawn_and_all_are_counted() -> None:
    svg = drift(*(figure(f"f{index}", adjusted=0.9 - index / 100) for index in range(60)))
    assert len(dots(svg)) == 24
    assert titles(svg)[1].startswith("f59 ")
    assert titles(svg)[0].endswith("0 of 60 drifted")
    assert drift() == ""


def one_bin(confidence: float, accuracy: float, samples: int) -> Bin:
    return Bin(confidence=confidence, accuracy=accuracy, samples=samples)


def test_a_dot_of_reliability_stands_at_confidence_and_accuracy_below_the_diagonal_where_too_sure() -> None:
    svg = render_reliability([one_bin(0.9, 0.5, 10)])
    ((x, y),) = re.findall(r'<circle class="lg-dot lg-c0" cx="([\d.]+)" cy="([\d.]+)"', svg)
    (diagonal,) = re.findall(r'<path class="lg-off" d="M[\d.]+ ([\d.]+)V', svg)
    assert float(x) == pytest.approx(56 + 0.9 * (406 - 56), abs=0.1)
    assert float(y) > float(diagonal)  # pixels grow downwards
    assert titles(svg) == [
        "Accuracy by confidence, 10 samples in 1 bins",
        *["confidence 0.9, accuracy 0.5, 10 samples"] * 2,
    ]


def test_fuller_bins_have_larger_dots_and_higher_bars_and_an_empty_one_has_none() -> None:
    svg = render_reliability([one_bin(0.1, 0.1, 1), one_bin(0.5, 0.5, 100), one_bin(0.9, 0.9, 0)])
    radii = [float(r) for r in re.findall(r'r="([\d.]+)"><title>', svg)]
    heights = [float(height) for height in re.findall(r'width="10" height="([\d.]+)"', svg)]
    assert radii[1] > radii[0] > radii[2]
    assert heights[1] > heights[0] > heights[2] == 0
    assert "1 sample<" in svg
    assert render_reliability([one_bin(0.5, 0.5, 0)]) == ""
