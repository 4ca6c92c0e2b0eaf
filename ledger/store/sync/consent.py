"""Consent to send records of this clone to its remote, and what would be sent: a ledger cannot forget.

Whoever types `ledger init`, `ledger sync` or `--push` consents, and so does a team whose remote holds a ledger.
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from ledger.repository.hosts.remote import choose_remote
from ledger.repository.repository import Repository, remotes
from ledger.settings import PUSH_SETTING
from ledger.store.branch.branch import Branch

_NO = {"false", "no", "off", "0"}
"""Values that mean no in git's configuration (git-config, boolean)."""
WHAT_GOES = (
    "as records: params, metrics, logs, figures, uncommitted source code, package list, host name, author with e-mail"
)
"""What is sent, in one line; the handbook's page on privacy lists each field."""


class Consent(NamedTuple):
    """Whether to send, and where to."""

    given: bool
    """Whether records may be sent."""
    remote: str | None = None
    """Name of the remote; none where there is no remote."""
    url: str | None = None
    """Its URL."""
    first: bool = False
    """Whether nothing was ever sent there from this clone."""
    refused: bool = False
    """Whether sending is switched off in this clone."""


def read_consent(ledger: Branch, *, push: bool | None = None) -> Consent:
    """Return whether records may be sent now; costs one or two calls of git, and no network access.

    Args:
        ledger: the ledger of this clone.
        push: choice on the command line; none without one.

    Raises:
        LedgerError: git fails.
    """
    settings = ledger.repository.config(rf"^(remote\..*\.url|{re.escape(PUSH_SETTING)})$")
    named, said = remotes(settings), dict(settings).get(PUSH_SETTING)
    refused = said is not None and said.lower() in _NO
    if push is False or (push is None and refused) or not named:
        return Consent(given=bool(push), refused=refused)
    remote = choose_remote(ledger.repository, ledger.branch)
    if remote is None:
        return Consent(given=bool(push))
    known = _known_refs(ledger, remote)
    first = not any(name.startswith("refs/ledger/seen/") for name in known)
    given = bool(push) or said is not None or bool(known)
    return Consent(given=given, remote=remote, url=named.get(remote), first=first)


def is_refused(repository: Repository) -> bool:
    """Return whether sending is switched off in this clone."""
    return (repository.setting(PUSH_SETTING) or "").lower() in _NO


def give_consent(repository: Repository) -> bool:
    """Let this clone send its records, unless this is configured already; return whether that is new."""
    if repository.setting(PUSH_SETTING) is not None:
        return False
    repository.git.output("config", "--local", PUSH_SETTING, "true")
    return True


def _known_refs(ledger: Branch, remote: str) -> Mapping[str, str]:
    """Return the refs that show that the remote holds a ledger."""
    wanted = (f"refs/ledger/seen/{remote}/{ledger.branch}", f"refs/remotes/{remote}/{ledger.branch}")
    out = os.fsdecode(ledger.repository.git.output("for-each-ref", "--format=%(refname) %(objectname)", *wanted))
    lines = (line.partition(" ") for line in out.splitlines())
    return {name: commit for name, _, commit in lines if name in wanted}
