"""The exact code of a run: uncommitted changes as one patch, and the tree that commit and patch give.

Staged, unstaged and untracked changes are put together in an index and an object store of our own,
so that the user's index, objects, HEAD and work tree stay as they are, to the byte. What the patch cannot give back
exactly is named, and then no tree is stated.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes, hash_file
from ledger.model.values import Document
from ledger.repository.process import Git
from ledger.repository.repository import EMBEDDED, Repository
from ledger.repository.worktree.changes import Listed, Listing, State, WorkTreeChange, read_listing, read_state
from ledger.repository.worktree.exactness import differing_files, has_attribute, masked_files, named_filters
from ledger.repository.worktree.omissions import FileOmission, PatchLimits, PatchSelection, Rules
from ledger.repository.worktree.work_index import WorkIndex, copied_index, scratch_environment

_DEPTH = 4
"""Most levels of nested repositories that are followed; a deeper one is only named."""
_INSIDE = 50
"""Most repositories inside one repository that are followed."""
_NOTEBOOK = ".ipynb"
"""How the name of a notebook ends."""


class Inside(Document, frozen=True, kw_only=True):
    """A repository inside the work tree."""

    path: str
    """Its folder in the work tree."""
    submodule: bool
    """Whether it is a submodule; false for a repository that was merely put there."""
    snapshot: "Snapshot"
    """Its own snapshot; the changes of a submodule are in the patch of the whole."""
    reachable: bool
    """Whether one of its remote branches contains its commit."""
    remote: str | None = None
    """URL of its remote."""


class Snapshot(Document, frozen=True, kw_only=True):
    """What is checked out, and the differences from its commit."""

    commit: str | None
    """Commit that is checked out; none when there is none yet."""
    branch: str | None
    """Branch that is checked out; none when HEAD is detached."""
    changed: list[str]
    """Paths that are uncommitted, untracked files included."""
    patch: bytes
    """The changes, as `git apply` reads them, those inside submodules included; empty when there are none."""
    tree: str | None
    """Tree that results from commit and patch; none where it cannot be a tree, or something is not exact."""
    identity: str | None = None
    """Hash that runs of the same code share: the tree without non-code files. None where it is unknown."""
    beside_notebooks: str | None = None
    """The same without notebooks; none where the run is in none, or it is unknown."""
    left_out: list[FileOmission] = []
    """Changed files that are not in the patch, or not exactly."""
    not_code: list[str] = []
    """Files in the patch that do not count as code."""
    inside: list[Inside] = []
    """Repositories inside the work tree."""
    lfs: bool = False
    """Whether git-lfs stores the content of some files outside of the commit."""
    problem: str | None = None
    """Why there is no patch, where git cannot make one."""


def read_snapshot(repository: Repository, *, rules: Rules, limits: PatchLimits) -> Snapshot:
    """Return what is checked out, uncommitted changes included.

    Args:
        repository: which repository; a bare one has only a commit.
        rules: say of each changed file whether it belongs into the patch, and whether it is code.
        limits: how much the patch may hold.

    Raises:
        LedgerError: git cannot say what is checked out.
    """
    return _read(repository, rules, limits, prefix="", depth=0)


def _read(repository: Repository, rules: Rules, limits: PatchLimits, prefix: str, depth: int) -> Snapshot:
    if repository.worktree is None:
        return _bare(repository)
    top = repository.worktree
    git = repository.git if top == repository.git.folder else Git(top, repository.git.environment_added)
    with copied_index(repository, git) as index:
        listing = read_listing(index.git)
        if hidden := [one for one in listing.unusual if one.hidden]:
            _uncover(index, top, hidden, sparse=_is_sparse(repository))
        state = _state(index.git)
        inside = _inside(top, state.changes, listing, rules, limits, prefix, depth)
        chosen = PatchSelection(top, state.changes, rules, limits, prefix)
        try:
            return _Whole(index, top, state, chosen, inside, rules, prefix).snapshot(listing)
        except LedgerError as error:  # an object that a partial clone lacks: what else is known stands
            return Snapshot(
                commit=state.commit,
                branch=state.branch,
                changed=_names(state, inside),
                patch=b"",
                tree=None,
                left_out=chosen.left_out,
                inside=inside,
                problem=error.message,
            )


def _bare(repository: Repository) -> Snapshot:
    commit = repository.resolve("HEAD")
    _, name, _ = repository.git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    tree = repository.git.output("rev-parse", f"{commit}^{{tree}}").decode().strip() if commit else None
    branch = name.decode("utf-8", "replace").strip() or None
    identity = f"git:{tree}" if tree else None
    return Snapshot(commit=commit, branch=branch, changed=[], patch=b"", tree=tree, identity=identity)


def _is_sparse(repository: Repository) -> bool:
    return any(value == "true" for _, value in repository.config(r"^core\.sparsecheckout$"))


def _uncover(index: WorkIndex, top: Path, hidden: Sequence[Listed], *, sparse: bool) -> None:
    """Compare files that the user's index ignores changes of; files outside of a sparse checkout count as unchanged."""
    index.uncover([one.path for one in hidden if not (sparse and one.skipped) or os.path.lexists(top / one.path)])


def _state(git: Git) -> State:
    try:
        return read_state(git)
    except LedgerError:
        return read_state(git, filters=False)  # a failing one must not hide other differences


def _names(state: State, inside: Sequence[Inside]) -> list[str]:
    within = [f"{one.path}/{name}" for one in inside for name in one.snapshot.changed]
    own = [
        change.path
        for change in state.changes
        if change.path.split("/", 1)[0] != EMBEDDED
        and (not change.gitlink or change.moved or not any(name.startswith(f"{change.path}/") for name in within))
    ]
    return [*own, *within]


def _inside(
    top: Path,
    changes: Sequence[WorkTreeChange],
    listing: Listing,
    rules: Rules,
    limits: PatchLimits,
    prefix: str,
    depth: int,
) -> list[Inside]:
    """Return the snapshots of the repositories inside the work tree, with the reason for unreadable ones."""
    known = {one.path for one in listing.unusual if one.gitlink}
    put_there = {change.path for change in changes if change.gitlink and change.untracked} - {EMBEDDED}
    found: list[Inside] = []
    for path in sorted(known | put_there):
        if not (top / path / ".git").exists():
            continue  # not checked out: nothing of it could be seen
        followed = depth < _DEPTH and len(found) < _INSIDE
        found.append(
            _look_inside(top / path, path, rules, limits, prefix, depth, submodule=path in known, followed=followed)
        )
    return found


def _look_inside(
    folder: Path,
    path: str,
    rules: Rules,
    limits: PatchLimits,
    prefix: str,
    depth: int,
    *,
    submodule: bool,
    followed: bool,
) -> Inside:
    if not followed:
        return _unread(path, "it is nested too deeply in other repositories", submodule=submodule)
    try:
        repository = Repository.discover(folder)
        if repository.worktree is None or repository.worktree != folder.resolve():
            raise LedgerError("git cannot read it as a repository")  # noqa: TRY301  # reported like the rest
        seen = _read(repository, rules, limits, f"{prefix}{path}/", depth + 1)
        reachable = seen.commit is not None and repository.is_pushed(seen.commit)
        urls = dict(repository.config(r"^remote\..*\.url$"))
    except LedgerError as error:
        return _unread(path, error.message, submodule=submodule)
    remote = urls.get("remote.origin.url") or next(iter(urls.values()), None)
    return Inside(path=path, submodule=submodule, snapshot=seen, reachable=reachable, remote=remote)


def _unread(path: str, problem: str, *, submodule: bool) -> Inside:
    nothing = Snapshot(commit=None, branch=None, changed=[], patch=b"", tree=None, problem=problem)
    return Inside(path=path, submodule=submodule, snapshot=nothing, reachable=False)


class _Whole:
    """Combines the chosen files into patch, tree and identity, and notes what is not exact."""

    def __init__(
        self,
        index: WorkIndex,
        top: Path,
        state: State,
        chosen: PatchSelection,
        inside: list[Inside],
        rules: Rules,
        prefix: str,
    ) -> None:
        self.index = index
        self.top = top
        self.state = state
        self.chosen = chosen
        self.inside = inside
        self.rules = rules
        self.prefix = prefix

    def snapshot(self, listing: Listing) -> Snapshot:
        """Return the whole.

        Raises:
            LedgerError: git lacks an object, or cannot write.
        """
        index, state, inside = self.index, self.state, self.inside
        index.put_back(state.commit, self.chosen.put_back)
        refused = index.take(self.chosen.taken)
        files = [path for path in self.chosen.taken if path not in refused]
        masked = masked_files(index, self.top, listing.attributes, [change.path for change in state.changes])
        inexact = [FileOmission(path=path, why=why, exact=False) for path, why in refused.items()]
        inexact += differing_files(index, self.top, [*files, *masked])
        chosen_out = named_filters(index, self.top, listing.attributes, self.chosen.left_out)
        left_out = sorted([*chosen_out, *inexact], key=lambda one: one.path)
        tree = index.write_tree()
        patch = index.difference(state.commit, tree, self.prefix) if files or not state.commit else b""
        within = b"".join(one.snapshot.patch for one in inside if one.submodule)
        code = self._code_tree(tree)
        whole = not within and all(one.exact for one in left_out) and all(_is_restored(one) for one in inside)
        return Snapshot(
            commit=state.commit,
            branch=state.branch,
            changed=[*_names(state, inside), *(one.path for one in inexact if one.path in masked)],
            patch=patch + within,
            tree=tree if whole and (state.commit or files) else None,
            identity=self._identity(code, left_out),
            beside_notebooks=self._beside_notebooks(code, left_out) if self.rules.notebook else None,
            left_out=left_out,
            not_code=self.chosen.not_code,
            inside=inside,
            lfs=has_attribute(self.top, listing.attributes, b"filter=lfs"),
        )

    def _code_tree(self, tree: str) -> str:
        """Return the tree without non-code files, which leave the index."""
        apart = self.rules.apart(self.index.names)
        if apart or self.chosen.not_code:
            self.index.put_back(self.state.commit, self.chosen.not_code)  # as in runs before it was written
            self.index.leave(apart)
            tree = self.index.write_tree()
        return tree

    def _beside_notebooks(self, tree: str, left_out: Sequence[FileOmission]) -> str | None:
        """Return the hash that runs of the same code share, but for notebooks, which leave the index."""
        if notebooks := [name for name in self.index.names() if name.endswith(_NOTEBOOK)]:
            self.index.leave(notebooks)
            tree = self.index.write_tree()
        return self._identity(tree, [one for one in left_out if not one.path.endswith(_NOTEBOOK)])

    def _identity(self, tree: str, left_out: Sequence[FileOmission]) -> str | None:
        """Return the hash of all code: that of a tree, and of what no tree holds."""
        if any(one.snapshot.identity is None for one in self.inside):
            return None
        plain = [one for one in self.inside if one.submodule and not one.snapshot.changed]
        more = [
            f"{one.path}\0{one.snapshot.commit}\0{one.snapshot.identity}" for one in self.inside if one not in plain
        ]
        try:
            more += [f"{one.path}\0{_hash(self.top / one.path)}" for one in left_out if one.code]
        except OSError:
            return None
        return hash_bytes("\n".join([tree, *more]).encode("utf-8", "surrogateescape")) if more else f"git:{tree}"


def _hash(path: Path) -> str:
    return hash_bytes(os.fsencode(path.readlink())) if path.is_symlink() else hash_file(path)


def _is_restored(one: Inside) -> bool:
    """Return whether the commit of the outer repository restores the inner ones."""
    return one.submodule and one.snapshot.problem is None and one.snapshot.tree is not None


def check_restores(repository: Repository, commit: str, patch: bytes) -> str:
    """Return the tree that results from `commit` and `patch`, without touching index or work tree.

    Raises:
        LedgerError: the commit is missing, or the patch does not apply.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        objects = Path(scratch, "objects")
        objects.mkdir()
        own = repository.git.having(scratch_environment(repository, Path(scratch, "index"), objects))
        own.output("read-tree", commit)
        if patch:
            code, _, err = own.attempt("apply", "--cached", "--binary", "--whitespace=nowarn", stdin=patch)
            if code:
                raise LedgerError(f"the patch does not apply: {err.decode('utf-8', 'replace').splitlines()[0]}")
        return own.output("write-tree").decode().strip()
