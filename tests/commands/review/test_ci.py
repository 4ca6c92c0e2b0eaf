"""`ledger ci`: workflows in their places, and one comment that is written once and updated."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from ledger.publish.review.comment import MARKER
from tests.conftest import ROOT, Cli, git_in

TEMPLATES = ROOT / "templates" / "ci"
HOSTS = {
    "github": (
        [".github/workflows/ledger-review.yml", ".github/workflows/ledger-site.yml"],
        [".github/workflows/ledger-comment.yml", ".github/workflows/ledger-verify.yml"],
    ),
    "gitlab": ([".gitlab-ci.yml"], []),
    "forgejo": (
        [".forgejo/workflows/ledger-review.yml", ".forgejo/workflows/ledger-site.yml"],
        [".forgejo/workflows/ledger-verify.yml"],
    ),
}


@pytest.mark.parametrize("host", HOSTS)
def test_workflows_stand_where_the_host_looks_for_them(repo: Path, cli: Cli, host: str) -> None:
    on_ledger, in_tree = HOSTS[host]
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    before = git_in(repo, "rev-parse", "ledger").strip()
    done = cli("ci", "install", host)
    assert done.code == 0, done.err
    shown = git_in(repo, "ls-tree", "-r", "--name-only", "ledger").split()
    assert set(on_ledger) <= set(shown)
    assert [path for path in in_tree if (repo / path).is_file()] == in_tree
    assert cli("check", f"{before}..ledger").code == 0, cli("check", f"{before}..ledger").out
    assert cli("verify").code == 0
    assert cli("list").code == 0
    tip = git_in(repo, "rev-parse", "ledger")
    assert "every workflow is in place" in cli("ci", "install", host).err
    assert git_in(repo, "rev-parse", "ledger") == tip


def test_a_workflow_that_somebody_changed_is_not_overwritten(repo: Path, cli: Cli) -> None:
    assert cli("ci", "install", "github").code == 0
    changed = repo / ".github" / "workflows" / "ledger-verify.yml"
    changed.write_text("mine\n")
    done = cli("ci", "install", "github")
    assert done.code == 1
    assert "a different file is already in the working tree" in done.err
    assert changed.read_text() == "mine\n"
    assert cli("ci", "install", "github", "--force").code == 0
    assert changed.read_text() != "mine\n"


def test_a_workflow_that_a_team_changed_on_its_ledger_is_not_overwritten(repo: Path, cli: Cli) -> None:
    assert cli("ci", "install", "gitlab").code == 0
    tip = git_in(repo, "rev-parse", "ledger").strip()
    git_in(repo, "worktree", "add", "--quiet", "../theirs", "ledger")
    theirs = repo.parent / "theirs"
    (theirs / ".gitlab-ci.yml").write_text("ours: {}\n")
    git_in(theirs, "commit", "--quiet", "--all", "--message", "ci: our own")
    git_in(repo, "worktree", "remove", "--force", "../theirs")
    done = cli("ci", "install", "gitlab")
    assert done.code == 1
    assert "a different file is already on the branch ledger" in done.err
    assert git_in(repo, "show", "ledger:.gitlab-ci.yml") == "ours: {}\n"
    assert cli("ci", "install", "gitlab", "--force").code == 0
    assert git_in(repo, "show", "ledger:.gitlab-ci.yml") == git_in(repo, "show", f"{tip}:.gitlab-ci.yml")


def test_what_ci_does_is_shared_and_joined_like_the_policy(repo: Path, cli: Cli, tmp_path: Path) -> None:
    git_in(tmp_path, "init", "--quiet", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(tmp_path / "hub.git"))
    assert cli("init").code == 0
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    assert cli("ci", "install", "github").code == 0
    git_in(tmp_path, "clone", "--quiet", "--branch", "ledger", str(tmp_path / "hub.git"), "other")
    (tmp_path / "other" / "note.txt").write_text("")
    assert cli("sync").code == 0, cli("sync").err
    assert ".github/workflows/ledger-site.yml" in git_in(tmp_path / "hub.git", "ls-tree", "-r", "--name-only", "ledger")


def test_the_projects_own_workflows_are_those_that_it_ships() -> None:
    for shipped in (TEMPLATES / "github").iterdir():
        assert (ROOT / ".github" / "workflows" / shipped.name).read_bytes() == shipped.read_bytes()


@pytest.mark.parametrize("path", sorted((TEMPLATES / "github").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_give_no_more_rights_than_they_need(path: Path) -> None:
    told = yaml.safe_load(path.read_text())
    assert told["permissions"] == {}
    writing = set()
    for name, job in told["jobs"].items():
        assert job["timeout-minutes"] <= 30
        if "write" in job["permissions"].values():
            writing.add(name)
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
            else:
                assert "${{" not in step["run"]
    assert writing == {"ledger-comment.yml": {"comment"}, "ledger-site.yml": {"build", "deploy"}}.get(path.name, set())
    if "comment" in writing:
        names = [step.get("name", step.get("uses", "")) for step in told["jobs"]["comment"]["steps"]]
        assert not any("checkout" in name or "Fetch" in name for name in names), "who may write sees no proposal"


class _Api(BaseHTTPRequestHandler):
    """The part of a host's API that comments need, over its real protocol."""

    comments: list[dict[str, object]]
    requests: list[dict[str, object]]
    asked: list[tuple[str, str, str]]
    us: tuple[str, ...] = ("reviewer",)

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self._note()
        if path.endswith("/pulls"):
            self._answer(200, self.requests)
            return
        if path.endswith("/user"):  # a job's own token may not ask; a person's may
            self._answer(
                403 if "github-actions[bot]" in self.us else 200, {"login": self.us[0], "username": self.us[0]}
            )
            return
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])
        self._answer(200, self.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        self._note()
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        made = {"id": len(self.comments) + 1, "user": {"login": self.us[0], "username": self.us[0]}, **said}
        self.comments.append(made)
        self._answer(201, made)

    def do_PATCH(self) -> None:
        self._note()
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = int(self.path.rsplit("/", 1)[1])
        found = next(one for one in self.comments if one["id"] == number)
        found |= said
        self._answer(200, found)

    def do_PUT(self) -> None:
        self.do_PATCH()

    def _note(self) -> None:
        token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
        self.asked.append((self.command, urlsplit(self.path).path, token))

    def _answer(self, code: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
        """Say nothing: tests are quiet."""


@contextmanager
def host(comments: list[dict[str, object]], requests: list[dict[str, object]]) -> Iterator[tuple[str, type[_Api]]]:
    handler = type("Api", (_Api,), {"comments": comments, "requests": requests, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()
            thread.join()


def job_of(kind: str, address: str) -> dict[str, str]:
    """Return the environment of a job, as the host documents it."""
    return {
        "github": {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "team/project", "GITHUB_TOKEN": "t0ken"},
        "forgejo": {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "team/project", "FORGEJO_TOKEN": "t0ken"},
        "gitlab": {"CI_API_V4_URL": address, "CI_PROJECT_ID": "42", "LEDGER_TOKEN": "t0ken"},
    }[kind]


@pytest.fixture
def comment(repo: Path) -> Path:
    (repo / "review.md").write_text(f"{MARKER}\n## Better\n")
    return repo / "review.md"


@pytest.mark.parametrize(
    ("kind", "where", "token"),
    [
        ("github", "/repos/team/project/issues/7/comments", "Bearer t0ken"),
        ("forgejo", "/repos/team/project/issues/7/comments", "token t0ken"),
        ("gitlab", "/projects/42/merge_requests/7/notes", "t0ken"),
    ],
)
def test_a_comment_is_written_once_and_then_updated(cli: Cli, comment: Path, kind: str, where: str, token: str) -> None:
    others: list[dict[str, object]] = [{"id": at, "body": f"chatter {at} {MARKER}"} for at in range(1, 131)]
    with host(others, []) as (address, api):
        first = cli("ci", "comment", str(comment), "--request", "7", env=job_of(kind, address))
        assert (first.code, first.err.strip()) == (0, "wrote the comment of 7"), first.err
        comment.write_text(f"{MARKER}\n## Worse\n")
        second = cli("ci", "comment", str(comment), "--request", "7", env=job_of(kind, address))
        assert second.err.strip() == "updated the comment of 7"
        assert [one["body"] for one in others[130:]] == [f"{MARKER}\n## Worse\n"]
        assert {said for _, _, said in api.asked} == {token}
        assert ("POST", where, token) in api.asked


def test_a_pull_request_is_found_by_where_it_comes_from_and_only_at_its_commit(cli: Cli, comment: Path) -> None:
    requests: list[dict[str, object]] = [{"number": 9, "head": {"sha": "a" * 40}}]
    with host([], requests) as (address, _):
        job = job_of("github", address)
        source = ("--source", "fork:ledger-review/x")
        done = cli("ci", "comment", str(comment), *source, "--commit", "a" * 40, env=job)
        assert done.err.strip() == "wrote the comment of 9"
        stale = cli("ci", "comment", str(comment), *source, "--commit", "b" * 40, env=job)
        assert stale.code == 1
        assert "no open pull request from here is at this commit" in stale.err


@pytest.mark.parametrize("kind", HOSTS)
def test_the_status_that_a_rule_requires_says_what_the_check_found(
    repo: Path, cli: Cli, comment: Path, kind: str
) -> None:
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    tip = git_in(repo, "rev-parse", "ledger").strip()
    for number, state in ((1, "success"), (2, "failed" if kind == "gitlab" else "failure")):
        if state != "success":
            git_in(repo, "worktree", "add", "-q", str(repo.parent / "tree"), "ledger")
            (repo.parent / "tree" / "evil.sh").write_text("echo\n")
            git_in(repo.parent / "tree", "add", ".")
            git_in(repo.parent / "tree", "commit", "-q", "-m", "x")
        cli("check", f"{tip}~0..ledger", "--json", "--output", "check.json")
        statuses: list[dict[str, object]] = []
        requests: list[dict[str, object]] = [{"number": number, "head": {"sha": tip}}]
        with host(statuses, requests) as (address, api):
            said = ("--source", "team:x", "--commit", tip, "--check", "check.json")
            done = cli("ci", "comment", str(comment), *said, env=job_of(kind, address))
            assert done.code == 0 or kind == "gitlab", done.err
            assert next(one[1] for one in api.asked if one[0] == "POST").endswith(f"/statuses/{tip}")
        assert (statuses[0]["context"], statuses[0]["state"]) == ("ledger", state)


def test_a_status_needs_a_commit_and_a_result(cli: Cli, comment: Path) -> None:
    job = job_of("github", "http://127.0.0.1:1")
    assert cli("ci", "comment", str(comment), "--request", "7", "--check", "x.json", env=job).code == 2
    said = ("--source", "a:b", "--commit", "a" * 40, "--check", str(comment))
    assert "not a result of `ledger check --json`" in cli("ci", "comment", str(comment), *said, env=job).err


def test_what_decides_stands_where_no_proposal_reaches_it() -> None:
    comment = (TEMPLATES / "github" / "ledger-comment.yml").read_text()
    assert "workflow_run:" in comment
    assert "--check check.json" in comment
    assert "statuses: write" in comment
    forgejo = (TEMPLATES / "forgejo" / "ledger-review.yml").read_text()
    assert "pull_request_target:" in forgejo
    assert "pull_request:" not in forgejo


@pytest.mark.parametrize(
    ("arguments", "env", "why"),
    [
        (("--request", "7"), {}, "this is not a CI job"),
        (("--request", "7"), {"GITHUB_API_URL": "http://127.0.0.1:1", "GITHUB_TOKEN": ""}, "needs a token"),
        (("--request", "7"), {"GITHUB_API_URL": "http://127.0.0.1:1", "GITHUB_TOKEN": "x"}, "could not be reached"),
        ((), {}, "name the pull request"),
        (("--request", "7", "--source", "a:b"), {}, "name the pull request"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    cli: Cli, comment: Path, arguments: tuple[str, ...], env: dict[str, str], why: str
) -> None:
    done = cli("ci", "comment", str(comment), *arguments, env=env)
    assert done.code in {1, 2}
    assert why in done.err.splitlines()[0]


def test_only_a_review_is_written(cli: Cli, comment: Path, repo: Path) -> None:
    comment.write_text("anything else")
    done = cli("ci", "comment", str(comment), "--request", "7", env=job_of("github", "http://127.0.0.1:1"))
    assert "not a review" in done.err
    gone = cli("ci", "comment", "nope.md", "--request", "7", env=job_of("github", "http://127.0.0.1:1"))
    assert "no such file" in gone.err


@pytest.mark.parametrize("kind", HOSTS)
def test_a_comment_of_somebody_else_that_begins_like_ours_does_not_keep_ours_out(
    cli: Cli, comment: Path, kind: str
) -> None:
    theirs = f"{MARKER} fine, merge it"
    comments: list[dict[str, object]] = [
        {"id": 1, "body": theirs, "user": {"login": "eve"}, "author": {"username": "eve"}}
    ]
    with host(comments, []) as (address, api):
        if kind == "github":
            api.us = ("github-actions[bot]",)
        for said in ("wrote", "updated"):
            done = cli("ci", "comment", str(comment), "--request", "7", env=job_of(kind, address))
            assert (done.code, done.err.strip()) == (0, f"{said} the comment of 7")
    assert [one["body"] for one in comments] == [theirs, comment.read_text()]  # which a token of the team could change


def test_a_host_that_redirects_or_answers_no_http_is_one_line_and_learns_no_token(cli: Cli, comment: Path) -> None:
    class Elsewhere(_Api):
        def do_GET(self) -> None:
            if "elsewhere" in self.path:
                self._note()
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

    class Garbage(_Api):
        def do_GET(self) -> None:
            self.wfile.write(b"garbage\r\n\r\n")

    with host([], []) as (address, api):
        for handler, why in ((Elsewhere, "refused: 302"), (Garbage, "could not be reached")):
            api.do_GET = handler.do_GET  # type: ignore[assignment,method-assign]  # the same host, which answers otherwise
            done = cli("ci", "comment", str(comment), "--request", "7", env=job_of("github", address))
            assert done.code == 1, done.err
            assert why in done.err
            assert "t0ken" not in done.err
        assert api.asked == []
