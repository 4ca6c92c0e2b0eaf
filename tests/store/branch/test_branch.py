"""The ledger on its branch: append-only, idempotent, readable from any clone."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.errors import Conflict, InvalidDocument, LedgerError
from ledger.model.document import dump
from ledger.model.entries import Evaluation
from ledger.model.paths import dataset_path, evaluation_path, run_path
from ledger.model.record import Author
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry, read_waiting, waiting_files, write_waiting
from tests.conftest import git_in
from tests.samples import sample_ledger

ADA = Author(name="Ada", email="ada@example.com")
NOW = datetime(2026, 11, 20, 19, 48, 12, tzinfo=UTC)


def entry(number: int = 0, content: bytes = b"{}", **more: object) -> Entry:
    run_id = f"20261120-194812-{number:06d}"
    files = {f"{run_path(run_id)}/record.json": content}
    return Entry(**{"id": run_id, "files": files, "message": "run\n", "author": ADA, "made_at": NOW} | more)  # type: ignore[arg-type]  # fields by name


def append_samples(ledger: Branch, count: int = 3) -> list[str]:
    contents, blobs = sample_ledger()
    ids = []
    for run in contents.runs[:count]:
        files = {f"{run.path}/{name}": blobs[blob] for name, blob in run.files.items()}
        ledger.append(Entry(id=run.record.id, files=files, message="run\n", author=ADA, made_at=NOW))
        ids.append(run.record.id)
    return ids


def test_the_first_append_begins_the_branch_with_format_and_policy(ledger: Branch, repo: Path) -> None:
    assert ledger.tip() is None
    commit = ledger.append(entry()).commit
    assert ledger.tip() == commit
    assert git_in(repo, "show", "ledger:format") == "1\n"
    assert git_in(repo, "ls-tree", "--name-only", "ledger").split() == ["format", "policy.yaml", "runs"]
    assert git_in(repo, "rev-list", "--count", "--all", "--not", "main") == "1\n"


def test_beginning_twice_is_beginning_once(ledger: Branch, repo: Path) -> None:
    assert ledger.create(ADA, NOW) is not None
    assert ledger.create(ADA, NOW) is None
    assert git_in(repo, "rev-list", "--count", "ledger") == "1\n"


def test_one_dataset_version_added_twice_is_no_conflict(ledger: Branch) -> None:
    version = sample_ledger()[0].datasets[0]
    path = f"{dataset_path(version.name, version.version)}/dataset.json"
    ledger.append(entry(1, files={path: dump(version)}))
    later = msgspec.structs.replace(version, author=ADA, added_at=NOW)
    ledger.append(entry(2, files={path: dump(later), **entry(2).files}))
    assert ledger.contents().datasets == (version,)
    other = msgspec.structs.replace(version, hash="blake3:" + "0" * 64)
    with pytest.raises(Conflict, match="already holds"):
        ledger.append(entry(3, files={path: dump(other)}))


def test_what_was_appended_is_read_back(ledger: Branch) -> None:
    ids = append_samples(ledger)
    contents = ledger.contents()
    expected = {run.record.id: run.record for run in sample_ledger()[0].runs}
    assert [run.record.id for run in contents.runs] == sorted(ids)
    assert all(run.record == expected[run.record.id] for run in contents.runs)
    assert contents.problems == ()
    run = contents.runs[0]
    assert ledger.read_blob(run.files["record.json"]) == dump(run.record)


def test_evaluations_join_their_run_in_order_of_time(ledger: Branch) -> None:
    (run_id,) = append_samples(ledger, 1)
    metric = sample_ledger()[0].runs[0].record.results.metrics[0]
    for number in (2, 1):
        made = Evaluation(
            format=1,
            id=f"20261122-00000{number}-aaaaaa",
            run=run_id,
            metrics=[metric],
            author=ADA,
            evaluated_at=NOW,
            tool="t",
        )
        ledger.append(entry(files={evaluation_path(made.id): dump(made)}))
    (run,) = ledger.contents().runs
    assert [evaluation.id[14:15] for evaluation in run.evaluations] == ["1", "2"]
    assert len(run.metrics()) == len(run.record.results.metrics) + 2


def test_damaged_entries_are_problems_and_hide_nothing(ledger: Branch) -> None:
    append_samples(ledger, 2)
    ledger.append(entry(number=5, content=b"{broken"))
    contents = ledger.contents()
    assert len(contents.runs) == 2
    assert [problem.path for problem in contents.problems] == ["runs/2026/11/20/20261120-194812-000005/record.json"]


def test_a_record_that_claims_to_be_another_is_a_problem(ledger: Branch) -> None:
    record = sample_ledger()[0].runs[0].record
    ledger.append(entry(number=7, content=dump(record)))
    contents = ledger.contents()
    assert contents.runs == ()
    assert "belongs at another path" in contents.problems[0].message


def test_a_fresh_clone_reads_and_continues_the_remote_s_ledger(ledger: Branch, repo: Path, tmp_path: Path) -> None:
    first = ledger.append(entry(1)).commit
    git_in(tmp_path, "clone", "-q", str(repo), "clone")
    clone = Branch.open(tmp_path / "clone")
    assert clone.tip() == first
    second = clone.append(entry(2)).commit
    assert git_in(tmp_path / "clone", "rev-list", "ledger").split() == [second, first]


def test_a_branch_that_is_no_ledger_is_refused(ledger: Branch, repo: Path) -> None:
    git_in(repo, "branch", "ledger")
    with pytest.raises(InvalidDocument, match="not a ledger"):
        ledger.append(entry())
    with pytest.raises(InvalidDocument, match="not a ledger"):
        ledger.contents()


def test_a_ledger_of_a_newer_format_is_refused_with_advice(ledger: Branch) -> None:
    ledger.append(entry())
    ledger.append(entry(1))
    assert ledger.tip() is not None
    from ledger.repository.history.append import append_commit

    append_commit(
        ledger.repository,
        ledger.ref,
        parent=ledger.tip(),
        files={"format": b"2\n"},
        message="m\n",
        author=ADA,
        now=NOW,
    )
    with pytest.raises(InvalidDocument, match="format") as caught:
        ledger.append(entry(3))
    assert "upgrade" in str(caught.value.hint)


def test_an_entry_that_waits_is_whole_and_comes_back(tmp_path: Path) -> None:
    made = entry(files={"a/b": bytes(range(256))}, keep=["abc"])
    write_waiting(tmp_path, made)
    write_waiting(tmp_path, made)
    (path,) = waiting_files(tmp_path)
    found = read_waiting(path)
    assert found == made
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InvalidDocument):
        read_waiting(path)


def test_an_embedded_ledger_works_where_there_is_no_repository(tmp_path: Path) -> None:
    from ledger.repository.making import create_embedded

    ledger = Branch(create_embedded(tmp_path))
    ledger.append(entry())
    assert Branch.open(tmp_path).tip() == ledger.tip()


def test_the_log_tells_what_was_added(ledger: Branch) -> None:
    assert list(ledger.log()) == []
    ledger.append(entry(message="run x: accuracy 0.9\n\nbody\n"))
    assert [found.subject for found in ledger.log()] == ["run x: accuracy 0.9"]


def test_a_missing_object_is_a_problem_not_a_crash(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 2)
    blob = git_in(repo, "rev-parse", f"ledger:{ledger.contents().runs[0].path}/record.json").strip()
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    contents = ledger.contents()
    assert len(contents.runs) == 1
    assert "missing" in contents.problems[0].message
    with pytest.raises(LedgerError):
        ledger.read_blob(blob)


def test_a_branch_below_the_ledger_s_name_is_no_ledger_and_is_named_as_in_the_way(ledger: Branch, repo: Path) -> None:
    git_in(repo, "branch", "ledger/idea")
    assert ledger.tip() is None
    with pytest.raises(LedgerError, match="`ledger/idea`") as caught:
        ledger.append(entry())
    assert "git branch -m 'ledger/idea'" in str(caught.value.hint)
