"""Removal of proposed runs from the branch of this clone, so that nothing sends them before their review.

Meanwhile they are on the branch of their proposal; merged, they return with a sync, and withdrawn they are put
back here.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from ledger.errors import Conflict
from ledger.model import paths
from ledger.repository.history.append import append_commit, move_branch
from ledger.repository.history.replay import Replayed, replay
from ledger.repository.history.walk import contains
from ledger.store.branch.branch import Branch
from ledger.store.integrity.verify.last_verified import follow
from ledger.store.sync.join import common_base, join, oldest_first

_HELD = "refs/ledger/held/"
_SCRATCH = "refs/ledger/scratch/beginning"


def beginning_for(ledger: Branch, shared: str | None) -> str:
    """Return the commit to base a proposal on: the shared tip, else a beginning without entries.

    Args:
        ledger: ledger with entries.
        shared: tip of the ledger on a remote; none where no remote has one.

    Raises:
        LedgerError: git cannot write.
    """
    repository, mine = ledger.repository, ledger.tip() or ""
    if shared is not None:
        return common_base(repository, shared, mine) or shared
    root = repository.git.output("rev-list", "--max-parents=0", mine, "--").decode().split()[0]
    tree = repository.read_tree(root)
    founding = {file.path: file.blob for file in tree if _is_founding(file.path)}
    if len(founding) == len(tree):
        return root
    when = next(iter(oldest_first(repository, None, root))).seconds
    files = {path: repository.read_object(blob) for path, blob in founding.items()}
    made = append_commit(
        repository,
        _SCRATCH,
        parent=None,
        files=files,
        message="ledger: begin\n",
        author=ledger.author(),
        now=datetime.fromtimestamp(when, tz=UTC),
    )
    repository.git.output("update-ref", "-d", _SCRATCH)
    return made


def _is_founding(path: str) -> bool:
    return path in {paths.FORMAT_FILE, paths.POLICY_FILE}


def hold_back(ledger: Branch, name: str, base: str, files: Collection[str]) -> None:
    """Remove files from the branch, all of which were added after `base`; they are on a proposal.

    Args:
        ledger: ledger of the branch.
        name: name of the proposal.
        base: commit that the proposal is based on.
        files: paths of the runs, and of statements about them.

    Raises:
        Conflict: a checkpoint is on a commit that would be remade.
        LedgerError: git cannot write; the branch is as it was.
    """
    repository, held = ledger.repository, set(files)
    with ledger.writing() as turn:
        mine = repository.resolve(ledger.ref)
        if mine is None:
            return  # a ref of a remote is not a local branch
        steps = oldest_first(repository, base if contains(repository, mine, base) else None, mine)
        own = {step.commit for step in steps}
        tags = repository.git.output("for-each-ref", "--format=%(*objectname)", f"refs/tags/{ledger.branch}/").decode()
        if not own.isdisjoint(tags.split()):
            raise Conflict(
                "a checkpoint covers these runs, so they cannot be removed from the branch",
                hint="ledger record --review proposes a run before it is on the ledger",
            )
        standing = {file.path: file.blob for file in repository.read_tree(base)}
        commits = []
        for step in steps:
            kept = {
                change.path: change.blob
                for change in step.changes
                if change.path not in held and change.status != "D" and standing.get(change.path) != change.blob
            }
            if kept:
                commits.append(Replayed(commit=step.commit, files=kept))
        made = replay(repository, base, commits)
        move_branch(repository, ledger.ref, mine, made, inherited=turn.descriptor)
    repository.git.output("update-ref", f"{_HELD}{name}", made)
    follow(ledger, made)


def put_back(ledger: Branch, name: str, proposal: str) -> bool:
    """Put what a proposal held back on the branch again; return false when it held nothing back.

    Args:
        ledger: ledger of the branch.
        name: name of the proposal.
        proposal: tip of its branch.

    Raises:
        Conflict: the branch holds something else at one of its paths.
        LedgerError: git cannot write.
    """
    repository, marker = ledger.repository, f"{_HELD}{name}"
    if repository.resolve(marker) is None:
        return False
    with ledger.writing() as turn:
        mine = repository.resolve(ledger.ref)
        tip = join(repository, mine, proposal).tip if mine else proposal
        if tip != mine:
            move_branch(repository, ledger.ref, mine, tip, inherited=turn.descriptor)
    repository.git.output("update-ref", "-d", marker)
    return True
