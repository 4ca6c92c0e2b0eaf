"""The columns that scripts scan: each word once, and every value can be restored to what it was."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model.boxes.inputs import Params
from ledger.model.boxes.machine import Gpu, Hardware
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue
from ledger.publish.data.search_data import (
    _encode_words,
    _field,
    _gpus_of,
    _params,
    _six_digits,
    _word_lists,
    first_groups,
)
from ledger.publish.site.site_data import survey
from tests.minimal import minimal_record
from tests.samples import sample_ledger


def runs(*params: dict[str, ParamValue]) -> list[StoredRun]:
    return [StoredRun(record=minimal_record(params=Params(values=one)), path="x", files={}) for one in params]


@given(st.lists(st.text()))
def test_a_column_of_words_gives_every_word_back_and_holds_each_once(words: list[str]) -> None:
    made = _encode_words(words)
    assert [made.words[code] if code >= 0 else "" for code in made.codes] == words
    assert len(set(made.words)) == len(made.words)
    assert "" not in made.words


@given(st.lists(st.lists(st.text())))
def test_a_column_of_several_words_gives_every_row_back(rows: list[list[str]]) -> None:
    made = _word_lists(rows)
    assert [[made.words[code] for code in row] for row in made.codes] == rows


@pytest.mark.parametrize(
    ("value", "word", "exact"),
    [
        (1, "1", None),
        (0.5, "0.5", None),
        ("adam", "adam", None),
        ("1", "1", "1"),
        ("1e-3", "1e-3", "1e-3"),
        (True, "true", True),
        ([1, 2], None, [1, 2]),
        ("a\nb", None, "a\nb"),
        ("x" * 500, None, "x" * 500),
        ("\u202e", None, "⟨U+202E⟩"),
    ],
)
def test_a_param_whose_word_is_not_its_value_has_its_value_beside_it(
    value: ParamValue, word: str | None, exact: ParamValue
) -> None:
    (column,) = _params(runs({"lr": value}))
    assert len(column.words[0]) <= 120
    assert word is None or column.words[0].lower() == word
    assert column.exact == ({} if exact is None else {"0": exact})


def test_a_param_that_is_none_is_none_and_no_word_for_it() -> None:
    (column,) = _params(runs({"lr": None}))
    assert (column.exact, column.codes) == ({"0": None}, [0])


def test_values_that_python_calls_equal_are_values_of_their_own_and_a_missing_one_is_none() -> None:
    (column,) = _params(runs({"a": 1}, {"a": True}, {}, {"a": 1.0}, {"a": [1]}, {"a": [1]}, {"a": 1}))
    assert column.codes == [0, 1, -1, 2, 3, 3, 0]


def test_params_stand_in_order_of_their_names_however_late_one_comes() -> None:
    first, second = _params(runs({"b": 1}, {}, {"a": 2}))
    assert (first.name, first.codes, second.name, second.codes) == ("a", [-1, -1, 0], "b", [0, -1, -1])


def test_a_field_that_every_run_has_alike_costs_no_codes_and_one_that_none_has_nothing() -> None:
    same = _field("status", ["done", "done"])
    assert (same.values, same.codes) == (["done"], [])
    none = _field("note", [None, None])
    assert (none.values, none.codes) == ([], [])
    mixed = _field("n", [None, 1, True, "1", ["\u202e", 1], datetime(2026, 1, 2, tzinfo=UTC)])
    assert mixed.codes == [-1, 0, 1, 2, 3, 4]
    assert mixed.values[3] == ["⟨U+202E⟩", 1]
    assert str(mixed.values[4]).startswith("2026-01-02")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_rounding_a_value_of_the_table_again_is_rounding_it_once(value: float) -> None:
    if value == 0 or abs(value) > 1e-300:
        assert [f"{_six_digits(value):.{digits}g}" for digits in range(1, 6)] == [
            f"{value:.{digits}g}" for digits in range(1, 6)
        ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0836475003, 0.0836476),
        (0.12345678, 0.123457),
        (123456789.0, 123457000.0),
        (0.0, 0.0),
        (1e-300, 1e-300),
        (-1.0, -1.0),
    ],
)
def test_a_value_in_the_table_has_six_digits(value: float, shown: float) -> None:
    assert _six_digits(value) == shown


def measured(number: int, dataset: str, key: str = "accuracy", **changes: object) -> StoredRun:
    metric = Metric(name=key, split="validation", value=0.5, dataset=dataset, dataset_hash=f"sha256:{dataset}")
    results = Results(headline=f"validation/{key}", metrics=[metric])
    record = minimal_record(id=f"20261120-1948{number:02}-abcdef", results=results, **changes)
    return StoredRun(record=record, path=f"runs/{number}", files={})


def test_the_first_columns_are_the_headline_of_most_runs_on_the_newest_version_first() -> None:
    contents, _ = sample_ledger()
    atlas = survey(contents, [], None)
    groups = first_groups(atlas.runs, atlas)
    assert [group.dataset for group in groups if group.key == "validation/accuracy"][:2] == [
        "digits-validation@v2",
        "digits-validation@v1",
    ]
    known = [measured(1, "digits-validation@v1"), measured(2, "digits-validation@v1", "f1")]
    rare = [measured(3, "elsewhere@v9"), measured(4, "digits-validation@v2")]
    assert list(atlas.retired) == ["digits-validation@v1"]
    found = [(group.key, group.dataset) for group in first_groups([*known, *rare], atlas)]
    assert found == [
        ("validation/accuracy", "digits-validation@v2"),
        ("validation/accuracy", "elsewhere@v9"),
        ("validation/accuracy", "digits-validation@v1"),
        ("validation/f1", "digits-validation@v1"),
    ]


def test_gpus_are_counted_by_name_and_none_is_no_word() -> None:
    cards = [Gpu(name="H200"), Gpu(name="H200"), Gpu(name="T4")]
    run = measured(1, "d@v1", hardware=Hardware(gpus=cards))
    assert _gpus_of(run) == "2 x H200, T4"
    assert _gpus_of(measured(2, "d@v1")) == ""
