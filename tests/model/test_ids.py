"""Run ids: well formed, in order of time, and named by as little as tells one from the others."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotFound, UsageError
from ledger.model.characters import is_plain_text
from ledger.model.ids import is_id, new_id, resolve
from ledger.model.paths import run_path

NOW = datetime(2026, 11, 20, 19, 48, 12, tzinfo=UTC)
IDS = ["20261120-194812-aaaaaa", "20261120-194812-aabbbb", "20261121-000000-cccccc"]


@given(entropy=st.binary(min_size=4, max_size=4), seconds=st.integers(0, 10**9))
def test_every_id_is_well_formed_and_sorts_by_time(entropy: bytes, seconds: int) -> None:
    early, late = new_id(NOW, entropy), new_id(NOW + timedelta(seconds=seconds + 1), entropy)
    assert is_id(early)
    assert early < late
    assert run_path(early) == f"runs/2026/11/20/{early}"


def test_ids_of_one_second_differ_by_thirty_bits() -> None:
    assert len({new_id(NOW, number.to_bytes(4, "big")) for number in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    "short", ["20261121-000000-cccccc", "20261121", "cccccc", "cc", "CC", " cc "], ids=lambda text: text
)
def test_enough_of_an_id_names_it(short: str) -> None:
    assert resolve(short, IDS) == IDS[2]


def test_an_ambiguous_id_lists_what_it_could_be() -> None:
    with pytest.raises(UsageError, match="2 runs match") as caught:
        resolve("aa", IDS)
    assert IDS[0] in str(caught.value.hint)


@pytest.mark.parametrize("short", ["zz", "", "../x", "\x1b[31m"])
def test_an_id_that_names_nothing_is_not_found(short: str) -> None:
    with pytest.raises(NotFound) as caught:
        resolve(short, IDS)
    assert "\x1b" not in str(caught.value)


def test_of_many_runs_that_an_id_could_be_the_latest_five_are_listed() -> None:
    many = [new_id(NOW + timedelta(seconds=second), bytes(4)) for second in range(8)]
    with pytest.raises(UsageError, match="8 runs match") as caught:
        resolve("2026", reversed(many))
    assert str(caught.value.hint) == f"give more of the id: {', '.join(many[3:])} and 3 more"


def test_what_is_typed_around_an_id_does_not_break_the_line_of_an_error() -> None:
    with pytest.raises(UsageError) as caught:
        resolve("\x0b aa\n", IDS)
    assert is_plain_text(caught.value.message)


def test_a_whole_id_is_itself_even_where_it_begins_another() -> None:
    assert resolve("a", ["a", "ab"]) == "a"


@pytest.mark.parametrize("text", ["20261120-194812-abcde", "20261120-194812-abcdei", "20261120-194812-abcdef\n", ""])
def test_what_is_not_wholly_an_id_is_none(text: str) -> None:
    assert not is_id(text)


def test_the_last_part_is_thirty_bits_with_the_lowest_first() -> None:
    assert new_id(NOW, (1).to_bytes(4, "big")).endswith("-100000")
    assert new_id(NOW, (31 << 25).to_bytes(4, "big")).endswith("-00000z")
    assert new_id(NOW, bytes(4) + b"more entropy than is used") == new_id(NOW, bytes(4))
