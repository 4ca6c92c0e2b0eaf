"""The verdict on a run's page is that of `ledger judge`."""

from datetime import timedelta

import msgspec

from ledger.analysis.judging.judgement import gather, judge
from ledger.model.entries import Contents, Note, StoredRun
from ledger.model.values import number
from ledger.publish.pages.parts.verdict_line import verdict_lines
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import Atlas, survey
from tests.samples import START, Blobs, sample_reader, sample_run

BASE, GOOD = (0.901, 0.898, 0.903, 0.899, 0.902), (0.951, 0.948, 0.953, 0.949, 0.952)


def study(*more: float) -> tuple[Atlas, Blobs]:
    blobs: Blobs = {}
    values = [(0.1, value) for value in BASE] + [(0.2, value) for value in GOOD] + [(0.3, value) for value in more]
    runs = [run_with(blobs, at, lr, value) for at, (lr, value) in enumerate(values)]
    first = runs[0]
    note = Note(
        format=1,
        id=first.record.id,
        run=first.record.id,
        kind="baseline",
        text="production",
        author=first.record.author,
        noted_at=START,
        tool="git-ledger",
    )
    runs[0] = msgspec.structs.replace(first, notes=(note,))
    return survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None), blobs


def run_with(blobs: Blobs, at: int, lr: float, value: float) -> StoredRun:
    started = START + timedelta(minutes=at)
    run = sample_run(blobs, at, experiment="study", params={"lr": lr, "seed": at}, accuracy=0.5, started=started)
    (metric, *_) = run.record.results.metrics
    metric = msgspec.structs.replace(metric, value=number(value))
    results = msgspec.structs.replace(run.record.results, metrics=[metric], headline=metric.key)
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, results=results))


def test_the_page_says_what_the_command_says() -> None:
    atlas, blobs = study(0.91)
    lines = verdict_lines(atlas)
    (tried,) = gather(atlas.runs).values()
    base, better, single = (atlas.runs[at].record.id for at in (0, 5, 10))
    assert {lines[better].answer, lines[single].answer} == {"keep", "cannot tell"}
    for run in (better, single):
        verdict = judge(run, base, tried).verdict
        assert (lines[run].answer, lines[run].why) == (verdict.answer, verdict.why)
        page, _, _ = render_run(atlas.by_id[run], atlas, sample_reader(blobs), lines[run])
        assert f">{verdict.answer}</strong>: {verdict.why}" in page.content
    assert base not in lines
    assert atlas.runs[1].record.id not in lines  # of the same setting as the baseline


def test_a_new_run_moves_no_line_whose_answer_stays() -> None:
    before, after = verdict_lines(study(0.91)[0]), verdict_lines(study(0.91, 0.93)[0])
    kept = {run for run, line in before.items() if line.answer == "keep"}
    assert len(kept) == len(GOOD)
    assert all(before[run] == after[run] for run in kept)


def test_nothing_is_said_where_there_is_nothing_to_compare_with() -> None:
    runs = tuple(run_with({}, at, 0.1, 0.9) for at in range(3))
    assert verdict_lines(survey(Contents(tip="1" * 40, runs=runs), [], None)) == {}
