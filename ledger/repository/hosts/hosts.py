"""The host of a remote, and how a pull request is opened there: by the host's own command, its API, or by hand."""

import http.client
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.settings import HOST_SETTING

Kind = Literal["github", "gitlab", "forgejo", "none"]
"""Software of a host; Gitea has the API of Forgejo."""

KINDS: tuple[Kind, ...] = ("github", "gitlab", "forgejo", "none")
_KNOWN: Mapping[str, Kind] = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "codeberg.org": "forgejo",
    "gitea.com": "forgejo",
}
_WORDS: Mapping[str, Kind] = {"github": "github", "gitlab": "gitlab", "forgejo": "forgejo", "gitea": "forgejo"}
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")
"""`git@example.org:team/project.git`: git-clone(1), GIT URLs."""
TOKENS: Mapping[Kind, tuple[str, ...]] = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
}
"""Variables that may hold a token, by kind of host; the first that is set is used."""
_COMMANDS: Mapping[Kind, str] = {"github": "gh", "gitlab": "glab", "forgejo": "tea"}
_SECONDS = 30.0
_MOST_BYTES = 8_000_000
"""Most bytes of an answer that are read."""


class HostRefused(LedgerError):
    """A host refused a request."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class Host(Document, frozen=True, kw_only=True):
    """A repository at a host."""

    kind: Kind
    """Software of the host; `none` where unknown."""
    web: str
    """URL of the repository for people; empty where it has none."""
    path: str
    """Owner and name, such as `team/project`."""
    named: bool = True
    """Whether the host is known or named in the user's configuration; a guessed one receives no token."""


class Request(Document, frozen=True, kw_only=True):
    """A pull request to open."""

    branch: str
    """Branch with the proposal."""
    base: str
    """Branch to merge it into."""
    title: str
    """Its title."""
    body: str
    """Its description."""


def host_of(url: str, kind: str | None = None) -> Host:
    """Return the host and path of a remote's URL.

    Args:
        url: as git has it; credentials in it are dropped.
        kind: what the user's configuration says of the host (`ledger.host`).

    Raises:
        LedgerError: the configuration says something else than github, gitlab, forgejo or none.
    """
    try:
        parts = urlsplit(url) if "://" in url else None
        number = parts.port if parts is not None else None
    except ValueError:  # brackets or a port that are invalid: git will report it
        return Host(kind="none", web="", path="")
    scp = _SCP.fullmatch(url) if parts is None else None
    if parts is not None and parts.scheme in {"http", "https", "ssh", "git"} and parts.hostname:
        name, path = parts.hostname, parts.path.strip("/")
    elif scp is not None:
        name, path = scp["host"], scp["path"].strip("/")
    else:
        return Host(kind="none", web="", path="")
    told = (kind or "").lower()
    if told and told not in KINDS:
        raise LedgerError(
            f"{HOST_SETTING} must be one of {', '.join(KINDS)}: `{ascii(told)[1:-1]}`",
            hint=f"git config {HOST_SETTING} github",
        )
    sure = next((known for known in KINDS if known == told), None) or _KNOWN.get(name.lower())
    secure = "http" if parts is not None and parts.scheme == "http" else "https"
    port = f":{number}" if parts is not None and parts.scheme in {"http", "https"} and number else ""
    path = path.removesuffix(".git")
    web = f"{secure}://{name}{port}/{path}"
    return Host(kind=sure or _guessed(name), web=web, path=path, named=sure is not None)


def _guessed(name: str) -> Kind:
    """Return the software that a host's name suggests: `gitlab.example.org`."""
    words = name.lower().split(".")
    return next((kind for word, kind in _WORDS.items() if word in words), "none")


def request_url(host: Host, request: Request) -> str | None:
    """Return the page on which a person opens the request; none for an unknown host."""
    branch, base = quote(request.branch, safe=""), quote(request.base, safe="")
    pages = {
        "github": f"{host.web}/compare/{base}...{branch}?expand=1&title={quote(request.title)}",
        "gitlab": (
            f"{host.web}/-/merge_requests/new?merge_request%5Bsource_branch%5D={branch}"
            f"&merge_request%5Btarget_branch%5D={base}"
        ),
        "forgejo": f"{host.web}/compare/{base}...{branch}",
    }
    return pages.get(host.kind)


def open_request(host: Host, request: Request, folder: str) -> str | None:
    """Open a pull request and return its URL; none where neither the host's command nor a token is available.

    Args:
        host: where.
        request: what.
        folder: where the host's command is started: it reads which repository is meant there.

    Raises:
        LedgerError: the host refuses it.
    """
    command = _COMMANDS.get(host.kind)
    if command and shutil.which(command):
        return _by_command(host.kind, command, request, folder)
    token = next((value for name in TOKENS.get(host.kind, ()) if (value := os.environ.get(name))), None)
    if token is None or not host.named:  # a host that merely calls itself `github.example.org` must not receive a token
        return None
    return _by_api(host, request, token)


def _by_command(kind: Kind, command: str, request: Request, folder: str) -> str | None:
    options = {
        "github": ["pr", "create", "--base", request.base, "--head", request.branch, "--title", request.title,
                   "--body", request.body],
        "gitlab": ["mr", "create", "--target-branch", request.base, "--source-branch", request.branch, "--title",
                   request.title, "--description", request.body, "--yes"],
        "forgejo": ["pulls", "create", "--base", request.base, "--head", request.branch, "--title", request.title,
                    "--description", request.body],
    }[kind]  # fmt: skip
    try:
        done = subprocess.run(
            [command, *options], cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LedgerError(f"`{command}` did not answer within {_SECONDS:.0f} s") from error
    except OSError as error:
        raise LedgerError(f"`{command}` could not be run: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LedgerError(f"`{command}` refused: {said[-1] if said else f'exit code {done.returncode}'}")
    return next((line.strip() for line in reversed(done.stdout.splitlines()) if "://" in line), None)


def _by_api(host: Host, request: Request, token: str) -> str | None:
    """Open it by the documented API of the three hosts: create a pull request, create a merge request."""
    if host.kind == "gitlab":
        address = f"{_root(host)}/api/v4/projects/{quote(host.path, safe='')}/merge_requests"
        said = {"source_branch": request.branch, "target_branch": request.base, "title": request.title,
                "description": request.body}  # fmt: skip
        headers = {"PRIVATE-TOKEN": token}
    else:
        github = "https://api.github.com" if host.web.startswith("https://github.com/") else f"{_root(host)}/api/v3"
        address = f"{github if host.kind == 'github' else f'{_root(host)}/api/v1'}/repos/{host.path}/pulls"
        said = {"head": request.branch, "base": request.base, "title": request.title, "body": request.body}
        headers = {"Authorization": f"{'Bearer' if host.kind == 'github' else 'token'} {token}"}
    answer = ask("POST", address, said, headers)
    found = answer if isinstance(answer, dict) else {}
    return str(found.get("html_url") or found.get("web_url") or "") or None


def _root(host: Host) -> str:
    parts = urlsplit(host.web)
    return f"{parts.scheme}://{parts.netloc}"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would send the token to the redirect's host."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, which makes the redirect an error."""


def ask(method: str, address: str, said: Mapping[str, str] | None, headers: Mapping[str, str]) -> object:
    """Send a request to an API and return its answer.

    Args:
        method: of HTTP.
        address: http or https.
        said: what is sent, as JSON.
        headers: those that say who we are; no error shows their values.

    Raises:
        HostRefused: it refuses.
        LedgerError: it cannot be asked, or a token is none.
    """
    if any(not (value.isascii() and value.isprintable()) for value in headers.values()):
        raise LedgerError("the token of the host holds a line break or other invalid characters")
    every = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    body = None if said is None else json.dumps(said).encode()
    asked = urllib.request.Request(address, data=body, headers=every, method=method)  # noqa: S310  # http or https
    try:
        with urllib.request.build_opener(_Stay).open(asked, timeout=_SECONDS) as answer:
            return json.loads(answer.read(_MOST_BYTES) or b"null")
    except urllib.error.HTTPError as error:
        where = f"({method} {address.partition('?')[0]})"
        raise HostRefused(f"the host refused: {error.code} {error.reason} {where}", code=error.code) from error
    except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
        raise LedgerError(f"the host could not be reached: {error}") from error
