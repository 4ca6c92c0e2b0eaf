"""Exchange with the remotes of this repository: list, fetch, push. Each call ends by its deadline.

Nothing here can wait for a person: no terminal, no prompt, ssh in batch mode unless the user has another.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Literal

from ledger.errors import GitKilled, LedgerError, NotFound
from ledger.model.values import Document
from ledger.repository.complaints import FULL, LOCK, explain
from ledger.repository.process import DURABLE, Git, git_error
from ledger.repository.repository import Repository, remotes

_QUIET = (*DURABLE, "-c", "gc.auto=0", "-c", "maintenance.auto=false")
"""Housekeeping is not for the moment in which a training waits for us; what is fetched may be all that a branch
then stands on."""


class Pushed(Document, frozen=True, kw_only=True):
    """The result of pushing one ref."""

    state: Literal["ok", "up to date", "rejected", "refused"]
    """`rejected`: another push was first, so fetch and retry; `refused`: a hook or rule of the remote forbids it."""
    reason: str = ""
    """The remote's own message, where it did not accept the ref."""


def choose_remote(repository: Repository, branch: str) -> str | None:
    """Return the remote of a branch: the configured one, else `origin`, else the only one; none without remotes.

    Raises:
        LedgerError: there are several and nothing says which.
    """
    entries = repository.config(r"^(remote\..*\.url|branch\..*\.remote)$")
    known = sorted(remotes(entries))
    configured = dict(entries).get(f"branch.{branch}.remote")
    if configured in known:
        return configured
    if "origin" in known or len(known) <= 1:
        return "origin" if "origin" in known else next(iter(known), None)
    raise LedgerError(
        f"there are several remotes, and no setting says which one holds the ledger: `{', '.join(known)}`",
        hint=f"git config branch.{branch}.remote {known[0]}, or: ledger sync --all",
    )


def check_remote(repository: Repository, name: str) -> str:
    """Return `name` if this repository has such a remote.

    Raises:
        NotFound: it has none of this name.
    """
    if name in remotes(repository.config(r"^remote\..*\.url$")):
        return name
    raise NotFound(f"no such remote: `{ascii(name)[1:-1]}`", hint="git remote -v lists them; git remote add NAME URL")


def remote_refs(
    repository: Repository, remote: str, patterns: Sequence[str], *, timeout_seconds: float
) -> dict[str, str]:
    """Return the object id of each matching ref of a remote, by full name.

    Args:
        repository: where the remote is configured.
        remote: its name.
        patterns: full names, or namespaces that end in `/*`.
        timeout_seconds: when to give up.

    Raises:
        Unanswered: it did not answer in time.
        LedgerError: it cannot be reached, or refuses us.
    """
    out = _query_remote(repository, timeout_seconds, "ls-remote", "--refs", "--", remote, *patterns)
    lines = (line.split("\t", 1) for line in os.fsdecode(out).splitlines() if "\t" in line)
    # git matches the end of a name: `refs/heads/ledger` also matches `refs/x/refs/heads/ledger`.
    return {name: commit for commit, name in lines if any(_matches(name, pattern) for pattern in patterns)}


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("/*") else name == pattern


def fetch(repository: Repository, remote: str, refspecs: Sequence[str], *, timeout_seconds: float) -> None:
    """Fetch exactly these refs: no tags, no `FETCH_HEAD`, and nothing from the user's configuration.

    Raises:
        Unanswered: it did not answer in time.
        LedgerError: it cannot be reached, refuses us, or lacks a ref that is named in full.
    """
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=", "--no-prune")
    _query_remote(repository, timeout_seconds, "fetch", *options, "--", remote, *refspecs)


def push(
    repository: Repository,
    remote: str,
    refspecs: Sequence[str],
    *,
    expected: Mapping[str, str] | None = None,
    atomic: bool = False,
    timeout_seconds: float,
) -> dict[str, Pushed]:
    """Push exactly these refs and return the result of each, by its full name at the remote.

    Hooks of the user's clone are not asked: they judge code, and would run their tests for every record.

    Args:
        repository: where from.
        remote: name of the remote.
        refspecs: `source:refs/…`; an empty source deletes.
        expected: ref at the remote to the object it must still be at.
        atomic: all of them or none; a remote that cannot do that takes each by itself.
        timeout_seconds: when to give up.

    Raises:
        Unanswered: it did not answer in time; what it took is not known.
        LedgerError: it cannot be reached, or refuses us as a whole.
    """
    if not refspecs:
        return {}  # otherwise git would push what the user's configuration names
    leases = [f"--force-with-lease={ref}:{commit}" for ref, commit in (expected or {}).items()]
    settings = ("-c", f"remote.{remote}.mirror=false", "-c", "push.followTags=false", "-c", "push.gpgSign=false")
    whole = ("--atomic",) if atomic else ()
    options = ("--porcelain", "--no-verify", "--recurse-submodules=no", *whole, *leases)
    code, out, err = _git(repository).attempt(
        *_QUIET, *settings, "push", *options, "--", remote, *refspecs, timeout_seconds=timeout_seconds
    )
    if atomic and code and b"does not support --atomic" in err:
        return push(repository, remote, refspecs, expected=expected, timeout_seconds=timeout_seconds)
    results = _results(out.decode("utf-8", "replace"), _hook_said(err))
    if _is_full(err):
        full = Pushed(state="refused", reason="its disk is full")
        results = {name: full if made.state == "rejected" else made for name, made in results.items()}
    elif lock := LOCK.search(err.decode("utf-8", "replace")):
        locked = Pushed(state="rejected", reason=f"{LOCKED}: `{os.path.normpath(lock[1])}`")
        results = {name: locked if made.state == "rejected" else made for name, made in results.items()}
    if not results and code:
        raise _explain(remote, git_error("push", code, err), err)
    return results


def _results(out: str, hook: str) -> dict[str, Pushed]:
    results = {}
    for line in out.splitlines():
        flag, _, rest = line.partition("\t")
        refs, _, summary = rest.partition("\t")
        if len(flag) != 1 or not summary:
            continue
        results[refs.rpartition(":")[2]] = _result(flag, summary, hook)
    return results


def _result(flag: str, summary: str, hook: str) -> Pushed:
    if flag == "=":
        return Pushed(state="up to date")
    if flag != "!":
        return Pushed(state="ok")
    reason = summary.partition("(")[2].removesuffix(")") or summary
    # Two simultaneous pushes fail in many ways inside git (locks, object folders, old values); rules have few messages.
    if summary.startswith("[remote rejected]") and any(word in reason for word in _RULES):
        return Pushed(state="refused", reason=f"{reason}: {hook}" if hook else reason)
    return Pushed(state="rejected", reason=reason)


LOCKED = "a ref is locked there by a git process that died or is still running; if none is, remove this file there"
"""Reason why a remote that was killed during another push refuses ours."""

_RULES = ("hook", "declined", "prohibited", "protected", "denied", "deny", "not allowed", "permission")
"""Messages by which git and the large hosts show that a retry would not help (git-receive-pack, builtin/)."""


def _hook_said(err: bytes) -> str:
    """Return the first line of the remote's hook that is meant for people."""
    lines = (line.removeprefix("remote:").strip() for line in err.decode("utf-8", "replace").splitlines()
             if line.startswith("remote:"))  # fmt: skip
    return next((line for line in lines if line.strip("=-* ")), "")[:200]


def _query_remote(repository: Repository, timeout_seconds: float, command: str, *arguments: str) -> bytes:
    code, out, err = _git(repository).attempt(*_QUIET, command, *arguments, timeout_seconds=timeout_seconds)
    if code:
        position = arguments.index("--")
        raise _explain(arguments[position + 1], git_error(command, code, err), err)
    return out


def _git(repository: Repository) -> Git:
    own = {"GIT_SSH_COMMAND", "GIT_SSH"} & os.environ.keys() or repository.config(r"^core\.sshcommand$")
    return repository.git if own else repository.git.having({"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"})


_CAUSES = (
    ("Could not resolve host", "its host name cannot be resolved", "check the network"),
    ("Permission denied (publickey", "it accepts none of your keys", "ssh-add, or check the key at the host"),
    ("Host key verification failed", "its host key is not known here", "connect once with ssh and check the key"),
    ("could not read Username", "it asks for a user name", "git config credential.helper"),
    ("Authentication failed", "it does not accept your credentials", "git config credential.helper"),
    ("error: 403", "it denies you access, or denies you writing", "ask its administrator"),
    ("denied to", "it does not let you write", "ask its administrator"),
    ("does not appear to be a git repository", "there is no repository at its address", "git remote get-url {remote}"),
    ("does not exist", "there is no repository at its address", "git remote get-url {remote}"),
    ("not found", "there is no repository at its address", "git remote get-url {remote}"),
    ("Connection refused", "nothing answers at its address", "check the network"),
    ("Failed to connect", "nothing answers at its address", "check the network"),
)
"""Message of git, its meaning, and what to type."""


_PERMISSION = "Permission denied (publickey"
"""Message of ssh about keys, not about files."""


def _is_full(err: bytes) -> bool:
    return any(words in err.decode("utf-8", "replace") for words in FULL)


def _explain(remote: str, plain: LedgerError, err: bytes) -> LedgerError:
    if isinstance(plain, GitKilled):
        return plain
    said = f"{err.decode('utf-8', 'replace')}\n{plain.message}"
    here = "\n".join(line for line in said.splitlines() if not line.startswith("remote:"))
    if (ours := explain(here, plain)) is not plain and _PERMISSION not in here:
        return ours
    if _is_full(err):
        return LedgerError("its disk is full", hint="ask its administrator")
    for words, meaning, hint in _CAUSES:
        if words in said:
            return LedgerError(meaning, hint=hint.format(remote=remote))
    return LedgerError(plain.message)
