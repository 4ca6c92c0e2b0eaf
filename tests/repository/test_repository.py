"""Finding a repository and asking it things."""

import os
from pathlib import Path

import pytest

from ledger.errors import LedgerError, NotFound
from ledger.model.record import Author
from ledger.repository.blobs import blob_reader
from ledger.repository.history.log import read_log
from ledger.repository.making import create_embedded, create_project
from ledger.repository.process import Git
from ledger.repository.repository import Repository, remotes
from tests.conftest import git_in, make_repository


def test_no_repository_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a git repository") as caught:
        Repository.discover(tmp_path)
    assert "ledger init" in str(caught.value.hint)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such folder"):
        Repository.discover(tmp_path / "nowhere")


def test_no_git_on_path_is_said(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NotFound, match="git is not installed"):
        Repository.discover(repo)


def test_the_top_is_found_from_a_subfolder(repo: Path) -> None:
    (repo / "a" / "b").mkdir(parents=True)
    found = Repository.discover(repo / "a" / "b")
    assert (found.worktree, found.folder) == (repo.resolve(), "a/b")
    assert Repository.discover(repo).folder == "."


def test_a_linked_worktree_shares_the_common_directory(repo: Path, tmp_path: Path) -> None:
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    found = Repository.discover(tmp_path / "linked")
    assert found.common_dir == Repository.discover(repo).common_dir
    assert found.git_dir != found.common_dir


@pytest.mark.parametrize("inside", [".", ".git", ".git/refs"])
def test_inside_the_git_directory_there_is_no_worktree(repo: Path, inside: str) -> None:
    found = Repository.discover(repo / inside)
    assert (found.worktree is None) == (inside != ".")


def test_an_embedded_repository_is_found_from_below(tmp_path: Path) -> None:
    create_embedded(tmp_path)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    found = Repository.discover(tmp_path / "deep" / "er")
    assert found.worktree == tmp_path.resolve()
    assert found.git_dir.name == ".ledger"


def test_making_an_embedded_repository_twice_changes_nothing(tmp_path: Path) -> None:
    first = create_embedded(tmp_path)
    git_in(tmp_path, f"--git-dir={first.git_dir}", "config", "x.y", "kept")
    create_embedded(tmp_path)
    assert git_in(tmp_path, f"--git-dir={first.git_dir}", "config", "x.y") == "kept\n"


def test_a_project_is_one_commit_of_what_is_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("1\n")
    (tmp_path / "data.bin").write_text("2\n")
    (tmp_path / ".gitignore").write_text("*.bin\n")
    made = create_project(tmp_path, Author(name="Bo", email="bo@example.com"), "Begin\n")
    assert git_in(tmp_path, "ls-files").split() == [".gitignore", "train.py"]
    assert git_in(tmp_path, "log", "--format=%an <%ae> %s").strip() == "Bo <bo@example.com> Begin"
    assert git_in(tmp_path, "status", "--porcelain") == ""
    assert made.author().name == "Bo"


def test_a_repository_of_your_own_wins_over_an_embedded_one(tmp_path: Path) -> None:
    create_embedded(tmp_path)
    repo = make_repository(tmp_path / "repo")
    assert Repository.discover(repo).git_dir.name == ".git"


def test_the_author_is_git_s(repo: Path) -> None:
    author = Repository.discover(repo).author()
    assert (author.name, author.email) == ("Ada Lovelace", "ada@example.com")


def test_an_author_that_git_does_not_know_is_unknown(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git_in(repo, "config", "user.useConfigOnly", "true")
    assert Repository.discover(repo).author().name == "unknown"


def test_remotes_are_read_from_configuration(repo: Path) -> None:
    git_in(repo, "remote", "add", "origin", "https://example.com/a.git")
    git_in(repo, "remote", "add", "up.stream", "/somewhere")
    found = remotes(Repository.discover(repo).config(r"^remote\..*\.url$"))
    assert found == {"origin": "https://example.com/a.git", "up.stream": "/somewhere"}


def test_a_commit_is_pushed_when_a_remote_branch_reaches_it(repo: Path, tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "--bare", "remote.git")
    git_in(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit = git_in(repo, "rev-parse", "HEAD").strip()
    found = Repository.discover(repo)
    assert not found.is_pushed(commit)
    git_in(repo, "push", "-q", "origin", "main")
    assert found.is_pushed(commit)


def test_objects_come_in_order_and_missing_ones_are_none(repo: Path) -> None:
    found = Repository.discover(repo)
    answers = list(found.read_objects(["HEAD:train.py", "HEAD:nope", "0" * 40, "HEAD:train.py"]))
    assert answers == [b"print('training')\n", None, None, b"print('training')\n"]


def test_a_missing_object_is_an_error_by_name(repo: Path) -> None:
    with pytest.raises(NotFound, match="no such object"):
        Repository.discover(repo).read_object("HEAD:nope")


def test_a_tree_is_listed_with_odd_names(repo: Path) -> None:
    (repo / "tab\there ü.txt").write_text("x")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Odd")
    assert [file.path for file in Repository.discover(repo).read_tree("HEAD")] == ["tab\there ü.txt", "train.py"]


def test_the_log_is_read_newest_first(repo: Path) -> None:
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "Second\n\nwith a body")
    entries = list(read_log(Repository.discover(repo), "HEAD", 10))
    assert [entry.subject for entry in entries] == ["Second", "Train"]
    assert "with a body" in entries[0].message
    assert len(list(read_log(Repository.discover(repo), "HEAD", 1))) == 1


def test_a_damaged_history_is_one_line(repo: Path) -> None:
    with pytest.raises(LedgerError, match="cannot read the history"):
        list(read_log(Repository.discover(repo), "0" * 40))


def test_a_line_feed_in_the_name_of_a_folder_leads_nowhere_else(tmp_path: Path) -> None:
    repo = make_repository(tmp_path / "two\nlines")
    (repo / "a").mkdir()
    found = Repository.discover(repo / "a")
    assert found.git_dir == found.common_dir == repo / ".git"
    assert (found.worktree, found.prefix) == (repo, "a/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_says_how_to_trust_it(repo: Path) -> None:
    os.chown(repo, 12345, 12345)
    os.chown(repo / ".git", 12345, 12345)
    with pytest.raises(LedgerError, match="dubious ownership") as caught:
        Repository.discover(repo)
    assert f"safe.directory '{repo}'" in str(caught.value.hint)


def test_a_repository_stays_the_same_when_the_training_changes_its_folder(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Repository.discover(Path())
    monkeypatch.chdir(make_repository(tmp_path / "other"))
    git_in(Path(), "commit", "-q", "--allow-empty", "-m", "Other")
    assert found.resolve("HEAD") == git_in(repo, "rev-parse", "HEAD").strip()


def test_a_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(NotFound, match="the current folder is gone"):
        Repository.discover(Path())


def test_the_log_and_the_blobs_of_an_embedded_repository_are_read(tmp_path: Path) -> None:
    embedded = create_embedded(tmp_path)
    git_in(tmp_path, "--git-dir=.ledger", "--work-tree=.", "commit", "-q", "--allow-empty", "-m", "First")
    tip = embedded.resolve("HEAD")
    assert tip is not None
    assert [entry.subject for entry in read_log(embedded, tip)] == ["First"]
    with blob_reader(embedded) as read:
        assert read(tip).startswith(b"tree ")


def test_a_failure_names_the_command_of_git_not_its_settings(repo: Path) -> None:
    with pytest.raises(LedgerError, match="git cat-file failed"):
        Git(repo).output("-c", "core.fsmonitor=false", "cat-file", "-p", "nothing")


def test_the_log_and_the_blobs_of_a_sha256_repository_are_read(tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "--object-format=sha256")
    git_in(tmp_path, "commit", "-q", "--allow-empty", "-m", "First")
    found = Repository.discover(tmp_path)
    tip = found.resolve("HEAD")
    assert tip is not None
    assert [entry.commit for entry in read_log(found, "HEAD")] == [tip]
    with blob_reader(found) as read:
        assert read(tip).startswith(b"tree ")
        with pytest.raises(NotFound):
            read("0" * 64)
        assert read(tip).endswith(b"First\n")
