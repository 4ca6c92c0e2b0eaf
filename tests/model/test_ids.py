"""Ids, paths, names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.ids import is_id, new_id, resolve
from ledger.model.paths import dataset_path, evaluation_path, run_of, run_path
from ledger.model.values import check_label, check_slug, is_plain_text, slug

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


@pytest.mark.parametrize("bad", ["", "x", "../../etc", "20261120-194812-AAAAAA", "20261120-194812-aaaaaa/.."])
def test_a_malformed_id_makes_no_path(bad: str) -> None:
    with pytest.raises(LedgerError, match="not an id"):
        run_path(bad)
    with pytest.raises(LedgerError, match="not an id"):
        evaluation_path(bad)


@pytest.mark.parametrize(
    "path", ["runs/record.json", "record.json", "runs/2025/11/20/20261120-194812-aaaaaa/record.json"]
)
def test_only_a_record_in_its_place_names_a_run(path: str) -> None:
    assert run_of("runs/2026/11/20/20261120-194812-aaaaaa/record.json") == "20261120-194812-aaaaaa"
    assert run_of(path) is None


@pytest.mark.parametrize("bad", ["", "..", "a/b", "A", "a b", "ü", ".git", "-x", "a..b", "a.", "a\n", "a" * 200])
def test_a_name_that_cannot_stand_in_a_path_is_refused_with_one_that_can(bad: str) -> None:
    with pytest.raises(LedgerError, match="must be lower-case") as caught:
        dataset_path(bad, "v1")
    offered = str(caught.value.hint).split("`")[1]
    assert check_slug("dataset name", offered) == offered


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
