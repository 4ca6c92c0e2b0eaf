"""What every test stands on: real repositories in a world of their own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from ledger.store.branch.branch import Branch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ("tests.leftovers",)

ROOT = Path(__file__).parents[1]

# Machines are busy at times: no test of ours fails on a time. Everybody draws the same examples, so what passes here
# passes there; `make faults` and the nightly job look for others, keep what they find in `.hypothesis`, and print it
# to be added by `@example`.
_CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("house", derandomize=True, **_CALM)  # type: ignore[arg-type]  # options by name
settings.register_profile("search", max_examples=2_000, print_blob=True, **_CALM)  # type: ignore[arg-type]  # as above
settings.load_profile(os.environ.get("LEDGER_EXAMPLES", "house"))


def examples(count: int) -> int:
    """Return how many examples a test draws that costs more than others: `count`, and ten times more in a search."""
    return count * (10 if os.environ.get("LEDGER_EXAMPLES") == "search" else 1)


@pytest.fixture(autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from the user's git configuration, state and environment, and they from ours."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "LEDGER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_EDITOR", "false")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n'
    )


def git_in(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_repository(folder: Path) -> Path:
    """Make a repository with one commit of one file."""
    folder.mkdir(parents=True)
    git_in(folder, "init", "--quiet")
    (folder / "train.py").write_text("print('training')\n")
    git_in(folder, "add", ".")
    git_in(folder, "commit", "--quiet", "--message", "Train")
    return folder


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit; the test works inside it."""
    folder = make_repository(tmp_path / "repo")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ledger(repo: Path) -> Branch:
    """The ledger of `repo`, without entries."""
    return Branch.open(repo)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder right in /tmp, for sockets of ours and of what we run: a system allows their path about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="ledger-", dir="/tmp") as folder:
        yield Path(folder)


class Finished:
    """What became of a command line."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


Cli = Callable[..., Finished]


@pytest.fixture
def cli() -> Cli:
    """Run the command line in a process of its own, in the current folder."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            check=False,
            timeout=120,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def run_python(script: str, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    """Start a Python script that can import ledger; the caller waits for it or kills it."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state_of(repository: Path) -> dict[str, object]:
    """Return everything that a command must leave alone: HEAD, index bytes, stash, reflog, status, files."""
    git_dir = Path(git_in(repository, "rev-parse", "--absolute-git-dir").strip())
    index = git_dir / "index"
    seen = git_in(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {
        "index": index.read_bytes() if index.exists() else None,
        "index time": index.stat().st_mtime_ns if index.exists() else None,
        "HEAD": (git_dir / "HEAD").read_bytes(),
        "head commit": git_in(repository, "rev-parse", "HEAD"),
        "branches": git_in(repository, "for-each-ref", "refs/heads/main", "refs/stash"),
        "tags": [name for name in git_in(repository, "tag").split() if not name.startswith("ledger/")],
        "reflog": git_in(repository, "reflog", "show", "HEAD", "--format=%H %gd %gs"),
        "status": git_in(repository, "--no-optional-locks", "status", "--porcelain=v2", "--branch"),
        "staged": git_in(repository, "diff", "--cached"),
        "unstaged": git_in(repository, "diff"),
        "files": {name: (repository / name).read_bytes() for name in seen if (repository / name).is_file()},
    }


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """One browser for all tests of a process: Playwright refuses a second one beside it."""
    from tests.browser.chromium import CHROMIUM, opened

    if not Path(CHROMIUM).exists() and "CI" not in os.environ:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with opened() as browser:
        yield browser
