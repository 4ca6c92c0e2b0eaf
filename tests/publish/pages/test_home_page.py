"""Home and the page of costs: the truth of the boards on the newest data, and sums that leave nothing out unsaid."""

import msgspec
import pytest

from ledger.analysis.advice.milestones import Milestones
from ledger.model.entries import Contents
from ledger.publish.pages.cost_page import render_costs
from ledger.publish.pages.home_page import best_settings, render_home
from ledger.publish.site.site_data import Atlas, survey
from tests.publish.pages.test_pages import Page
from tests.samples import Blobs


@pytest.fixture
def atlas(ledger: tuple[Contents, Blobs]) -> Atlas:
    return survey(ledger[0], [], None)


def test_the_best_setting_is_that_of_the_board_on_the_newest_version(atlas: Atlas) -> None:
    bests = {best.board.group.key: best for best in best_settings(atlas)}
    accuracy = bests["validation/accuracy"]
    assert accuracy.board.group.dataset == "digits-validation@v2"
    assert accuracy.place == atlas.leader_of(accuracy.board.group)
    assert accuracy.newer is None
    assert not [key for key in bests if key.startswith("train/")]


def test_a_version_on_which_nothing_was_measured_is_named(ledger: tuple[Contents, Blobs]) -> None:
    contents = ledger[0]
    newest = max((one for one in contents.datasets if one.name == "digits-validation"), key=lambda one: one.added_at)
    newer = msgspec.structs.replace(newest, version="v9", hash="blake3:" + "9" * 64, parent=newest.version)
    grown = survey(msgspec.structs.replace(contents, datasets=(*contents.datasets, newer)), [], None)
    best = next(best for best in best_settings(grown) if best.board.group.key == "validation/accuracy")
    assert best.newer == newer.label
    assert f"nothing measured on {newer.label}" in Page(render_home(grown, Milestones(models=(), without=())).content).text


def test_proposals_wait_on_the_home_page(atlas: Atlas) -> None:
    text = Page(render_home(atlas, Milestones(models=(), without=()), proposals=["<b>wider", "deeper"]).content).text
    assert "wait for review 2 <b>wider deeper" in text


def test_every_run_is_in_the_costs_or_counted_beside_them(atlas: Atlas) -> None:
    page = Page(render_costs(atlas).content)
    known = [run for run in atlas.runs if run.record.cost.amount is not None and run.record.cost.currency == "USD"]
    assert f"and {len(atlas.runs) - len(known)} run without a known cost in USD" in page.text
    assert len([tag for tag, at in page.tags if tag == "svg" and "lg-weeks" in (at.get("class") or "")]) == 2


def test_a_ledger_without_prices_says_how_to_state_one(atlas: Atlas) -> None:
    runs = tuple(
        msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, cost=type(run.record.cost)()))
        for run in atlas.runs
    )
    assert "No run has a known cost" in Page(render_costs(msgspec.structs.replace(atlas, runs=runs)).content).text
