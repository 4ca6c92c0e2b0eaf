"""Messages to a host about a pull request: one comment, updated from then on, and the status of its commit."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, urlencode

from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.values import Document
from ledger.repository.hosts.hosts import HostRefused, Kind, ask
from ledger.settings import TOKEN_VARIABLE

_PAGE = 100
_PAGES = 30
"""Most pages of comments that are searched: 3,000 comments."""
STATUS = "ledger"
"""Name of the status of a commit."""
_SAID = 140
"""Most characters of a status description at GitHub."""
_NOT_OURS = (403, 404)
"""Answers of hosts to an attempt to change another account's comment."""
_BOTS: Mapping[Kind, frozenset[str]] = {
    "github": frozenset({"github-actions[bot]"}),
    "forgejo": frozenset({"forgejo-actions", "gitea-actions"}),
}
"""Accounts of jobs, whose token may not ask for its own name (GitHub, "Automatic token authentication")."""


class CommentPlace(Document, frozen=True, kw_only=True):
    """The place for comments, from the environment of CI."""

    kind: Kind
    """Software of the host."""
    api: str
    """URL of the repository in the API, without a slash at its end."""
    token: str
    """Access token."""


def comment_place(environment: Mapping[str, str]) -> CommentPlace:
    """Return where this CI job may write comments.

    Sources: GitHub, "Default environment variables"; Forgejo Actions, the same names; GitLab, "Predefined CI/CD
    variables".

    Raises:
        UsageError: this is no CI job that we know, or it has no token.
    """
    if api := environment.get("CI_API_V4_URL"):
        project, token = environment.get("CI_PROJECT_ID", ""), environment.get(TOKEN_VARIABLE, "")
        kind: Kind = "gitlab"
        root = f"{api}/projects/{quote(project, safe='')}"
        name = TOKEN_VARIABLE
    elif api := environment.get("GITHUB_API_URL"):
        forgejo = environment.get("FORGEJO_TOKEN", "")
        kind = "forgejo" if forgejo or environment.get("FORGEJO_ACTIONS") else "github"
        token = forgejo or environment.get("GITHUB_TOKEN", "")
        root = f"{api}/repos/{environment.get('GITHUB_REPOSITORY', '')}"
        name = "GITHUB_TOKEN"
    else:
        raise UsageError(
            "this is not a CI job of GitHub, GitLab or Forgejo", hint="to see the review here: ledger review"
        )
    if not token:
        raise UsageError(f"a comment needs a token: the variable {name} is empty")
    return CommentPlace(kind=kind, api=root, token=token)


def find_request(place: CommentPlace, source: str, commit: str, base: str) -> int:
    """Return the number of the open pull request from a branch, which must be at a commit.

    Args:
        place: where.
        source: `owner:branch`.
        commit: what its branch must be at: a later push has a review of its own.
        base: branch it is to be merged into.

    Raises:
        NotFound: there is none.
        LedgerError: the host refuses to say.
    """
    query = urlencode({"state": "open", "head": source, "base": base, "per_page": _PAGE})
    for found in _listed(place, f"{place.api}/pulls?{query}"):
        head = found.get("head")
        number = found.get("number")
        if isinstance(head, Mapping) and head.get("sha") == commit and isinstance(number, int):
            return number
    raise NotFound(f"no open pull request from here is at this commit: `{commit[:12]}`")


def write_comment(place: CommentPlace, number: int, marker: str, body: str) -> bool:
    """Write a comment, or update the one from the same account that begins with a marker.

    Return whether it was there.

    Raises:
        LedgerError: the host refuses it.
    """
    kind, verb = ("merge_requests", "notes") if place.kind == "gitlab" else ("issues", "comments")
    comments = f"{place.api}/{kind}/{number:d}/{verb}"
    us: frozenset[str] | None = None
    for page in range(1, _PAGES + 1):
        found = list(_listed(place, f"{comments}?{urlencode({'per_page': _PAGE, 'page': page, 'limit': _PAGE})}"))
        for comment in found:
            if not str(comment.get("body") or "").startswith(marker) or not isinstance(comment.get("id"), int):
                continue
            us = _us(place) if us is None else us
            # Anybody who may comment can begin a comment so, and an admin can change any comment.
            if _author(comment) in us:
                method = "PUT" if place.kind == "gitlab" else "PATCH"
                try:
                    _request(place, method, _one(place, comments, comment), {"body": body})
                except HostRefused as error:
                    if error.code in _NOT_OURS:  # a locked comment must not prevent a new one
                        continue
                    raise
                return True
        if len(found) < _PAGE:
            break
    _request(place, "POST", comments, {"body": body})
    return False


def _us(place: CommentPlace) -> frozenset[str]:
    """Return the names of our account."""
    root = place.api.partition("/projects/" if place.kind == "gitlab" else "/repos/")[0]
    try:
        answer = _request(place, "GET", f"{root}/user", None)
    except HostRefused:
        return _BOTS.get(place.kind, frozenset())
    return frozenset({_name(answer)} - {""}) or _BOTS.get(place.kind, frozenset())


def _author(comment: Mapping[str, object]) -> str:
    return _name(comment.get("user") or comment.get("author"))


def _name(account: object) -> str:
    """Return a host's name for an account; empty where it has none."""
    if not isinstance(account, Mapping):
        return ""
    return str(account.get("login") or account.get("username") or "")


def set_status(place: CommentPlace, commit: str, *, passes: bool, said: str) -> None:
    """Set the status of a commit, under the name that a rule of the host can require: `ledger`.

    Sources: GitHub, "Create a commit status"; Forgejo's API has the same; GitLab, "Set commit pipeline status".

    Raises:
        LedgerError: the host refuses it.
    """
    address = f"{place.api}/statuses/{quote(commit, safe='')}"
    wrong = "failed" if place.kind == "gitlab" else "failure"
    named = {"context": STATUS, "state": "success" if passes else wrong, "description": said[:_SAID]}
    _request(place, "POST", address, named)


def _one(place: CommentPlace, comments: str, comment: Mapping[str, object]) -> str:
    """Return the URL of one comment: GitLab has it below its request, the others below the repository."""
    number = comment["id"]
    return f"{comments}/{number}" if place.kind == "gitlab" else f"{place.api}/issues/comments/{number}"


def _listed(place: CommentPlace, address: str) -> Iterator[Mapping[str, object]]:
    answer = _request(place, "GET", address, None)
    if not isinstance(answer, Sequence):
        raise LedgerError("the host did not answer with a list")
    yield from (one for one in answer if isinstance(one, Mapping))


def _request(place: CommentPlace, method: str, address: str, said: Mapping[str, str] | None) -> object:
    header = {
        "gitlab": ("PRIVATE-TOKEN", place.token),
        "forgejo": ("Authorization", f"token {place.token}"),
    }.get(place.kind, ("Authorization", f"Bearer {place.token}"))
    return ask(method, address, said, {header[0]: header[1]})
