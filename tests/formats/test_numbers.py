"""A text becomes a number only where the number says all that the text said; the rest stays what it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.formats.numbers import NOTHING, NumberText, exact_number, is_nothing, nearest_number, read_measured


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-0", 0), ("+7", 7), ("9223372036854775807", (1 << 63) - 1), ("-9223372036854775808", -(1 << 63)),
        ("0.1", 0.1), ("1.", 1.0), (".5", 0.5), ("-.5e1", -5.0), ("1e5", 1e5), ("100e6", 1e8), ("1.0e0001", 10.0),
        ("0e7", 0.0), ("0.0e-999", 0.0),
    ],
)  # fmt: skip
def test_a_number_that_says_all_that_the_text_says_is_taken(text: str, value: float) -> None:
    found = exact_number(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "", " 1", "1 ", "007", "00", "-01", "1_000", "0x1F", "٣", "1e", "e5", ".", "1.2.3", "nan", "inf", "1,5", "True",
        "9223372036854775808", "-9223372036854775809", "1e400", "1e-400", "1e12345", "61e9540", "1234e56", "12e0000034",
        "0.10000000000000000055", "12345678901234567.0", "2026-11-20", "1:30",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert exact_number(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_back_from_how_python_writes_it(value: float) -> None:
    assert exact_number(repr(value)) == value


def test_a_measured_decimal_is_the_nearest_float_and_a_whole_number_is_exact_or_none() -> None:
    assert nearest_number("0.10000000000000000055") == 0.1
    assert nearest_number("0.93210000000000003961") == 0.9321
    assert nearest_number("7") == 7.0
    assert nearest_number("12345678901234567890") is None
    assert nearest_number("1.0e999") is None
    assert nearest_number("0.00001e-400") is None
    assert nearest_number("0.000") == 0.0


@pytest.mark.parametrize("text", ["", " N/A ", "None", "-", "--", "null", "<NA>", "NaT", "???", "#N/A"])
def test_how_loggers_and_spreadsheets_write_that_there_is_no_value(text: str) -> None:
    assert is_nothing(text)
    assert read_measured(text) == NOTHING


@pytest.mark.parametrize("text", ["0", "nan", "no", "---", "none of it"])
def test_a_value_is_not_nothing(text: str) -> None:
    assert not is_nothing(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" 0.5 ", NumberText(0.5)),
        ("-inf", NumberText(-math.inf)),
        ("+.INF", NumberText(math.inf)),
        ("93.1%", NumberText(0.931, "%")),
        ("93.1 %", NumberText(0.931, "%")),
        ("7%", NumberText(0.07, "%")),
        ("inf%", NumberText(math.inf, "%")),
        ("12.5 ms", NumberText(12.5, "ms")),
        ("3 it/s", NumberText(3.0, "it/s")),
        ("0,93", NumberText(0.93, comma=True)),
        ("93,1%", NumberText(0.931, "%", comma=True)),
        ("1,234", NumberText(1.234, doubtful=True)),
        ("0,234", NumberText(0.234, comma=True)),
        ("1,234.5", NumberText(1234.5)),
        ("1,234,567", NumberText(1234567.0)),
        ("1.234,5", NumberText(1234.5, comma=True)),
        ("1.234.567,5", NumberText(1234567.5, comma=True)),
        ("tensor(0.5)", NumberText(0.5)),
        ("tensor([0.5])", NumberText(0.5)),
        ("tensor(3., device='cuda:0', grad_fn=<NllLossBackward0>)", NumberText(3.0)),
        ("np.float64(1e-3)", NumberText(0.001)),
        ("tensor(nan)", NumberText(math.nan)),
        ("array(5, dtype=int64)", NumberText(5.0)),
    ],
)
def test_a_measured_value_is_read_with_its_unit_and_with_what_is_doubtful(text: str, said: NumberText) -> None:
    found = read_measured(text)
    assert found[1:] == said[1:]
    assert found.value == said.value or (math.isnan(found.value or 0) and math.isnan(said.value or 0))


@pytest.mark.parametrize(
    "text",
    [
        "5 s s", "5ss", "5ms%", "% 5", "ms", "5 parsecs", "007 ms", "tensor()", "tensor([0.5, 0.6])",
        "tensor(tensor(1))", "tensor(5ms)s", "array('x')", "eval(5)", "1,2,3", "1,23,456", "1.23,456,7", "1,", ",5",
        "9007199254740993", "61e9540 ms", "1,1e999", "v1.0", "1.0.0",
    ],
)  # fmt: skip
def test_a_text_that_is_no_single_value_for_certain_is_nothing(text: str) -> None:
    assert read_measured(text).value is None


@pytest.mark.parametrize("text", ["5" + "s" * 9_000, "tensor(" * 9_000, "5" + "%" * 9_000, "1," * 9_000, "1" * 9_000])
def test_a_cell_that_goes_on_for_ever_is_nothing_and_no_error(text: str) -> None:
    assert read_measured(text).value is None
