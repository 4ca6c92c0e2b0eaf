"""`ledger list` the quick way prints what the ordinary way prints, to the byte, or leaves it to the ordinary way."""

import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.analysis.query.table import Line
from ledger.commands.quick.look import ask_index
from ledger.model.document import dump
from ledger.model.ids import new_id
from ledger.model.paths import evaluation_path
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.index.file import FILE
from ledger.store.index.selection import select_runs
from tests.conftest import ROOT, git_in, make_repository, run_python
from tests.samples import many_runs, sample_ledger

METRIC = "metrics.validation/accuracy"
ORDINARY = "import sys; from ledger.cli import run; sys.exit(run(sys.argv[1:]))"
"""Skips the quick way: it stands before the command line in `ledger.__main__`."""
ONLY_QUICK = "import sys; from ledger.commands.quick.answer import answer; sys.exit(answer(sys.argv[1:]) is None)"


def append_all(ledger: Branch, *, many: bool = False) -> None:
    contents, blobs = many_runs(9) if many else sample_ledger()
    files: dict[str, bytes] = {}
    for run in contents.runs[1 if many else 0 :]:  # the first of many is among the samples
        files |= {f"{run.path}/{name}": blobs.get(blob, b"x") for name, blob in run.files.items()}
        files[f"{run.path}/record.json"] = dump(run.record)
        files |= {evaluation_path(evaluation.id): dump(evaluation) for evaluation in run.evaluations}
    made_at = datetime(2026, 11, 20, tzinfo=UTC)
    author = ledger.repository.author()
    ledger.append(Entry(id="all", files=files, message="runs\n", author=author, made_at=made_at))


@pytest.fixture
def samples(ledger: Branch) -> Branch:
    append_all(ledger)
    return ledger


def started(script: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
        timeout=120,
    )


def program(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return started("from ledger.__main__ import main; main()", *arguments, **environment)


def is_quick(*arguments: str, **environment: str) -> bool:
    return started(ONLY_QUICK, *arguments, **environment).returncode == 0


def assert_same(*arguments: str, **environment: str) -> None:
    there, here = started(ORDINARY, *arguments, **environment), program(*arguments, **environment)
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)


QUICK = [
    ("list",),
    ("list", "-r"),
    ("list", "-n", "3"),
    ("list", "--limit=1"),
    ("list", "--reverse", "-n", "100"),
    ("list", "-s", "started"),
    ("list", "-s", "params.lr", "-n", "4"),
]
ORDINARY_ONLY = [
    # What ranks is held against git, which the quick way does not ask.
    ("list", "--sort", METRIC, "--limit", "5"),
    ("list", "-s", METRIC, "-r"),
    ("list", "--sort=validation/accuracy"),
    ("list", "--json", "-n", "2"),
    ("list", "--csv"),
    ("list", "-c", "id,params.lr"),
    ("list", "status=finished"),
    ("list", "-e", "digits"),
    ("list", "-n", "0"),
    ("list", "-n", "x"),
    ("list", "-n", "٣"),
    ("list", "-n", "2", "-n", "3"),
    ("list", "-s", "metrics.nobody/measured"),
    ("list", "-s", "nonsense"),
    ("list", "-s"),
    ("list", "--sort="),
    ("list", "--unknown"),
    ("list", "--", "-n"),
    ("list", "--help"),
    ("lists",),
    (),
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose index has been asked every question once."""
    folder = make_repository(tmp_path_factory.mktemp("asked") / "repo")
    ledger = Branch.open(folder)
    append_all(ledger)
    for arguments in QUICK:
        subprocess.run(
            [sys.executable, "-c", ORDINARY, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        )
    return folder


@pytest.mark.parametrize("arguments", [*QUICK, *ORDINARY_ONLY], ids=" ".join)
def test_both_ways_print_the_same_bytes(
    asked: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(asked)
    assert_same(*arguments)
    assert is_quick(*arguments) == (arguments in QUICK)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"COLUMNS": "20"}, {"PYTHONIOENCODING": "ascii"}])
def test_the_environment_changes_neither(
    asked: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.chdir(asked)
    assert_same("list", **environment)
    assert_same("list", "-s", METRIC, **environment)
    assert is_quick("list", **environment)


def test_the_library_answers_the_same_lines(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(asked)
    assert ask_index(METRIC, reverse=False, limit=None) is None
    for sort in (None, "params.lr", "started"):
        for reverse in (False, True):
            for limit in (None, 1, 4):
                seen = ask_index(sort, reverse=reverse, limit=limit)
                listing = select_runs(Branch.open(), sort=sort, reverse=reverse, limit=limit, lines=True)
                assert seen is not None
                assert tuple(seen.lines) == listing.lines


def test_a_terminal_gets_the_table_for_people(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(asked)

    def shown(script: str) -> bytes:
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "wb") as terminal:
            subprocess.run(
                [sys.executable, "-c", script, "list", "-n", "2"],
                stdout=terminal,
                env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "90", "TERM": "xterm"},
                check=True,
            )
            os.set_blocking(ours, False)
            data = os.read(ours, 1 << 16)
        os.close(ours)
        return data

    people = shown("from ledger.__main__ import main; main()")
    assert people == shown(ORDINARY)
    assert b"\t" not in people


def test_nothing_heavy_is_loaded(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(asked)
    script = (
        "import sys; from ledger.commands.quick.answer import answer\n"
        "assert answer(['list', '-s', 'started', '-n', '2'])\n"
        "print(*sys.modules)"
    )
    loaded = started(script).stdout.decode().split()
    heavy = {
        "click",
        "rich",
        "msgspec",
        "re",
        "json",
        "typing",
        "subprocess",
        "pathlib",
        "urllib.parse",
        "ledger.model",
    }
    assert "sqlite3" in loaded
    assert not heavy & set(loaded)


def file_of(ledger: Branch) -> Path:
    return ledger.repository.state_dir / FILE


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(statement)


def wait(ledger: Branch) -> None:
    folder = ledger.repository.state_dir / "waiting"
    folder.mkdir(exist_ok=True)
    (folder / "x").write_bytes(b"")


OBSTACLES: dict[str, Callable[[Branch], object]] = {
    "no index": lambda ledger: file_of(ledger).unlink(),
    "garbage": lambda ledger: file_of(ledger).write_bytes(b"garbage" * 1000),
    "escape sequences": lambda ledger: change(file_of(ledger), "UPDATE runs SET cells = cells || char(27) || '[2J'"),
    "other types": lambda ledger: change(file_of(ledger), "UPDATE runs SET cells = x'ff'"),
    "no line": lambda ledger: change(file_of(ledger), "UPDATE runs SET cells = NULL"),
    "no names": lambda ledger: change(file_of(ledger), "DELETE FROM names"),
    "something that waits": wait,
    "a repository that git refuses": lambda ledger: git_in(
        ledger.repository.common_dir, "config", "core.repositoryformatversion", "999"
    ),
    "a branch that is gone": lambda ledger: git_in(ledger.repository.common_dir, "update-ref", "-d", ledger.ref),
    "a HEAD that is damaged": lambda ledger: (ledger.repository.git_dir / "HEAD").write_text("what?"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_not_plain_to_see_is_left_to_the_ordinary_way(samples: Branch, obstacle: str) -> None:
    assert program("list").returncode == 0
    assert is_quick("list")
    OBSTACLES[obstacle](samples)
    assert not is_quick("list")
    assert_same("list")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("whose", ["git_dir", "worktree"])
def test_a_repository_of_somebody_else_is_refused_as_git_refuses_it(samples: Branch, whose: str) -> None:
    assert program("list").returncode == 0
    os.chown(getattr(samples.repository, whose), 12345, -1)
    assert not is_quick("list")
    assert_same("list")
    assert b"dubious ownership" in program("list").stderr


def test_an_index_that_is_behind_is_brought_up_to_date_without_the_command_line(samples: Branch) -> None:
    before = program("list").stdout.splitlines()
    append_all(samples, many=True)
    script = (
        "import sys; from ledger.commands.quick.answer import answer\nfound = answer(['list'])\n"
        "assert 'click' not in sys.modules\nsys.stdout.write(found[0])"
    )
    after = started(script).stdout
    assert len(after.splitlines()) == len(before) + 8
    assert after == started(ORDINARY, "list").stdout


def test_a_living_run_is_in_nobodys_way_and_a_dead_one_is_recovered(samples: Branch) -> None:
    assert program("list").returncode == 0
    script = "import ledger, time\nrun = ledger.run()\nrun.__enter__()\nprint('lives', flush=True); time.sleep(60)"
    with run_python(script, cwd=samples.repository.git.folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "lives\n"
        assert is_quick("list")
        assert_same("list")
        process.kill()
    assert not is_quick("list")
    assert b"recorded" in program("list").stderr
    assert is_quick("list")


@pytest.mark.parametrize("variable", ["GIT_CEILING_DIRECTORIES", "GIT_TRACE", "GIT_CONFIG_COUNT"])
def test_variables_that_move_git_are_left_to_git(samples: Branch, variable: str) -> None:
    assert len(samples.contents().runs) == len(started(ORDINARY, "list").stdout.splitlines()) - 1
    assert is_quick("list", GIT_DIR="/nowhere"), "which no command of ours heeds"
    assert not is_quick("list", **{variable: "0"})
    assert_same("list", "-n", "2", **{variable: "0"})


def test_it_is_found_from_below_and_among_packed_refs_and_in_a_bare_repository(
    samples: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = program("list").stdout
    git_in(samples.repository.common_dir, "pack-refs", "--all")
    below = samples.repository.git.folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert is_quick("list")
    assert program("list").stdout == expected
    git_in(tmp_path, "clone", "--quiet", "--bare", str(samples.repository.common_dir), "bare.git")
    monkeypatch.chdir(tmp_path / "bare.git")
    assert not is_quick("list"), "there is no index yet"
    assert program("list").stdout == expected
    assert is_quick("list")
    assert program("list").stdout == expected


def test_a_linked_worktree_and_a_repository_within_are_asked_the_ordinary_way(
    samples: Branch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = program("list").stdout
    git_in(samples.repository.git.folder, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    monkeypatch.chdir(tmp_path / "linked")
    assert not is_quick("list")
    assert program("list").stdout == expected
    inside = make_repository(samples.repository.git.folder / "inside")
    monkeypatch.chdir(inside)
    assert not is_quick("list")
    assert_same("list")


def test_a_reader_that_went_away_ends_it_as_it_ends_the_others(asked: Path) -> None:
    for script in (ORDINARY, "from ledger.__main__ import main; main()"):
        ours, theirs = os.pipe()
        os.close(ours)
        done = subprocess.run(
            [sys.executable, "-c", script, "list"],
            cwd=asked,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        os.close(theirs)
        assert (done.returncode, done.stderr) == (141, done.stderr if b"warning" in done.stderr else b"")


def test_lines_tell_params_apart_that_are_shown_alike() -> None:
    from ledger.analysis.query.table import runs_table

    def line(number: int, value: object) -> Line:
        import msgspec

        from ledger.analysis.query.row import line_of

        contents, _ = many_runs(1, params=0)
        run = contents.runs[0]
        params = msgspec.structs.replace(run.record.params, values={"a": value, "b": 1})
        made_at = datetime(2026, 11, 20, 0, 0, number, tzinfo=UTC)
        record = msgspec.structs.replace(run.record, id=new_id(made_at, b"abcd"), params=params)
        return line_of(msgspec.structs.replace(run, record=record))

    for left, right in ((1, 1.0), (0.0, -0.0), (0.1234567, 0.12345674), ("1", 1), (True, "true"), ("a\x01", "a\\x01")):
        header, rows = runs_table([line(1, left), line(2, right)])
        assert header[6:-1] == ["a"]
        assert all(row[-2].isprintable() for row in rows)
    assert runs_table([line(1, 0.5), line(2, 0.5)])[0][6:-1] == []
