"""The charts of what better takes: which settings are drawn, which are counted instead, and what a point says."""

import re

import msgspec

from ledger.model.boxes.cost import Cost
from ledger.model.entries import StoredRun
from ledger.model.values import Direction
from ledger.publish.pages.board_page import render_board
from ledger.publish.pages.parts.trade_off_view import TradeOffView, trade_off_views
from tests.publish.pages.test_page_limits import atlas_of, one_run
from tests.publish.pages.test_pages import Page


def paid(number: int, value: float, amount: float | None, currency: str | None = "EUR") -> StoredRun:
    run = one_run(number, value, params={"lr": 0.1 * number})
    record = msgspec.structs.replace(run.record, cost=Cost(amount=amount, currency=currency))
    return msgspec.structs.replace(run, record=record)


def view_of(runs: list[StoredRun], word: str = "cost") -> TradeOffView:
    atlas = atlas_of(runs)
    (board,) = (one for one in atlas.ranked.values() if one.group.key == "validation/accuracy")
    return next(view for view in trade_off_views(board, atlas) if view.name == word)


def test_points_are_means_with_a_title_and_a_link_and_dominated_ones_are_lighter() -> None:
    view = view_of([paid(1, 0.8, 1.0), paid(2, 0.9, 3.0), paid(3, 0.7, 2.0)])
    page = Page(view.svg)
    titles = [attributes["aria-label"] or "" for tag, attributes in page.tags if tag == "a"]
    assert len(titles) == view.svg.count("</title></circle>") == 3
    behind = view.svg.partition('<g class="lg-behind">')[2].partition("</g>")[0]
    assert re.findall(r"<title>(.*?)</title>", behind) == [one for one in titles if "0.7" in one]
    assert behind.count("; dominated</title>") == 1
    assert sum("on the front" in one for one in titles) == 2
    assert any("validation/accuracy 0.9, 1 run; 3.00 EUR; on the front" in one for one in titles), titles
    assert all((attributes["href"] or "").startswith("../runs/") for tag, attributes in page.tags if tag == "a")
    assert re.search(r'class="lg-front" d="M[\d.]+ [\d.]+H[\d.]+V[\d.]+H[\d.]+"', view.svg)
    assert view.says == ""


def test_costs_that_are_unknown_or_in_another_currency_are_counted_and_not_drawn() -> None:
    runs = [paid(1, 0.8, 1.0), paid(2, 0.9, 3.0), paid(3, 0.99, 0.1, "USD"), paid(4, 0.7, None), paid(5, 0.6, None)]
    view = view_of(runs)
    assert view.says == "Not drawn: 1 whose cost is in another currency, 2 of unknown cost."
    assert "USD" not in view.svg
    assert view.svg.count("<circle") == 2


def test_the_page_says_that_the_front_is_of_means_and_has_no_chart_where_nothing_is_known() -> None:
    for runs, there in (
        ([paid(1, 0.8, 1.0), paid(2, 0.9, 3.0)], True),
        ([paid(1, 0.8, None), paid(2, 0.9, None)], False),
    ):
        atlas = atlas_of(runs)
        (board,) = (one for one in atlas.boards if one.group.key == "validation/accuracy")
        content = render_board(board, atlas).content
        assert ("cost, EUR" in content) == there
        assert ("It is a front of means" in content) == ("lg-pareto" in content)


def test_where_lower_is_better_the_steps_go_down() -> None:
    direction: Direction = "lower"
    runs = [paid(1, 0.8, 1.0), paid(2, 0.6, 3.0)]
    atlas = atlas_of(runs)
    (board,) = (one for one in atlas.ranked.values() if one.group.key == "validation/accuracy")
    views = trade_off_views(msgspec.structs.replace(board, direction=direction), atlas)
    svg = next(view.svg for view in views if view.name == "cost")
    assert float(re.search(r'lg-front" d="M[\d.]+ ([\d.]+)H', svg)[1]) < float(re.search(r"V([\d.]+)H", svg)[1])  # type: ignore[index]  # both are there
