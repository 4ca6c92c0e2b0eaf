"""What a shared address shows, and what the compare page says and judges, in a real browser."""

import re
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page

from ledger.analysis.judging.judgement import gather, verdict_on
from ledger.model.boxes.code import Code
from ledger.model.boxes.inputs import Datasets, Params
from ledger.model.boxes.machine import Environment
from ledger.model.entries import Contents, StoredRun
from ledger.model.values import Status
from ledger.publish.site.build import build_site
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader


def site_of(folder: Path, runs: list[StoredRun], blobs: Blobs, name: str) -> Path:
    contents = msgspec.structs.replace(sample_ledger()[0], runs=tuple(runs))
    build_site(contents, sample_reader(blobs), sample_log(contents), folder / name)
    return folder / name


def as_setting(run: StoredRun, lr: float, seed: int, value: float, status: Status = "finished") -> StoredRun:
    record = run.record
    metrics = [
        msgspec.structs.replace(metric, value=value) if metric.key == record.results.headline else metric
        for metric in record.results.metrics
    ]
    results = msgspec.structs.replace(record.results, metrics=metrics)
    params = Params(values={"lr": lr, "seed": seed})
    code = msgspec.structs.replace(record.code, patch=None, dirty=False)
    changed = msgspec.structs.replace(record, results=results, params=params, seed=seed, status=status, code=code)
    return msgspec.structs.replace(run, record=changed, evaluations=(), notes=())


@pytest.fixture
def runs(ledger: tuple[Contents, Blobs]) -> list[StoredRun]:
    """Three repeats of a good setting, three of a bad one, and a failed run with the best value."""
    base = ledger[0].runs[0]
    measured = [("0.1", 0.91), ("0.1", 0.912), ("0.1", 0.911), ("0.2", 0.81), ("0.2", 0.812), ("0.2", 0.811)]
    made = []
    for index, (lr, value) in enumerate([*measured, ("0.3", 0.99)]):
        one = msgspec.structs.replace(
            base, record=msgspec.structs.replace(base.record, id=f"20261103-09123{index}-aaaaa{index}")
        )
        made.append(as_setting(one, float(lr), index, value, "failed" if index == 6 else "finished"))
    return made


def compared(tab: Page, site: Path, runs: list[StoredRun]) -> str:
    tab.goto("about:blank")
    tab.goto((site / "compare.html").as_uri() + "#runs=" + ",".join(run.record.id for run in runs))
    tab.wait_for_selector("[data-compare][data-ready]")
    return tab.inner_text("main")


def verdicts(tab: Page) -> list[str]:
    return [cell.inner_text() for cell in tab.query_selector_all("[aria-label='Verdicts'] .lg-v")]


def test_the_compare_page_says_what_judge_says_of_the_settings(
    tab: Page, ledger: tuple[Contents, Blobs], runs: list[StoredRun], tmp_path: Path
) -> None:
    site = site_of(tmp_path, runs, ledger[1], "site")
    good, again, bad, failed = runs[0], runs[1], runs[3], runs[6]
    text = compared(tab, site, [good, again])
    assert "one setting: they differ by seed only" in text
    assert verdicts(tab) == []
    assert "They differ in params (lr" in compared(tab, site, [good, bad])
    (tried,) = [each for each in gather(runs).values() if each.group.key == good.record.results.headline]
    said = verdict_on(bad.record.id, good.record.id, tried)
    assert (verdicts(tab)[:1], said.answer) == (["worse"], "discard")
    assert said.why in tab.inner_text("[aria-label='Verdicts']")
    tab.get_by_label(f"Compare with {bad.record.id} as the reference").click()
    assert tab.url.endswith(f"reference={bad.record.id}")
    assert (verdicts(tab)[:1], verdict_on(good.record.id, bad.record.id, tried).answer) == (["better"], "keep")
    text = compared(tab, site, [good, failed])
    assert f"Never the best, since it did not finish, or was retracted or continued: {failed.record.id}" in text
    assert set(verdicts(tab)) == {"not comparable"}


def test_repeats_are_one_line_in_a_band_and_smoothing_redraws_it(
    tab: Page, ledger: tuple[Contents, Blobs], runs: list[StoredRun], tmp_path: Path
) -> None:
    compared(tab, site_of(tmp_path, runs, ledger[1], "site"), [runs[0], runs[3], runs[1]])
    tab.wait_for_selector(".lg-live canvas")
    names = [item.inner_text() for item in tab.query_selector_all("[data-series] .lg-legend a")]
    assert [name.partition(" (")[2] for name in names] == ["mean of 2)", ""]

    def picture() -> bytes:
        tab.wait_for_timeout(300)
        return tab.locator(".lg-live").first.screenshot()

    before = picture()
    tab.get_by_label("Smoothing").fill("0.9")
    assert picture() != before
    tab.get_by_label("each run by itself").check()
    tab.wait_for_selector(".lg-live canvas")
    assert len(tab.query_selector_all("[data-series] .lg-legend a")) == 3


def test_the_compare_page_names_training_data_that_differs(
    tab: Page, ledger: tuple[Contents, Blobs], runs: list[StoredRun], tmp_path: Path
) -> None:
    other = runs[1]
    used = [
        msgspec.structs.replace(use, version="v9", hash="blake3:9") if use.role == "train" else use
        for use in other.record.datasets.used
    ]
    datasets = msgspec.structs.replace(other.record.datasets, used=used)
    record = msgspec.structs.replace(other.record, datasets=datasets, params=runs[0].record.params)
    runs[1] = msgspec.structs.replace(other, record=record)
    site = site_of(tmp_path, runs, ledger[1], "site")
    text = compared(tab, site, runs[:2])
    assert "They differ in training data" in text
    assert "digits-train@v9" in text
    assert "digits-train@v9" in tab.inner_text("[aria-label='What differs']")


def test_what_nobody_knows_is_never_said_to_be_the_same(
    tab: Page, ledger: tuple[Contents, Blobs], runs: list[StoredRun], tmp_path: Path
) -> None:
    def without(run: StoredRun) -> StoredRun:
        record = msgspec.structs.replace(run.record, datasets=Datasets(), code=Code(), environment=Environment())
        return msgspec.structs.replace(run, record=record)

    known = compared(tab, site_of(tmp_path, runs, ledger[1], "known"), [runs[0], runs[3]])
    assert re.search(r"The same in all: .*data, code, environment, hardware", known)
    assert "Not known well enough" not in known
    blind = [without(run) for run in runs]
    unknown = compared(tab, site_of(tmp_path, blind, ledger[1], "unknown"), [blind[0], blind[3]])
    assert "Not known well enough to say so: data, code, environment." in unknown
    assert "The same in all: hardware." in unknown


def test_a_shared_address_shows_the_same_metric_later_or_says_that_it_is_gone(
    tab: Page, ledger: tuple[Contents, Blobs], runs: list[StoredRun], tmp_path: Path
) -> None:
    before = site_of(tmp_path, runs, ledger[1], "before")
    after = site_of(tmp_path, [*runs, *ledger[0].runs[1:]], ledger[1], "after")
    tab.goto((before / "runs/index.html").as_uri())
    tab.wait_for_selector("[data-ready]")
    tab.locator("summary", has_text="Columns").click()
    tab.wait_for_selector("[data-choice^='m.']")
    (column, *_) = [box.get_attribute("data-choice") or "" for box in tab.query_selector_all("[data-choice^='m.']")]
    shown = {}
    for site in (before, after):
        tab.goto("about:blank")
        tab.goto((site / "runs/index.html").as_uri() + f"#sort=-{column}&cols=started,{column}")
        tab.wait_for_selector("[data-ready]")
        shown[site] = tab.inner_text(f"th:has([data-sort='{column}'])")
        assert not tab.is_visible("[data-runs-table] .lg-callout")
    assert shown[before] == shown[after]
    tab.goto("about:blank")
    tab.goto((after / "runs/index.html").as_uri() + "#sort=-m.1&cols=started,m.1")
    tab.wait_for_selector("[data-ready]")
    assert "names columns that are not here (any more): m.1" in tab.inner_text("[data-runs-table] .lg-callout")
