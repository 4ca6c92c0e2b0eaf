"""Means of any finite values, also where their sum passes the largest float."""

import math
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.analysis.comparing.settings import spread_of_runs
from ledger.analysis.judging.means import mean, square_sum
from ledger.analysis.judging.noise import Repeats, pool, squares

MOST = sys.float_info.max
FINITE = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6)


@given(FINITE)
@example([MOST, MOST, MOST])
@example([MOST, -MOST, MOST])
@example([5e-324, 5e-324])
def test_the_mean_lies_among_its_values(values: list[float]) -> None:
    found = mean(values)
    assert min(values) <= found <= max(values)
    if max(map(abs, values)) < 1e300:
        assert found == min(max(math.fsum(values) / len(values), min(values)), max(values))
    spread = spread_of_runs(values)
    assert spread is not None
    assert spread.mean == found


@given(FINITE)
@example([MOST, -MOST, MOST])
@example([1e200, 1e200, -1e200])
def test_squares_are_never_below_zero_and_never_fail(values: list[float]) -> None:
    assert square_sum(values) >= 0
    assert squares(values) >= 0
    within, freedom = pool([Repeats(runs=tuple(map(str, range(len(values)))), values=tuple(values))] * 3)
    assert within >= 0
    assert freedom == 3 * (len(values) - 1)
