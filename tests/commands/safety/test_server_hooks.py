"""A bare repository with our hooks, and real pushes to it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.repository.hooks import SERVER, install_hooks, read_hooks, uninstall_hooks
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from tests.benchmarks.ledgers import entry_of, grow
from tests.conftest import ROOT, Cli, git_in, make_repository, run_python
from tests.samples import START
from tests.store.integrity.test_checkpoint import checkpoint
from tests.store.sync.remotes import over_http


@pytest.fixture(autouse=True)
def _our_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture(params=["sha1", "sha256"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bare repository with our server hooks and a ledger of one run."""
    return make_server(tmp_path / "the 'hub'.git", request.param)


def make_server(folder: Path, object_format: str = "sha1") -> Path:
    git_in(folder.parent, "init", "--quiet", "--bare", f"--object-format={object_format}", str(folder))
    ledger = Branch.open(folder)
    ledger.append(entry_of(0, START))
    install_hooks(ledger.repository, SERVER, sys.executable)
    return folder


@pytest.fixture
def clone(hub: Path, tmp_path: Path) -> Path:
    """A clone with the branch `ledger`, and a branch of code."""
    folder = tmp_path / "clone"
    git_in(tmp_path, "clone", "--quiet", str(hub), str(folder))
    git_in(folder, "branch", "ledger", "origin/ledger")
    git_in(folder, "checkout", "--quiet", "--orphan", "main")
    git_in(folder, "commit", "--quiet", "--allow-empty", "--message", "code")
    return folder


def push(folder: Path, *arguments: str, to: str = "origin") -> subprocess.CompletedProcess[str]:
    command = ["git", "push", to, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def refs(repository: Path) -> dict[str, str]:
    lines = git_in(repository, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def objects(repository: Path) -> int:
    return sum(path.is_file() for path in (repository / "objects").rglob("*"))


def spoil(folder: Path, path: str = "runs/2026/01/01/x/record.json", onto: str = "refs/heads/ledger") -> str:
    """Commit a file onto the ledger that is no entry, and return the commit."""
    stream = (
        f"commit {onto}\ncommitter Mallory <m@example.com> 1790000000 +0000\ndata 3\nbad\n"
        f"from {onto}^0\nM 100644 inline {path}\ndata 2\n{{}}\ndone\n"
    )
    subprocess.run(["git", "fast-import", "--quiet", "--done"], cwd=folder, input=stream.encode(), check=True)
    return git_in(folder, "rev-parse", onto).strip()


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; the server works in the background."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_good_push_is_taken(hub: Path, clone: Path) -> None:
    Branch.open(clone).append(entry_of(1, START))
    done = push(clone, "ledger", "main")
    assert done.returncode == 0, done.stderr
    assert set(refs(hub)) == {"refs/heads/ledger", "refs/heads/main"}


def test_a_bad_commit_is_named_with_its_path_and_nothing_of_it_stays(hub: Path, clone: Path) -> None:
    before, stood = refs(hub), objects(hub)
    grow(clone, range(1, 4))
    bad = spoil(clone)
    grow(clone, range(4, 7))
    done = push(clone, "ledger")
    assert done.returncode == 1
    named = [line for line in done.stderr.splitlines() if "error: refs/heads/ledger: commit" in line]
    assert all(f"commit {bad[:10]}: runs/2026/01/01/x/record.json: " in line for line in named)
    assert named
    assert "Traceback" not in done.stderr
    assert (refs(hub), objects(hub)) == (before, stood), "what is refused does not stay"


def test_a_thousand_records_are_taken_at_once(tmp_path: Path) -> None:
    hub = make_server(tmp_path / "hub.git")
    git_in(tmp_path, "clone", "--quiet", "--bare", str(hub), "copy")
    grow(tmp_path / "copy", range(1, 1001))
    done = push(tmp_path / "copy", "ledger")
    assert done.returncode == 0, done.stderr
    assert len(Branch.open(hub).contents().runs) == 1001


@pytest.mark.parametrize("what", ["force", "delete"])
def test_the_ledger_is_neither_rewound_nor_deleted(hub: Path, clone: Path, what: str) -> None:
    Branch.open(clone).append(entry_of(1, START))
    assert push(clone, "ledger").returncode == 0
    before = refs(hub)
    done = push(clone, "--force", "ledger~1:ledger") if what == "force" else push(clone, ":ledger")
    assert done.returncode == 1
    assert "only ever grows" in done.stderr
    assert refs(hub) == before


def test_other_refs_are_none_of_our_business(hub: Path, clone: Path) -> None:
    install_hooks(Repository.discover(hub), SERVER, "/nowhere/python")
    git_in(clone, "branch", "my-ledger", "main")
    git_in(clone, "branch", "refs/heads/ledger", "main")
    git_in(clone, "commit", "--quiet", "--allow-empty", "--message", "more")
    names = ["main", "my-ledger", "refs/heads/refs/heads/ledger:refs/heads/x/ledger", "main:refs/tags/v1"]
    assert push(clone, *names).returncode == 0
    assert push(clone, "--force", "main~1:main", ":my-ledger").returncode == 0


def test_a_push_of_several_refs_is_taken_or_refused_whole(hub: Path, clone: Path) -> None:
    before = refs(hub)
    Branch.open(clone).append(entry_of(1, START))
    git_in(clone, "branch", "ledger-review/a", "ledger")
    spoil(clone, onto="refs/heads/ledger-review/a")
    for options in ([], ["--atomic"]):
        done = push(clone, *options, "ledger", "ledger-review/a", "main")
        assert done.returncode == 1
        assert "error: refs/heads/ledger-review/a: commit" in done.stderr
        assert refs(hub) == before
    assert push(clone, "--atomic", "ledger", "main").returncode == 0


def test_a_proposal_is_checked_as_if_it_stood_on_the_ledger(hub: Path, clone: Path) -> None:
    git_in(clone, "branch", "ledger-review/good", "ledger")
    grow(clone, range(1, 3), "refs/heads/ledger-review/good")
    Branch.open(clone).append(entry_of(9, START))
    done = push(clone, "ledger", "ledger-review/good")
    assert done.returncode == 0, done.stderr
    assert push(clone, ":ledger-review/good").returncode == 0
    assert set(refs(hub)) == {"refs/heads/ledger"}


def test_the_inbox_is_checked_and_not_emptied_of_what_the_ledger_lacks(hub: Path, clone: Path) -> None:
    (hub / "hooks/post-receive").unlink()
    git_in(clone, "update-ref", "refs/ledger/inbox/a", "ledger")
    grow(clone, range(1, 3), "refs/ledger/inbox/a")
    assert push(clone, "refs/ledger/inbox/a").returncode == 0
    lost = push(clone, ":refs/ledger/inbox/a")
    assert lost.returncode == 1
    assert "waits here with content that the ledger does not hold" in lost.stderr
    rewound = push(clone, "--force", "ledger:refs/ledger/inbox/a")
    assert rewound.returncode == 1
    git_in(clone, "update-ref", "refs/ledger/inbox/b", "ledger")
    spoil(clone, onto="refs/ledger/inbox/b")
    assert push(clone, "refs/ledger/inbox/b").returncode == 1
    both = push(clone, "refs/ledger/inbox/a:refs/heads/ledger", ":refs/ledger/inbox/a")
    assert both.returncode == 0, both.stderr


def test_checkpoints_never_move(hub: Path, clone: Path) -> None:
    name = checkpoint(Branch.open(clone)).name
    assert push(clone, name).returncode == 0
    before = refs(hub)
    Branch.open(clone).append(entry_of(1, START))
    git_in(clone, "tag", "--force", name, "ledger")
    for arguments in (["--force", name], [f":refs/tags/{name}"]):
        done = push(clone, *arguments)
        assert done.returncode == 1
        assert "a checkpoint never changes" in done.stderr
        assert refs(hub) == before


def test_what_waits_is_put_on_the_branch_after_it_arrived(hub: Path, clone: Path) -> None:
    git_in(clone, "update-ref", "refs/ledger/inbox/a", "ledger")
    grow(clone, range(1, 3), "refs/ledger/inbox/a")
    git_in(clone, "update-ref", "refs/ledger/inbox/b", "ledger")
    grow(clone, range(3, 5), "refs/ledger/inbox/b")
    assert push(clone, "refs/ledger/inbox/a").returncode == 0
    assert push(clone, "refs/ledger/inbox/b").returncode == 0
    wait_for("the inbox is folded", lambda: set(refs(hub)) == {"refs/heads/ledger"})
    assert len(Branch.open(hub).contents().runs) == 5
    assert sync(Branch.open(clone), timeout_seconds=60).safe
    assert len(Branch.open(clone).contents().runs) == 5


WRITER = """
import sys
from datetime import timedelta
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from tests.benchmarks.ledgers import entry_of
from tests.samples import START
ledger, first = Branch.open(sys.argv[1]), int(sys.argv[2])
for number in range(first, first + 4):
    ledger.append(entry_of(number, START + timedelta(seconds=number)))
    done = sync(ledger, timeout_seconds=120, hurry=True)
    print(done.state, done.message)
"""


@pytest.mark.slow
def test_many_who_push_at_once_lose_nothing_and_are_refused_nothing(tmp_path: Path) -> None:
    hub = make_server(tmp_path / "hub.git")
    clones = [tmp_path / f"clone{number}" for number in range(6)]
    for folder in clones:
        git_in(tmp_path, "clone", "--quiet", str(hub), str(folder))
    writers = [run_python(WRITER, str(folder), str(n * 10 + 1), cwd=ROOT) for n, folder in enumerate(clones)]
    said = [line for writer in writers for line in writer.communicate()[0].splitlines()]
    assert len(said) == 24
    assert [line for line in said if line.startswith("failed")] == []
    wait_for("the inbox is folded", lambda: set(refs(hub)) == {"refs/heads/ledger", "refs/ledger/remembered"})
    assert len(Branch.open(hub).contents().runs) == 25


def test_without_the_tool_nothing_for_the_ledger_is_taken_and_the_admin_is_told(
    hub: Path, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = refs(hub)
    Branch.open(clone).append(entry_of(1, START))
    tools = hub.parent / "tools"
    tools.mkdir()
    for name in ("git", "sh", "cat", "git-receive-pack", "git-upload-pack"):
        (tools / name).symlink_to(shutil.which(name) or "")
    broken = tools / "python"
    broken.write_text("#!/bin/sh\necho No module named ledger >&2\nexit 1\n")
    broken.chmod(0o755)
    for python in ("/nowhere/python", str(broken)):
        install_hooks(Repository.discover(hub), SERVER, python)
        monkeypatch.setenv("PATH", str(tools))
        done = push(clone, "ledger")
        monkeypatch.undo()
        assert done.returncode == 1
        assert "this server cannot check the ledger, so it takes nothing for it" in done.stderr
        assert refs(hub) == before


def test_a_hook_of_the_server_from_before_runs_first(hub: Path, clone: Path) -> None:
    uninstall_hooks(Repository.discover(hub), SERVER)
    own = hub / "hooks/pre-receive"
    own.write_text(f"#!/bin/sh\ncat >>'{hub.parent / 'log'}'\n[ ! -e '{hub.parent / 'closed'}' ]\n")
    own.chmod(0o755)
    install_hooks(Repository.discover(hub), SERVER, sys.executable)
    assert push(clone, "main").returncode == 0
    assert "refs/heads/main" in (hub.parent / "log").read_text()
    Branch.open(clone).append(entry_of(1, START))
    (hub.parent / "closed").touch()
    assert push(clone, "ledger").returncode == 1
    (hub.parent / "closed").unlink()
    assert push(clone, "ledger").returncode == 0


def test_a_push_over_http_is_judged_as_well(tmp_path: Path) -> None:
    hub = make_server(tmp_path / "hub.git")
    git_in(hub, "config", "http.receivepack", "true")
    git_in(tmp_path, "clone", "--quiet", "--bare", str(hub), "copy")
    python = os.environ.get("PYTHONPATH")
    assert python is not None
    # A web server hands over no environment of ours: the hook brings its own interpreter.
    install_hooks(Repository.discover(hub), SERVER, _python_with(tmp_path, python))
    with over_http(tmp_path) as address:
        grow(tmp_path / "copy", range(1, 2))
        assert push(tmp_path / "copy", "ledger", to=f"{address}/hub.git").returncode == 0
        spoil(tmp_path / "copy")
        done = push(tmp_path / "copy", "ledger", to=f"{address}/hub.git")
    assert done.returncode == 1
    assert "runs/2026/01/01/x/record.json" in done.stderr


def _python_with(folder: Path, path: str) -> str:
    made = folder / "python"
    made.write_text(f"#!/bin/sh\nPYTHONPATH='{path}' exec '{sys.executable}' \"$@\"\n")
    made.chmod(0o755)
    return str(made)


def test_a_redaction_is_taken_only_where_the_admin_says_so(hub: Path, clone: Path, cli: Cli) -> None:
    ledger = Branch.open(clone)
    ledger.append(entry_of(1, START))
    assert push(clone, "ledger").returncode == 0
    (path,) = [file.path for file in ledger.repository.read_tree("ledger") if file.path.endswith("log.txt")][:1]
    done = cli("-C", str(clone), "redact", "--yes", "--because", "a reason", "--file", path)
    assert done.code == 0, done.err
    refused = push(clone, "--force", "ledger")
    assert refused.returncode == 1
    assert "git config ledger.acceptredaction true" in refused.stderr
    git_in(hub, "config", "ledger.acceptRedaction", "true")
    taken = push(clone, "--force", "ledger")
    assert taken.returncode == 0, taken.stderr


def test_a_ledger_is_hosted_with_one_command(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("init", "--server", "team.git", "--object-format", "sha256")
    assert done.code == 0, done.err
    for word in ("git clone ", "git remote add ", "ledger sync", "http.server --directory"):
        assert word in done.out
    hub = tmp_path / "team.git"
    assert git_in(hub, "rev-parse", "--show-object-format") == "sha256\n"
    assert {hook.state for hook in read_hooks(Repository.discover(hub), SERVER)} == {"installed"}
    current = tmp_path / "team-site" / "current"
    assert (current / "index.html").is_file()
    before, tip = current.resolve(), refs(hub)["refs/heads/ledger"]
    again = cli("init", "--server", "team.git")
    assert again.code == 0, again.err
    assert (current.resolve(), refs(hub)["refs/heads/ledger"]) == (before, tip)
    git_in(tmp_path, "clone", "--quiet", "--bare", "team.git", "copy")
    grow(tmp_path / "copy", range(1, 3))
    assert push(tmp_path / "copy", "ledger").returncode == 0
    name = entry_of(1, START).id  # in its page's path, as every run's
    wait_for("the site is published", lambda: name[16:] in _names(current))
    log = hub / "ledger" / "publish.log"
    wait_for("the log says so", lambda: log.exists() and "published " in log.read_text())


def _names(folder: Path) -> str:
    return " ".join(path.name for path in folder.rglob("*.html"))


def test_a_server_may_have_any_name(tmp_path: Path, cli: Cli) -> None:
    folder = tmp_path / "$HOME 'quoted' ü"
    assert cli("init", "--server", str(folder), "--site", str(tmp_path / "$x")).code == 0
    assert (tmp_path / "$x" / "current" / "index.html").is_file()
    git_in(tmp_path, "clone", "--quiet", "--bare", str(folder), "copy")
    grow(tmp_path / "copy", range(1, 2))
    assert push(tmp_path / "copy", "ledger").returncode == 0
    spoil(tmp_path / "copy")
    assert push(tmp_path / "copy", "ledger").returncode == 1


def test_a_repository_in_which_people_work_is_no_server(repo: Path, cli: Cli) -> None:
    done = cli("hooks", "install", "--server", str(repo))
    assert done.code == 2
    assert "not a bare repository" in done.err
    full = make_repository(repo.parent / "full")
    done = cli("init", "--server", str(full))
    assert done.code == 1
    assert "this folder already holds something else" in done.err


def test_status_says_what_stands_there(hub: Path, cli: Cli) -> None:
    assert cli("hooks", "status", "--server", str(hub)).code == 0
    assert cli("hooks", "uninstall", "--server", str(hub)).code == 0
    done = cli("hooks", "status", "--server", str(hub), "--json")
    assert done.code == 1
    assert done.out.count('"absent"') == 2
    assert cli("hooks", "install", "--server", str(hub)).err.count("installed") == 2
