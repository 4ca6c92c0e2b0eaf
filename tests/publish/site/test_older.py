"""Runs without a page of their own: their pages stand together, whole, and everything leads to them."""

import gzip
import json
import re
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest

from ledger.errors import LedgerError
from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages import addresses
from ledger.publish.site import site_data
from ledger.publish.site.build import build_site
from ledger.publish.site.output import MEMORY, SiteReport
from ledger.store.branch.policy import load_policy
from tests.publish.data_scripts import called
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader

TOGETHER = 4


@pytest.fixture(autouse=True)
def _few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_data, "OLDER_TOGETHER", TOGETHER)
    monkeypatch.setattr("ledger.publish.site.run_units.OLDER_TOGETHER", TOGETHER)


def runs_of(contents: Contents) -> list[StoredRun]:
    """Return the runs, oldest first."""
    return sorted(contents.runs, key=lambda run: run.record.id)


def built(ledger: tuple[Contents, Blobs], output: Path, run_pages: int, count: int | None = None) -> SiteReport:
    contents, blobs = ledger
    contents = msgspec.structs.replace(contents, runs=tuple(runs_of(contents)[:count]))
    return build_site(contents, sample_reader(blobs), sample_log(contents), output, run_pages=run_pages)


def files_in(output: Path) -> dict[str, bytes]:
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and path.name != MEMORY
    }


def pages_in(output: Path, number: int) -> dict[str, dict[str, object]]:
    found = json.loads(gzip.decompress(b64decode(called(output / addresses.older_data(number)))))
    return {
        run_id: {**page, **{part: "\n".join(found["lines"][at] for at in page[part]) for part in ("content", "toc")}}
        for run_id, page in found["runs"].items()
    }


@pytest.fixture(scope="module")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


def test_a_small_ledger_has_a_page_for_every_run(ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    built(ledger, tmp_path, run_pages=len(ledger[0].runs))
    assert not (tmp_path / addresses.OLDER).exists()
    assert not (tmp_path / "data/older").exists()
    assert called(tmp_path / "data/runs.js")["older"] == 0


def test_pages_of_older_runs_say_what_their_own_would(ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    ids = [run.record.id for run in runs_of(ledger[0])]
    whole, short = tmp_path / "whole", tmp_path / "short"
    built(ledger, whole, run_pages=len(ids))
    built(ledger, short, run_pages=9)
    older = (len(ids) - 9) // TOGETHER * TOGETHER
    assert older == 8
    assert [(short / addresses.run_page(run_id)).exists() for run_id in ids] == [at >= older for at in range(len(ids))]
    assert called(short / addresses.OLDER_DATA) == ids[:older:TOGETHER]
    for at, run_id in enumerate(ids[:older]):
        page = pages_in(short, at // TOGETHER)[run_id]
        own = (whole / addresses.run_page(run_id)).read_text("utf-8")
        text = re.sub(r"runs/older\.html\?run=([0-9a-z-]+)", r"runs/\1.html", str(page["content"]))
        text = re.sub(r"<code>ledger export --to.*?</code>", "", text)
        assert re.sub(r'<a href="[^"]+" type="application/json">[^<]+</a>(, )?', "", own).count(text) == 1
        curves = whole / addresses.curve_data(run_id)
        assert page["curves"] == (called(curves) if curves.exists() else None)
        assert not (short / addresses.curve_data(run_id)).exists()
        assert not (short / addresses.run_document(run_id, "prov")).exists()


def test_links_lead_to_the_page_that_shows_an_older_run(ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    built(ledger, tmp_path, run_pages=9)
    told = 0
    for path in tmp_path.rglob("*.html"):
        for up, run_id in re.findall(r'href="((?:\.\./)*)runs/(\d{8}-\d{6}-\w{6})\.html', path.read_text("utf-8")):
            assert (path.parent / up / addresses.run_page(run_id)).exists(), path
        told += path.read_text("utf-8").count(f"{addresses.OLDER}?run=")
    assert told > 8


def test_runs_grow_older_in_steps(ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    total = len(ledger[0].runs)
    built(ledger, tmp_path, run_pages=9, count=total - 2)
    ids = [run.record.id for run in runs_of(ledger[0])]
    assert called(tmp_path / "data/runs.js")["older"] == 8
    one = built(ledger, tmp_path, run_pages=9, count=total - 1)
    assert not [path for path in one.changed if "older" in path]
    built(ledger, tmp_path, run_pages=5, count=total - 1)
    assert called(tmp_path / "data/runs.js")["older"] == 12
    assert not (tmp_path / addresses.run_page(ids[11])).exists()
    assert (tmp_path / addresses.run_page(ids[12])).exists()
    again = built(ledger, tmp_path, run_pages=5, count=total - 1)
    assert again.changed == ()
    built(ledger, tmp_path, run_pages=total, count=total - 1)
    assert not (tmp_path / "data/older").exists()
    assert (tmp_path / addresses.run_page(ids[0])).exists()


def test_a_site_that_grew_is_the_one_that_is_built_at_once(ledger: tuple[Contents, Blobs], tmp_path: Path) -> None:
    """Links to runs that lost their own page lead to where they are shown, on pages of runs that did not change too."""
    total = len(ledger[0].runs)
    for count in range(total - 9, total + 1):
        built(ledger, tmp_path / "grown", run_pages=4, count=count)
    built(ledger, tmp_path / "fresh", run_pages=4)
    grown, fresh = files_in(tmp_path / "grown"), files_in(tmp_path / "fresh")
    assert sorted(grown) == sorted(fresh)
    assert [path for path in fresh if grown[path] != fresh[path]] == []


def test_the_policy_says_how_many_have_a_page() -> None:
    assert load_policy(b"").site.run_pages == 12_000
    assert load_policy(b"site: {run_pages: 500}").site.run_pages == 500
    for wrong in (b"site: {run_pages: 0}", b"site: {run_pages: many}", b"site: {pages: 3}"):
        with pytest.raises(LedgerError, match="site"):
            load_policy(wrong)
