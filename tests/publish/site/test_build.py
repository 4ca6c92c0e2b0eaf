import dataclasses
import json
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from ledger.errors import Conflict, LedgerError
from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages import addresses
from ledger.publish.site import renderer
from ledger.publish.site.build import build_site
from ledger.publish.site.output import MEMORY, SiteReport, delete_files, inside
from tests.conftest import git_in
from tests.publish.data_scripts import called
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader


@dataclasses.dataclass
class Site:
    """A site that a test builds again and again."""

    output: Path
    contents: Contents
    blobs: Blobs

    def build(self, runs: Iterable[StoredRun] | None = None, **changes: object) -> SiteReport:
        contents = self.contents if runs is None else msgspec.structs.replace(self.contents, runs=tuple(runs))
        contents = msgspec.structs.replace(contents, **changes)
        return build_site(contents, sample_reader(self.blobs), sample_log(contents), self.output)

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.output).as_posix(): path.read_bytes()
            for path in self.output.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def site(tmp_path: Path) -> Site:
    contents, blobs = sample_ledger()
    return Site(tmp_path / "out", contents, blobs)


def test_every_run_experiment_and_dataset_has_a_page(site: Site) -> None:
    site.build()
    for run in site.contents.runs:
        assert (site.output / addresses.run_page(run.record.id)).is_file()
        assert (site.output / addresses.experiment_page(run.record.experiment)).is_file()
    for version in site.contents.datasets:
        assert version.hash in (site.output / addresses.dataset_page(version.name)).read_text()


def test_building_again_writes_nothing(site: Site) -> None:
    first = site.build()
    again = site.build()
    assert (again.written, again.deleted, again.changed) == (0, 0, ())
    assert again.kept == first.written


def test_two_builds_give_the_same_bytes(site: Site, tmp_path: Path) -> None:
    site.build()
    other = Site(tmp_path / "other", site.contents, site.blobs)
    other.build()
    assert other.files() == site.files()


def test_a_new_record_writes_its_page_and_those_that_show_it(site: Site) -> None:
    *before, patched, _ = site.contents.runs
    site.build(before)
    report = site.build([*before, patched])
    pages = {path for path in report.changed if path.endswith(".html")}
    boards = {path for path in pages if path.startswith("leaderboards/validation-")}
    assert addresses.run_page(patched.record.id) in pages
    assert pages - boards == {
        addresses.run_page(patched.record.id),
        addresses.MILESTONES,
        addresses.experiment_page("augmentation"),
        addresses.HOME,
        addresses.COSTS,
        addresses.LISTS,
        *(addresses.list_page(name) for name in ("people", "tags", "models", "warnings", "reproducibility")),
        addresses.RUNS,
        addresses.EXPERIMENTS,
        addresses.DATASETS,
        addresses.BOARDS,
        addresses.dataset_page("digits-validation"),
        addresses.dataset_page("digits-train"),
        next(iter(path for path in pages if path.startswith("leaderboards/train-loss")), addresses.BOARDS),
    }


def test_a_new_run_of_an_experiment_also_writes_the_run_before_it(site: Site) -> None:
    *before, last = (run for run in site.contents.runs if run.record.experiment == "cnn-width")
    site.build(before)
    changed = site.build([*before, last]).changed
    written = [path for path in changed if path.startswith("runs/2026")]
    previous = max(run.record.id for run in before if run.record.id < last.record.id)
    following = [run.record.id for run in before if run.record.id > last.record.id][:1]
    assert written == sorted(addresses.run_page(run_id) for run_id in [previous, last.record.id, *following])


def test_pages_that_only_name_a_run_are_written_again_when_its_name_changes(site: Site, tmp_path: Path) -> None:
    def apart(run: StoredRun, **fields: object) -> StoredRun:
        return msgspec.structs.replace(
            run, record=msgspec.structs.replace(run.record, experiment="apart", status="failed", **fields)
        )

    ours = next(run for run in site.contents.runs if run.record.headline and run.record.status == "finished")
    failed = apart(ours)  # it stands beside the board, where nothing else of its experiment does
    params = msgspec.structs.replace(ours.record.params, values=dict.fromkeys(ours.record.params.values, "other"))
    empty = msgspec.structs.replace(ours.record.results, metrics=[])
    other = apart(ours, id="20261231-235959-zzzzzz", params=params, results=empty)
    other = msgspec.structs.replace(other, path="runs/2026/12/31/20261231-235959-zzzzzz", evaluations=())
    before = [failed if run is ours else run for run in site.contents.runs]
    site.build(before)
    site.build([*before, other])
    fresh = Site(tmp_path / "fresh", site.contents, site.blobs)
    fresh.build([*before, other])
    made, wanted = site.files(), fresh.files()
    assert sorted(made) == sorted(wanted)
    assert [path for path in made if path != MEMORY and made[path] != wanted[path]] == []


def test_a_later_evaluation_writes_the_page_of_its_run_again(site: Site) -> None:
    run = next(run for run in site.contents.runs if run.evaluations)
    without = [msgspec.structs.replace(run, evaluations=()) if each is run else each for each in site.contents.runs]
    site.build(without)
    assert addresses.run_page(run.record.id) in site.build().changed


def test_pages_of_entries_that_are_gone_are_deleted(site: Site) -> None:
    site.build()
    hostile = site.contents.runs[-1]
    report = site.build(site.contents.runs[:-1])
    gone = addresses.run_page(hostile.record.id)
    assert gone in report.changed
    assert report.deleted >= 2
    assert not (site.output / gone).exists()
    assert not list(site.output.rglob(f"*{hostile.record.id}*"))


def test_a_page_that_somebody_deleted_or_changed_is_made_again(site: Site) -> None:
    site.build()
    first, second = (addresses.run_page(run.record.id) for run in site.contents.runs[:2])
    (site.output / first).unlink()
    (site.output / second).write_text("shortened")
    assert [path for path in site.build().changed if path.endswith(".html")] == [first, second]


def test_a_damaged_memory_means_a_full_build(site: Site) -> None:
    written = site.build().written
    before = site.files()
    (site.output / MEMORY).write_text('{"units": 3')
    report = site.build()
    assert report.written == written
    assert "damaged" in report.problems[0]
    assert site.files() == before


def test_a_folder_that_is_not_ours_is_refused(site: Site) -> None:
    site.output.mkdir()
    precious = site.output / "thesis.tex"
    precious.write_text("years of work")
    with pytest.raises(Conflict, match="was not made by ledger") as caught:
        site.build()
    assert caught.value.hint is not None
    assert list(site.output.iterdir()) == [precious]


def test_files_that_others_put_into_the_site_are_left_alone(site: Site) -> None:
    site.build()
    cname = site.output / "CNAME"
    cname.write_text("ledger.example.org")
    site.build(site.contents.runs[:3])
    assert cname.read_text() == "ledger.example.org"


def test_a_memory_that_names_files_outside_deletes_nothing(site: Site, tmp_path: Path) -> None:
    site.build()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    memory = json.loads((site.output / MEMORY).read_text())
    memory["units"]["evil"] = {"key": "x", "files": {"../precious": 4}}
    (site.output / MEMORY).write_text(json.dumps(memory))
    with pytest.raises(LedgerError, match="leads out of the site"):
        site.build()
    assert precious.read_text() == "mine"


def test_a_link_in_the_output_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.html").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="a link stands"):
        delete_files(tmp_path / "out", ["runs/a.html"])
    with pytest.raises(LedgerError, match="leads out"):
        inside(tmp_path / "out", "/etc/passwd")
    assert (tmp_path / "elsewhere" / "a.html").exists()


def test_the_work_tree_of_a_pages_branch_can_be_the_output(site: Site) -> None:
    site.output.mkdir()
    git_in(site.output, "init", "--quiet")
    site.build()
    assert "runs/index.html" in git_in(site.output, "status", "--porcelain", "--untracked-files=all")


def test_nothing_half_written_is_left(site: Site) -> None:
    site.build()
    assert not list(site.output.rglob("*.aside"))


def test_an_empty_ledger_says_what_it_is_and_what_to_type(site: Site) -> None:
    report = site.build([], tip=None, datasets=())
    home = (site.output / "index.html").read_text()
    assert report.problems == ()
    assert "ready for its first run" in home
    assert "ledger run -- python train.py" in home


def test_a_record_with_a_bad_id_is_reported_and_not_shown(site: Site) -> None:
    run = site.contents.runs[0]
    evil = msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, id="../../index"))
    report = site.build([run, evil, run])
    assert len(report.problems) == 2
    assert "not well-formed" in report.problems[0]
    assert "same id" in report.problems[1]


def test_experiments_whose_names_make_the_same_file_name_get_pages_of_their_own() -> None:
    pages = {addresses.experiment_page(name) for name in ("a b", "a-b", "A b", "index", "../a-b", "a/b", "ä b")}
    assert len(pages) == 7
    assert all(".." not in page and page.count("/") == 1 for page in pages)


def test_damaged_curves_cost_the_curves_and_not_the_site(site: Site) -> None:
    run = site.contents.runs[0]
    site.blobs[run.files["curves.csv"]] = b"\xff\xfe not a table"
    site.build()
    page = (site.output / addresses.run_page(run.record.id)).read_text()
    assert "The learning curves cannot be shown" in page


def test_one_record_more_changes_one_part_of_the_table(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.publish.site.table_units.PART", 5)
    runs = sorted(site.contents.runs, key=lambda run: run.record.id)
    site.build(runs[:-1])
    report = site.build(runs)
    last = (len(runs) - 1) // 5
    parts = {path.partition("-")[0] for path in report.changed if re.match("data/(table|numbers|facts)/", path)}
    assert parts == {f"data/{kind}/{last}" for kind in ("table", "numbers", "facts")}
    head = called(site.output / "data/runs.js")
    assert [part["rows"] for part in head["parts"]] == [len(runs) - 5 * last, *[5] * last]
    for kind in ("table", "numbers", "facts"):
        names = {path.stem for path in (site.output / "data" / kind).iterdir()}
        assert names == {part["name"] for part in head["parts"]}


def test_the_table_knows_each_headline_on_the_data_it_was_measured_on(site: Site) -> None:
    site.build()
    head = called(site.output / "data/runs.js")
    (part,) = (called(path) for path in (site.output / "data/table").iterdir())
    told = {one["id"]: one for one in head["metrics"]}
    shown = {
        run_id: told[part["metrics"][at]["id"]] if at >= 0 else None
        for run_id, at in zip(part["id"], part["headline"], strict=True)
    }
    for run in site.contents.runs:
        headline, column = run.record.headline, shown[run.record.id]
        assert (headline is None) == (column is None)
        if headline is not None and column is not None:
            assert (column["key"], column["dataset"]) == (headline.key, headline.dataset)


def test_progress_is_told(site: Site) -> None:
    told: list[tuple[str, int, int]] = []
    build_site(
        site.contents,
        sample_reader(site.blobs),
        [],
        site.output,
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert ("handbook", 1, 1) in told
    assert told[-1][1] == told[-1][2] > len(site.contents.runs)


def test_pages_are_made_again_when_what_renders_them_changes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in renderer.renderer_folders():
        assert any(folder.rglob("*.py")) or any(folder.rglob("*.jinja")), folder
    site.build()
    assert site.build().written == 0
    other = site.output.parent / "sources"
    other.mkdir()
    (other / "page.py").write_text("changed")
    monkeypatch.setattr(renderer, "renderer_folders", lambda: [other])
    assert site.build().written >= len(site.contents.runs)
