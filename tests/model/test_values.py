"""Numbers, names, periods and slices: what a value may be, and what is offered in place of one that may not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.model.values import (
    LABEL_LENGTH,
    check_label,
    check_period,
    check_slug,
    counted,
    declared_hash,
    is_declared_hash,
    is_plain_text,
    number,
    parse_slice,
    slug,
    wrong_label,
)


@given(text=st.text())
def test_a_slug_is_always_acceptable(text: str) -> None:
    assert check_slug("name", slug(text)) == slug(text)


@pytest.mark.parametrize("bad", ["", "  ", "a\nb", "a\x00", "\x1b[31m", "\u202eabc", "x" * 201])
def test_labels_hold_no_control_characters(bad: str) -> None:
    with pytest.raises(LedgerError) as caught:
        check_label("experiment", bad)
    assert is_plain_text(str(caught.value))


@pytest.mark.parametrize("good", ["digits", "Größe 12", "a/b <script>", "学習"])
def test_labels_may_be_any_printable_text(good: str) -> None:
    assert check_label("experiment", good) == good


def test_a_label_is_kept_in_the_form_in_which_it_is_one_text() -> None:
    assert check_label("experiment", "Gro\u0308\u00dfe") == "Gr\u00f6\u00dfe"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "tag must not be empty"),
        (" \t", "tag must not be empty"),
        ("\u3164", "tag must not be empty, but all its characters are invisible: `\\u3164`"),
        ("a\u2764\ufe0f", "tag holds control or invisible characters: `a\\u2764\\ufe0f`"),
        ("x" * 201, f"tag is longer than 200 characters: `{'x' * 40}…`"),
        ("é" * 201, f"tag is longer than 200 characters: `{'é' * 40}…`"),
        ("é" * 200, None),
        ("x" * 200, None),
    ],
)
def test_why_a_text_is_no_name_is_said_in_one_line(text: str, why: str | None) -> None:
    assert wrong_label("tag", text) == why


def test_a_longer_name_is_taken_where_it_may_be_longer() -> None:
    assert wrong_label("file", "x" * (LABEL_LENGTH + 1), longest=LABEL_LENGTH + 1) is None


@given(value=st.floats())
def test_a_number_comes_back_from_what_stands_in_json(value: float) -> None:
    stands = number(value)
    assert math.isfinite(value) == isinstance(stands, float)
    assert float(stands) == value or (math.isnan(value) and stands == "NaN")


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(1, "entry", "1 entry"), (2, "entry", "2 entries"), (0, "run", "0 runs"), (1, "run", "1 run")],
)
def test_a_noun_follows_its_number(count: int, noun: str, text: str) -> None:
    assert counted(count, noun) == text


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("accuracy[night]", ("accuracy", "night")),
        ("f1[a b/c]", ("f1", "a b/c")),
        ("accuracy", ("accuracy", None)),
        ("[night]", ("[night]", None)),
        ("accuracy[]", ("accuracy[]", None)),
        ("accuracy[a[b]]", ("accuracy[a[b]]", None)),
        ("accuracy[a] of b", ("accuracy[a] of b", None)),
        ("m[x][y]", ("m[x]", "y")),
    ],
)
def test_a_name_states_a_slice_only_in_brackets_at_its_end(name: str, parts: tuple[str, str | None]) -> None:
    assert parse_slice(name) == parts


def test_data_that_nobody_saw_is_told_from_data_with_a_content_hash() -> None:
    assert is_declared_hash(declared_hash("squad"))
    assert declared_hash("squad") == declared_hash("squad") != declared_hash("squad2")
    assert not is_declared_hash(f"blake3:{'0' * 64}")


@pytest.mark.parametrize("text", ["2026-11-01/2026-11-07", "2026-11-01/2026-11-01", "2024-02-29/2025-01-01"])
def test_a_period_is_two_days_of_which_the_first_is_not_later(text: str) -> None:
    assert check_period(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-07/2026-11-01", "2026-11-01", "2026-11-01/", "/2026-11-01", "2026-02-30/2026-03-01",
        "20261101/20261107", "2026-W45-1/2026-W45-7", "2026-11-01/2026-W45-7", "2026-11-01 / 2026-11-07",
        "2026-11-01/2026-11-07/", "a/b", "2026-11-01/2026-11-0\u0667",
    ],
)  # fmt: skip
def test_a_period_in_any_other_form_is_refused_since_two_forms_could_not_be_compared(text: str) -> None:
    with pytest.raises(LedgerError, match="a period must be a first and a last day") as caught:
        check_period(text)
    assert check_period(str(caught.value.hint).removeprefix("such as "))


@pytest.mark.parametrize(
    ("text", "name"),
    [("Größe 12", "groe-12"), ("a..b", "a.b"), ("-x-", "x"), ("学習", "unnamed"), ("A" * 99, "a" * 80), ("a.", "a")],
)
def test_a_slug_stays_as_near_to_the_text_as_a_path_allows(text: str, name: str) -> None:
    assert slug(text) == name
