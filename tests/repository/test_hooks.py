"""Hooks of ours before, after and around those of others; real git runs them."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Conflict, LedgerError
from ledger.repository.hooks import CLIENT, SERVER, hooks_folder, install_hooks, read_hooks, uninstall_hooks
from ledger.repository.repository import Repository
from ledger.resources import shipped
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, git_in, make_repository
from tests.store.branch.test_branch import entry

SHELL_HOOK = """#!/bin/sh
echo "arguments: $*" >>"$LOG"
cat >>"$LOG"
exit ${EXIT:-0}
"""
PYTHON_HOOK = f"""#!{sys.executable}
import os, sys
with open(os.environ["LOG"], "ab") as log:
    log.write(b"arguments: " + " ".join(sys.argv[1:]).encode() + b"\\n" + sys.stdin.buffer.read())
sys.exit(int(os.environ.get("EXIT", "0")))
"""
HUSKY_HOOK = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'
HUSKY = """#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
exit $?
"""
WRAPPER = """#!/usr/bin/env bash
# As pre-commit does it: what stood here before runs first, with the same stdin.
here="$(cd "$(dirname "$0")" && pwd)"
lines="$(cat)"
if [ -x "$here/pre-push.legacy" ]; then printf '%s\\n' "$lines" | "$here/pre-push.legacy" "$@" || exit $?; fi
echo wrapper >>"$LOG"
"""


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the hooks of others write what they were given."""
    file = tmp_path / "log"
    monkeypatch.setenv("LOG", str(file))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return file


def put(path: Path, text: str | bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def facts(folder: Path) -> dict[str, tuple[object, int]]:
    """Return every file of a folder: its bytes or where it leads to, and its mode."""
    found = sorted(folder.iterdir())
    return {
        path.name: (str(path.readlink()) if path.is_symlink() else path.read_bytes(), path.lstat().st_mode)
        for path in found
    }


def push(folder: Path, *refs: str) -> subprocess.CompletedProcess[str]:
    """Push to a new bare repository beside, and return what came of it."""
    hub = folder.parent / "hub.git"
    if not hub.exists():
        git_in(folder.parent, "init", "--quiet", "--bare", str(hub))
    return subprocess.run(["git", "push", str(hub), *refs], cwd=folder, capture_output=True, text=True, check=False)


def install(folder: Path) -> list[str]:
    hooks = install_hooks(Repository.discover(folder), CLIENT, sys.executable)
    return [hook.state for hook in hooks]


def damage(folder: Path) -> None:
    """Make a branch `ledger` that is none."""
    git_in(folder, "branch", "--force", "ledger", "main")


def test_a_push_of_a_branch_that_is_no_ledger_is_refused_and_others_pass(repo: Path) -> None:
    assert install(repo) == ["installed", "installed", "installed"]
    damage(repo)
    refused = push(repo, "ledger")
    assert refused.returncode == 1
    assert "error: refs/heads/ledger: commit " in refused.stderr
    assert push(repo, "main").returncode == 0
    assert git_in(repo.parent / "hub.git", "for-each-ref", "--format=%(refname)") == "refs/heads/main\n"


@pytest.mark.parametrize("hook", [SHELL_HOOK, PYTHON_HOOK], ids=["sh", "python"])
def test_a_hook_from_before_runs_first_with_its_arguments_and_stdin(repo: Path, log: Path, hook: str) -> None:
    put(repo / ".git/hooks/pre-push", hook)
    install(repo)
    head = git_in(repo, "rev-parse", "HEAD").strip()
    assert push(repo, "main").returncode == 0
    hub = repo.parent / "hub.git"
    assert log.read_text() == f"arguments: {hub} {hub}\nrefs/heads/main {head} refs/heads/main {'0' * 40}\n"
    damage(repo)
    assert push(repo, "ledger").returncode == 1, "ours looks as well"
    assert log.read_text().count("refs/heads/ledger") == 2


def test_the_failure_of_a_hook_from_before_wins(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(repo / ".git/hooks/pre-push", SHELL_HOOK)
    install(repo)
    monkeypatch.setenv("EXIT", "7")
    assert push(repo, "main").returncode == 1
    done = subprocess.run([".git/hooks/pre-push", "a", "b"], cwd=repo, input=b"", check=False)
    assert done.returncode == 7


def test_a_hook_from_before_that_is_a_binary_gets_every_byte(repo: Path, log: Path) -> None:
    put(repo / ".git/hooks/pre-push", Path(shutil.which("tee") or "").read_bytes())
    install(repo)
    given = b"refs/heads/\xff\xfe\xc3 1 refs/heads/ab 2\n\n refs/heads/%s \\n $(x) 'q' \"\n\n"
    subprocess.run([".git/hooks/pre-push", str(log)], cwd=repo, input=given, check=True, stdout=subprocess.DEVNULL)
    assert log.read_bytes() == given


def test_a_hook_from_before_that_does_not_read_breaks_nothing(repo: Path) -> None:
    put(repo / ".git/hooks/pre-push", "#!/bin/sh\nexit 0\n")
    install(repo)
    lines = b"".join(b"refs/heads/%d %b refs/heads/%d %b\n" % (n, b"1" * 40, n, b"0" * 40) for n in range(5000))
    done = subprocess.run([".git/hooks/pre-push"], cwd=repo, input=lines, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_hook_without_the_right_to_run_stays_unrun(repo: Path, log: Path) -> None:
    put(repo / ".git/hooks/pre-push", SHELL_HOOK, 0o644)
    install(repo)
    assert push(repo, "main").returncode == 0
    assert not log.exists()


def test_uninstalling_restores_bytes_modes_links_and_absence(repo: Path) -> None:
    folder = repo / ".git/hooks"
    put(repo / "tools/hook", SHELL_HOOK)
    put(folder / "pre-push", SHELL_HOOK, 0o751)
    (folder / "reference-transaction").symlink_to("../../tools/hook")
    before = facts(folder)
    install(repo)
    assert facts(folder) != before
    assert [hook.state for hook in uninstall_hooks(Repository.discover(repo), CLIENT)] == [
        "foreign",
        "foreign",
        "absent",
    ]
    assert facts(folder) == before
    uninstall_hooks(Repository.discover(repo), CLIENT)
    assert facts(folder) == before


def test_uninstalling_where_nothing_stood_leaves_nothing(repo: Path) -> None:
    before = facts(repo / ".git/hooks")
    install(repo)
    uninstall_hooks(Repository.discover(repo), CLIENT)
    assert facts(repo / ".git/hooks") == before


def test_installing_three_times_is_installing_once(repo: Path) -> None:
    put(repo / ".git/hooks/pre-push", SHELL_HOOK)
    install(repo)
    once = facts(repo / ".git/hooks")
    assert install(repo) == install(repo) == ["installed", "installed", "installed"]
    assert facts(repo / ".git/hooks") == once


def test_installing_again_mends_what_an_older_version_or_a_lost_mode_left(repo: Path) -> None:
    install(repo)
    wanted = facts(repo / ".git/hooks")
    repository = Repository.discover(repo)
    install_hooks(repository, CLIENT, "/somewhere/else/python")
    (repo / ".git/hooks/pre-push").chmod(0o644)
    install(repo)
    assert facts(repo / ".git/hooks") == wanted


def test_a_hook_of_ours_that_somebody_changed_is_named_and_left(repo: Path) -> None:
    install(repo)
    hook = repo / ".git/hooks/pre-push"
    hook.write_text(hook.read_text() + "echo mine\n")
    changed = hook.read_bytes()
    left = uninstall_hooks(Repository.discover(repo), CLIENT)
    assert [one.state for one in left] == ["changed", "absent", "absent"]
    assert hook.read_bytes() == changed
    with pytest.raises(Conflict, match="this hook was changed after"):
        install(repo)
    assert not (repo / ".git/hooks/reference-transaction").exists(), "all or nothing"


def test_a_wrapper_that_was_put_over_ours_runs_it_and_stays(repo: Path, log: Path) -> None:
    install(repo)
    folder = repo / ".git/hooks"
    (folder / "pre-push").rename(folder / "pre-push.legacy")
    put(folder / "pre-push", WRAPPER)
    before = facts(folder)
    assert install(repo) == ["wrapped", "installed", "installed"]
    assert facts(folder) == before
    damage(repo)
    assert push(repo, "ledger").returncode == 1
    assert push(repo, "main").returncode == 0
    assert log.read_text() == "wrapper\n"
    assert [hook.state for hook in uninstall_hooks(Repository.discover(repo), CLIENT)] == [
        "wrapped",
        "absent",
        "absent",
    ]
    assert (folder / "pre-push.legacy").exists()


def test_a_wrapper_from_before_ours_runs_first(repo: Path, log: Path) -> None:
    folder = repo / ".git/hooks"
    put(folder / "pre-push.legacy", SHELL_HOOK)
    put(folder / "pre-push", WRAPPER)
    assert install(repo) == ["installed", "installed", "installed"]
    assert push(repo, "main").returncode == 0
    assert log.read_text().endswith("wrapper\n")
    assert "refs/heads/main" in log.read_text()


def test_a_hook_that_was_forced_over_ours_is_not_mixed_up_with_the_one_from_before(repo: Path) -> None:
    folder = repo / ".git/hooks"
    put(folder / "pre-push", SHELL_HOOK)
    install(repo)
    put(folder / "pre-push", PYTHON_HOOK)
    with pytest.raises(Conflict, match="another hook replaced") as caught:
        install(repo)
    assert caught.value.hint is not None
    assert "rm " in caught.value.hint
    assert (folder / "pre-push.before-ledger").read_text() == SHELL_HOOK


def test_a_hook_that_was_forced_over_ours_alone_is_the_one_from_before_now(repo: Path, log: Path) -> None:
    install(repo)
    put(repo / ".git/hooks/pre-push", PYTHON_HOOK)  # `git lfs update --force`
    assert install(repo) == ["installed", "installed", "installed"]
    damage(repo)
    assert push(repo, "ledger").returncode == 1
    assert log.read_text().count("refs/heads/ledger") == 2
    uninstall_hooks(Repository.discover(repo), CLIENT)
    assert (repo / ".git/hooks/pre-push").read_text() == PYTHON_HOOK


def test_a_repository_without_a_folder_of_hooks_gets_one(repo: Path) -> None:
    shutil.rmtree(repo / ".git/hooks")
    assert install(repo) == ["installed", "installed", "installed"]
    damage(repo)
    assert push(repo, "ledger").returncode == 1


def test_a_repository_that_lies_apart_from_its_files_is_found(tmp_path: Path) -> None:
    git_dir, files, hub = tmp_path / "dot.git", tmp_path / "files", tmp_path / "hub.git"
    files.mkdir()
    git_in(tmp_path, "init", "--quiet", "--bare", str(git_dir))
    git_in(tmp_path, "init", "--quiet", "--bare", str(hub))
    git = ["git", f"--git-dir={git_dir}", f"--work-tree={files}"]
    git_in(files, *git[1:], "commit", "--quiet", "--allow-empty", "--message", "begin")
    install(git_dir)
    done = subprocess.run([*git, "push", str(hub), "HEAD:ledger"], cwd=files, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert subprocess.run([*git, "push", "-q", str(hub), "HEAD:main"], cwd=files, check=False).returncode == 0


def test_husky_runs_the_script_of_the_user_before_and_after_it_is_set_up_again(repo: Path, log: Path) -> None:
    put(repo / ".husky/pre-push", SHELL_HOOK)
    put(repo / ".husky/_/h", HUSKY, 0o644)
    put(repo / ".husky/_/pre-push", HUSKY_HOOK)
    git_in(repo, "config", "core.hooksPath", ".husky/_")
    assert install(repo) == ["installed", "installed", "installed"]
    assert push(repo, "main").returncode == 0
    assert "refs/heads/main" in log.read_text()
    put(repo / ".husky/_/pre-push", HUSKY_HOOK)  # `npm install` writes them again
    assert read_hooks(Repository.discover(repo), CLIENT)[0].state == "foreign"
    assert install(repo) == ["installed", "installed", "installed"]
    damage(repo)
    assert push(repo, "ledger").returncode == 1
    assert log.read_text().count("arguments") == 2
    uninstall_hooks(Repository.discover(repo), CLIENT)
    assert sorted(facts(repo / ".husky/_")) == ["h", "pre-push"]


def test_a_bash_hook_that_looks_for_files_beside_it_finds_them(repo: Path, log: Path) -> None:
    folder = repo / ".git/hooks"
    put(folder / "beside", "found")
    put(folder / "pre-push", '#!/bin/bash\n[[ ${0##*/} == pre-push ]] && cat "$(dirname "$0")/beside" >>"$LOG"\n')
    install(repo)
    assert push(repo, "main").returncode == 0
    assert log.read_text() == "found"


def test_hooks_shared_by_all_repositories_are_never_written_to(repo: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared hooks"
    shared.mkdir()
    git_in(repo, "config", "--global", "core.hooksPath", str(shared))
    with pytest.raises(LedgerError, match="all your repositories share these hooks") as caught:
        install(repo)
    assert caught.value.hint is not None
    assert "git config core.hooksPath" in caught.value.hint
    assert 'ledger hooks run pre-push "$@"' in caught.value.hint
    assert list(shared.iterdir()) == []
    git_in(repo, "config", "core.hooksPath", str(repo / ".git" / "hooks"))
    assert install(repo) == ["installed", "installed", "installed"]


def test_hooks_that_are_switched_off_stay_off(repo: Path) -> None:
    git_in(repo, "config", "core.hooksPath", "/dev/null")
    with pytest.raises(LedgerError, match="switched off"):
        install(repo)


def test_the_line_for_a_shared_hook_refuses_a_bad_push(repo: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    put(shared / "pre-push", f'#!/bin/sh\nexec {sys.executable} -m ledger hooks run pre-push "$@"\n')
    git_in(repo, "config", "--global", "core.hooksPath", str(shared))
    damage(repo)
    assert push(repo, "main").returncode == 0
    assert push(repo, "ledger").returncode == 1


def test_linked_worktrees_and_submodules_have_their_hooks(repo: Path, tmp_path: Path) -> None:
    git_in(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    assert install(tmp_path / "linked") == ["installed", "installed", "installed"]
    assert (repo / ".git/hooks/pre-push").exists()
    outer = make_repository(tmp_path / "outer")
    git_in(outer, "submodule", "--quiet", "add", str(repo), "inner")
    assert install(outer / "inner") == ["installed", "installed", "installed"]
    assert hooks_folder(Repository.discover(outer / "inner")) == outer / ".git/modules/inner/hooks"
    for place in (tmp_path / "linked", outer / "inner"):
        git_in(place, "branch", "--force", "ledger", "HEAD")
        assert push(place, "HEAD:refs/heads/ledger").returncode == 1
        assert push(place, "HEAD:refs/heads/side").returncode == 0


def test_odd_places_work(tmp_path: Path, log: Path) -> None:
    folder = make_repository(tmp_path / "a 'quoted' \"name\" $HOME\nline ü")
    put(folder / ".git/hooks/pre-push", SHELL_HOOK)
    python = put(tmp_path / "odd 'python'\n$x", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    install_hooks(Repository.discover(folder), CLIENT, str(python))
    damage(folder)
    done = push(folder, "ledger")
    assert done.returncode == 1
    assert "error: refs/heads/ledger" in done.stderr
    assert push(folder, "main").returncode == 0
    assert log.read_text().count("arguments") == 2
    assert (folder / ".git/ledger/moved").exists()


def test_sha256_repositories_work(tmp_path: Path) -> None:
    folder = tmp_path / "long"
    git_in(tmp_path, "init", "--quiet", "--object-format=sha256", str(folder))
    git_in(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "hub.git")
    git_in(folder, "commit", "--quiet", "--allow-empty", "--message", "begin")
    install(folder)
    damage(folder)
    assert push(folder, "ledger").returncode == 1
    assert push(folder, "main").returncode == 0


def test_a_missing_tool_blocks_nobody_and_says_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(repo)
    install_hooks(Repository.discover(repo), CLIENT, "/nowhere/python")
    monkeypatch.setenv("PATH", os.pathsep.join(_path_without_ledger(repo.parent)))
    done = push(repo, "ledger")
    assert done.returncode == 0
    assert "ledger:" not in done.stderr


def test_a_tool_that_fails_blocks_nobody_and_says_nothing(repo: Path) -> None:
    broken = put(repo.parent / "python", "#!/bin/sh\necho Traceback >&2\nexit 1\n")
    install_hooks(Repository.discover(repo), CLIENT, str(broken))
    damage(repo)
    done = push(repo, "ledger")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def _path_without_ledger(folder: Path) -> list[str]:
    """Return folders in which git and the usual tools are found, and no ledger."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("git", "sh", "cat", "mkdir", "env"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return [str(tools)]


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [
        (("branch", "ledger"), True),
        (("update-ref", "refs/remotes/origin/ledger", "HEAD"), True),
        (("commit", "--quiet", "--allow-empty", "--message", "work"), False),
        (("branch", "other/ledger"), False),
        (("update-ref", "refs/remotes/origin/ledger-review/a", "HEAD"), False),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else str(value),
)
def test_a_ledger_that_moves_leaves_a_mark(repo: Path, arguments: tuple[str, ...], marks: bool) -> None:  # noqa: FBT001  # a case
    install(repo)
    git_in(repo, *arguments)
    assert (repo / ".git/ledger/moved").exists() == marks


def test_a_transaction_hook_from_before_sees_every_state_and_may_stop_it(repo: Path, log: Path) -> None:
    put(repo / ".git/hooks/reference-transaction", SHELL_HOOK)
    install(repo)
    git_in(repo, "update-ref", "refs/heads/ledger", "HEAD")
    assert [line for line in log.read_text().splitlines() if line.startswith("arguments")] == [
        "arguments: prepared",
        "arguments: committed",
    ]
    done = subprocess.run(
        ["git", "update-ref", "refs/heads/other", "HEAD"],
        cwd=repo,
        env={**os.environ, "EXIT": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0


def test_the_stubs_are_short_and_pass_shellcheck() -> None:
    stubs = [shipped("hooks") / name for name in (*CLIENT, *SERVER)]
    assert all(len(stub.read_text().splitlines()) <= 20 for stub in stubs)
    beside = str(Path(sys.executable).parent)
    checker = shutil.which("shellcheck", path=os.pathsep.join([beside, os.environ["PATH"]]))
    if checker is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([checker, "--shell=sh", *map(str, stubs)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_an_installed_hook_is_executable_by_all_and_says_whose_it_is(repo: Path) -> None:
    install(repo)
    hook = repo / ".git/hooks/pre-push"
    assert stat.S_IMODE(hook.stat().st_mode) == 0o755
    assert "git-ledger hook blake3:" in hook.read_text().splitlines()[1]


def test_a_commit_made_by_hand_that_removes_entries_is_refused_and_one_of_the_policy_passes(
    repo: Path, tmp_path: Path
) -> None:
    ledger = Branch.open(repo)
    ledger.append(entry(1))
    install(repo)
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "policy"), "ledger")
    ledger.append(entry(2))
    (tmp_path / "policy" / "policy.yaml").write_text("directions:\n  score: higher\n")
    commit = ["git", "commit", "--all", "-qm", "Score"]
    done = subprocess.run(commit, cwd=tmp_path / "policy", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "runs/2026/11/20/20261120-194812-000002/record.json" in done.stderr
    git_in(tmp_path / "policy", "restore", "--source=HEAD", "--staged", "--worktree", "runs")
    git_in(tmp_path / "policy", "commit", "--all", "-qm", "Score")
