"""Tables of a living run: kept whatever becomes of it, and never a reason for training to stop."""

import json
import os
import signal
from pathlib import Path

import pytest

import ledger as api
from ledger.model.boxes.outputs import Table
from ledger.model.entries import StoredRun
from ledger.repository.blobs import blob_reader
from ledger.session.run.spooled_tables import CEILING
from ledger.store.branch.branch import Branch
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.verify import verify
from tests.conftest import Cli, git_in, run_python


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def content(repo: Path, run: StoredRun, table: Table) -> str:
    return Branch.open(repo).read_blob(run.files[table.file]).decode()


def all_findings(repo: Path) -> tuple[Finding, ...]:
    book = Branch.open(repo)
    with blob_reader(book.repository) as read_blob:
        return verify(book, read_blob, whole=True).findings


def test_a_table_is_kept_with_the_metric_it_explains(repo: Path) -> None:
    (repo / "val").mkdir()
    (repo / "val" / "a.txt").write_text("a")
    with api.run("t", folder=repo) as run:
        run.dataset(repo / "val", role="validation", name="digits", version="v1")
        run.metric("accuracy", 0.5, split="validation", evaluator="measure-2")
        run.table("confusion", [[1, 0], [1, 0]], kind="confusion", columns=["cat", "dog"], metric="validation/accuracy")
        run.table("anything", [{"a": 1, "b": "x"}])
    found = only_run(repo)
    confusion, plain = found.record.statistics.tables
    assert (confusion.kind, confusion.metric, confusion.dataset) == ("confusion", "validation/accuracy", "digits@v1")
    assert (confusion.rows, confusion.columns, confusion.evaluator) == (2, 3, "measure-2")
    assert confusion.dataset_hash == found.record.results.metrics[0].dataset_hash
    assert confusion.file == "tables/confusion.csv"
    assert content(repo, found, confusion) == "truth,cat,dog\ncat,1,0\ndog,1,0\n"
    assert (plain.metric, plain.dataset) == (None, None)
    assert content(repo, found, plain) == "a,b\n1,x\n"
    assert found.record.statistics.unknown == {"series": "nothing was logged"}


def test_a_run_that_is_killed_keeps_its_tables(repo: Path, cli: Cli) -> None:
    script = (
        "import ledger, time\n"
        "run = ledger.run('t')\n"
        "run.table('worst', {'name': ['a'], 'loss': [3.5]})\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = run_python(script, cwd=repo)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert cli("recover").code == 0
    found = only_run(repo)
    assert found.record.status == "lost"
    (table,) = found.record.statistics.tables
    assert content(repo, found, table) == "name,loss\na,3.5\n"


def test_a_later_table_of_the_same_name_replaces_the_earlier(repo: Path) -> None:
    with api.run("t", folder=repo) as run:
        for epoch in range(3):
            run.table("classes seen", [[epoch]], columns=["epoch"])
    found = only_run(repo)
    (table,) = found.record.statistics.tables
    assert content(repo, found, table) == "epoch\n2\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"rows": [[object()]], "columns": ["a"]}, "a cell must be text or a number"),
        ({"rows": [[1]], "columns": ["a"], "kind": "matrix"}, "no such kind of table: `matrix`"),
        ({"rows": [["a", "x"]], "columns": ["sample", "value"], "kind": "samples", "metric": "acc"}, "row 1, column"),
        ({"rows": [["a", 1]], "columns": ["sample", "value"], "kind": "samples"}, "must name the metric"),
        ({"rows": [["x" * 1999]] * (CEILING // 2000 + 10), "columns": ["a"]}, "the table is larger than"),
        ({"rows": None}, "a list or an array is expected"),
    ],
)
def test_what_is_no_table_never_stops_training(repo: Path, arguments: dict[str, object], why: str) -> None:
    with api.run("t", folder=repo) as run:
        run.table("bad", **arguments)  # type: ignore[arg-type]  # that they are wrong is what is tested
        run.metric("accuracy", 0.5)
    record = only_run(repo).record
    assert why in record.statistics.unknown["tables.bad"]
    assert "tables.bad" not in record.results.unknown
    assert (record.status, record.statistics.tables) == ("finished", [])
    assert record.results.metrics[0].value == 0.5


def test_a_table_past_the_limit_of_the_policy_is_unknown_and_nothing_else_is_lost(repo: Path) -> None:
    with api.run("t", folder=repo) as run:
        run.table("large", [["x" * 100]] * 20_000, columns=["a"])
        run.table("small", [[1]], columns=["a"])
    record = only_run(repo).record
    assert "larger than 1048576 bytes" in record.statistics.unknown["tables.large"]
    assert [table.name for table in record.statistics.tables] == ["small"]


def test_more_than_fifty_tables_are_too_many(repo: Path) -> None:
    with api.run("t", folder=repo) as run:
        for index in range(52):
            run.table(f"table {index}", [[1]], columns=["a"])
    statistics = only_run(repo).record.statistics
    assert len(statistics.tables) == 50
    assert "50 tables at most" in statistics.unknown["tables.table-51"]


def test_secrets_in_cells_are_replaced_and_counts_are_not(repo: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 3 + "a1B2c3"
    with api.run("t", folder=repo) as run:
        run.table("prompts", [["use " + token, "correct-horse-7", 123456789]], columns=["text", "password", "token"])
    found = only_run(repo)
    said = content(repo, found, found.record.statistics.tables[0])
    assert token not in said
    assert "correct-horse-7" not in said
    assert said.startswith("text,password,token\nuse [redacted: ")
    assert said.endswith(",123456789\n")
    assert sum(found.record.redactions.values()) >= 2


def test_verify_answers_for_every_table(repo: Path) -> None:
    with api.run("t", folder=repo) as run:
        run.table("kept", [[1]], columns=["a"])
    assert all_findings(repo) == ()
    found = only_run(repo)
    path = f"{found.path}/tables/kept.csv"
    git_in(repo, "worktree", "add", "--quiet", str(repo / "wt"), "ledger")
    (repo / "wt" / path).write_text("a\n2\n")
    git_in(repo / "wt", "commit", "--quiet", "--all", "--message", "tamper")
    found_there = [finding for finding in all_findings(repo) if finding.path == path]
    assert any("its content is not what the record says" in finding.message for finding in found_there)


def test_a_script_in_any_language_leaves_tables_as_files(repo: Path, cli: Cli) -> None:
    script = (
        'mkdir -p "$LEDGER_RUN_DIR/tables/validation" && cd "$LEDGER_RUN_DIR" && '
        "printf 'truth,a,b\\na,1,2\\nb,0,3\\n' > tables/validation/accuracy.csv && "
        "printf 'sample,value\\ni1,1\\n' > tables/validation/accuracy.samples.csv && "
        "printf 'x,y\\n1,2\\n' > tables/points.csv && printf 'x,y\\n1\\n' > tables/broken.csv"
    )
    done = cli("run", "--metric", "validation/accuracy=0.66", "--", "sh", "-c", script)
    assert done.code == 0, done.err
    assert "line 2: 2 cells expected, not 1" in done.err
    statistics = only_run(repo).record.statistics
    tables = {table.name: (table.kind, table.metric) for table in statistics.tables}
    assert tables == {
        "points": ("table", None),
        "samples validation/accuracy": ("samples", "validation/accuracy"),
        "validation/accuracy": ("confusion", "validation/accuracy"),
    }


def test_record_takes_tables_of_every_kind(repo: Path, cli: Cli) -> None:
    (repo / "c.csv").write_text("truth,a,b\na,1,2\nb,0,3\n")
    (repo / "s.csv").write_text("slice,accuracy,samples\nnight,0.5,4\n")
    (repo / "p.csv").write_text("x\n1\n")
    options = ["--table", "confusion:validation/accuracy=c.csv", "--table", "by hour=s.csv", "--table", "p.csv"]
    done = cli("record", "--metric", "validation/accuracy=0.66", *options)
    assert done.code == 0, done.err
    record = only_run(repo).record
    assert [(table.name, table.kind, table.metric) for table in record.statistics.tables] == [
        ("confusion validation/accuracy", "confusion", "validation/accuracy"),
        ("by hour", "slices", None),
        ("p", "table", None),
    ]
    shown = cli("show", record.id).out
    assert "confusion validation/accuracy: validation/accuracy on unknown data, 2 rows of 3 columns" in shown
    said = json.loads(cli("show", record.id, "--json").out)["record"]["statistics"]["tables"]
    assert said[0]["file"] == "tables/confusion-validation-accuracy.csv"
    assert cli("show", record.id, "--file", "tables/p.csv").out == "x\n1\n"


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("none.csv", None, "no such table file: `none.csv`"),
        ("matrix:validation/accuracy=t.csv", "a\n1\n", "no such kind of table: `matrix`"),
        ("confusion:validation/accuracy=t.csv", "truth,a\na,x\n", "t.csv: line 2, column `a`: a whole count expected"),
        ("samples:mine=t.csv", "sample,value\na,1\n", "must name the metric"),
        ("t.csv", "a\n" + "1234567\n" * 200_000, "larger than 1048576 bytes"),
    ],
)
def test_a_bad_table_is_refused_and_nothing_is_recorded(
    repo: Path, cli: Cli, option: str, text: str | None, message: str
) -> None:
    if text is not None:
        (repo / "t.csv").write_text(text)
    done = cli("record", "--table", option)
    assert done.code in {1, 2}
    assert message in done.err
    assert "hint:" in done.err
    assert "Traceback" not in done.err
    assert not git_in(repo, "branch", "--list", "ledger")


def test_a_table_older_than_the_run_is_another_runs(repo: Path, cli: Cli) -> None:
    (repo / "old.csv").write_text("a\n1\n")
    os.utime(repo / "old.csv", (1, 1))
    assert cli("run", "--table", "old.csv", "--", "true").code == 0
    statistics = only_run(repo).record.statistics
    assert statistics.tables == []
    assert "older than the run" in statistics.unknown["tables.old.csv"]
