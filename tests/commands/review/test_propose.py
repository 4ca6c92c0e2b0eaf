"""`ledger propose`: entries on a branch of their own, sent, opened where the host can be asked, and taken back."""

import json
import os
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.repository.hosts.hosts import Request, host_of, open_request, request_url
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, Finished, git_in


@pytest.fixture
def hub(repo: Path, cli: Cli) -> Path:
    git_in(repo.parent, "init", "--quiet", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(repo.parent / "hub.git"))
    git_in(repo, "config", "ledger.push", "true")
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    return repo.parent / "hub.git"


def branches(hub: Path) -> list[str]:
    return sorted(git_in(hub, "for-each-ref", "--format=%(refname:short)", "refs/heads").split())


def proposed(cli: Cli, *options: str) -> str:
    done = cli("record", "-m", "validation/accuracy=0.6", "--review", *options, "--json")
    assert done.code == 0, done.err
    return str(json.loads(done.out)["id"])


def test_a_run_is_proposed_as_it_is_recorded_and_is_nowhere_else(repo: Path, cli: Cli, hub: Path) -> None:
    run = proposed(cli)
    assert branches(hub) == ["ledger", f"ledger-review/{run}"]
    assert run not in cli("list").out
    assert len(Branch.open(repo).contents().runs) == 1
    assert git_in(hub, "merge-base", "ledger", f"ledger-review/{run}") == git_in(hub, "rev-parse", "ledger")
    assert cli("propose", "--list").out.strip() == run
    assert cli("check", f"ledger-review/{run}").code == 0
    state = git_in(repo, "status", "--porcelain")
    assert state == ""


def test_a_sweep_is_one_proposal(repo: Path, cli: Cli, hub: Path) -> None:
    for lr in (1, 2, 3):
        done = cli("record", "-p", f"lr={lr}", "-m", "validation/accuracy=0.5", "--proposal", "sweep")
        assert done.code == 0, done.err
    assert len(git_in(hub, "rev-list", "ledger..ledger-review/sweep").split()) == 3
    assert "3 runs" in cli("review", "sweep", "--format", "markdown").out


def test_runs_that_only_this_clone_has_are_proposed_later_and_merge_without_being_twice(
    repo: Path, cli: Cli, hub: Path
) -> None:
    (repo.parent / "data").mkdir()
    (repo.parent / "data" / "x.txt").write_text("x")
    for lr in (1, 2):
        done = cli(
            "record", "-p", f"lr={lr}", "-m", "validation/accuracy=0.5", "-d", "validation:d@v1=../data", "--no-push"
        )
        assert done.code == 0, done.err
    mine = [run.record.id for run in Branch.open(repo).contents().runs[1:]]
    assert cli("note", mine[0], "looks good", "--no-push").code == 0
    done = cli("propose", *mine, "--name", "two", "--no-open")
    assert done.code == 0, done.err
    assert "ledger-review/two" in branches(hub)
    assert cli("check", "ledger-review/two").code == 0, cli("check", "ledger-review/two").out
    assert "## 2 runs: " in cli("review", "two", "--format", "markdown").out, "what only this clone has is not merged"
    git_in(hub, "update-ref", "refs/heads/ledger", "ledger-review/two")  # somebody merges it
    synced = cli("sync")
    assert synced.code == 0, synced.err
    contents = Branch.open(repo).contents()
    assert [run.record.id for run in contents.runs[1:]] == mine
    assert contents.problems == ()
    assert len(contents.runs[1].notes) == 1
    assert git_in(repo, "rev-parse", "ledger") == git_in(hub, "rev-parse", "ledger")


def test_what_is_shared_already_needs_no_proposal(repo: Path, cli: Cli, hub: Path) -> None:
    done = cli("propose", Branch.open(repo).contents().runs[0].record.id)
    assert done.code == 1
    assert "is on the remote's ledger already" in done.err


def test_a_proposal_is_taken_back_here_and_there(repo: Path, cli: Cli, hub: Path) -> None:
    run = proposed(cli)
    done = cli("propose", "--withdraw", run)
    assert done.code == 0, done.err
    assert branches(hub) == ["ledger"]
    assert "no proposal waits" in cli("propose", "--list").err
    assert cli("propose", "--withdraw", run).code == 1


def test_without_a_remote_it_is_only_here_and_says_what_to_type(repo: Path, cli: Cli) -> None:
    done = cli("record", "-m", "validation/accuracy=0.6", "--review")
    assert done.code == 0, done.err
    assert "it is only here; next: git push REMOTE ledger-review/" in done.err


def test_a_remote_that_is_away_loses_nothing(repo: Path, cli: Cli, hub: Path) -> None:
    hub.rename(hub.with_name("away"))
    done = cli("record", "-m", "validation/accuracy=0.6", "--review")
    assert done.code == 0, done.err
    assert "the proposal is safe here, but" in done.err
    assert len(cli("propose", "--list").out.split()) == 1


def fake(repo: Path, name: str, script: str) -> dict[str, str]:
    """Put a command of a host on the path: it writes what it was asked."""
    folder = repo.parent / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {repo.parent}/asked\n{script}\n')
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("kind", "command", "words"),
    [
        ("github", "gh", ["pr", "create", "--base", "ledger", "--head"]),
        ("gitlab", "glab", ["mr", "create", "--target-branch", "ledger", "--source-branch"]),
        ("forgejo", "tea", ["pulls", "create", "--base", "ledger", "--head"]),
    ],
)
def test_the_pull_request_is_opened_by_the_command_of_the_host(
    repo: Path, cli: Cli, hub: Path, kind: str, command: str, words: list[str]
) -> None:
    hosted(repo, hub, kind)
    path = fake(repo, command, "echo https://host.example/team/project/pull/7")
    done = cli("record", "-m", "validation/accuracy=0.6", "--review", env=path)
    assert done.code == 0, done.err
    assert "opened https://host.example/team/project/pull/7" in done.err
    asked = (repo.parent / "asked").read_text().splitlines()
    assert asked[: len(words)] == words
    assert asked[len(words)].startswith("ledger-review/")


def hosted(repo: Path, hub: Path, kind: str) -> None:
    """Make the remote's address that of a host, while git goes to the folder beside."""
    git_in(repo, "config", "remote.origin.url", "https://host.example/team/project.git")
    git_in(repo, "config", f"url.{hub}.insteadOf", "https://host.example/team/project.git")
    git_in(repo, "config", "ledger.host", kind)


def test_a_host_that_refuses_is_one_line_and_the_page_to_open_it_by_hand(repo: Path, cli: Cli, hub: Path) -> None:
    hosted(repo, hub, "github")
    path = fake(repo, "gh", "echo 'no permission' >&2; exit 4")
    done = cli("record", "-m", "validation/accuracy=0.6", "--review", env=path)
    assert done.code == 0
    assert "`gh` refused: no permission" in done.err
    assert "https://host.example/team/project/compare/ledger..." in done.err


@pytest.mark.parametrize(
    ("url", "kind", "web"),
    [
        ("https://github.com/a/b.git", "github", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "github", "https://github.com/a/b"),
        ("ssh://git@gitlab.example.org:2222/a/b/c.git", "gitlab", "https://gitlab.example.org/a/b/c"),
        ("https://user:secret@codeberg.org/a/b", "forgejo", "https://codeberg.org/a/b"),
        ("http://gitea.local:3000/a/b.git", "forgejo", "http://gitea.local:3000/a/b"),
        ("https://git.example.org/a/b.git", "none", "https://git.example.org/a/b"),
        ("../hub.git", "none", ""),
        ("/srv/hub.git", "none", ""),
        ("file:///srv/hub.git", "none", ""),
        ("github.com.evil.example:a/b", "github", "https://github.com.evil.example/a/b"),
    ],
)
def test_hosts_are_told_by_their_address_without_its_credentials(url: str, kind: str, web: str) -> None:
    host = host_of(url)
    assert (host.kind, host.web) == (kind, web)


def test_a_page_to_open_it_by_hand_quotes_what_it_holds() -> None:
    request = Request(branch="ledger-review/a&b=c", base="ledger", title="run x: a/b 1 & more", body="")
    assert request_url(host_of("https://github.com/a/b"), request) == (
        "https://github.com/a/b/compare/ledger...ledger-review%2Fa%26b%3Dc?expand=1&title=run%20x%3A%20a/b%201%20%26%20more"
    )
    assert request_url(host_of("../hub"), request) is None


@pytest.mark.parametrize("name", ["-x", "..", "a/b", "A", "a b", "a\nb", ""])
def test_a_name_that_cannot_stand_in_a_branch_is_refused(repo: Path, cli: Cli, name: str) -> None:
    done: Finished = cli("record", "-m", "validation/accuracy=0.6", f"--proposal={name}")
    if name:
        assert done.code != 0
        assert git_in(repo, "for-each-ref", "refs/heads/ledger-review") == ""
    else:
        assert git_in(repo, "for-each-ref", "refs/heads/ledger-review") == ""


def test_a_proposal_that_another_clone_sent_is_listed_and_reviewed_by_its_name(
    repo: Path, cli: Cli, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = proposed(cli)
    git_in(repo.parent, "clone", "--quiet", "--no-checkout", str(hub), "reviewer")
    monkeypatch.chdir(repo.parent / "reviewer")
    assert cli("propose", "--list").out.strip() == run
    assert run in cli("review", "--format", "markdown").out


@pytest.mark.parametrize("url", ["https://host.example:99999/a/b", "https://host.example:x/a/b", "https://[host/a/b"])
def test_an_address_that_is_none_has_no_host(url: str) -> None:
    assert host_of(url).kind == "none"


def test_a_host_whose_name_is_only_guessed_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("GH_TOKEN", "t0ken")
    request = Request(branch="b", base="ledger", title="t", body="")
    assert open_request(host_of("https://github.localhost:1/a/b"), request, ".") is None
    with pytest.raises(LedgerError, match="could not be reached"):
        open_request(host_of("https://github.localhost:1/a/b", "github"), request, ".")


def test_a_token_that_cannot_be_sent_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("GH_TOKEN", "t0ken\n")
    with pytest.raises(LedgerError) as refused:
        open_request(
            host_of("https://h.localhost:1/a/b", "github"), Request(branch="b", base="l", title="", body=""), "."
        )
    assert "t0ken" not in refused.value.message


def test_what_waits_here_to_be_sent_is_not_proposed_along(repo: Path, cli: Cli, hub: Path) -> None:
    assert cli("record", "-m", "validation/accuracy=0.7", "--no-push").code == 0
    run = proposed(cli)
    assert git_in(hub, "rev-list", "--count", f"ledger..ledger-review/{run}").strip() == "1"
    assert cli("check", f"ledger-review/{run}").code == 0
    assert run in cli("review", run, "--format", "markdown").out


def test_a_run_is_proposed_where_nothing_says_which_remote_holds_the_ledger(repo: Path, cli: Cli) -> None:
    for name in ("one", "two"):
        git_in(repo, "remote", "add", name, str(repo.parent / name))
    run = proposed(cli)
    assert cli("propose", "--list").out.strip() == run


def test_a_proposed_run_is_sent_by_nothing_until_it_is_merged_or_withdrawn(repo: Path, cli: Cli, hub: Path) -> None:
    for lr in (1, 2):
        assert cli("record", "-p", f"lr={lr}", "-m", "validation/accuracy=0.5", "--no-push").code == 0
    held, kept = [run.record.id for run in Branch.open(repo).contents().runs[1:]]
    done = cli("propose", held, "--name", "rates", "--no-open")
    assert done.code == 0, done.err
    assert "off this clone's ledger until it is merged or withdrawn" in done.err
    assert cli("record", "-m", "validation/accuracy=0.7").code == 0
    assert cli("sync").code == 0
    shared = git_in(hub, "ls-tree", "-r", "--name-only", "ledger")
    assert kept in shared
    assert held not in shared
    assert cli("propose", "--list").out.split() == ["rates"]
    assert cli("verify").code == 0, cli("verify").out

    assert cli("propose", "--withdraw", "rates").code == 0
    assert held in [run.record.id for run in Branch.open(repo).contents().runs]
    assert cli("sync").code == 0
    assert held in git_in(hub, "ls-tree", "-r", "--name-only", "ledger")


def test_a_first_run_of_all_is_proposed_on_a_beginning_without_it(repo: Path, cli: Cli) -> None:
    git_in(repo.parent, "init", "--quiet", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(repo.parent / "hub.git"))
    git_in(repo, "config", "ledger.push", "true")
    assert cli("record", "-m", "validation/accuracy=0.5", "--no-push").code == 0
    (run,) = Branch.open(repo).contents().runs
    assert cli("propose", run.record.id, "--name", "first", "--no-open").code == 0
    assert Branch.open(repo).contents().runs == ()
    assert cli("record", "-m", "validation/accuracy=0.7").code == 0
    assert run.record.id not in git_in(repo.parent / "hub.git", "ls-tree", "-r", "--name-only", "ledger")
    git_in(repo, "push", "--quiet", "origin", ":refs/heads/ledger-review/first")
    assert cli("propose", "--withdraw", "first").code == 0
    assert len(Branch.open(repo).contents().runs) == 2
