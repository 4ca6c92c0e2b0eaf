"""The whole story on one machine: two clones propose, CI checks and reviews, one is merged, the site shows it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser

from ledger.publish.review.comment import MARKER
from tests.conftest import ROOT, git_in
from tests.store.sync.remotes import over_http

WORKFLOWS = ROOT / "templates" / "ci" / "github"
_LEFT_OUT = {"Install"}
"""Steps that prepare a machine as this one is already."""


def ledger(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode in {0, 2}, done.stderr
    return done


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **(more or {})}


def steps_of(workflow: str, job: str) -> list[dict[str, Any]]:
    """Return the steps of a job that are commands, as they are shipped."""
    told = yaml.safe_load((WORKFLOWS / workflow).read_text())
    return [step for step in told["jobs"][job]["steps"] if "run" in step and step.get("name") not in _LEFT_OUT]


def run_steps(workflow: str, job: str, runner: Path, variables: Mapping[str, str]) -> list[str]:
    """Run the steps of a job as GitHub does (`bash -e`), and return their names."""
    names = []
    for step in steps_of(workflow, job):
        assert "${{" not in step["run"], "what is put into a script could be a script"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=runner, capture_output=True, text=True, check=False, env=environment(variables),
        )  # fmt: skip
        assert done.returncode == 0, f"{step['name']}: {done.stdout}{done.stderr}"
        names.append(step["name"])
    return names


def train(folder: Path, lr: float, accuracy: float) -> str:
    """Record a proposal without a network, as a training does at its end; return the run."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "x.txt").write_text("validation")
    (folder / ".gitignore").write_text("data\n")
    ledger(
        folder, "record", "--review", "--no-push", "-e", "rates", "-p", f"lr={lr}", "--seed", "1",
        "-m", f"validation/accuracy={accuracy}", "-d", "validation:digits@v1=data",
    )  # fmt: skip
    return ledger(folder, "propose", "--list").stdout.strip()


def wait_until_published(site: Path, run: str) -> Path:
    deadline = time.monotonic() + 90
    while not (page := next((site / "current" / "runs").rglob(f"{run}.html"), None) if site.exists() else None):
        assert time.monotonic() < deadline, f"the server did not publish {run}"
        time.sleep(0.2)
    return page


def clone(url: str, folder: Path, *options: str) -> Path:
    git_in(folder.parent, "clone", "--quiet", *options, url, folder.name)
    git_in(folder, "config", "user.name", folder.name)
    git_in(folder, "config", "user.email", f"{folder.name}@example.com")
    return folder


def clone_with_code(url: str, folder: Path) -> Path:
    """Clone as somebody who trains: with code, and the data that everybody measures on."""
    clone(url, folder)
    git_in(folder, "checkout", "--quiet", "--orphan", "main")
    git_in(folder, "commit", "--quiet", "--allow-empty", "--message", "Train")
    (folder / "data").mkdir()
    (folder / "data" / "x.txt").write_text("validation")
    return folder


def check_and_review(runner: Path, head: str, summary: Path) -> str:
    """Do what CI does with a pull request, in both stages, and return the comment."""
    said = {"HEAD": head, "GITHUB_STEP_SUMMARY": str(summary)}
    assert run_steps("ledger-review.yml", "review", runner, said) == ["Fetch the proposal", "Check", "Review"]
    assert run_steps("ledger-comment.yml", "review", runner, said) == ["Fetch the proposal", "Check", "Review"]
    comment = (runner / "review.md").read_text()
    assert comment == summary.read_text()
    return comment


def decide(url: str, chief: Path, accepted: str, rejected: str) -> None:
    """Reject one proposal, and accept and merge the other, as a reviewer does on a plain server."""
    clone(url, chief, "--branch", "ledger")
    git_in(chief, "switch", "--quiet", "--detach")
    ledger(chief, "review", f"origin/ledger-review/{rejected}", "--reject", "--because", "worse than what runs")
    git_in(chief, "fetch", "--quiet", "origin", f"ledger-review/{accepted}:ledger-review/{accepted}")
    ledger(chief, "review", accepted, "--accept", "--because", "better, and small")
    git_in(chief, "switch", "--quiet", "ledger")
    git_in(chief, "merge", "--quiet", "--no-edit", f"ledger-review/{accepted}")
    git_in(chief, "push", "--quiet", "origin", "ledger")


@pytest.mark.slow
def test_two_clones_propose_one_is_rejected_one_is_merged_and_the_site_shows_it(
    tmp_path: Path, chromium: Browser
) -> None:
    root, site = tmp_path / "server", tmp_path / "site"
    root.mkdir()
    ledger(tmp_path, "init", "--server", str(root / "hub.git"), "--site", str(site))
    git_in(root / "hub.git", "config", "http.receivepack", "true")
    with over_http(root) as address:
        url = f"{address}/hub.git"
        clones = {name: clone_with_code(url, tmp_path / name) for name in ("ada", "bob")}
        ledger(clones["ada"], "dataset", "add", "digits", "data", "--role", "validation", "--reason", "the first")
        ledger(clones["ada"], "record", "-e", "rates", "-p", "lr=0.1", "--seed", "1",
               "-m", "validation/accuracy=0.9", "-d", "validation:digits@v1=data")  # fmt: skip
        git_in(clones["bob"], "fetch", "--quiet", "origin")

        runs = {"ada": train(clones["ada"], 0.2, 0.95), "bob": train(clones["bob"], 0.3, 0.2)}
        runner = clone(url, tmp_path / "runner", "--branch", "ledger")
        for name, run in runs.items():
            git_in(clones[name], "push", "--quiet", "origin", f"ledger-review/{run}")
            head = git_in(clones[name], "rev-parse", f"ledger-review/{run}").strip()
            comment = check_and_review(runner, head, tmp_path / f"{name}.md")
            assert comment.startswith(MARKER)
            assert run in comment.splitlines()[1]
            assert f"| param `lr` | `0.1` | `{0.2 if name == 'ada' else 0.3}` |" in comment

        decide(url, tmp_path / "chief", accepted=runs["ada"], rejected=runs["bob"])
        page = wait_until_published(site, runs["ada"])
        assert not [*(site / "current" / "runs").rglob(f"{runs['bob']}.html")]
        assert f"rejection of {runs['bob']}" in git_in(root / "hub.git", "log", "--format=%s", "ledger")

        git_in(runner, "pull", "--quiet", "--ff-only", "origin", "ledger")
        assert run_steps("ledger-site.yml", "build", runner, {}) == ["Fold the inbox", "Build"]
        assert [*(runner / "build" / "site" / "runs").rglob(f"{runs['ada']}.html")]
        assert run_steps("ledger-verify.yml", "verify", runner, {}) == ["Fetch what is remembered", "Verify"]
    look_at(page, runs["ada"], chromium)


def look_at(page: Path, run: str, chromium: Browser) -> None:
    tab = chromium.new_page()
    tab.goto(page.as_uri(), timeout=120_000)  # a busy machine
    assert run in tab.inner_text("h1")
    shown = tab.inner_text("body")
    assert re.search(r"0\.95", shown)
    assert "accepted by chief" in shown
    tab.close()
