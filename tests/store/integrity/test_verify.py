"""Verification finds what was done to a ledger, however it was done, and says what it cannot tell."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

import ledger as api
from ledger.errors import NotFound
from ledger.model.document import dump
from ledger.model.paths import RECORD_FILE, run_path
from ledger.model.record import Record
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.integrity.verify import Verification, verify
from ledger.store.sync.remote_tip import Recalled
from tests.conftest import Cli, git_in
from tests.store.branch.test_branch import ADA, NOW, append_samples, entry


def check(ledger: Branch, since: str | None = None) -> Verification:
    with blob_reader(ledger.repository) as read_blob:
        return verify(ledger, read_blob, since)


@pytest.fixture
def tree(ledger: Branch, repo: Path, tmp_path: Path) -> Path:
    """A worktree on the ledger branch, for those who would rewrite it by hand."""
    append_samples(ledger, 3)
    folder = tmp_path / "tree"
    git_in(repo, "worktree", "add", "-q", str(folder), "ledger")
    return folder


def commit(tree: Path, message: str = "by hand") -> str:
    git_in(tree, "add", "-A")
    git_in(tree, "commit", "-q", "-m", message)
    return git_in(tree, "rev-parse", "HEAD").strip()


def a_record(tree: Path) -> Path:
    return min(tree.glob("runs/*/*/*/*/record.json"))


def test_a_ledger_that_only_grew_is_clean(ledger: Branch, tree: Path) -> None:
    verdict = check(ledger)
    # The samples' curves, patches and figures are what their records say; nothing else may be found.
    assert [finding for finding in verdict.findings if "no such run" not in finding.message] == []
    assert (verdict.tip, verdict.commits) == (ledger.tip(), 3)


def test_an_empty_ledger_is_clean(ledger: Branch) -> None:
    verdict = check(ledger)
    assert verdict.clean
    assert (verdict.tip, verdict.commits, verdict.entries) == (None, 0, 0)


def edit(tree: Path) -> None:
    a_record(tree).write_text(a_record(tree).read_text().replace("finished", "failed"))


def undo_later(tree: Path) -> None:
    before = a_record(tree).read_bytes()
    edit(tree)
    commit(tree)
    a_record(tree).write_bytes(before)


def remove(tree: Path) -> None:
    a_record(tree).unlink()


def make_executable(tree: Path) -> None:
    a_record(tree).chmod(0o755)


def make_link(tree: Path) -> None:
    a_record(tree).unlink()
    a_record_folder = next(tree.glob("runs/*/*/*/*"))
    (a_record_folder / "log.txt").unlink(missing_ok=True)
    (a_record_folder / "log.txt").symlink_to("/etc/passwd")


def add_stray(tree: Path) -> None:
    (tree / ".gitattributes").write_text("* merge=ours\n")


def name_like_a_device(tree: Path) -> None:
    (tree / "datasets" / "con" / "v1").mkdir(parents=True)
    (tree / "datasets" / "con" / "v1" / "dataset.json").write_text("{}")


def change_format(tree: Path) -> None:
    (tree / "format").write_text("1 \n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit, "changed after it was added"),
        (undo_later, "changed after it was added"),
        (remove, "removed"),
        (make_executable, "changed after it was added"),
        (make_link, "removed"),
        (add_stray, "no entry has a path like this"),
        (name_like_a_device, "this cannot be checked out on Windows"),
        (change_format, "changed after it was added"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_done_by_hand_is_found_with_its_commit(
    ledger: Branch, tree: Path, change: Callable[[Path], None], said: str
) -> None:
    change(tree)
    done = commit(tree)
    findings = [finding for finding in check(ledger).findings if finding.commit]
    assert any(said in finding.message for finding in findings)
    assert done in {finding.commit for finding in findings}


def test_a_merge_that_drops_an_entry_is_found(ledger: Branch, tree: Path) -> None:
    git_in(tree, "checkout", "-q", "-b", "side", "HEAD~1")
    (tree / "policy.yaml").write_text("directions: {}\n")
    commit(tree)
    side = git_in(tree, "rev-parse", "HEAD").strip()
    git_in(tree, "checkout", "-q", "ledger")
    git_in(tree, "merge", "-q", "-s", "ours", "--no-commit", side)
    a_record(tree).unlink()
    merged = commit(tree, "merge")
    findings = check(ledger).findings
    assert any(finding.commit == merged and "removed" in finding.message for finding in findings)


def test_an_honest_merge_is_no_finding(ledger: Branch, tree: Path, repo: Path) -> None:
    git_in(tree, "checkout", "-q", "-b", "side", "HEAD~1")
    other = tree / "runs" / "2026" / "11" / "20" / "20261120-194812-000009"
    before = {finding.message for finding in check(ledger).findings}
    other.mkdir(parents=True)
    (other / "record.json").write_text("{}")
    commit(tree)
    git_in(tree, "checkout", "-q", "ledger")
    git_in(tree, "merge", "-q", "--no-edit", "side")
    history = [finding for finding in check(ledger).findings if finding.commit]
    assert history == []
    assert before <= {finding.message for finding in check(ledger).findings}


def test_a_second_beginning_is_found(ledger: Branch, tree: Path) -> None:
    git_in(tree, "checkout", "-q", "--orphan", "other")
    git_in(tree, "rm", "-rfq", ".")
    other = tree / "runs" / "2026" / "11" / "20" / "20261120-194812-000009"
    other.mkdir(parents=True)
    (other / "log.txt").write_text("x")
    commit(tree)
    git_in(tree, "checkout", "-q", "ledger")
    git_in(tree, "merge", "-q", "--allow-unrelated-histories", "--no-edit", "other")
    assert any("second beginning" in finding.message for finding in check(ledger).findings)


def test_policy_may_change(ledger: Branch, tree: Path) -> None:
    (tree / "policy.yaml").write_text("directions: {score: higher}\n")
    commit(tree)
    assert not [finding for finding in check(ledger).findings if finding.commit]


def test_a_file_that_is_not_what_its_record_says_is_found(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 1)
    run = ledger.contents().runs[0]
    stray = f"{run.path}/figures/extra.svg"
    ledger.append(entry(files={stray: b"<svg/>"}))
    found = check(ledger).findings
    assert {finding.path for finding in found} == {stray}
    assert {finding.rule for finding in found} == {"content", "history"}  # unnamed, and added later


def test_a_rewound_branch_is_noticed_the_next_time(ledger: Branch, repo: Path) -> None:
    ledger.create(ledger.repository.author(), entry().made_at)
    append_samples(ledger, 1)
    assert check(ledger).clean
    git_in(repo, "update-ref", "refs/heads/ledger", "ledger~1")
    (finding,) = check(ledger).findings
    assert "rewound or rewritten" in finding.message
    git_in(repo, "update-ref", "-d", "refs/heads/ledger")
    assert "rewound or rewritten" in check(ledger).findings[0].message


def test_a_commit_that_was_verified_and_is_nowhere_any_more_is_missed(ledger: Branch) -> None:
    append_samples(ledger, 1)
    assert check(ledger).clean
    (ledger.repository.state_dir / "verified-ledger").write_text("a" * 40)
    (finding,) = (one for one in check(ledger).findings if one.severity == "error")
    assert (finding.rule, finding.path, finding.commit) == ("history", ledger.ref, "a" * 40)
    assert "rewound or rewritten" in finding.message


def test_what_a_remote_remembers_is_missed_where_the_branch_lost_it(ledger: Branch) -> None:
    append_samples(ledger, 2)
    lost = git_in(Path(), "commit-tree", "-p", "ledger", "-m", "lost", "ledger^{tree}").strip()
    said = "origin remembers a commit that the branch no longer contains: it was rewound or rewritten"
    for commit, messages in ((None, []), (ledger.tip(), []), (lost, [said])):
        recalled = Recalled(remote="origin", commit=commit)
        with blob_reader(ledger.repository) as read_blob:
            findings = verify(ledger, read_blob, recalled=recalled).findings
        assert [one.message for one in findings if one.severity == "error"] == messages


def test_a_policy_that_nobody_can_read_is_found(ledger: Branch, tree: Path) -> None:
    (tree / "policy.yaml").write_text("directions: [\n")
    commit(tree)
    (finding,) = (one for one in check(Branch(ledger.repository)).findings if one.severity == "error")
    assert (finding.rule, finding.path, finding.hint) == ("policy", "policy.yaml", "ledger policy edit")
    assert finding.message.startswith("it cannot be read: ")


def appended(ledger: Branch, **more: object) -> Record:
    """Append a run that says the same as the first sample but for some fields."""
    record = ledger.contents().runs[0].record
    record = msgspec.structs.replace(record, id="20261120-194812-aaaaaa", **more)
    files = {f"{run_path(record.id)}/{RECORD_FILE}": dump(record)}
    ledger.append(Entry(id=record.id, files=files, message="run\n", author=ADA, made_at=NOW))
    return record


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("nobody", ["20200101-000000-aaaaaa", "the-best-one"])
def test_of_the_runs_that_a_record_names_those_that_are_not_there_are_told(
    ledger: Branch, nobody: str, *, late: bool
) -> None:
    (first,) = append_samples(ledger, 1)
    since = ledger.tip()
    appended(ledger, parent=first, baseline=nobody)
    told = [one for one in check(ledger, since if late else None).findings if one.rule == "reference"]
    assert [(one.severity, one.field) for one in told] == [("warning", "baseline")]
    assert told[0].message == f"baseline: no such run: `{nobody}`"


def test_a_run_that_was_recorded_long_after_its_commit_is_found(ledger: Branch) -> None:
    append_samples(ledger, 1)
    timing = ledger.contents().runs[0].record.timing
    appended(ledger, timing=msgspec.structs.replace(timing, recorded_at=NOW + timedelta(days=2)))
    said = "timing: it was recorded more than a day after it was committed"
    assert ("plausible", said) in {(one.rule, one.message) for one in check(ledger).findings}


def test_replace_refs_hide_nothing(ledger: Branch, tree: Path, repo: Path) -> None:
    good = git_in(tree, "rev-parse", "HEAD").strip()
    edit(tree)
    bad = commit(tree)
    git_in(repo, "replace", bad, good)
    assert any(finding.commit == bad for finding in check(ledger).findings)


def test_a_shallow_clone_says_what_it_cannot_tell(ledger: Branch, repo: Path, tmp_path: Path) -> None:
    append_samples(ledger, 3)
    git_in(tmp_path, "clone", "-q", "--depth=1", "--branch=ledger", f"file://{repo}", "shallow")
    verdict = check(Branch.open(tmp_path / "shallow"))
    assert any("shallow" in text for text in verdict.open)
    assert not [finding for finding in verdict.findings if finding.commit]


def test_only_what_came_after_a_commit_is_walked(ledger: Branch, tree: Path) -> None:
    edit(tree)
    bad = commit(tree)
    (tree / "policy.yaml").write_text("directions: {}\n")
    commit(tree)
    assert check(ledger, since=bad).commits == 1
    assert not [finding for finding in check(ledger, since=bad).findings if finding.commit]
    with pytest.raises(NotFound, match="no such commit"):
        check(ledger, since="nope")


def test_the_command_line_answers_with_its_exit_code(repo: Path, cli: Cli) -> None:
    cli("record", "--metric", "test/loss=1", "--param", "lr=1")
    done = cli("verify")
    assert (done.code, done.out) == (0, "")
    assert "1 entry in 1 commit: nothing is wrong" in done.err
    with api.run("x", baseline="20200101-000000-aaaaaa"):
        pass
    done = cli("verify")
    assert done.code == 0  # recording keeps a name that it does not know, so it is told and no more
    assert done.out.startswith("warning: ")
    assert "baseline: no such run: `20200101-000000-aaaaaa`" in done.out
    assert json.loads(cli("verify", "--json").out)["findings"]
    git_in(repo, "update-ref", "refs/heads/ledger", "ledger~1")
    done = cli("verify")
    assert done.code == 1
    assert "rewound or rewritten" in done.out


def test_a_run_of_no_commit_stands_beside_the_others(ledger: Branch) -> None:
    append_samples(ledger)
    (first, *_) = ledger.contents().runs
    assert first.record.code.commit
    code = msgspec.structs.replace(first.record.code, commit=None)
    record = msgspec.structs.replace(first.record, id="20261120-194812-aaaaaa", code=code)
    path = f"{run_path(record.id)}/{RECORD_FILE}"
    ledger.append(Entry(id=record.id, files={path: dump(record)}, message="run\n", author=ADA, made_at=NOW))
    assert any(run.record.code.commit is None for run in ledger.contents().runs)
    assert check(ledger).entries == 4
