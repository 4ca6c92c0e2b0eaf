"""The box of a run record on its code: the commit, and what was changed since."""

from typing import Literal

from ledger.model.boxes.box import Box
from ledger.model.notebook import Notebook
from ledger.model.values import Document


class OmittedFile(Document, frozen=True, kw_only=True):
    """A changed file that the patch leaves out, or holds only in altered form: its path, size and hash instead."""

    path: str
    """Path inside the repository; a path that ends with a slash stands for all such files of a folder."""
    bytes: int
    """Size in bytes."""
    hash: str | None = None
    """Hash of its content; for a folder, of the sorted listing of paths, sizes and hashes."""
    why: str | None = None
    """Why it is not in the patch; none in records of older versions, which left out only large files."""
    files: int | None = None
    """Number of files that a folder stands for."""
    code: bool = True
    """Whether it counts as code: runs that differ in it are not repeats of one another."""


class InnerRepository(Document, frozen=True, kw_only=True):
    """A repository beside the recorded one: a submodule, one inside the work tree, or the one that holds the script."""

    path: str
    """Its folder, relative to the top of the work tree."""
    kind: Literal["submodule", "nested", "outside"]
    """How it relates to the recorded one: a submodule, a repository put inside the work tree, or one elsewhere."""
    commit: str | None = None
    """Commit that was checked out in it, with its hash algorithm."""
    remote: str | None = None
    """URL of its remote, credentials removed."""
    pushed: bool | None = None
    """Whether one of its own remote branches contains the commit."""
    dirty: bool | None = None
    """Whether it had uncommitted changes; for a submodule, the patch holds them too."""
    tree: str | None = None
    """Tree that results from its commit and its part of the patch; none where that is not exact."""


class Patch(Document, frozen=True, kw_only=True):
    """Uncommitted changes against the commit: staged, unstaged and untracked together."""

    file: str = "code.patch"
    """File beside the record that holds the patch."""
    hash: str
    """Hash of the patch file."""
    bytes: int
    """Size of the patch file in bytes."""
    files: int
    """How many files it changes."""
    added: int
    """Lines added."""
    removed: int
    """Lines removed."""
    exact: bool = True
    """Whether commit plus patch give `tree` exactly; false when something was redacted or left out."""


class Code(Box, frozen=True, kw_only=True):
    """The training code: the commit and the uncommitted changes."""

    commit: str | None = None
    """Commit that was checked out, with its hash algorithm (`git:…`)."""
    branch: str | None = None
    """Branch that was checked out; none when HEAD was detached."""
    remote: str | None = None
    """URL of the remote, credentials removed."""
    pushed: bool | None = None
    """Whether a remote branch contains the commit, as far as this clone knows."""
    dirty: bool | None = None
    """Whether there were uncommitted changes, untracked files included."""
    patch: Patch | None = None
    """The uncommitted changes."""
    tree: str | None = None
    """Tree that results from commit and patch, with its hash algorithm; proves that a restore is exact."""
    identity: str | None = None
    """Hash that runs of the same code share: files that runs write left out, executed cells in place of notebooks."""
    beside_notebooks: str | None = None
    """As `identity`, of the files that are no notebooks; none where the run was in no notebook."""
    omitted: list[OmittedFile] = []
    """Changed files that are not in the patch: too large, not source code by their kind, or results of runs."""
    not_code: list[str] = []
    """Files in the patch that do not count as code: those that options name, and those that runs wrote."""
    repositories: list[InnerRepository] = []
    """Submodules and other repositories whose code the run may have used."""
    notebook: Notebook | None = None
    """The notebook that the run was in, and its executed cells; none where it was in none."""
