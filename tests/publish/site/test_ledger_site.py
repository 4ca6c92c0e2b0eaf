"""Builds of a branch: nothing new is answered without reading it, and whatever may change a page is seen."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.publish.pages import addresses
from ledger.publish.site import placing, renderer
from ledger.publish.site.background import CURRENT, publish_ledger
from ledger.publish.site.frames import read_handbook
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.output import SiteReport
from ledger.resources import shipped
from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import entry_of
from tests.conftest import git_in
from tests.samples import START


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    git_in(tmp_path, "init", "--quiet", "--bare", "hub")
    branch = Branch.open(tmp_path / "hub")
    for number in range(3):
        branch.append(entry_of(number, START))
    return branch


@pytest.fixture(autouse=True)
def one_handbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run MkDocs once for each title: a second of each build, and the same each time."""
    monkeypatch.setattr(placing, "read_handbook", _handbook)


_handbook = cache(read_handbook)


WEB = "https://example.org/x"


def build(branch: Branch, title: str = "Ours", **changes: object) -> SiteReport:
    output = branch.repository.git_dir.parent / "out"
    return build_ledger_site(branch, output, title=title, **changes)  # type: ignore[arg-type]  # by name


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_branch: Branch) -> None:
        raise LedgerError("the records are read")

    monkeypatch.setattr(Branch, "contents", refuse)


def test_nothing_new_is_answered_without_reading_a_record(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(branch)
    forbid_reading(monkeypatch)
    again = build(branch)
    assert (again.written, again.deleted, again.changed) == (0, 0, ())
    assert again.kept == first.written > 3


def test_whatever_may_change_a_page_is_read_again(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    build(branch)
    branch.append(entry_of(7, START))
    assert addresses.HOME in build(branch).changed
    assert addresses.HOME in build(branch, proposals=["wider"]).changed
    assert build(branch, "Theirs", repository_url=WEB).written > 4
    assert build(branch, "Theirs", repository_url=WEB).written == 0
    monkeypatch.setattr(renderer, "_versions", lambda: ["another jinja2"])
    assert build(branch, "Theirs", repository_url=WEB).written > 4


def test_a_changed_source_or_template_is_read_again(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(shipped("templates"), templates)
    monkeypatch.setattr(renderer, "shipped", lambda name: templates if name == "templates" else shipped(name))
    build(branch)
    assert build(branch).written == 0
    with (templates / "run.html.jinja").open("a") as file:
        file.write("changed")
    assert build(branch).written >= 3


def test_a_changed_policy_is_read_again_by_the_same_process(branch: Branch, tmp_path: Path) -> None:
    build(branch)
    assert branch.policy.budget.parameters is None
    copy = tmp_path / "copy"
    git_in(tmp_path, "clone", "--quiet", "--branch", "ledger", str(tmp_path / "hub"), str(copy))
    (copy / "policy.yaml").write_text("budget:\n  parameters: 1\n")
    git_in(copy, "add", "policy.yaml")
    git_in(copy, "commit", "--quiet", "-m", "Bound models")
    git_in(copy, "push", "--quiet", "origin", "ledger")
    changed = build(branch).changed
    assert sum(path.startswith("runs/2") for path in changed) == 3
    assert "budget" in (tmp_path / "out" / next(path for path in changed if path.startswith("runs/2"))).read_text()


def test_a_policy_that_cannot_be_read_is_told_each_time(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    git_in(tmp_path, "clone", "--quiet", "--branch", "ledger", str(tmp_path / "hub"), str(copy))
    (copy / "policy.yaml").write_text("budget: [")
    git_in(copy, "add", "policy.yaml")
    git_in(copy, "commit", "--quiet", "-m", "Break it")
    git_in(copy, "push", "--quiet", "origin", "ledger")
    build(branch)
    forbid_reading(monkeypatch)
    with pytest.raises(LedgerError, match="the records are read"):
        build(branch)


@pytest.mark.parametrize("folder", ["runs", "data/curves", "assets/ledger", "data"])
def test_a_file_that_somebody_deleted_or_changed_is_made_again(branch: Branch, tmp_path: Path, folder: str) -> None:
    build(branch)
    file = min(path for path in (tmp_path / "out" / folder).iterdir() if path.is_file())
    before = file.read_bytes()
    file.unlink()
    build(branch)
    assert file.read_bytes() == before
    file.write_bytes(before + b" ")
    build(branch)
    assert file.read_bytes() == before
    assert build(branch).changed == ()


def test_files_of_others_in_the_output_cost_one_reading(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(branch)
    (tmp_path / "out" / "CNAME").write_text("ledger.example.org")
    (tmp_path / "out" / ".git").mkdir()
    (tmp_path / "out" / ".git" / "index").write_text("of the branch for pages")
    assert build(branch).changed == ()
    (tmp_path / "out" / ".git" / "index").unlink()
    forbid_reading(monkeypatch)
    assert build(branch).changed == ()


def test_problems_are_told_each_time_and_a_missing_object_is_looked_for(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(path for path in entry_of(0, START).files if path.endswith("record.json"))
    blob = git_in(tmp_path / "hub", "rev-parse", f"ledger:{path}").strip()
    lost = branch.repository.git_dir / "objects" / blob[:2] / blob[2:]
    lost.rename(tmp_path / "kept")
    assert any("missing from this clone" in problem for problem in build(branch).problems)
    assert any("missing from this clone" in problem for problem in build(branch).problems)
    (tmp_path / "kept").rename(lost)
    assert build(branch).problems == ()
    forbid_reading(monkeypatch)
    assert build(branch).problems == ()


def test_a_clone_that_was_shallow_shows_its_whole_log(branch: Branch, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git_in(
        tmp_path, "clone", "--quiet", "--bare", "--depth=1", "--branch=ledger", f"file://{tmp_path / 'hub'}", "shallow"
    )
    copy = Branch.open(shallow)
    build(copy)
    before = (tmp_path / "out" / "index.html").read_bytes()
    assert build(copy).changed == ()
    git_in(shallow, "fetch", "--quiet", "--unshallow", "origin", "ledger")
    build(copy)
    assert (tmp_path / "out" / "index.html").read_bytes() != before


def test_publishing_nothing_new_copies_no_build(
    branch: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    first = publish_ledger(branch, site, notify=lambda _line: None)
    forbid_reading(monkeypatch)
    monkeypatch.setattr(shutil, "copytree", lambda *_a, **_k: pytest.fail("the build is copied"))
    again = publish_ledger(branch, site, notify=lambda _line: None)
    assert first is not None
    assert again is not None
    assert (again.changed, again.folder) == (False, first.folder)
    monkeypatch.undo()
    (site / CURRENT / "index.html").unlink()
    mended = publish_ledger(branch, site, notify=lambda _line: None)
    assert mended is not None
    assert mended.changed
    assert (site / CURRENT / "index.html").exists()


def test_bytecode_of_python_and_of_templates_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text("x = 1")
    before = renderer.files_key(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "templates-1-2.cache").write_bytes(b"compiled")
    assert renderer.files_key(tmp_path) == before
    (tmp_path / "page.py").write_text("x = 2")
    assert renderer.files_key(tmp_path) != before
