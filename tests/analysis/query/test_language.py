"""The query language: what it means, and how it says what it cannot read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.query.language import Condition, Every, Not, Phrase, Some, parse_queries, parse_query
from ledger.analysis.query.sort_keys import read_back, readable, sortable
from ledger.errors import UsageError
from tests.oracle import find_phrase

A, B, C = (Phrase(words=(word,)) for word in "abc")


def compares(field: str, operator: str, value: str) -> Condition:
    return Condition(field=field, operator=operator, value=value)


def test_a_whole_query_is_read_as_it_is_meant() -> None:
    text = (
        "metrics.validation/accuracy > 0.9 and params.lr < 1e-3 and "
        "(dataset = digits-validation@v2 or tags = baseline) and not status = failed"
    )
    either = Some(parts=(compares("dataset", "=", "digits-validation@v2"), compares("tags", "=", "baseline")))
    assert parse_query(text) == Every(
        parts=(
            compares("metrics.validation/accuracy", ">", "0.9"),
            compares("params.lr", "<", "1e-3"),
            either,
            Not(part=compares("status", "=", "failed")),
        )
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a or b and not c", Some(parts=(A, Every(parts=(B, Not(part=C)))))),
        ("(a or b) and c", Every(parts=(Some(parts=(A, B)), C))),
        ("NOT a", Not(part=Phrase(words=("a",)))),
        ("android", Phrase(words=("android",))),
        ("'and'", Phrase(words=("and",))),
        ("'Two Words'", Phrase(words=("two", "words"))),
        ("validation/accuracy>=1", compares("validation/accuracy", ">=", "1")),
        ("a b or c", Some(parts=(Every(parts=(A, B)), C))),
        ("a (b or c)", Every(parts=(A, Some(parts=(B, C))))),
        ("a not b", Every(parts=(A, Not(part=B)))),
        ("lr=0.1 a", Every(parts=(compares("lr", "=", "0.1"), A))),
        ("lr = 0.1 seed = 2", Every(parts=(compares("lr", "=", "0.1"), compares("seed", "=", "2")))),
        ("note ~ 'it\\'s \"so\"'", compares("note", "~", 'it\'s "so"')),
        ('note = ""', compares("note", "=", "")),
        ("'params.odd name' != x", compares("params.odd name", "!=", "x")),
        ("started >= 2026-11-20T10:00", compares("started", ">=", "2026-11-20T10:00")),
    ],
)
def test_binding_quotes_and_words(text: str, expected: object) -> None:
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("status = a b", 11, "`and` or `or` is expected"),
        ("params.lr << 3", 11, "a field, a value or a word is expected"),
        ("status = failed and", 19, "a field, a value or a word is expected"),
        ("a and (status = failed", 22, "a parenthesis is not closed"),
        ("a or b) and c", 6, "there is no parenthesis to close"),
        ("note ~ 'open", 7, "put a text in quotes"),
        ("a or --", 5, "there is no word"),
        ("a = \x1b[31m b", 10, "expected"),
    ],
)
def test_errors_point_at_the_character(text: str, at: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    what, line, caret = caught.value.message.split("\n")
    assert said in what
    assert line.removeprefix("  ").replace(" ", "") == text.replace("\x1b", "").replace(" ", "")
    assert caret.index("^") - 2 == at
    assert caught.value.hint


def test_endless_queries_are_refused_in_one_line() -> None:
    deep, words = "(" * 5000 + "a" + ")" * 5000, " ".join(["a"] * 201)
    for text in (deep, "not " * 1000 + "a", " or ".join(["a"] * 5000), "a" * 100_000, words):
        with pytest.raises(UsageError, match="too long"):
            parse_query(text)


def test_several_texts_must_all_hold() -> None:
    assert parse_queries([]) is None
    assert parse_queries(["a"]) == Phrase(words=("a",))
    assert parse_queries(["a or b", "c"]) == Every(parts=(parse_query("a or b"), parse_query("c")))


@given(st.text())
def test_any_text_is_a_query_or_a_usage_error(text: str) -> None:
    try:
        parse_query(text)
    except UsageError as error:
        assert error.hint  # noqa: PT017  # both ends are right


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_sort_as_text_as_they_do_as_numbers(one: float, other: float) -> None:
    left, right = sortable(one) or "", sortable(other) or ""
    assert (left < right, left == right) == (one < other, one == other)


@given(st.text(), st.text())
def test_texts_keep_their_order_and_lose_every_nul(one: str, other: str) -> None:
    left, right = sortable(one) or "", sortable(other) or ""
    assert (left < right) == (one < other)
    assert "\0" not in left


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.integers(), st.just(datetime(2026, 11, 20, tzinfo=UTC))))
def test_what_is_sortable_is_read_back(value: str | float | datetime) -> None:
    text = sortable(value) or ""
    assert read_back(text) == readable(0.0 if value == 0 and not isinstance(value, bool) else value)


def test_a_phrase_is_words_in_a_row_of_which_the_last_may_go_on() -> None:
    words = ["the", "hard", "cases", "remain"]
    assert find_phrase(["hard", "cas"], words)
    assert find_phrase(["rem"], words)
    assert not find_phrase(["har", "cases"], words)
    assert not find_phrase(["hard", "remain"], words)
    assert not find_phrase(["remain", "x"], words)
