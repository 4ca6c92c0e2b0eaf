"""Values of foreign stores become numbers, times and params only where they certainly are."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.formats.stores.store_values import (
    load_json,
    load_mapping,
    moment_in,
    moment_of,
    number_in,
    number_of,
    param_in,
    same_number,
    status_of_open,
    step_of,
)

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers())


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0), (0.5, 0.5), ("Infinity", math.inf), ("-inf", -math.inf), (" nan ", math.nan), (2**60, float(2**60)),
        (True, None), ("1", None), (None, None), (10**400, None), ([1], None), (b"1", None),
    ],
)  # fmt: skip
def test_a_number_is_a_number_or_a_word_for_what_json_has_none(value: object, number: float | None) -> None:
    assert repr(number_of(value)) == repr(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0), ("1e-320", 1e-320), ("nan", math.nan), ("-inf", -math.inf),
        ("0.1000000000000000055511151231257827", 0.1),
        ("1_0", None), ("", None), ("x", None), ("1e999", None), ("0x1", None),
    ],
)  # fmt: skip
def test_a_text_states_a_number_with_all_its_digits(text: str, number: float | None) -> None:
    assert repr(number_in(text)) == repr(number)


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("True", True), ("None", None), ("32", 32), ("1e-05", 1e-05), ("61e9540", "61e9540"), ("007", "007"), ("", ""),
        ("true", "true"), ("[1, 2]", "[1, 2]"),
    ],
)  # fmt: skip
def test_a_param_in_a_text_is_what_python_wrote(text: str, param: object) -> None:
    assert repr(param_in(text)) == repr(param)


def test_times_are_utc_or_those_of_this_machine() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert moment_in("2026-01-01T12:00:00") == moment_in("2026-01-01T13:00:00+01:00") == noon
    assert moment_in("2026-01-01T12:00:00", local=True) == datetime(2026, 1, 1, 12).astimezone()  # local
    assert moment_of(noon.timestamp()) == noon
    assert [moment_of(value) for value in (None, "x", 1e300, math.nan, math.inf, -1e18)] == [None] * 6
    assert [moment_in(value) for value in (None, 5, "", "noon", "9999-12-31T23:59:59-23:00")] == [None] * 5


@given(ANYTHING)
def test_whatever_a_store_holds_is_a_value_or_none(value: object) -> None:
    number, step, moment = number_of(value), step_of(value), moment_of(value)
    assert number is None or isinstance(number, float)
    assert step is None or (isinstance(step, int) and not isinstance(step, bool))
    assert moment is None or moment.tzinfo is UTC
    moment_in(value)
    if isinstance(value, str):
        assert isinstance(number_in(value), float | None)
        param_in(value)


def test_a_run_may_run_for_a_day_after_its_last_sign_of_life() -> None:
    now = datetime.now(UTC)
    assert status_of_open(now - timedelta(hours=23)) == "running"
    assert status_of_open(now - timedelta(hours=25)) == "lost"
    assert status_of_open(None) == "lost"


def test_nan_is_the_same_as_nan() -> None:
    assert same_number(math.nan, math.nan)
    assert same_number(1.0, 1.0)
    assert not same_number(1.0, math.nan)
    assert not same_number(1.0, None)


@pytest.mark.parametrize("text", ["", "{", "[" * 200 + "]" * 200, "[" * 200_000, "1" * 5000, b"\xff", "nul"])
def test_json_that_is_none_or_too_deep_is_one_error(text: str | bytes) -> None:
    with pytest.raises(LedgerError, match=r"^f: "):
        load_json(text, "f")


def test_json_is_read_with_its_mark_and_its_infinities() -> None:
    assert load_json(b"\xef\xbb\xbf[Infinity, -Infinity]", "f") == [math.inf, -math.inf]
    assert load_mapping("{}", "f") == {}
    with pytest.raises(LedgerError, match="no mapping"):
        load_mapping("[]", "f")
