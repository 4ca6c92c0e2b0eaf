"""Pages of ledgers that are empty, large or odd: what is left out is counted, and what nobody knows says so."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.advice.budget import Budget
from ledger.model.entries import Contents, Problem, StoredRun
from ledger.model.values import number
from ledger.publish.pages.board_page import BOARD_ROWS, render_board
from ledger.publish.pages.dataset_pages import MATRIX_ROWS, render_dataset, render_datasets
from ledger.publish.pages.experiment_pages import (
    BESTS_SHOWN,
    SETTINGS_SHOWN,
    render_experiment,
    render_experiments,
)
from ledger.publish.pages.home_page import render_home
from ledger.publish.pages.milestone_page import survey_milestones
from ledger.publish.pages.overview_pages import TABLE_ROWS, render_boards, render_runs
from ledger.publish.pages.parts.experiment_curves import SETTINGS_DRAWN
from ledger.publish.pages.parts.experiment_scatters import SCATTERS_SHOWN
from ledger.publish.site.site_data import Atlas, survey
from tests.publish.pages.test_pages import Page
from tests.samples import START, Blobs, many_runs, sample_datasets, sample_reader, sample_run

BLOBS: Blobs = {}


def atlas_of(runs: Iterable[StoredRun], **more: object) -> Atlas:
    return survey(Contents(tip="1" * 40, runs=tuple(runs), **more), [], None)  # type: ignore[arg-type]  # as given


def one_run(index: int = 1, accuracy: float = 0.9, **changes: object) -> StoredRun:
    given: dict[str, object] = {"experiment": "study", "params": {"lr": 0.1 * index, "seed": index}, "started": START}
    return sample_run(BLOBS, index, accuracy=accuracy, **(given | changes))  # type: ignore[arg-type]  # as given


def home(atlas: Atlas) -> Page:
    return Page(render_home(atlas, survey_milestones(atlas, Budget())).content)


def experiment(runs: Iterable[StoredRun]) -> Page:
    return Page(render_experiment("study", atlas_of(runs), sample_reader(BLOBS)).content)


def rows_of(page: Page) -> int:
    return sum(tag == "tr" for tag, _ in page.tags)


def with_value(run: StoredRun, value: float) -> StoredRun:
    first, *others = run.record.results.metrics
    metrics = [msgspec.structs.replace(first, value=number(value)), *others]
    results = msgspec.structs.replace(run.record.results, metrics=metrics)
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, results=results))


def test_an_empty_ledger_says_how_to_begin_and_has_every_list(tmp_path: Path) -> None:
    atlas = atlas_of(())
    assert "ledger run -- python train.py" in home(atlas).text
    for render in (render_runs, render_boards, render_experiments, render_datasets):
        assert rows_of(Page(render(atlas).content)) <= 1


def test_the_home_page_adds_up_one_currency_and_counts_what_is_in_another_or_unknown() -> None:
    runs = [one_run(1), one_run(2), one_run(3), one_run(4, status="failed")]
    costs = [(1.5, "USD"), (2.0, "EUR"), (0.25, "USD"), (None, None)]
    changed = []
    for run, (amount, currency) in zip(runs, costs, strict=True):
        cost = msgspec.structs.replace(run.record.cost, amount=amount, currency=currency)
        changed.append(msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, cost=cost)))
    text = home(atlas_of(changed)).text
    assert "1.75 USD 2 runs without a known cost in USD" in text
    assert "did not finish 1 of 4" in text


def test_the_home_page_says_how_many_entries_could_not_be_read() -> None:
    problems = tuple(Problem(path=f"runs/{index}/record.json", message="it is damaged") for index in range(60))
    page = home(atlas_of([one_run()], problems=problems))
    assert "60 entries of the ledger could not be read" in page.text
    assert page.text.count("it is damaged") == 50
    one = home(atlas_of([one_run()], problems=problems[:1]))
    assert "1 entry of the ledger could not be read" in one.text


def test_the_table_of_a_large_ledger_has_the_latest_runs_and_says_how_many_there_are() -> None:
    contents, _ = many_runs(TABLE_ROWS + 30, params=2, metrics=2)
    page = render_runs(survey(contents, [], None))
    assert rows_of(Page(page.content)) == TABLE_ROWS + 1
    assert f"All {TABLE_ROWS + 30} runs" in page.description
    assert contents.runs[-1].record.id in page.content
    assert contents.runs[0].record.id not in page.content


def test_one_run_has_no_spread_and_nothing_that_varied() -> None:
    text = experiment([one_run()]).text
    assert "lr" not in text.partition("What was varied")[2].partition("Learning curves")[0].replace("learning", "")
    assert "1 finished" in text


def test_settings_with_repeats_stand_with_their_params_those_with_most_runs_first() -> None:
    runs = [
        one_run(index, 0.9 + 0.001 * index, params={"lr": lr, "seed": seed})
        for index, (lr, seed) in enumerate([(0.1, 1), (0.2, 1), (0.2, 2), (0.2, 3), (0.1, 2)])
    ]
    text = experiment(runs).text
    settings = text[text.index("Settings") :]
    assert re.search(r"lr\W+0\.2.*lr\W+0\.1", settings)
    assert not re.search(r"\bseed \d", settings.partition("What was varied")[0])


def test_of_many_settings_the_page_shows_some_and_counts_all() -> None:
    runs = [one_run(index, params={"lr": index // 2, "seed": index}) for index in range(2 * SETTINGS_SHOWN + 8)]
    text = experiment(runs).text
    assert "4 settings w" in text.partition("Settings")[2].partition("What was varied")[0]


def test_charts_of_params_and_curves_are_bounded_and_runs_that_are_not_drawn_are_counted() -> None:
    names = [f"option_{index}" for index in range(SCATTERS_SHOWN + 3)]
    runs = [
        one_run(
            index, 0.5 + 0.01 * index, params=dict.fromkeys(names, index) | {"seed": 0},
            started=START + timedelta(hours=index),
        )
        for index in range(SETTINGS_DRAWN + 4)
    ]  # fmt: skip
    page = experiment(runs)
    scatters = [attributes for tag, attributes in page.tags if tag == "svg" and "lg-scatter" in str(attributes)]
    assert len(scatters) == SCATTERS_SHOWN
    best = [str(index) for index in range(4, SETTINGS_DRAWN + 4)]
    assert page.attributes("g", "data-lg-runs")[:SETTINGS_DRAWN] == best, "the best eight, the first in front"
    assert "The 8 best by validation/accuracy on digits-validation@v1 are drawn; 4 more are not drawn." in page.text


def test_a_param_that_is_text_a_truth_value_or_not_finite_has_no_chart() -> None:
    for values in (["adam", "sgd", "lion"], [True, False, True], [float("inf"), float("nan"), 1.0]):
        runs = [one_run(index, 0.9 + 0.01 * index, params={"p": value}) for index, value in enumerate(values)]
        assert not [tag for tag, attributes in experiment(runs).tags if "lg-scatter" in str(attributes)], values


def test_a_value_that_is_no_number_is_the_best_of_nothing_and_in_no_chart() -> None:
    runs = [one_run(index, 0.9) for index in range(1, 4)]
    odd = [with_value(runs[0], float("nan")), with_value(runs[1], float("inf")), runs[2]]
    page = experiment(odd)
    best = page.text.partition("Best results")[2].partition("Settings")[0]
    assert runs[2].record.id in best
    assert runs[0].record.id not in best
    assert runs[1].record.id not in best


@pytest.mark.parametrize("count", [1, BESTS_SHOWN + 5])
def test_the_best_of_each_comparable_group_is_named_up_to_a_limit(count: int) -> None:
    contents, blobs = many_runs(30, params=1, metrics=count, experiments=1)
    atlas = survey(contents, [], None)
    (name,) = atlas.experiments
    text = Page(render_experiment(name, atlas, sample_reader(blobs)).content).text
    best = text.partition("Best results")[2].partition("What was varied")[0]
    shown = set(re.findall(r"validation/metric_\d+", best))
    assert 0 < len(shown) <= min(count, BESTS_SHOWN)


def board_of(runs: Iterable[StoredRun]) -> Page:
    atlas = atlas_of(runs, datasets=sample_datasets())
    board = next(board for board in atlas.boards if board.group.key == "validation/accuracy")
    return Page(render_board(board, atlas).content)


def test_a_board_names_the_params_that_part_its_settings_and_no_others() -> None:
    runs = [one_run(index, 0.9 + index / 100, params={"lr": index, "depth": 3, "seed": index}) for index in range(1, 4)]
    text = board_of(runs).text
    assert re.search(r"lr\W+1\b", text)
    assert "depth" not in text
    assert "seed" not in text.partition("lr")[2].partition("depth")[0]


def test_a_board_of_thousands_of_settings_has_a_page_of_bounded_length() -> None:
    contents, _ = many_runs(2 * BOARD_ROWS + 100, params=1, metrics=1)
    runs = [
        msgspec.structs.replace(
            run,
            record=msgspec.structs.replace(
                run.record, params=msgspec.structs.replace(run.record.params, values={"n": index})
            ),
        )
        for index, run in enumerate(contents.runs)
    ]
    atlas = survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None)
    page = render_board(atlas.boards[0], atlas)
    assert f"{BOARD_ROWS + 50} settings of {BOARD_ROWS + 50} runs" in page.description
    assert rows_of(Page(page.content)) <= BOARD_ROWS + 10


def test_all_settings_of_a_board_are_one_click_away_in_the_order_of_the_board() -> None:
    runs = [one_run(index, 0.9 + index / 100) for index in range(1, 4)]
    page = board_of(runs)
    (table,) = {str(attributes["href"]) for _, attributes in page.tags if "group=setting" in str(attributes)}
    address = r"\.\./runs/index\.html#group=setting&sort=-(m\.[\w-]+)&cols=\1,experiment,author,started"
    assert re.fullmatch(address, table)


def test_a_board_whose_values_are_all_alike_or_endlessly_far_apart_has_no_scale() -> None:
    alike = [one_run(index, 0.9) for index in range(1, 4)]
    far = [with_value(alike[0], -1.7e308), with_value(alike[1], 1.7e308)]
    for runs in (alike, far):
        assert rows_of(board_of(runs)) >= len(runs) - 1


def test_a_dataset_that_nothing_was_measured_on_says_so_and_has_no_chart() -> None:
    page = Page(render_dataset("digits-validation", atlas_of((), datasets=sample_datasets())).content)
    assert "v1" in page.text
    assert not [tag for tag, attributes in page.tags if "lg-history" in str(attributes)]


def test_the_matrix_has_the_latest_runs_and_a_dash_where_a_version_was_not_measured() -> None:
    runs = [one_run(index, 0.5 + index / 1000) for index in range(MATRIX_ROWS + 5)]
    page = render_dataset("digits-validation", atlas_of(runs, datasets=sample_datasets()))
    matrix = page.content.partition('id="matrix"')[2].partition("<h2")[0]
    assert matrix.count("<tr>") == MATRIX_ROWS + 1
    assert "5 more" in matrix
    shown = set(re.findall(r"runs/([\w-]+)\.html", matrix))
    assert shown == set(sorted((run.record.id for run in runs), reverse=True)[:MATRIX_ROWS])


def test_a_table_of_contents_calls_headings_what_they_are_called(built: Path) -> None:
    link = re.compile(r'<a href="#([\w-]+)" class="md-nav__link"><span class="md-ellipsis">([^<]*)</span>')
    looked_at = 0
    for path in built.rglob("*.html"):
        html = path.read_text("utf-8")
        for anchor, title in link.findall(html):
            heading = re.search(rf'<h[1-3][^>]*id="{re.escape(anchor)}"[^>]*>(.*?)</h[1-3]>', html, re.DOTALL)
            if heading is not None:
                looked_at += 1
                assert title in " ".join(re.sub(r"<[^>]+>", " ", heading[1]).split()), (path.name, anchor)
    assert looked_at > 100


@pytest.mark.parametrize("seconds", [0.0, 1e300, 5e-324])
def test_a_run_of_any_length_stands_on_every_page_of_many(seconds: float) -> None:
    run = one_run()
    timing = msgspec.structs.replace(run.record.timing, duration_seconds=seconds)
    atlas = atlas_of([msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, timing=timing))])
    for page in (home(atlas), Page(render_runs(atlas).content)):
        assert run.record.id in page.text
