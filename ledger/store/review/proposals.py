"""The contents of a proposal: the entries that its branch has and the ledger's lacks."""

from msgspec.structs import replace

from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.repository.history.walk import read_difference
from ledger.repository.hosts.remote import choose_remote
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import read_contents
from ledger.store.index.selection import find_runs
from ledger.store.sync.join import common_base

PROPOSALS = "ledger-review/"
"""Prefix of the branches of proposals."""


class Proposed(Document, frozen=True, kw_only=True):
    """A proposal, or a run that is on the ledger already."""

    name: str
    """The name that was asked for, as shown to people: a branch, a range, a run."""
    base: str
    """Commit of the ledger that it is based on."""
    tip: str
    """Its last commit."""
    runs: tuple[StoredRun, ...]
    """Runs it adds, oldest first."""
    others: tuple[str, ...] = ()
    """Paths of the other documents that it adds: evaluations, notes, dataset versions, cases."""
    problems: tuple[str, ...] = ()
    """What of it cannot be read, one line each."""
    merged: bool = False
    """Whether it is on the ledger already."""
    branch: str | None = None
    """Branch of this clone that it is on; none for a range, a run, and what only a remote has."""


def proposal_ref(name: str) -> str:
    """Return the branch of a proposal."""
    return f"refs/heads/{PROPOSALS}{name}"


def read_proposed(ledger: Branch, name: str) -> Proposed:
    """Return the proposal that `name` means: a range `A..B`, a branch or commit, a proposal's name, or a run.

    Raises:
        NotFound: there is nothing of that name.
        UsageError: it begins like an option, or several runs match it.
        LedgerError: git cannot read it.
    """
    if name.startswith("-") or not name.strip():
        raise UsageError(f"not a range, a branch or a run: `{ascii(name)[1:-1]}`")
    repository, ledger_tip = ledger.repository, ledger.tip()
    old, dots, new = name.partition("..")
    if dots:
        base, tip = repository.resolve(old or "HEAD"), repository.resolve(new.lstrip(".") or "HEAD")
        if base is None or tip is None:
            raise NotFound(f"no such range of commits: `{ascii(name)[1:-1]}`")
        if new.startswith("."):  # `A...B`: from their merge base, as in git diff
            base = common_base(repository, base, tip) or base
        return _between(ledger, name, base, tip)
    for candidate in _refs_of(name):
        tip = repository.resolve(candidate)
        if tip is not None:
            # What only this clone has is not merged: a proposal is made to the shared ledger.
            found = _between(ledger, name, _base(ledger, shared_tip(ledger) or ledger_tip, tip), tip)
            if found.merged and (same := _run_of(ledger, name, tip)) is not None:
                return same
            here = candidate.removeprefix("refs/heads/") if candidate.startswith("refs/heads/") else None
            return replace(found, branch=here)
    if ledger_tip is None:
        raise NotFound(f"no proposal or run has this name: `{ascii(name)[1:-1]}`")
    (run,) = find_runs(ledger, [name])
    return _on_ledger(run, ledger_tip)


def shared_tip(ledger: Branch) -> str | None:
    """Return the tip of the remote's ledger at the last contact.

    None where there is no remote, or several without a default.
    """
    try:
        remote = choose_remote(ledger.repository, ledger.branch)
    except LedgerError:
        return None
    return ledger.repository.resolve(f"refs/remotes/{remote}/{ledger.branch}") if remote else None


def _on_ledger(run: StoredRun, tip: str) -> Proposed:
    return Proposed(name=run.record.id, base=tip, tip=tip, runs=(run,), merged=True)


def _run_of(ledger: Branch, name: str, tip: str) -> Proposed | None:
    """Return the run that a merged proposal is named after; none where it has another name."""
    try:
        (run,) = find_runs(ledger, [name])
    except (NotFound, UsageError):
        return None
    return _on_ledger(run, tip)


def _refs_of(name: str) -> list[str]:
    """Return the refs at which a proposal of that name may be: local, then the remote's."""
    whole = name if name.startswith("refs/") else f"refs/heads/{name}"
    short = [proposal_ref(name), f"refs/remotes/origin/{PROPOSALS}{name}"]
    return [whole, *short, f"refs/remotes/{name}", f"refs/remotes/origin/{name}"]


def _base(ledger: Branch, ledger_tip: str | None, tip: str) -> str:
    base = common_base(ledger.repository, ledger_tip, tip) if ledger_tip else None
    if base is None:
        raise NotFound(f"this is not based on a commit of the ledger: `{tip[:12]}`", hint="git fetch origin ledger")
    return base


def _between(ledger: Branch, name: str, base: str, tip: str) -> Proposed:
    changed = {change.path for change in read_difference(ledger.repository, base, tip) if change.status == "A"}
    contents = read_contents(ledger.repository, tip, changed)
    documents = {path for path in changed if path.endswith(".json") and not path.startswith("runs/")}
    return Proposed(
        name=name,
        base=base,
        tip=tip,
        runs=contents.runs,
        others=tuple(sorted(documents)),
        problems=tuple(f"{problem.path}: {problem.message}" for problem in contents.problems),
        merged=base == tip,
    )
