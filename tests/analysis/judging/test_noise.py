"""The noise floor, and what selection does to a number, against published figures."""

import math
import random

import pytest

from ledger.analysis.judging.noise import Repeats, measure_noise, pool, squares
from ledger.analysis.judging.selection_bias import allowed, best_by_luck, corrected


def repeats(*values: float, name: str = "run") -> Repeats:
    return Repeats(runs=tuple(f"{name}-{number}" for number in range(len(values))), values=values)


def with_moments(count: int, mean: float, deviation: float) -> Repeats:
    """Return a sample of that size, mean and standard deviation."""
    values = [float(number) for number in range(count)]
    middle, spread = (count - 1) / 2, math.sqrt(squares(values) / (count - 1))
    return repeats(*(mean + (value - middle) / spread * deviation for value in values))


def test_the_pooled_width_is_that_of_the_nist_handbook() -> None:
    # https://www.itl.nist.gov/div898/handbook/eda/section3/eda353.htm, AUTO83B.DAT.
    total, freedom = pool([with_moments(249, 20.14458, 6.41470), with_moments(79, 30.48101, 6.10771)])
    assert freedom == 326
    assert math.sqrt(total / freedom) == pytest.approx(6.34260, abs=1e-4)


def test_the_interval_of_the_width_is_the_chi_square_one() -> None:
    # https://www.itl.nist.gov/div898/handbook/eda/section3/eda358.htm, GEAR.DAT: critical values 73.361 and 128.422.
    noise = measure_noise([with_moments(100, 0.9976, 0.006278908)])
    assert noise is not None
    assert noise.freedom == 99
    assert noise.low == pytest.approx(0.006278908 * math.sqrt(99 / 128.422), rel=1e-5)
    assert noise.high == pytest.approx(0.006278908 * math.sqrt(99 / 73.361), rel=1e-5)


def test_settings_without_repeats_say_nothing_of_the_noise() -> None:
    assert measure_noise([repeats(0.9), repeats(0.1)]) is None
    noise = measure_noise([repeats(0.9), repeats(0.1), repeats(1.0, 1.2)])
    assert noise is not None
    assert (noise.settings, noise.runs, noise.freedom) == (1, 2, 1)


def test_the_difference_between_settings_is_no_noise() -> None:
    near, far = (measure_noise([repeats(1.0, 1.1, 1.2), repeats(at, at + 0.1, at + 0.2)]) for at in (1.0, 50.0))
    assert near is not None
    assert far is not None
    assert near.width == pytest.approx(far.width)


def test_an_outlier_is_named_and_hardly_moves_the_robust_width() -> None:
    chance = random.Random(0)  # noqa: S311  # samples, not secrets
    settings = [repeats(*(chance.gauss(0, 1) for _ in range(5)), name=str(number)) for number in range(40)]
    spoiled = [*settings[:-1], repeats(*settings[-1].values[:-1], 60.0, name="spoiled")]
    clean, dirty = measure_noise(settings), measure_noise(spoiled)
    assert clean is not None
    assert dirty is not None
    assert clean.width == pytest.approx(1, abs=0.1)
    assert clean.robust == pytest.approx(1, abs=0.1)
    assert dirty.width > 4
    assert dirty.robust == pytest.approx(clean.robust, abs=0.05)
    assert [name for name in dirty.outliers if name.startswith("spoiled")] == ["spoiled-4"]


def test_the_same_value_again_and_again_has_a_width_of_exactly_nothing() -> None:
    noise = measure_noise([repeats(0.1, 0.1, 0.1)])
    assert noise is not None
    assert (noise.width, noise.robust, noise.outliers) == (0, 0, ())


def test_sidak_s_correction_is_the_published_one() -> None:
    # 1 - 0.95^(1/10): Abdi, Bonferroni and Sidak corrections, Encyclopedia of Measurement and Statistics, 2007.
    assert allowed(0.05, 10) == pytest.approx(0.005116, abs=1e-6)
    assert corrected(allowed(0.05, 100), 100) == pytest.approx(0.05)
    assert corrected(0.03, 1) == pytest.approx(0.03)
    assert corrected(1.0, 5) == 1


@pytest.mark.parametrize(("trials", "widths"), [(1, 0.0), (2, 0.56419), (10, 1.53875), (100, 2.50759)])
def test_the_luck_of_the_best_is_tippett_s(trials: int, widths: float) -> None:
    # Tippett 1925, Biometrika 17:364, as in Harter 1961, Biometrika 48:151.
    assert best_by_luck(trials) == pytest.approx(widths, abs=1e-5)
