"""Home, costs and where they lead: the truth of the boards on the newest data, and sums that say what they lack."""

from datetime import UTC, datetime

import msgspec
import pytest

from ledger.analysis.advice.milestones import Milestones
from ledger.analysis.comparing.matrix import matrix_of
from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages.cost_page import render_costs
from ledger.publish.pages.dataset_pages import render_dataset
from ledger.publish.pages.home_page import best_settings, render_home
from ledger.publish.pages.overview_pages import render_boards
from ledger.publish.pages.run_page import ways_to_compare
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
    assert (
        f"nothing measured on {newer.label}" in Page(render_home(grown, Milestones(models=(), without=())).content).text
    )


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


def test_a_dataset_counts_the_runs_on_each_version_and_names_the_command_that_closes_the_gap(atlas: Atlas) -> None:
    text = Page(render_dataset("digits-validation", atlas).content).text
    matrix = matrix_of(atlas.datasets["digits-validation"], atlas.runs, "validation/accuracy")
    missing = sum(row.cells[-1] is None for row in matrix.rows)
    assert missing
    assert (
        f"{missing} of {len(matrix.rows)} {'is' if missing == 1 else 'are'} not measured on digits-validation@v2"
        in text
    )
    assert "ledger reevaluate digits-validation@v2 -- COMMAND {model}" in text
    assert f"v2 {len(matrix.rows) - missing} of {len(matrix.rows)}" in text


def test_boards_of_the_newest_version_stand_first(atlas: Atlas) -> None:
    text = Page(render_boards(atlas).content).text.partition("validation/accuracy")[2]
    assert text.index("digits-validation@v2") < text.index("digits-validation@v1")


def test_a_run_leads_to_what_it_is_worth_comparing_with(atlas: Atlas) -> None:
    runs = [run for run in atlas.runs if len(atlas.repeats.get(atlas.settings[run.record.id], ())) > 1]
    repeats = atlas.repeats[atlas.settings[runs[-1].record.id]]
    ways = dict(ways_to_compare(runs[-1], atlas))
    others = [name for name in repeats if name != runs[-1].record.id]
    assert others in ways.values()
    before = atlas.neighbours[runs[-1].record.id][0]
    assert any(before in way for way in ways.values())
    assert all(runs[-1].record.id not in way for way in ways.values())


@pytest.mark.parametrize("amount", [1.7e308, 5e-324, 0.0, -1.0, float("inf"), float("nan")])
def test_no_amount_of_a_record_keeps_the_site_from_being_built(atlas: Atlas, amount: float) -> None:
    def priced(run: StoredRun) -> StoredRun:
        cost = msgspec.structs.replace(run.record.cost, amount=amount, currency="USD")
        return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, cost=cost))

    costly = msgspec.structs.replace(atlas, runs=tuple(map(priced, atlas.runs)))
    assert "Costs" in render_costs(costly).content
    assert "cost of runs, week" in render_home(costly, Milestones(models=(), without=())).content


@pytest.mark.parametrize("year", [1, 9999])
def test_no_date_of_a_record_keeps_the_site_from_being_built(atlas: Atlas, year: int) -> None:
    def dated(run: StoredRun) -> StoredRun:
        at = datetime(year, 1, 1, tzinfo=UTC)
        timing = msgspec.structs.replace(run.record.timing, started_at=at, ended_at=at)
        return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, timing=timing))

    strange = msgspec.structs.replace(atlas, runs=tuple(map(dated, atlas.runs)))
    assert "0001-W01" in render_costs(strange).content or "9998-W53" in render_costs(strange).content
    assert "cost of runs, week" in render_home(strange, Milestones(models=(), without=())).content


def with_metric(run: StoredRun, **fields: object) -> StoredRun:
    metrics = [msgspec.structs.replace(metric, **fields) for metric in run.record.results.metrics]
    results = msgspec.structs.replace(run.record.results, metrics=metrics)
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, results=results))


def test_a_dataset_version_that_a_run_made_up_is_never_the_newest(ledger: tuple[Contents, Blobs]) -> None:
    contents = ledger[0]
    first = next(run for run in contents.runs if run.record.headline and run.record.status == "finished")
    forged = with_metric(first, dataset="digits-validation@v2", dataset_hash="blake3:" + "e" * 64, value=0.9999)
    runs = (forged, *(run for run in contents.runs if run is not first))
    atlas = survey(msgspec.structs.replace(contents, runs=runs), [], None)
    best = next(best for best in best_settings(atlas) if best.board.group.key == "validation/accuracy")
    assert best.board.group.dataset_hash != "blake3:" + "e" * 64
    assert best.place.spread is not None
    assert best.place.spread.mean < 0.9999


def test_production_samples_and_training_data_are_no_validation_sets(atlas: Atlas) -> None:
    text = Page(render_home(atlas, Milestones(models=(), without=())).content).text
    changes = text.partition("Changes of validation sets")[2].partition("Did not finish")[0]
    assert "digits-validation@v2" in changes
    assert "digits-train" not in changes


def test_ranks_failures_and_retractions_are_no_repeats(ledger: tuple[Contents, Blobs]) -> None:
    contents = ledger[0]
    atlas = survey(contents, [], None)
    names = next(members for members in atlas.repeats.values() if len(members) > 1)
    first, second, *others = (atlas.by_id[name] for name in names)

    def as_rank(run: StoredRun, rank: int) -> StoredRun:
        hardware = msgspec.structs.replace(run.record.hardware, rank=rank, job="job-7")
        return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, hardware=hardware))

    def repeats_with(*changed: StoredRun) -> tuple[int, frozenset[str]]:
        by_id = {run.record.id: run for run in changed}
        runs = tuple(by_id.get(run.record.id, run) for run in contents.runs)
        made = survey(msgspec.structs.replace(contents, runs=runs), [], None)
        return len(made.repeats[made.settings[first.record.id]]), made.ranks

    assert repeats_with() == (2 + len(others), frozenset())
    assert repeats_with(as_rank(first, 0), as_rank(second, 1)) == (1 + len(others), frozenset({second.record.id}))
    failed = msgspec.structs.replace(second, record=msgspec.structs.replace(second.record, status="failed"))
    assert repeats_with(failed)[0] == 1 + len(others)
