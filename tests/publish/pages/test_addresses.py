"""Where pages stand: whatever a name is, its page is one file in its folder, and no two names share it."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.publish.pages.addresses import board_page, dataset_page, experiment_page, link, sample_picture

SAFE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9._-]*\.html")


@given(st.text(), st.text())
def test_every_name_has_a_page_of_its_own_in_its_folder(one: str, other: str) -> None:
    for make in (experiment_page, dataset_page):
        assert SAFE.fullmatch(make(one))
        assert ".." not in make(one)
        assert (make(one) == make(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "page"), [("mlp-lr", "experiments/mlp-lr.html"), ("v1.2_x", "experiments/v1.2_x.html")]
)
def test_a_plain_name_is_its_own_address(name: str, page: str) -> None:
    assert experiment_page(name) == page


@pytest.mark.parametrize("name", ["index", "Index", "MLP lr", "../../etc", "", "\ud800", "x" * 500])
def test_any_other_name_gets_digits_that_tell_it_apart(name: str) -> None:
    assert re.fullmatch(r"experiments/[a-z0-9._-]{1,60}-[0-9a-f]{8}\.html", experiment_page(name))


def test_boards_of_one_metric_are_told_apart_by_what_was_measured_on() -> None:
    pages = {board_page(key, identity) for key in ("validation/accuracy", "test/accuracy") for identity in ("a", "b")}
    assert len(pages) == 4
    assert all(SAFE.fullmatch(page) for page in pages)
    assert SAFE.fullmatch(board_page("損失/" * 50, "\ud800"))


def test_a_picture_of_a_sample_is_named_by_its_content_and_nothing_else() -> None:
    assert sample_picture("digits", "blake3:" + "ab" * 32) == f"data/samples/digits/{'ab' * 16}.png"
    assert sample_picture("digits", "../../x").startswith("data/samples/digits/x")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 4))
def test_a_link_leads_up_and_then_to_the_page_it_was_made_of(path: str, depth: int) -> None:
    made = link(path, depth)
    assert made.startswith("../" * depth)
    assert unquote(made.removeprefix("../" * depth)) == path
    assert not re.search(r"[\s\"'<>&?]", made)
