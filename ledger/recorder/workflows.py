"""Installation of the shipped CI workflows: some on the ledger branch, some in the working tree."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from ledger.errors import Conflict, NotFound
from ledger.model.values import Document, counted
from ledger.repository.history.append import append_commit
from ledger.resources import shipped
from ledger.store.branch.branch import Branch
from ledger.store.integrity.policy_rights import policy_at, signed_change

CiHost = Literal["github", "gitlab", "forgejo"]
CI_HOSTS: tuple[CiHost, ...] = get_args(CiHost)

_ON_THE_LEDGER: Mapping[CiHost, Mapping[str, str]] = {
    "github": {
        "ledger-review.yml": ".github/workflows/ledger-review.yml",
        "ledger-site.yml": ".github/workflows/ledger-site.yml",
    },
    "gitlab": {"gitlab-ci.yml": ".gitlab-ci.yml"},
    "forgejo": {
        "ledger-review.yml": ".forgejo/workflows/ledger-review.yml",
        "ledger-site.yml": ".forgejo/workflows/ledger-site.yml",
    },
}
"""Workflows for the ledger branch: hosts read them from that branch."""
_IN_THE_TREE: Mapping[CiHost, Mapping[str, str]] = {
    "github": {
        "ledger-comment.yml": ".github/workflows/ledger-comment.yml",
        "ledger-verify.yml": ".github/workflows/ledger-verify.yml",
    },
    "gitlab": {},
    "forgejo": {"ledger-verify.yml": ".forgejo/workflows/ledger-verify.yml"},
}
"""Workflows that no proposal may change, or that run on a schedule: hosts read them from the default branch."""


class InstalledWorkflow(Document, frozen=True, kw_only=True):
    """The result of `ledger ci install`."""

    on_ledger: list[str]
    """Files that were put on the ledger branch; empty when all were there."""
    in_tree: list[str]
    """Files that were written to the working tree, to be committed to the default branch."""


def install_workflows(ledger: Branch, host: CiHost, *, force: bool = False) -> InstalledWorkflow:
    """Install the workflows of a host; idempotent.

    Args:
        ledger: ledger with its branch and working tree.
        host: host of the repository.
        force: replace files that somebody changed.

    Raises:
        NotFound: the repository has no working tree, and the host needs files there.
        Conflict: one of the files exists with other content.
        LedgerError: git cannot write the branch.
    """
    source = shipped("templates") / "ci" / host
    wanted = {place: (source / name).read_bytes() for name, place in _ON_THE_LEDGER[host].items()}
    beside = {place: (source / name).read_bytes() for name, place in _IN_THE_TREE[host].items()}
    standing = {place: ledger.read(place) for place in wanted}
    changed = [place for place, content in standing.items() if content not in {None, wanted[place]}]
    if changed and not force:
        raise _other(changed[0], f"on the branch {ledger.branch}")
    written = _write(ledger.repository.worktree, beside, force=force)
    author, now = ledger.author(), datetime.now(UTC)
    ledger.create(author, now)
    missing = {place: content for place, content in wanted.items() if standing[place] != content}
    if missing:
        policy = policy_at(ledger.repository, ledger.tip())
        signed: dict[str, bytes] = {}
        for place, content in missing.items():
            signed |= signed_change(ledger.repository, policy, place, standing[place], content)
        with ledger.writing() as turn:
            append_commit(
                ledger.repository,
                ledger.ref,
                parent=ledger.tip(),
                files=missing | signed,
                message=f"ci: {counted(len(missing), 'workflow')} of {host}\n",
                author=author,
                now=now,
                inherited=turn.descriptor,
            )
    return InstalledWorkflow(on_ledger=sorted(missing), in_tree=written)


def _other(place: str, where: str) -> Conflict:
    return Conflict(
        f"a different file is already {where}: `{place}`", hint="compare, then: ledger ci install HOST --force"
    )


def _write(worktree: Path | None, files: Mapping[str, bytes], *, force: bool) -> list[str]:
    if files and worktree is None:
        raise NotFound("the workflows of the default branch need a working tree, and this repository has none")
    places = {place: Path(worktree or "", place) for place in files}
    changed = [place for place, path in places.items() if path.exists() and path.read_bytes() != files[place]]
    if changed and not force:
        raise _other(changed[0], "in the working tree")
    written = [place for place, path in places.items() if not path.exists() or place in changed]
    for place in written:
        places[place].parent.mkdir(parents=True, exist_ok=True)
        places[place].write_bytes(files[place])
    return sorted(written)
