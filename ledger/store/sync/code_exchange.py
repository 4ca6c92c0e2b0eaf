"""Sending of code that only this clone keeps: to the remote's one ref for it, joined with that of others."""

from collections.abc import Mapping

from ledger.repository.history.append import move_branch
from ledger.repository.history.walk import contains
from ledger.repository.repository import Repository
from ledger.repository.worktree.code_ref import CODE, KEPT, join_kept


def code_to_send(repository: Repository, mine: str, theirs: Mapping[str, str]) -> dict[str, str]:
    """Return the refs of the remote to write, each with our commit for it; empty where it keeps all that we keep.

    Args:
        repository: the clone.
        mine: commits that it keeps.
        theirs: commit of each ref of the remote.

    Raises:
        LedgerError: git cannot write.
    """
    others = theirs.get(KEPT)
    if others is None:
        return {KEPT: mine}
    if repository.resolve(others) is None:  # in a hurry, nothing was fetched: use a separate ref for now
        name = f"{CODE}{mine}"
        return {} if name in theirs else {name: mine}
    if contains(repository, others, mine):
        return {}
    joined = mine if contains(repository, mine, others) else join_kept(repository, others, mine)
    if joined != mine:
        move_branch(repository, KEPT, mine, joined)
    return {KEPT: joined}


def single_refs(repository: Repository, theirs: Mapping[str, str]) -> dict[str, str]:
    """Return the refs of single commits at a remote that our kept commit also contains."""
    mine = repository.resolve(KEPT)
    single = {name: commit for name, commit in theirs.items() if name.startswith(CODE)}
    return {name: commit for name, commit in single.items() if mine is not None and contains(repository, mine, commit)}
