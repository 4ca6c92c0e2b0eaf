"""Home, costs and where they lead: the truth of the boards on the newest data, and sums that say what they lack."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.milestones import Milestones
from ledger.analysis.comparing.leaderboard import mean_interval, mean_noise
from ledger.analysis.comparing.matrix import matrix_of
from ledger.model.entries import Contents, Note, StoredRun
from ledger.publish.pages import addresses
from ledger.publish.pages.board_page import render_board
from ledger.publish.pages.cost_page import render_costs
from ledger.publish.pages.dataset_pages import render_dataset
from ledger.publish.pages.experiment_pages import render_experiments
from ledger.publish.pages.home_page import best_settings, render_home
from ledger.publish.pages.milestone_page import survey_milestones
from ledger.publish.pages.overview_pages import render_boards
from ledger.publish.pages.run_page import ways_to_compare
from ledger.publish.site.site_data import Atlas, survey
from ledger.publish.text import measured, short_number
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


def repeated(ledger: tuple[Contents, Blobs]) -> Atlas:
    """Return the ledger with another seed of the best setting on the newest version, a little worse."""
    contents = ledger[0]
    best = next(
        one for one in best_settings(survey(contents, [], None)) if one.board.group.key == "validation/accuracy"
    )
    assert best.place.spread is not None
    record, value = best.run.record, best.place.spread.mean
    lower = [
        msgspec.structs.replace(one, value=one.number - 0.002) if one.number == value else one
        for one in record.results.metrics
    ]
    results = msgspec.structs.replace(record.results, metrics=lower)
    other = msgspec.structs.replace(record, id=record.id[:16] + "zzzzzz", seed=77, results=results)
    twin = msgspec.structs.replace(best.run, record=other, evaluations=(), notes=())
    return survey(msgspec.structs.replace(contents, runs=(*contents.runs, twin)), [], None)


def test_home_the_boards_and_the_list_of_experiments_name_the_same_best(ledger: tuple[Contents, Blobs]) -> None:
    atlas = repeated(ledger)
    best = next(best for best in best_settings(atlas) if best.board.group.key == "validation/accuracy")
    assert len(best.place.runs) > 1, "a mean, whose link must not lead to one run of another value"
    assert best.place.spread is not None
    shown = short_number(best.place.spread.mean)
    home = Page(render_home(atlas, Milestones(models=(), without=())).content)
    board = atlas.address_of(best.board.group)
    assert home.attributes("a", "href").count(board) == 2
    assert addresses.run_page(best.place.runs[0]) not in home.attributes("a", "href")
    for text in (home.text, Page(render_boards(atlas).content).text):
        assert f"{shown} mean of {best.place.spread.count}" in text
    listed = Page(render_experiments(atlas).content).text
    row = listed[listed.index(best.run.record.experiment) :]
    assert re.search(rf"{re.escape(shown)} mean of {best.place.spread.count}, {re.escape(best.board.group.label)}", row)
    assert "digits-validation@v1" not in row[: row.index(best.board.group.label)]


def test_a_board_writes_the_interval_that_it_draws_and_who_is_missing(atlas: Atlas) -> None:
    board = next(one for one in atlas.own_pages if one.group.dataset == "digits-validation@v2" and one.ranked)
    ranked = atlas.ranked[board.group.id]
    _, reach = mean_noise(ranked)
    assert reach is not None
    page = render_board(board, atlas).content
    for place in ranked.places:
        assert place.spread is not None
        low, high = mean_interval(place.spread, reach)
        mean, half = measured(place.spread.mean, (high - low) / 2)
        assert re.search(
            rf">{re.escape(mean)}</span></strong> <small [^>]*95 % interval[^>]*>\s*± {re.escape(half)}<", page
        )
    here = {standing.run.record.id for standing in board.standings}
    beside = [one for one in atlas.boards if one.group.key == board.group.key and one.group != board.group]
    missing = {standing.run.record.id for one in beside for standing in one.standings} - here
    said = (
        f"{len(missing)} run{'s were' if len(missing) > 1 else ' was'} measured there and not here: ledger reevaluate"
    )
    assert missing
    assert said in Page(page).text
    alone = survey(Contents(tip="1" * 40, runs=tuple(atlas.by_id[run] for run in here)), [], None)
    same = next(one for one in alone.boards if one.group.id == board.group.id)
    assert "measured there and not here" not in render_board(same, alone).content


def test_home_says_what_a_claimed_milestone_lacks(atlas: Atlas) -> None:
    run = next(run for run in atlas.runs if run.record.headline)
    claim = msgspec.convert(
        {"format": 1, "tool": "git-ledger 0.1.0", "author": {"name": "Kim Doe", "email": "kim@example.org"},
         "id": run.record.id, "kind": "milestone", "run": run.record.id, "text": "it is", "stage": 5,
         "noted_at": "2026-12-02T00:00:00Z"},
        Note,
    )  # fmt: skip
    claimed = msgspec.structs.replace(run, notes=(*run.notes, claim))
    runs = tuple(claimed if one is run else one for one in atlas.runs)
    grown = survey(Contents(tip="1" * 40, runs=runs), [], None)
    milestones = survey_milestones(grown, Budget())
    lacking = sum(len(step.missing) for step in milestones.models[0].steps if step.note)
    assert lacking
    assert f"claimed, {lacking} requirement" in Page(render_home(grown, milestones).content).text


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
