"""Several ledgers on one site: each whole in its folder, one page for all, one search over all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli, git_in
from tests.publish.pages.test_pages import Page


@pytest.fixture
def other(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, repo: Path) -> Path:
    """A second repository with a ledger of its own, beside the first."""
    folder = tmp_path / "vision-repository"
    folder.mkdir()
    git_in(folder, "init", "--quiet", "--initial-branch=main")
    git_in(folder, "config", "user.name", "Bob")
    git_in(folder, "config", "user.email", "bob@example.org")
    git_in(folder, "commit", "--quiet", "--allow-empty", "-m", "begin")
    monkeypatch.chdir(folder)
    record = ("record", "-e", "edges", "-m", "validation/iou=0.71", "--param", "lr=0.1", "--no-push")
    assert cli(*record).code == 0
    monkeypatch.chdir(repo)
    assert cli("record", "-e", "digits", "-m", "validation/accuracy=0.9", "--no-push").code == 0
    return folder


def found_by_search(site: Path) -> dict[str, str]:
    """Return what the search finds: by address, the address with what is said of it."""
    script = (site / "data/pages.js").read_text("utf-8")
    pages = json.loads(script[script.index(", ") + 2 : -len(");\n")])
    return {address: f"{address} {text} {title}" for address, title, text in pages}


def test_each_ledger_is_a_whole_site_and_one_page_shows_all(repo: Path, other: Path, cli: Cli) -> None:
    done = cli("site", "build", "-o", "public", "--title", "Team", "--with", f"vision={other}", "--json")
    assert done.code == 0, done.err
    site = repo / "public"
    report = json.loads(done.out)
    assert any(path.startswith("projects/vision/runs/") for path in report["changed"])
    page = Page((site / "projects/index.html").read_text("utf-8"))
    assert "All projects" in page.text
    links = {attributes.get("href") for _, attributes in page.tags}
    assert {"../index.html", "../projects/vision/index.html"} <= links
    assert "edges" in (site / "projects/vision/experiments/index.html").read_text("utf-8")
    for home, up in ((site, "projects/index.html"), (site / "projects/vision", "../../projects/index.html")):
        tags = Page((home / "index.html").read_text("utf-8")).tags
        assert up in {attributes.get("href") for _, attributes in tags}
        assert (home / up).resolve() == (site / "projects/index.html").resolve()
    found = found_by_search(site)
    assert any(text.startswith("projects/vision/experiments/edges.html vision · exp") for text in found.values())
    assert any("vision · run of edges" in text for text in found.values())
    assert "experiments/digits.html" in found
    assert "experiments/edges.html" in found_by_search(site / "projects/vision")
    for address in found:
        assert (site / address).is_file(), address


def test_nothing_new_writes_nothing_and_a_new_record_moves_its_own_project(
    repo: Path, other: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = ("site", "build", "-o", "public", "--with", f"vision={other}", "--json")
    assert cli(*build).code == 0
    assert json.loads(cli(*build).out)["changed"] == []
    monkeypatch.chdir(other)
    assert cli("record", "-e", "edges", "-m", "validation/iou=0.8", "--no-push").code == 0
    monkeypatch.chdir(repo)
    changed = json.loads(cli(*build).out)["changed"]
    ours = {path for path in changed if not path.startswith("projects/vision/")}
    assert ours == {"data/pages.js", "projects/index.html"}
    assert any(path.startswith("projects/vision/runs/") for path in changed)


def test_a_project_that_is_not_named_any_more_goes_and_nothing_else(repo: Path, other: Path, cli: Cli) -> None:
    assert cli("site", "build", "-o", "public", "--with", f"vision={other}").code == 0
    kept = repo / "public/projects/notes"
    kept.mkdir()
    (kept / "mine.txt").write_text("mine", encoding="utf-8")
    assert cli("site", "build", "-o", "public").code == 0
    assert not (repo / "public/projects/vision").exists()
    assert not (repo / "public/projects/index.html").exists()
    assert (kept / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert "All projects" not in (repo / "public/index.html").read_text("utf-8")


def test_an_address_is_fetched_into_the_state_folder_and_again_when_it_moves(
    repo: Path, other: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = ("site", "build", "-o", "public", "--with", f"vision={other.as_uri()}")
    assert cli(*build).code == 0
    monkeypatch.chdir(other)
    assert cli("record", "-e", "corners", "-m", "validation/iou=0.8", "--no-push").code == 0
    monkeypatch.chdir(repo)
    assert cli(*build).code == 0
    assert (repo / "public/projects/vision/experiments/corners.html").is_file()
    assert git_in(other, "status", "--porcelain") == ""
    assert "vision" not in git_in(repo, "remote")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("vision", "a project is `NAME=PATH` or `NAME=URL`"),
        ("=x", "no name of a project"),
        ("../up=x", "no name of a project"),
        ("index.html=x", "no name of a project"),
        ("vision=--upload-pack=touch", "neither a folder nor an address"),
        ("vision=ext::sh -c touch", "neither a folder nor an address"),
        ("vision=missing", "neither a folder nor an address"),
    ],
)
def test_what_is_no_project_is_said_in_one_line(said: str, says: str, repo: Path, cli: Cli) -> None:
    done = cli("site", "build", "-o", "public", "--with", said)
    assert done.code == 2
    assert says in done.err
    assert not (repo / "public").exists()


def test_a_folder_without_a_ledger_is_named(repo: Path, cli: Cli, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git_in(empty, "init", "--quiet")
    done = cli("site", "build", "-o", "public", "--with", f"vision={empty}")
    assert done.code == 1
    assert "no ledger is there" in done.err


def test_two_projects_of_one_name_are_refused(repo: Path, other: Path, cli: Cli) -> None:
    done = cli("site", "build", "-o", "public", "--with", f"vision={other}", "--with", f"vision={other}")
    assert done.code == 2
    assert "it is there twice" in done.err


def test_serving_follows_a_ledger_in_another_folder(
    repo: Path, other: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "ledger", "site", "serve", "--port", "0", "--with", f"vision={other}"]
    with subprocess.Popen(command, cwd=repo, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        try:
            assert any("the site is at http://127.0.0.1:" in line for line in serving.stderr)
            pages = repo / "build/site/projects/vision/runs"
            before = len(list(pages.glob("*.html")))
            monkeypatch.chdir(other)
            assert cli("record", "-e", "edges", "-m", "validation/iou=0.72", "--no-push").code == 0
            assert any(line.startswith("built again") for line in serving.stderr)
            assert len(list(pages.glob("*.html"))) == before + 1
        finally:
            serving.terminate()
