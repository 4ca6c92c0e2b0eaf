"""Whether a column is numbers is decided by the whole of it, and what is left out is named with an example."""

import pytest

from ledger.formats.columns import ColumnVerdict, NumberColumns, render_verdict

AXES = frozenset({"step"})


def read(name: str, *cells: object) -> tuple[list[float], ColumnVerdict]:
    """Return the numbers and the verdict of one column whose cells stand on the lines from 2 on."""
    columns = NumberColumns(AXES)
    values = [value for line, cell in enumerate(cells, 2) for _, value in columns.values(line, {name: cell})]
    return values, columns.verdict()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2.5", "1e-3"], [1.0, 2.5, 0.001]),
        ([1, 2.5], [1.0, 2.5]),
        (["1", "", None, "N/A", "2"], [1.0, 2.0]),
        (["nan", "1", "inf"], None),
        (["0,5", "0,25"], [0.5, 0.25]),
        (["tensor(0.5)", "0.25"], [0.5, 0.25]),
    ],
)
def test_a_column_of_numbers_is_a_series_without_a_word(cells: list[object], values: list[float] | None) -> None:
    found, verdict = read("loss", *cells)
    assert verdict == ColumnVerdict({}, [])
    assert values is None or found == values
    assert len(found) == len([cell for cell in cells if cell not in {"", None, "N/A"}])


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["a", "b"], "text"),
        (["1", "x", "y"], "text, as on line 3: `x`"),
        (["1", "x"], "text, as on line 3: `x`"),
        (["1", "2", "3", "61e9540"], "ids, as on line 5: `61e9540`"),
        (["61e9540", "3e81234"], "text"),
        (["1", "2", "007"], "ids, as on line 4: `007`"),
        ([True, False], "true or false"),
        ([[1], [2]], "no single value"),
        ([{"a": 1}], "no single value"),
        (["1 ms", "2 s"], "different units: ms, s"),
        (["1 ms", "2"], "different units: none, ms"),
        (["1,234", "2,345"], "a comma may stand before decimals or between thousands"),
        (["1,234", "5"], "a comma may stand before decimals or between thousands"),
        ([10**400], "text"),
        (["\x1b[31m", "b"], "text"),
    ],
)
def test_a_column_that_is_no_series_says_why_and_where(cells: list[object], why: str) -> None:
    assert read("loss", *cells)[1] == ColumnVerdict({"loss": why}, [])


def test_one_certain_comma_makes_the_doubtful_ones_of_its_column_certain() -> None:
    values, verdict = read("loss", "1,234", "0,5")
    assert (values, verdict.left_out) == ([1.234, 0.5], {})


def test_a_certain_comma_in_another_column_decides_too_unless_this_one_has_points() -> None:
    columns = NumberColumns(AXES)
    rows: list[dict[str, object]] = [{"a": "0,5", "b": "1,234", "c": "1,234"}, {"a": "0,25", "b": "2,345", "c": "0.5"}]
    for line, row in enumerate(rows, 2):
        list(columns.values(line, row))
    assert set(columns.verdict().left_out) == {"c"}


def test_a_step_with_zeros_before_it_counts_where_it_is_an_axis_only() -> None:
    assert read("Step", "001", "002") == ([1.0, 2.0], ColumnVerdict({}, []))
    assert read("id", "001", "002")[1].left_out == {"id": "text"}


def test_what_is_left_out_of_a_series_is_counted_and_the_first_is_shown() -> None:
    values, verdict = read("loss", "1", "2", "3", "oops\x1b" + "x" * 100, "later")
    assert values == [1.0, 2.0, 3.0]
    assert verdict.notes == [f"2 cells of `loss` left out (line 5: `oops\\x1b{'x' * 35}`)"]


def test_a_unit_of_the_whole_column_is_noted_and_a_word_without_one_does_not_contradict_it() -> None:
    assert read("acc", "93.1%", "94%", "nan")[1].notes == ["`acc` is written in per cent, so that 93.1% is 0.931"]
    assert read("t", "3 ms", "4 ms")[1].notes == ["`t` is in ms"]


def test_an_empty_column_is_nothing_to_speak_of() -> None:
    assert read("loss", "", None, "N/A") == ([], ColumnVerdict({}, []))


def test_of_very_many_columns_that_are_left_out_the_first_twenty_are_named() -> None:
    left_out = {f"c{number}\x1b": "text" for number in range(25)}
    (line, *notes) = render_verdict(ColumnVerdict(left_out, ["note"] * 25))
    assert line.startswith("left out: `c0\\x1b` (text), ")
    assert line.endswith("`c19\\x1b` (text), and 5 more")
    assert notes == ["note"] * 20
    assert render_verdict(ColumnVerdict({}, [])) == []
