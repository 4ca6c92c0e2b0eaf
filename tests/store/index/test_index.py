"""The index: gives what reading everything gives, whatever happens to its file."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.analysis.query.language import Condition, Every, Not, Phrase, Query, Some, parse_query
from ledger.analysis.query.row import line_of
from ledger.errors import LedgerError, UsageError
from ledger.model.document import dump
from ledger.model.entries import Contents, Evaluation, Note
from ledger.model.ids import new_id
from ledger.model.paths import evaluation_path, note_path, run_path
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.branch.run_ids import resolve_run
from ledger.store.index.file import FILE
from ledger.store.index.index import ask, ask_file
from ledger.store.index.leaderboards import read_standings
from ledger.store.index.questions import Index
from ledger.store.index.selection import find_runs, select_runs
from ledger.store.integrity.verify import verify
from tests.conftest import ROOT, examples, git_in, make_repository, run_python
from tests.oracle import read_all
from tests.samples import many_runs, sample_ledger
from tests.store.branch.test_branch import append_samples

MADE_AT = datetime(2026, 11, 20, tzinfo=UTC)
ACCURACY = "metrics.validation/accuracy"


def entry_of(ledger: Branch, contents: Contents, blobs: dict[str, bytes]) -> Entry:
    """Return everything in some contents as one entry."""
    files: dict[str, bytes] = {}
    for run in contents.runs:
        files |= {f"{run.path}/{name}": blobs.get(blob, b"x") for name, blob in run.files.items()}
        files[f"{run.path}/record.json"] = dump(run.record)
        files |= {evaluation_path(evaluation.id): dump(evaluation) for evaluation in run.evaluations}
    return Entry(id="all", files=files, message="runs\n", author=ledger.repository.author(), made_at=MADE_AT)


def append_files(ledger: Branch, files: dict[str, bytes]) -> None:
    author = ledger.repository.author()
    ledger.append(Entry(id="one", files=files, message="one\n", author=author, made_at=MADE_AT))


@pytest.fixture
def samples(ledger: Branch) -> Branch:
    ledger.append(entry_of(ledger, *sample_ledger()))
    return ledger


def file_of(ledger: Branch) -> Path:
    return ledger.repository.state_dir / FILE


def assert_right(ledger: Branch) -> None:
    """Fail unless there is an index, and it answers as reading everything does."""
    assert ask_file(ledger, lambda _: True), "there is no index"
    assert select_runs(ledger) == read_all(ledger)
    assert select_runs(ledger, sort=ACCURACY, limit=5) == read_all(ledger, sort=ACCURACY, limit=5)
    query = parse_query("status = finished or digits")
    assert select_runs(ledger, query) == read_all(ledger, query)


def test_listing_answers_as_reading_everything_does(samples: Branch) -> None:
    assert_right(samples)
    assert [run.record.id for run in select_runs(samples, limit=2).runs] == [
        run.record.id for run in samples.contents().runs[:-3:-1]
    ]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "sort", [None, ACCURACY, "validation/accuracy", "started", "params.lr", "tags", "dirty", "seed", "parent", "cost"]
)
def test_every_order_is_that_of_python(samples: Branch, sort: str | None, reverse: bool) -> None:  # noqa: FBT001  # a column of the table
    for limit in (None, 1, 7, 100):
        found = ask(samples, lambda index, n=limit: index.select(None, sort, reverse=reverse, limit=n)[0])  # type: ignore[misc]  # the loop's own value
        assert tuple(found) == read_all(samples, None, sort=sort, reverse=reverse, limit=limit).runs
    assert select_runs(samples, sort=sort).warnings == read_all(samples, sort=sort).warnings


LITERALS = st.one_of(
    st.sampled_from(
        ["0.1", "0.01", "0.5", "finished", "failed", "tag-3", "digits-validation@v2", "true", "nan", "-inf"]
    ),
    st.sampled_from(
        ["2026-10", "2026-10-05T0", "experiment-1", "experiment-10", "1e400", "'", "A", "\x00", "é", "\U0010ffff"]
    ),
    st.floats().map(str),
    st.text(max_size=4),
)
FIELDS = st.sampled_from(
    [
        *("id", "status", "experiment", "tags", "dataset", "started", "duration", "dirty", "cost", "seed", "note"),
        *("params.optimizer.option_1", "params.it's", 'params."', "params.mixed", "params.list", "params.é"),
        *("metrics.validation/metric_1", "metrics.validation/odd", "retracted", "parent"),
        *("option_1", "mixed", "validation/metric_1", "val/metric_0", "odd", "metric_1", "nobody", "é"),
    ]
)
LEAVES = st.one_of(
    st.builds(
        Condition, field=FIELDS, operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), value=LITERALS
    ),
    st.sampled_from([("tag",), ("tag", "3"), ("experiment", "1"), ("option",), ("2026",), ("nope",), ("ünï",)]).map(
        lambda words: Phrase(words=words)
    ),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Every(parts=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Some(parts=tuple(parts))),
        inner.map(lambda part: Not(part=part)),
    ),
    max_leaves=6,
)
ODD_VALUES = [1, 1.0, True, "true", "x\0y", "1", -0.0, 2**70, "é", None, [1, "a", None, 0.5], [], ["ÜNÏ tag"], "\x01"]


def new_runs(count: int) -> tuple[Contents, dict[str, bytes]]:
    """Return runs that are not among the samples."""
    contents, blobs = many_runs(count + 1)
    return msgspec.structs.replace(contents, runs=contents.runs[1:]), dict(blobs)


def odd_runs() -> tuple[Contents, dict[str, bytes]]:
    """Return many runs, some with values that databases and Python like to disagree on."""
    contents, blobs = many_runs(60, params=3, metrics=2)
    runs = []
    for number, run in enumerate(contents.runs):
        value = ODD_VALUES[number % len(ODD_VALUES)]
        values = {
            **run.record.params.values,
            "mixed": value,
            "it's": number / 7,
            '"': value,
            "é": "ünï",
            "list": [value],
        }
        if isinstance(value, list):
            values["list"] = value
        metric = msgspec.structs.replace(
            run.record.results.metrics[0], name="odd", value=["NaN", "Infinity", "-Infinity", 0.1 + 0.2][number % 4]
        )
        results = msgspec.structs.replace(run.record.results, metrics=[*run.record.results.metrics, metric])
        params = msgspec.structs.replace(run.record.params, values=values)
        runs.append(
            msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, params=params, results=results))
        )
    return msgspec.structs.replace(contents, runs=tuple(runs)), dict(blobs)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Branch:
    folder = tmp_path_factory.mktemp("odd") / "repo"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    ledger = Branch.open(folder)
    ledger.append(entry_of(ledger, *odd_runs()))
    return ledger


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, sort=st.none() | FIELDS, reverse=st.booleans(), limit=st.none() | st.integers(1, 9))
def test_sql_and_python_give_the_same_answer(
    odd: Branch,
    query: Query,
    sort: str | None,
    reverse: bool,  # noqa: FBT001  # Hypothesis names its arguments
    limit: int | None,
) -> None:
    def expected() -> object:
        try:
            answer = read_all(odd, query, sort=sort, reverse=reverse, limit=limit)
        except UsageError as error:
            return error.message
        return answer.runs, answer.warnings

    def asked(index: Index) -> object:
        try:
            runs, warning = index.select(query, sort, reverse=reverse, limit=limit)
        except UsageError as error:
            return error.message
        return tuple(runs), (*index.filter_warnings(query), *([warning] if warning else []))

    assert ask(odd, asked) == expected()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.store.index.order._NEWEST", 5)
        assert ask(odd, asked) == expected(), "a filter that the newest runs answer"


def test_more_fields_than_get_columns_are_answered_too(odd: Branch) -> None:
    for number in range(80):
        query = parse_query(f"params.nope_{number} != 1 and params.optimizer.option_0 < 0.2")
        assert select_runs(odd, query, limit=3) == read_all(odd, query, limit=3)


def test_what_is_appended_later_is_in_the_next_answer(samples: Branch) -> None:
    assert_right(samples)
    runs = samples.contents().runs
    run = runs[0].record
    metric = msgspec.structs.replace(run.results.metrics[0], name="later", split="test", value=0.25)
    tool, author = "git-ledger test", run.author
    ids = [new_id(MADE_AT + timedelta(seconds=n), bytes([n] * 4)) for n in range(4)]
    evaluation = Evaluation(
        format=1, id=ids[0], run=run.id, metrics=[metric], author=author, evaluated_at=MADE_AT, tool=tool
    )
    query = parse_query("metrics.test/later = 0.25 or tags = golden or chrysanthemum")
    assert select_runs(samples, query).runs == ()
    append_files(samples, {evaluation_path(evaluation.id): dump(evaluation)})
    assert [found.record.id for found in select_runs(samples, query).runs] == [run.id]
    for number, (about, kind, text) in enumerate(
        [(runs[1], "tag", "golden"), (runs[2], "comment", "like a Chrysanthemum"), (runs[3], "retraction", "wrong")], 1
    ):
        note = msgspec.convert(
            {"format": 1, "id": ids[number], "run": about.record.id, "kind": kind, "text": text, "tool": tool,
             "author": {"name": "A", "email": "a@b"}, "noted_at": MADE_AT},
            Note,
        )  # fmt: skip
        append_files(samples, {note_path(note.id): dump(note)})
    assert {found.record.id for found in select_runs(samples, query).runs} == {r.record.id for r in runs[:3]}
    assert [found.record.id for found in select_runs(samples, parse_query("retracted = true")).runs] == [
        runs[3].record.id
    ]
    assert_right(samples)


def test_a_record_that_comes_to_files_that_were_there_has_them(samples: Branch) -> None:
    (run,) = new_runs(1)[0].runs
    append_files(samples, {f"{run.path}/log.txt": b"said early\n"})
    assert_right(samples)
    append_files(samples, {f"{run.path}/record.json": dump(run.record)})
    assert_right(samples)
    (found,) = find_runs(samples, [run.record.id])
    assert set(found.files) == {"log.txt", "record.json"}


def test_every_text_of_a_run_is_searched(samples: Branch) -> None:
    run = samples.contents().runs[0].record
    author = msgspec.structs.replace(run.author, name="Chrysippus", email="stoa@example.com")
    logs = msgspec.structs.replace(run.logs, warnings={"the pomegranate is overripe": 2})
    params = msgspec.structs.replace(run.params, values={"tangerine": "clementine", "count": 3})
    new_id_ = new_id(MADE_AT, b"text")
    record = msgspec.structs.replace(
        run, id=new_id_, author=author, logs=logs, params=params, tags=["quince"], note="a medlar", experiment="fruits"
    )
    append_files(samples, {f"{run_path(new_id_)}/record.json": dump(record)})
    said = {"comment": "like a damson", "tag": "loquat", "retraction": "it was a lemon"}
    for number, (kind, text) in enumerate(said.items()):
        name = new_id(MADE_AT + timedelta(seconds=number), bytes([number] * 4))
        note = msgspec.convert(
            {"format": 1, "id": name, "run": new_id_, "kind": kind, "text": text, "tool": "t",
             "author": {"name": "Zenobia", "email": "a@b"}, "noted_at": MADE_AT},
            Note,
        )  # fmt: skip
        append_files(samples, {note_path(name): dump(note)})
    words = ("chrysippus", "stoa", "pomegranate", "overripe", "tangerine", "clementine", "quince", "medlar", "fruits")
    for word in (*words, "damson", "loquat", "lemon", "zenobia", new_id_[:8], new_id_[16:], "POMEGRAN"):
        query = parse_query(word)
        found = ask(samples, lambda index, query=query: index.select(query, None, reverse=False, limit=None)[0])  # type: ignore[misc]  # the loop's own value
        assert new_id_ in [one.record.id for one in found], word
        assert tuple(found) == read_all(samples, query).runs


def test_a_name_that_left_with_its_run_is_no_name_any_more(samples: Branch) -> None:
    run, before = samples.contents().runs[0].record, samples.tip()
    params = msgspec.structs.replace(run.params, values={"tangerine": 3, "lr": 0.25})
    other = msgspec.structs.replace(run, id=new_id(MADE_AT, b"names"), params=params)
    append_files(samples, {f"{run_path(other.id)}/record.json": dump(other)})
    query = parse_query("tangerine = 3")
    assert [found.record.id for found in select_runs(samples, query).runs] == [other.id]
    git_in(samples.repository.common_dir, "update-ref", samples.ref, str(before))
    with pytest.raises(UsageError, match="no such field, param or metric: `tangerine`"):
        select_runs(samples, query)
    assert select_runs(samples, parse_query("hidden = 128")).runs


def test_a_branch_that_was_rewound_is_answered_as_it_is_now(samples: Branch) -> None:
    before = samples.tip()
    samples.append(entry_of(samples, *new_runs(3)))
    assert_right(samples)
    git_in(samples.repository.common_dir, "update-ref", samples.ref, str(before))
    assert len(select_runs(samples).runs) == len(sample_ledger()[0].runs)
    assert_right(samples)


def test_documents_that_cannot_be_read_are_problems_of_the_answer(samples: Branch) -> None:
    assert_right(samples)
    stray = "20261120-000000-aaaaaa"
    append_files(samples, {f"runs/2026/11/20/{stray}/record.json": b"{}", f"notes/2026/11/20/{stray}.json": b"no"})
    homeless = Evaluation(
        format=1,
        id=stray,
        run="nowhere",
        metrics=[],
        author=samples.repository.author(),
        evaluated_at=MADE_AT,
        tool="t",
    )
    append_files(samples, {evaluation_path(stray): dump(homeless)})
    problems = select_runs(samples).problems
    assert len(problems) == 3
    assert set(problems) == set(read_all(samples).problems)


def scribble(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for at in range(4096, len(data), 512):
        data[at : at + 64] = os.urandom(64)
    file.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "garbage": lambda file: file.write_bytes(b"garbage" * 1000),
    "scribbled over": scribble,
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2),
    "truncated inside a page": lambda file: os.truncate(file, 5000),
    "empty": lambda file: os.truncate(file, 0),
    "removed": Path.unlink,
    "newer": lambda file: change(file, "PRAGMA user_version = 999"),
    "older": lambda file: change(file, "PRAGMA user_version = 0"),
    "of another tool": lambda file: change(file, "PRAGMA application_id = 7"),
    "without a table": lambda file: change(file, "DROP TABLE later"),
    "of an unknown commit": lambda file: change(file, "UPDATE meta SET value = '" + "9" * 40 + "' WHERE name = 'tip'"),
}


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(statement)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_no_index_any_more_is_made_anew(samples: Branch, damage: str) -> None:
    assert_right(samples)
    DAMAGES[damage](file_of(samples))
    assert_right(samples)


def test_the_index_of_another_repository_is_made_anew(samples: Branch, tmp_path: Path) -> None:
    other = Branch.open(make_repository(tmp_path / "other"))
    contents, blobs = many_runs(3)
    other.append(entry_of(other, contents, dict(blobs)))
    assert_right(samples)
    file_of(other).parent.mkdir(exist_ok=True)
    file_of(other).write_bytes(file_of(samples).read_bytes())
    assert len(select_runs(other).runs) == 3
    assert ask(other, lambda index: len(index.matching(""))) == 3


def test_where_no_index_can_be_written_one_in_memory_answers(samples: Branch) -> None:
    file_of(samples).mkdir(parents=True)
    assert ask_file(samples, lambda _: True) is None
    query = parse_query("status=finished and not digits-validation")
    for sort in (None, "started", ACCURACY):
        assert select_runs(samples, query, sort=sort) == read_all(samples, query, sort=sort)
    assert select_runs(samples, limit=3, lines=True).lines == tuple(map(line_of, select_runs(samples, limit=3).runs))
    assert find_runs(samples, [samples.contents().runs[0].record.id])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_no_obstacle(samples: Branch) -> None:
    folder = file_of(samples).parent
    folder.chmod(0o500)
    try:
        assert select_runs(samples) == read_all(samples)
    finally:
        folder.chmod(0o700)


def test_an_index_removed_while_in_use_changes_no_answer(samples: Branch) -> None:
    expected = read_all(samples, sort="started", limit=3).runs
    assert select_runs(samples, sort="started", limit=3).runs == expected

    def question(index: Index) -> object:
        for path in file_of(samples).parent.glob(f"{FILE}*"):
            path.unlink()
        return tuple(index.select(None, "started", reverse=False, limit=3)[0])

    assert ask(samples, question) == expected
    assert_right(samples)


def test_readers_read_while_a_writer_writes(samples: Branch) -> None:
    assert_right(samples)
    contents, blobs = new_runs(12)
    seen: list[list[int]] = [[], []]
    done = threading.Event()

    def read(counts: list[int]) -> None:
        while not done.is_set():
            counts.append(len(select_runs(samples).runs))

    readers = [threading.Thread(target=read, args=(counts,)) for counts in seen]
    for reader in readers:
        reader.start()
    for run in contents.runs:
        samples.append(entry_of(samples, msgspec.structs.replace(contents, runs=(run,)), blobs))
        select_runs(samples)
    done.set()
    for reader in readers:
        reader.join()
    assert all(counts == sorted(counts) and counts for counts in seen), "an answer went back in time"
    assert_right(samples)


def test_a_kill_during_the_update_leaves_right_answers(samples: Branch) -> None:
    samples.append(entry_of(samples, *new_runs(300)))
    script = (
        "from ledger.store.branch.branch import Branch; from ledger.store.index.selection import select_runs\n"
        "ledger = Branch.open(); print('ready', flush=True); select_runs(ledger, sort='started', limit=1)\n"
    )
    for number in range(10):
        if number % 2:
            file_of(samples).unlink(missing_ok=True)
        else:
            append_files(samples, {f"datasets/x/v{number}/manifest.jsonl": b""})
        process = run_python(script, cwd=samples.repository.git.folder)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.012 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if number % 3 == 0:
            assert_right(samples)
    assert_right(samples)


def test_a_ledger_of_a_newer_format_is_refused_as_without_an_index(samples: Branch) -> None:
    assert_right(samples)
    git_in(samples.repository.common_dir, "update-ref", "refs/heads/kept", str(samples.tip()))
    script = (
        "commit refs/heads/ledger\ncommitter a <a> 0 +0000\ndata 0\n"
        "from refs/heads/kept\nM 100644 inline format\ndata 2\n9\n"
    )
    subprocess.run(
        ["git", "fast-import", "--quiet"], input=script.encode(), cwd=samples.repository.common_dir, check=True
    )
    with pytest.raises(LedgerError, match="format '9"):
        select_runs(samples)


def test_ids_are_found_by_their_start_and_by_their_last_part(samples: Branch) -> None:
    for run in samples.contents().runs:
        for short in (run.record.id, run.record.id[16:], run.record.id[16:].upper()):
            assert find_runs(samples, [short]) == [run]
    for short in ("zzzzzz", "", "\udcff"):
        with pytest.raises(LedgerError, match="no run has this id"):
            find_runs(samples, [short])
    with pytest.raises(UsageError, match="runs match this id"):
        find_runs(samples, ["2026"])


@pytest.mark.parametrize("indexed", [False, True])
def test_a_short_id_is_resolved_with_an_index_and_without(samples: Branch, indexed: bool) -> None:  # noqa: FBT001  # a column of the table
    ids = [run.record.id for run in samples.contents().runs]
    if indexed:
        assert_right(samples)
    samples.append(entry_of(samples, *new_runs(1)))
    ids.append(new_runs(1)[0].runs[0].record.id)
    for run in ids:
        assert resolve_run(samples, run) == run
        assert resolve_run(samples, f" {run[:18].upper()}") == run
    with pytest.raises(LedgerError, match="no run has this id"):
        resolve_run(samples, "zzzzzz")
    with pytest.raises(UsageError, match="runs match this id"):
        resolve_run(samples, "2026")
    assert file_of(samples).exists() == indexed


def test_recording_never_makes_an_index(ledger: Branch) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ledger", "record", "-m", "a=1"],
        cwd=ledger.repository.git.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0
    assert not file_of(ledger).exists()


def forged(ledger: Branch, statement: str, *values: object) -> None:
    """Change the index behind our back, as whoever can write to this clone may."""
    file = ledger.repository.state_dir / FILE
    with closing(sqlite3.connect(file)) as database, database:
        assert database.execute(statement, values).rowcount != 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET facts = replace(facts, '0.9', '0.1'), cells = replace(cells, '0.9', '0.1')",
        "UPDATE runs SET facts = json_set(facts, '$.\"metrics.validation/accuracy\"', 'n+1')",
        "UPDATE runs SET files = replace(files, 'log.txt', 'gol.txt')",
        "UPDATE settled SET unranked = 'retracted'",
        "UPDATE settled SET setting = 'one for all'",
    ],
)
def test_a_forged_index_neither_ranks_nor_stays(ledger: Branch, statement: str) -> None:
    append_samples(ledger, 6)

    def answers() -> tuple[object, ...]:
        ranked = select_runs(ledger, sort=ACCURACY, lines=True), select_runs(ledger, sort=ACCURACY)
        return (read_standings(ledger, "validation/accuracy"), *ranked)

    said = answers()
    with blob_reader(ledger.repository) as read_blob:
        assert [one for one in verify(ledger, read_blob).findings if one.rule == "index"] == []
    forged(ledger, statement)
    assert answers() == said
    forged(ledger, statement)
    with blob_reader(ledger.repository) as read_blob:
        (found,) = [one for one in verify(ledger, read_blob).findings if one.rule == "index"]
    assert "it contradicted git" in found.message
    assert not (ledger.repository.state_dir / FILE).exists()


def test_a_run_that_is_missing_from_the_index_is_found(ledger: Branch) -> None:
    append_samples(ledger, 3)
    select_runs(ledger, lines=True)
    forged(ledger, "DELETE FROM runs WHERE number = 1")
    with blob_reader(ledger.repository) as read_blob:
        assert any(one.rule == "index" for one in verify(ledger, read_blob).findings)
