"""Growth: a planted power law is found, its intervals are honest, and few points are said to be few."""

import math

import numpy as np
import pytest

from ledger.analysis.advice.growth import Growth, GrowthPoint, fit
from ledger.analysis.comparing.comparable import Group

GROUP = Group(key="validation/loss", dataset="d@v1", dataset_hash="blake3:1", evaluator="")


def grown(sizes: list[float], values: list[float], direction: str | None = "lower") -> Growth:
    points = [GrowthPoint(run=str(i), size=s, value=v) for i, (s, v) in enumerate(zip(sizes, values, strict=True))]
    return fit(GROUP, "samples", points, direction)  # type: ignore[arg-type]  # one of the two


def test_a_planted_power_law_is_found_exactly() -> None:
    sizes = [100.0, 200.0, 400.0, 800.0, 1600.0]
    growth = grown(sizes, [3 * size**-0.35 for size in sizes])
    assert growth.exponent == pytest.approx(-0.35)
    assert growth.expected_at == 16_000
    assert growth.expected == pytest.approx(3 * 16_000**-0.35)
    assert not growth.flattens


def test_the_line_is_that_of_a_published_example() -> None:
    """NIST/SEMATECH e-Handbook, Norris data: slope 1.00211681802045, error of the slope 0.429796848199937E-03."""
    xs = [0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5, 666.9, 338.0,
          447.5, 11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1, 887.2, 999.0, 779.0, 11.1, 118.3,
          229.2, 669.1, 448.9, 0.5]  # fmt: skip
    ys = [0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1, 668.8, 339.3,
          448.9, 10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3, 888.0, 998.5, 778.9, 10.2, 117.6,
          228.9, 668.4, 449.2, 0.2]  # fmt: skip
    growth = grown([math.exp(x / 100) for x in xs], [math.exp(y / 100) for y in ys])
    assert growth.exponent == pytest.approx(1.00211681802045, rel=1e-9)
    assert growth.exponent_interval is not None
    low, high = growth.exponent_interval
    assert (high - low) / 2 == pytest.approx(2.032244509 * 0.429796848199937e-03, rel=1e-6)  # t(34), 97.5 per cent


def test_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    sizes = [float(size) for size in (100, 200, 400, 800, 1600) for _ in range(2)]
    slope = beyond = 0
    for _ in range(1_000):
        values = [2 * size**-0.3 * math.exp(rng.normal(0, 0.05)) for size in sizes]
        growth = grown(sizes, values)
        assert growth.exponent_interval is not None
        assert growth.expected_interval is not None
        slope += growth.exponent_interval[0] <= -0.3 <= growth.exponent_interval[1]
        new = 2 * 16_000**-0.3 * math.exp(rng.normal(0, 0.05))
        beyond += growth.expected_interval[0] <= new <= growth.expected_interval[1]
    assert 0.93 <= slope / 1_000 <= 0.97
    assert 0.93 <= beyond / 1_000 <= 0.97


def test_accuracy_grows_as_its_error_falls() -> None:
    sizes = [10.0, 100.0, 1_000.0, 10_000.0]
    growth = grown(sizes, [1 - 0.5 * size**-0.2 for size in sizes], "higher")
    assert growth.exponent == pytest.approx(-0.2)
    assert growth.expected == pytest.approx(1 - 0.5 * 100_000**-0.2)


def test_a_floor_makes_the_line_bend() -> None:
    sizes = [10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0]
    assert grown(sizes, [0.2 + size**-0.5 for size in sizes]).flattens


@pytest.mark.parametrize(
    ("sizes", "values", "direction", "why"),
    [
        ([1.0, 2.0, 8.0], [0.5, 0.4, 0.3], "lower", "not enough points: 3 different sizes"),
        ([10.0, 11.0, 12.0, 13.0], [0.5, 0.4, 0.3, 0.2], "lower", "not enough points: the largest size is 1.3 times"),
        ([1.0, 2.0, 4.0, 8.0], [0.5, 0.4, 0.3, 0.0], "lower", "perfect"),
        ([1.0, 2.0, 4.0, 8.0], [5.0, 4.0, 3.0, 2.0], "higher", "are not between 0 and 1"),
        ([1.0, 2.0, 4.0, 8.0], [0.5, 0.4, 0.3, 0.2], None, "no direction is recorded"),
    ],
)
def test_what_cannot_be_fitted_is_said(
    sizes: list[float], values: list[float], direction: str | None, why: str
) -> None:
    growth = grown(sizes, values, direction)
    assert why in (growth.why_not or "")
    assert growth.exponent is None
