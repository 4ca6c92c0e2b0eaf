"""The line of each folded box, and the params beside those of the run that a run is compared with."""

import msgspec
import pytest

from ledger.model.boxes.inputs import Params
from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages.parts.box_glances import box_glances
from ledger.publish.pages.run_page import SECTIONS, render_run
from ledger.publish.site.site_data import survey
from tests.publish.pages.test_pages import Page
from tests.samples import Blobs, sample_ledger, sample_reader


@pytest.fixture(scope="module")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


def with_params(run: StoredRun, baseline: str | None = None, **values: float) -> StoredRun:
    record = msgspec.structs.replace(run.record, params=Params(values={**values}), baseline=baseline)
    return msgspec.structs.replace(run, record=record, notes=(), evaluations=())


def test_every_box_has_a_line_and_one_that_nobody_knows_has_none(ledger: tuple[Contents, Blobs]) -> None:
    for run in ledger[0].runs:
        glances = box_glances(run)
        assert [*glances] == [name for name, _ in SECTIONS]
        for name, glance in glances.items():
            assert bool(glance) == getattr(run.record, name).known, (name, glance)


def test_the_lines_say_what_is_in_the_boxes(ledger: tuple[Contents, Blobs]) -> None:
    run = next(run for run in ledger[0].runs if run.record.experiment == "augmentation")
    glances = box_glances(run)
    assert glances["code"].startswith("commit ")
    assert "NVIDIA L4" in glances["hardware"]
    assert "digits-validation@v2 (validation)" in glances["datasets"]
    assert "37" in glances["model"]
    assert "warning" in glances["logs"]
    assert glances["params"] == f"{len(run.record.params.values)} params"
    later = next(run for run in ledger[0].runs if run.evaluations)
    assert "measured later" in box_glances(later)["results"]


def test_params_that_differ_from_the_reference_are_marked_on_both_sides(ledger: tuple[Contents, Blobs]) -> None:
    first, second = ledger[0].runs[:2]
    base = with_params(first, lr=0.1, width=8, old=1)
    ours = with_params(second, base.record.id, lr=0.1, width=16, new=2)
    atlas = survey(Contents(tip="1" * 40, runs=(base, ours)), [], None)
    page, _, _ = render_run(ours, atlas, sample_reader(ledger[1]))
    table = page.content.partition('aria-label="Parameters"')[2].partition("</table>")[0]
    rows = {row.partition("<code>")[2].partition("<")[0]: row for row in table.split("<tr")[2:]}
    assert {name: "lg-differs" in row for name, row in rows.items()} == {
        "lr": False, "width": True, "new": True, "old": True,
    }  # fmt: skip
    assert "the same" in rows["lr"]
    assert "3 params, 3 differ from what it is compared with" in Page(page.content).text
    alone, _, _ = render_run(base, atlas, sample_reader(ledger[1]))
    assert "differ" not in alone.content.partition('aria-label="Parameters"')[2].partition("</table>")[0]


def test_two_redacted_params_are_not_said_to_be_the_same(ledger: tuple[Contents, Blobs]) -> None:
    first, second = ledger[0].runs[:2]

    def with_token(run: StoredRun, baseline: str | None) -> StoredRun:
        params = Params(values={"token": "[redacted: token]", "lr": 0.1})
        record = msgspec.structs.replace(run.record, params=params, baseline=baseline)
        return msgspec.structs.replace(run, record=record, notes=(), evaluations=())

    base, ours = with_token(first, None), with_token(second, first.record.id)
    atlas = survey(Contents(tip="1" * 40, runs=(base, ours)), [], None)
    page, _, _ = render_run(ours, atlas, sample_reader(ledger[1]))
    table = page.content.partition('aria-label="Parameters"')[2].partition("</table>")[0]
    assert "unknown: redacted" in table
    assert "lg-differs" not in table
    assert table.count("the same") == 1
