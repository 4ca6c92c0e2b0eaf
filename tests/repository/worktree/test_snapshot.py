"""The exact code of a run: commit + patch give the tree, and nothing of the user's is touched."""

import os
import subprocess
from pathlib import Path

import pytest

from ledger.capture.code.code_rules import CodeRules, Untracked
from ledger.repository.repository import Repository
from ledger.repository.worktree.omissions import PatchLimits
from ledger.repository.worktree.snapshot import Snapshot, check_restores, read_snapshot
from tests.conftest import git_in, make_repository, state_of

LIMIT = 1 << 20


def snapshot(
    folder: Path, *, file_limit: int = LIMIT, patch_limit: int = LIMIT, untracked: Untracked = "all"
) -> Snapshot:
    repository = Repository.discover(folder)
    rules = CodeRules(top=(repository.worktree or folder).resolve(), untracked=untracked)
    return read_snapshot(repository, rules=rules, limits=PatchLimits(file_limit, patch_limit))


def left_out(seen: Snapshot) -> list[str]:
    return [one.path for one in seen.left_out]


def make_dirty(repo: Path) -> None:
    """Leave one of every kind of change: half staged, staged, deleted, untracked, ignored, binary, mode, link."""
    (repo / "old.txt").write_text("a\nb\nc\n")
    (repo / "gone.txt").write_text("bye\n")
    (repo / "tool.sh").write_text("echo\n")
    (repo / ".gitignore").write_text("ignored.txt\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "More")
    (repo / "old.txt").write_text("a\nB\nc\n")
    git_in(repo, "add", "old.txt")
    (repo / "old.txt").write_text("a\nB\nC\n")
    (repo / "staged new.txt").write_text("staged\n")
    git_in(repo, "add", "staged new.txt")
    (repo / "gone.txt").unlink()
    (repo / "tool.sh").chmod(0o755)
    (repo / "untracked ünïcode.txt").write_text("untracked, no newline at the end")
    (repo / "binary.bin").write_bytes(bytes(range(256)) * 4)
    (repo / "link").symlink_to("old.txt")
    (repo / "ignored.txt").write_text("ignored\n")


def test_a_clean_repository_has_no_patch_and_the_commit_s_tree(repo: Path) -> None:
    seen = snapshot(repo)
    assert seen.patch == b""
    assert seen.commit == git_in(repo, "rev-parse", "HEAD").strip()
    assert seen.tree == git_in(repo, "rev-parse", "HEAD^{tree}").strip()
    assert seen.branch == "main"


def test_commit_and_patch_restore_every_kind_of_change_exactly(repo: Path, tmp_path: Path) -> None:
    make_dirty(repo)
    seen = snapshot(repo)
    assert seen.commit is not None
    assert set(seen.changed) == {
        "binary.bin",
        "gone.txt",
        "link",
        "old.txt",
        "staged new.txt",
        "tool.sh",
        "untracked ünïcode.txt",
    }
    # In a clone that has only the commit, `git apply` gives the same tree, and the same files.
    git_in(tmp_path, "clone", "-q", str(repo), "clone")
    clone = tmp_path / "clone"
    assert check_restores(Repository.discover(clone), seen.commit, seen.patch) == seen.tree
    (tmp_path / "code.patch").write_bytes(seen.patch)
    git_in(clone, "apply", "--index", str(tmp_path / "code.patch"))
    assert git_in(clone, "write-tree").strip() == seen.tree
    for name in ("old.txt", "staged new.txt", "untracked ünïcode.txt", "binary.bin"):
        assert (clone / name).read_bytes() == (repo / name).read_bytes()
    assert (clone / "link").readlink() == Path("old.txt")
    assert os.access(clone / "tool.sh", os.X_OK)
    assert not (clone / "gone.txt").exists()
    assert not (clone / "ignored.txt").exists()


def test_looking_changes_nothing_not_even_the_object_store(repo: Path) -> None:
    make_dirty(repo)
    git_in(repo, "stash", "push", "-q", "--keep-index", "--", "tool.sh")
    before = state_of(repo)
    objects = sorted((repo / ".git" / "objects").rglob("*"))
    snapshot(repo)
    assert state_of(repo) == before
    assert sorted((repo / ".git" / "objects").rglob("*")) == objects


def test_a_repository_without_commits_is_all_patch(tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "new")
    (tmp_path / "new" / "a.py").write_text("1\n")
    seen = snapshot(tmp_path / "new")
    assert seen.commit is None
    assert b"+++ b/a.py" in seen.patch
    assert seen.tree is not None


def test_a_detached_head_has_no_branch(repo: Path) -> None:
    git_in(repo, "checkout", "-q", "--detach")
    assert snapshot(repo).branch is None
    assert snapshot(repo).commit is not None


def test_a_bare_repository_has_only_a_commit(repo: Path, tmp_path: Path) -> None:
    git_in(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    seen = snapshot(tmp_path / "bare.git")
    assert (seen.patch, seen.changed) == (b"", [])
    assert seen.tree == git_in(repo, "rev-parse", "HEAD^{tree}").strip()


def test_a_linked_worktree_is_seen_as_itself(repo: Path, tmp_path: Path) -> None:
    git_in(repo, "worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    (tmp_path / "linked" / "train.py").write_text("print('changed')\n")
    (repo / "elsewhere.txt").write_text("not mine\n")
    seen = snapshot(tmp_path / "linked")
    assert seen.branch == "other"
    assert seen.changed == ["train.py"]


def test_a_subfolder_sees_the_whole_repository(repo: Path) -> None:
    (repo / "sub").mkdir()
    (repo / "top.txt").write_text("top\n")
    (repo / "sub" / "below.txt").write_text("below\n")
    assert set(snapshot(repo / "sub").changed) == {"top.txt", "sub/below.txt"}


def test_large_files_are_left_out_and_the_rest_stays_exact(repo: Path) -> None:
    (repo / "small.txt").write_text("small\n")
    (repo / "large.bin").write_bytes(b"x" * 5000)
    seen = snapshot(repo, file_limit=1000)
    assert left_out(seen) == ["large.bin"]
    assert b"large.bin" not in seen.patch
    assert seen.commit is not None
    assert check_restores(Repository.discover(repo), seen.commit, seen.patch) == seen.tree


def test_many_files_share_one_limit_and_the_smallest_stay(repo: Path) -> None:
    for number in range(10):
        (repo / f"{number}.txt").write_bytes(b"x" * (100 + number))
    seen = snapshot(repo, patch_limit=350)
    assert left_out(seen) == [f"{number}.txt" for number in range(3, 10)]


def test_repositories_inside_and_special_files_are_named_not_followed(repo: Path) -> None:
    make_repository(repo / "inner")
    os.mkfifo(repo / "pipe")
    seen = snapshot(repo)
    assert [(one.path, one.submodule) for one in seen.inside] == [("inner", False)]
    assert (seen.patch, seen.tree) == (b"", None)  # the commit of this repository does not give back the other


def test_a_submodule_is_recorded_by_its_commit(repo: Path, tmp_path: Path) -> None:
    inner = make_repository(tmp_path / "inner")
    git_in(repo, "submodule", "--quiet", "add", str(inner), "sub")
    git_in(repo, "commit", "-qm", "Add sub")
    (repo / "sub" / "train.py").write_text("2\n")
    git_in(repo / "sub", "commit", "-qam", "Two")
    assert b"Subproject commit" in snapshot(repo).patch


def test_a_conflicted_merge_is_taken_as_it_stands(repo: Path) -> None:
    git_in(repo, "checkout", "-qb", "side")
    (repo / "train.py").write_text("side\n")
    git_in(repo, "commit", "-qam", "Side")
    git_in(repo, "checkout", "-q", "main")
    (repo / "train.py").write_text("main\n")
    git_in(repo, "commit", "-qam", "Main")
    assert subprocess.run(["git", "merge", "-q", "side"], cwd=repo, capture_output=True, check=False).returncode
    seen = snapshot(repo)
    assert b"+<<<<<<< HEAD" in seen.patch


@pytest.mark.parametrize("name", ["with space", 'quote"d', "col:on", "back\\slash", "ünïcode", "-dash"])
def test_strange_folder_names_work(tmp_path: Path, name: str) -> None:
    repo = make_repository(tmp_path / name)
    (repo / "new.txt").write_text("new\n")
    seen = snapshot(repo)
    assert seen.commit is not None
    assert check_restores(Repository.discover(repo), seen.commit, seen.patch) == seen.tree


def test_variables_that_a_hook_inherits_lead_nowhere_else(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other")
    (repo / "mine.txt").write_text("mine\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert snapshot(repo).changed == ["mine.txt"]


def test_a_sha256_repository_works(tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "--object-format=sha256", "new")
    repo = tmp_path / "new"
    (repo / "a.py").write_text("1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "One")
    (repo / "a.py").write_text("2\n")
    seen = snapshot(repo)
    assert seen.tree is not None
    assert len(seen.tree) == 64
    assert seen.commit is not None
    assert check_restores(Repository.discover(repo), seen.commit, seen.patch) == seen.tree


def test_a_split_index_is_left_as_it_is(repo: Path) -> None:
    git_in(repo, "config", "core.splitIndex", "true")
    git_in(repo, "update-index", "--split-index")
    (repo / "train.py").write_text("print('changed')\n")
    before = sorted(path.name for path in (repo / ".git").iterdir())
    assert snapshot(repo).changed == ["train.py"]
    assert sorted(path.name for path in (repo / ".git").iterdir()) == before


def test_line_ends_that_git_warns_of_are_no_error(repo: Path) -> None:
    git_in(repo, "config", "core.autocrlf", "true")
    git_in(repo, "config", "core.safecrlf", "true")
    (repo / "train.py").write_bytes(b"one\ntwo\n")
    seen = snapshot(repo)
    assert seen.problem is None
    assert b"+two" in seen.patch


def test_a_filter_that_fails_costs_its_own_files_and_no_others(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.bin filter=gone\n")
    git_in(repo, "config", "filter.gone.clean", "not-installed-anywhere")
    git_in(repo, "config", "filter.gone.required", "true")
    (repo / "weights.bin").write_bytes(b"1")
    (repo / "train.py").write_text("print(2)\n")
    seen = snapshot(repo)
    assert b"+print(2)" in seen.patch
    assert (seen.tree, seen.problem) == (None, None)
    assert [(one.path, one.why, one.exact) for one in seen.left_out] == [
        ("weights.bin", "its filter `gone` failed", False)
    ]


def test_replace_refs_do_not_change_what_the_patch_stands_on(repo: Path) -> None:
    first = git_in(repo, "rev-parse", "HEAD").strip()
    (repo / "train.py").write_text("print(5)\n")
    git_in(repo, "commit", "-qam", "Five")
    git_in(repo, "replace", "HEAD", first)
    seen = snapshot(repo)
    assert (seen.patch, seen.changed) == (b"", [])
