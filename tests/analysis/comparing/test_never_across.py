"""Over random ledgers: nothing ranks, or draws one line through, two values that are not comparable."""

import re
from functools import cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.analysis.comparing.comparable import counts, leaderboards, why_not_comparable
from ledger.analysis.comparing.compare import compare
from ledger.analysis.comparing.leaderboard import latest_metrics
from ledger.analysis.comparing.matrix import matrix_of
from ledger.analysis.query.export_columns import flat_columns
from ledger.analysis.query.fields import metrics_of, run_metric
from ledger.analysis.query.language import parse_query
from ledger.model.boxes.inputs import DatasetUse, Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Contents, DatasetVersion, Evaluation, StoredRun
from ledger.model.values import number
from ledger.publish.data.search_data import render_head
from ledger.publish.pages.board_page import render_board
from ledger.publish.pages.dataset_pages import render_dataset
from ledger.publish.pages.experiment_pages import render_experiment
from ledger.publish.report.comparison import chart_lines
from ledger.publish.site.site_data import survey
from tests.asking import Asked, passing, setting_boards, sort_runs
from tests.conftest import examples
from tests.sample_versions import sample_retirement
from tests.samples import START, Blobs, sample_datasets, sample_ledger, sample_reader, sample_run

KEY = "validation/accuracy"
VERSIONS = ("blake3:1", "blake3:2")
RUN_ID = re.compile(r"20261120-194812-\d{6}")


@cache
def base() -> StoredRun:
    return sample_ledger()[0].runs[0]


@cache
def known_versions() -> tuple[DatasetVersion, ...]:
    first = sample_datasets()[0]
    return tuple(
        msgspec.structs.replace(first, name="digits", version=f"v{at}", hash=content, role="validation")
        for at, content in enumerate(VERSIONS, start=1)
    )


METRICS = st.builds(
    Metric,
    name=st.sampled_from(["accuracy", "odd"]),
    split=st.just("validation"),
    value=st.sampled_from([0.1, 0.5, 0.5, 0.9, float("nan"), 7.0]).map(number),
    direction=st.sampled_from(["higher", "higher", "lower", None]),
    dataset=st.sampled_from(["digits@v1", "digits@v2", None]),
    dataset_hash=st.sampled_from([*VERSIONS, *VERSIONS, None]),
    evaluator=st.sampled_from([None, "1", "2"]),
)


NOTES = st.sampled_from(
    [(), (), (), (msgspec.structs.replace(sample_retirement(), dataset=None, kind="retraction", text="wrong"),)]
)
"""Some runs are retracted."""


@st.composite
def ledgers(draw: st.DrawFn) -> list[StoredRun]:
    runs = []
    for index in range(draw(st.integers(1, 7))):
        params = Params(values={"lr": draw(st.sampled_from([0.1, 0.2])), "seed": index})
        own = draw(st.lists(METRICS, min_size=1, max_size=3))
        record = msgspec.structs.replace(
            base().record,
            id=f"20261120-194812-{index:06d}",
            params=params,
            results=Results(headline=own[0].key, metrics=own),
        )
        later = [
            msgspec.structs.replace(evaluation, run=record.id, metrics=draw(st.lists(METRICS, min_size=1, max_size=2)))
            for evaluation in draw(st.lists(st.just(evaluation_of(index)), max_size=2))
        ]
        runs.append(msgspec.structs.replace(base(), record=record, evaluations=tuple(later), notes=draw(NOTES)))
    return runs


@cache
def evaluation_of(index: int) -> Evaluation:
    found = next(run.evaluations[0] for run in sample_ledger()[0].runs if run.evaluations)
    return msgspec.structs.replace(found, id=f"20261121-194812-{index:06d}")


def identity(metric: Metric) -> tuple[str, str, str]:
    return metric.key, metric.dataset_hash or "", metric.evaluator or ""


def identity_of(run: StoredRun, key: str) -> tuple[str, str, str] | None:
    metric = run_metric(run, key)
    return identity(metric) if metric else None


@settings(deadline=None)
@given(ledgers())
def test_an_order_never_goes_across(runs: list[StoredRun]) -> None:
    for key in {metric.key for run in runs for metric in metrics_of(run).values()}:
        found = sort_runs(runs, f"metrics.{key}")
        # Runs that do not count stand below all others, in the same order.
        groups = [(counts(run), *identity(metric)) for run in found.runs if (metric := run_metric(run, key))]
        assert groups == sorted(groups, key=lambda group: not group[0])
        blocks = [group for at, group in enumerate(groups) if at == 0 or group != groups[at - 1]]
        assert len(blocks) == len(set(blocks)), "a group stands in one piece"
        if len({group[1:] for group in blocks}) > 1:
            assert "not across" in str(found.warning)
        if any(not content for _, _, content, _ in blocks):
            assert found.warning
        for unknown in {group for group in groups if not group[2]}:
            members = [run.record.id for run in found.runs if (counts(run), *(identity_of(run, key) or ())) == unknown]
            assert members == sorted(members, reverse=True), "on unknown data the order is that of time"


@settings(deadline=None)
@given(ledgers(), st.sampled_from([0.1, 0.5]))
def test_a_filter_says_when_one_number_is_held_against_values_of_different_groups(
    runs: list[StoredRun], limit: float
) -> None:
    query = parse_query(f"metrics.{KEY} >= {limit} or not status = lost")
    groups = {identity_of(run, KEY) for run in passing(query, runs)} - {None}
    assert bool(Asked(runs).index.filter_warnings(query)) == (len(groups) > 1)


@settings(deadline=None)
@given(ledgers())
def test_a_comparison_has_a_best_among_comparable_values_only(runs: list[StoredRun]) -> None:
    for row in compare(runs).metrics:
        there = [metric for metric in row.metrics if metric]
        apart = [why_not_comparable(there[0], metric) for metric in there[1:]]
        if row.best is not None:
            assert not any(apart)
        elif any(apart):
            assert row.refused


@settings(deadline=None)
@given(ledgers())
def test_a_board_holds_one_group_and_all_of_it(runs: list[StoredRun]) -> None:
    measured: dict[tuple[str, str, str], set[str]] = {}
    for run in runs:
        for group in latest_metrics(run):
            measured.setdefault(group, set()).add(run.record.id)
    boards = [board for key in {key for key, _, _ in measured} for board in setting_boards(runs, key)]
    assert {
        (board.group.key, board.group.dataset_hash, board.group.evaluator): {
            *(run for place in board.places for run in place.runs),
            *(one.run for one in (*board.withdrawn, *board.outside)),
        }
        for board in boards
    } == measured
    for board in boards:
        if not board.group.known:
            assert not any(place.rank or place.leading or len(place.runs) > 1 for place in board.places)
    for ranked in leaderboards(runs):
        assert len({identity(standing.metric) for standing in ranked.standings}) == 1
        assert ranked.group.known or not ranked.ranked


@settings(deadline=None)
@given(ledgers())
def test_columns_of_a_matrix_and_an_export_say_what_they_were_measured_on(runs: list[StoredRun]) -> None:
    matrix = matrix_of(known_versions(), runs, KEY)
    for row in matrix.rows:
        for version, cell in zip(known_versions(), row.cells, strict=True):
            assert cell is None or cell.dataset_hash == version.hash
    columns = flat_columns(runs)
    for name in [name for name in columns if name.startswith("metrics.")]:
        key = name.removeprefix("metrics.")
        for at, run in enumerate(runs):
            metric = run_metric(run, key)
            beside = columns[f"dataset_hash.{key}"][at], columns[f"evaluator.{key}"][at]
            assert beside == ((metric.dataset_hash, metric.evaluator) if metric else (None, None))


@settings(deadline=None, max_examples=examples(40))
@given(ledgers())
def test_no_page_ranks_or_draws_a_line_across(runs: list[StoredRun]) -> None:
    contents = Contents(tip="5" * 40, runs=tuple(runs), datasets=known_versions())
    atlas = survey(contents, [], None)
    by_id = {run.record.id: run for run in runs}
    for board in atlas.boards:
        page = render_board(board, atlas).content
        shown = set(RUN_ID.findall(page.partition("Not on this board")[0]))
        wanted = (board.group.key, board.group.dataset_hash, board.group.evaluator)
        wanted_runs = {run.record.id for run in runs if wanted in latest_metrics(run) and run.retraction is None}
        assert shown
        assert shown <= wanted_runs
    for line in render_dataset("digits", atlas).content.split('class="lg-stretch"'):  # the label ends a stretch
        if 'class="lg-line' not in line:
            continue
        measured = [
            {
                metric.evaluator
                for metric in by_id[run_id].metrics()
                if metric.dataset_hash == VERSIONS[int(version[1]) - 1]
            }
            for run_id, version in re.findall(rf"({RUN_ID.pattern}), on (v\d)", line[line.index('class="lg-line') :])
        ]
        assert measured
        assert set.intersection(*measured), "one evaluator measured all that a line goes through"
    text = render_head(atlas, []).decode()
    for board in atlas.boards:
        assert text.count(f'"{atlas.address_of(board.group)}"') == 1, "one column for each group"
    render_experiment(base().record.experiment, atlas, lambda _: b"")


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(st.sampled_from([*VERSIONS, None]), min_size=2, max_size=6))
def test_learning_curves_on_different_data_never_share_a_chart(contents: list[str | None]) -> None:
    runs: list[StoredRun] = []
    blobs: Blobs = {}
    for index, content in enumerate(contents):
        run = sample_run(blobs, index, experiment="study", params={"seed": index}, accuracy=0.5, started=START)
        use = DatasetUse(role="validation", split="validation", name="digits", version="v1", hash=content)
        datasets = msgspec.structs.replace(run.record.datasets, used=[use])
        runs.append(msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, datasets=datasets)))
    ids = {run.record.id: content for run, content in zip(runs, contents, strict=True)}
    atlas = survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None)
    page = render_experiment("study", atlas, sample_reader(blobs)).content
    (drawn,) = re.findall(r'data-lg-name="validation/accuracy".*?</figure>', page, re.DOTALL)
    marks = " ".join(re.findall(r'data-lg-runs="([^"]*)"', drawn)).split()
    assert len({ids[atlas.runs[int(mark)].record.id] for mark in marks}) == 1
    assert ("measured it on other data" in page) == (len(set(contents)) > 1)
    charts = chart_lines(runs, sample_reader(blobs), ["validation/accuracy"]).values()
    assert len(charts) == len(set(contents))
    assert all(len({ids[run] for run, _ in members}) == 1 for _, members in charts)
