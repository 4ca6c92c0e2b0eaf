"""Commit and patch give back what the training saw, to the byte, or the record names what they do not."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.capture.code.code import capture_code
from ledger.capture.secrets.redactor import Redactor
from ledger.model.boxes.code import Code
from ledger.repository.repository import Repository
from ledger.repository.worktree.omissions import PatchLimits
from ledger.repository.worktree.snapshot import check_restores
from tests.conftest import examples, git_in

LIMITS = PatchLimits(1 << 20, 10 << 20)


def make_project(folder: Path) -> Path:
    """Make a repository with a submodule that has one of its own, filters, and a file of every kind."""
    deep, library, app = folder / "deep", folder / "library", folder / "app"
    for repository in (deep, library, app):
        repository.mkdir(parents=True)
        git_in(repository, "init", "-q")
        (repository / "code.py").write_text("lr = 0.1\n")
        (repository / "other.py").write_text("x = 1\n")
    git_in(deep, "add", ".")
    git_in(deep, "commit", "-qm", "Deep")
    git_in(library, "submodule", "--quiet", "add", str(deep), "deep")
    git_in(library, "add", ".")
    git_in(library, "commit", "-qm", "Library")
    git_in(app, "submodule", "--quiet", "add", str(library), "lib")
    git_in(app, "submodule", "--quiet", "update", "--init", "--recursive")
    (app / "config.yaml").write_text("lr: 0.1\n")
    (app / "local.yaml").write_text("x: 1\n")
    (app / "weights.bin").write_bytes(b"1")
    (app / "secret.cfg").write_text("key = 1\nlr = 0.1\n")
    (app / "windows.bat").write_bytes(b"a\r\nb\r\n")
    (app / "sub").mkdir()
    (app / "sub" / "deeper.py").write_text("y = 1\n")
    git_in(app, "add", ".")
    git_in(app, "commit", "-qm", "App")
    (app / ".gitattributes").write_text("*.bin filter=broken\n*.cfg filter=lossy\n*.bat text eol=crlf\n")
    git_in(app, "config", "filter.lossy.clean", "sed s/^lr.*/lr/")
    git_in(app, "add", "-A")
    git_in(app, "commit", "-qm", "Attributes")
    return app


def edit_at_once(app: Path) -> None:
    """Edit a file to the same size within the second in which git looked at it last."""
    time.sleep(1.01 - time.time() % 1)
    (app / "code.py").write_text("lr = 0.1\n")
    git_in(app, "add", "code.py")
    (app / "code.py").write_text("lr = 0.7\n")


def edit_unseen(app: Path, flag: str, name: str) -> None:
    git_in(app, "update-index", flag, name)
    (app / name).write_text("changed: 2\n")


def break_filter(app: Path) -> None:
    git_in(app, "config", "filter.broken.clean", "not-installed-anywhere")
    git_in(app, "config", "filter.broken.required", "true")
    (app / "weights.bin").write_bytes(b"22")


def put_repository(app: Path) -> None:
    inner = app / "inner"
    inner.mkdir(exist_ok=True)
    git_in(inner, "init", "-q")
    (inner / "nested.py").write_text("z = 1\n")
    git_in(inner, "add", ".")
    git_in(inner, "commit", "-qm", "Inner")
    (inner / "nested.py").write_text("z = 2\n")


def stage_then_change(app: Path) -> None:
    (app / "sub").mkdir(exist_ok=True)
    (app / "sub" / "staged.py").write_text("1\n")
    git_in(app, "add", "sub/staged.py")
    (app / "sub" / "staged.py").write_text("2\n")


def put_link(app: Path) -> None:
    (app / "link.py").symlink_to("code.py")


def take_off_the_index(app: Path) -> None:
    git_in(app, "rm", "-q", "--cached", "config.yaml")
    (app / "config.yaml").write_text("lr: 5\n")


def sparse_index(app: Path) -> None:
    git_in(app, "sparse-checkout", "set", "--cone", "--sparse-index", "sub")


def hide_and_delete(app: Path) -> None:
    git_in(app, "update-index", "--skip-worktree", "config.yaml")
    (app / "config.yaml").unlink()


def put_folder_for_file(app: Path) -> None:
    (app / "other.py").unlink(missing_ok=True)
    (app / "other.py").mkdir()
    (app / "other.py" / "x.py").write_text("1\n")


def stage_large(app: Path) -> None:
    (app / "windows.bat").write_text("y" * 3_000_000)
    git_in(app, "add", "windows.bat")


def ignore_stat(app: Path) -> None:
    git_in(app, "config", "core.ignoreStat", "true")
    (app / "config.yaml").write_text("lr: 0.9\n")


def encode(app: Path) -> None:
    (app / ".gitattributes").write_text("*.cfg working-tree-encoding=UTF-16\n")
    (app / "secret.cfg").write_text("not UTF-16")


def hide_submodule(app: Path) -> None:
    git_in(app, "config", "submodule.lib.ignore", "all")
    (app / "lib" / "deep" / "other.py").write_text("9\n")


def sparse(app: Path) -> None:
    git_in(app, "sparse-checkout", "set", "--no-cone", "/*", "!/other.py")


EDITS: dict[str, Callable[[Path], object]] = {
    "racy": edit_at_once,
    "submodule": lambda app: (app / "lib" / "code.py").write_text("lr = 0.9\n"),
    "submodule, untracked": lambda app: (app / "lib" / "new.py").write_text("new\n"),
    "submodule, deep": lambda app: (app / "lib" / "deep" / "code.py").write_text("lr = 9\n"),
    "submodule, hidden": lambda app: edit_unseen(app / "lib", "--skip-worktree", "other.py"),
    "submodule, commit": lambda app: git_in(app / "lib", "commit", "-q", "--allow-empty", "-m", "Local"),
    "skip-worktree": lambda app: edit_unseen(app, "--skip-worktree", "config.yaml"),
    "assume-unchanged": lambda app: edit_unseen(app, "--assume-unchanged", "local.yaml"),
    "broken filter": break_filter,
    "lossy filter": lambda app: (app / "secret.cfg").write_text("key = 2\nlr = 0.5\n"),
    "masked by a filter": lambda app: (app / "secret.cfg").write_text("key = 1\nlr = 0.5\n"),
    "mixed line ends": lambda app: (app / "windows.bat").write_bytes(b"a\nb\r\nc\n"),
    "nested repository": put_repository,
    "sparse": sparse,
    "untracked source": lambda app: (app / "new file.py").write_text("new\n"),
    "untracked data": lambda app: (app / "patients.csv").write_text("name\nErika\n"),
    "deleted": lambda app: (app / "sub" / "deeper.py").unlink(missing_ok=True),
    "staged, then changed": stage_then_change,
    "link": put_link,
    "taken off the index": take_off_the_index,
    "sparse index": sparse_index,
    "hidden and deleted": hide_and_delete,
    "a folder in the place of a file": put_folder_for_file,
    "too large, staged": stage_large,
    "core.ignoreStat": ignore_stat,
    "encoding": encode,
    "repository inside a submodule": lambda app: put_repository(app / "lib"),
    "submodule that settings hide": hide_submodule,
}


ALONE = {"nested repository", "sparse", "sparse index", "a folder in the place of a file", "encoding"}
ALONE |= {"hidden and deleted", "taken off the index", "skip-worktree", "core.ignoreStat"}
"""Edits after which git refuses some of the others."""
SEVERAL = sorted(set(EDITS) - ALONE)
"""Edits that git allows in any order."""


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a work tree; a link is its text."""
    found = {}
    for path in folder.rglob("*"):
        if ".git" in path.relative_to(folder).parts:
            continue
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = b"-> " + os.fsencode(path.readlink())
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def restored(app: Path, code: Code, patch: bytes, target: Path) -> dict[str, bytes]:
    """Return what a clone has after commit, submodules and patch."""
    git_in(target.parent, "clone", "-q", str(app), target.name)
    if code.commit:
        git_in(target, "checkout", "-q", code.commit.removeprefix("git:"))
    subprocess.run(["git", "submodule", "-q", "update", "--init", "--recursive"], cwd=target, check=False)
    if patch:
        (target.parent / "code.patch").write_bytes(patch)
        git_in(target, "apply", "--whitespace=nowarn", str(target.parent / "code.patch"))
    return files_in(target)


def named(code: Code) -> str:
    return " ".join([*code.unknown.values(), *(one.path for one in code.omitted)])


def check_exact(app: Path, target: Path) -> None:
    seen = files_in(app)
    code, patch = capture_code(Repository.discover(app), Redactor(), limits=LIMITS)
    assert code.known, code.unknown
    there = restored(app, code, patch, target)
    told = named(code)
    wrong = sorted(path for path in seen if seen[path] != there.get(path))
    silent = [path for path in wrong if path not in told and not any(f"{part}/" in told for part in _above(path))]
    assert not silent, (silent, code)
    if code.tree is not None and code.commit:
        commit = code.commit.removeprefix("git:")
        assert check_restores(Repository.discover(app), commit, patch) == code.tree.removeprefix("git:")
        assert not [path for path in wrong if path not in told]


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


@pytest.mark.parametrize("edit", EDITS)
def test_each_kind_of_change_is_kept_or_named(tmp_path: Path, edit: str) -> None:
    app = make_project(tmp_path / "project")
    EDITS[edit](app)
    check_exact(app, tmp_path / "clone")


@pytest.mark.slow
@settings(max_examples=examples(12))
@given(edits=st.lists(st.sampled_from(SEVERAL), min_size=2, max_size=6, unique=True))
def test_changes_of_several_kinds_at_once_are_kept_or_named(
    tmp_path_factory: pytest.TempPathFactory, edits: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("several")
    app = make_project(folder / "project")
    # A filter that is broken keeps git itself from what other edits ask of it, so it breaks last.
    for edit in sorted(edits, key=lambda name: name == "broken filter"):
        EDITS[edit](app)
    check_exact(app, folder / "clone")


def capture(app: Path) -> tuple[Code, str]:
    code, patch = capture_code(Repository.discover(app), Redactor(), limits=LIMITS)
    return code, patch.decode("utf-8", "replace")


def test_an_edit_of_the_same_size_within_the_second_is_in_the_patch(repo: Path) -> None:
    (repo / "code.py").write_text("lr = 0.1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Code")
    edit_at_once(repo)
    code, patch = capture(repo)
    assert "+lr = 0.7" in patch
    assert code.tree != f"git:{git_in(repo, 'rev-parse', 'HEAD^{tree}').strip()}"


def test_an_edit_inside_a_submodule_is_in_the_patch_and_no_tree_is_claimed(tmp_path: Path) -> None:
    app = make_project(tmp_path)
    (app / "lib" / "deep" / "code.py").write_text("lr = 0.9\n")
    code, patch = capture(app)
    assert "+++ b/lib/deep/code.py" in patch
    assert code.tree is None
    assert "lib/deep/" in code.unknown["tree"]
    assert [(one.path, one.kind, one.dirty) for one in code.repositories] == [
        ("lib", "submodule", True),
        ("lib/deep", "submodule", True),
    ]


def test_hidden_files_are_captured_as_others_are(repo: Path) -> None:
    (repo / "a.yaml").write_text("x: 1\n")
    (repo / "b.yaml").write_text("x: 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Settings")
    edit_unseen(repo, "--skip-worktree", "a.yaml")
    edit_unseen(repo, "--assume-unchanged", "b.yaml")
    before = (repo / ".git" / "index").read_bytes()
    code, patch = capture(repo)
    assert code.patch is not None
    assert code.patch.files == 2
    assert patch.count("+changed: 2") == 2
    assert (repo / ".git" / "index").read_bytes() == before


def test_a_sparse_checkout_is_no_change(repo: Path) -> None:
    (repo / "other.py").write_text("x = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Other")
    sparse(repo)
    code, patch = capture(repo)
    assert (patch, code.dirty) == ("", False)


def test_a_submodule_at_a_commit_that_no_remote_has_is_said(tmp_path: Path) -> None:
    app = make_project(tmp_path)
    git_in(app / "lib", "commit", "-q", "--allow-empty", "-m", "Local")
    assert "lib/" in capture(app)[0].unknown["repositories"]


def test_submodules_are_looked_into_whatever_the_settings_say(tmp_path: Path) -> None:
    app = make_project(tmp_path)
    git_in(app, "config", "diff.ignoreSubmodules", "all")
    git_in(app, "config", "submodule.lib.ignore", "all")
    (app / "lib" / "code.py").write_text("lr = 0.9\n")
    assert "+lr = 0.9" in capture(app)[1]


def test_content_that_git_lfs_keeps_apart_is_said_where_no_remote_has_the_commit(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (repo / "w.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Weights")
    assert "git-lfs" in capture(repo)[0].unknown["lfs"]


def test_a_file_that_a_filter_turns_into_a_pointer_is_not_kept_exactly(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    git_in(repo, "config", "filter.lfs.clean", "sha256sum")
    (repo / "w.bin").write_bytes(b"one")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Weights")
    (repo / "w.bin").write_bytes(b"another")
    git_in(repo, "add", ".")
    code, _ = capture(repo)
    assert "w.bin (git-lfs keeps its content" in code.unknown["patch"]
    assert code.tree is None
