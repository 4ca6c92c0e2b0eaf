"""Re-evaluation: the team's own evaluator over the models of many runs, whatever becomes of one of them."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.comparing.matrix import matrix_of
from ledger.analysis.data.cases import case_stories
from ledger.model.document import dump
from ledger.model.entries import StoredRun
from ledger.recorder.statements.evaluator import EvaluatorTask, measure
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, git_in

EVALUATOR = """
import json, os, pathlib, sys
model, data = (pathlib.Path(word) for word in sys.argv[1:3])
weight = float(model.read_text())
if weight < 0:
    sys.exit("this model cannot be loaded")
values = [float(line) for line in (data / "values.txt").read_text().split()]
score = sum(weight * value for value in values) / len(values)
pathlib.Path(os.environ["LEDGER_METRICS"]).write_text(json.dumps({"accuracy": score}))
cases = [json.loads(line) for line in open(os.environ["LEDGER_CASES"])]
answers = {case["id"]: "big" if weight > 0.5 else "small" for case in cases}
pathlib.Path(os.environ["LEDGER_ANSWERS"]).write_text(json.dumps(answers))
"""
COMMAND = ("--", sys.executable, "evaluate.py", "{model}", "{dataset}")
ON = ("reevaluate", "numbers@v2")


@pytest.fixture
def team(repo: Path, cli: Cli) -> Path:
    """A project with four runs measured on v1, each with a model, and a version v2 that nobody was measured on."""
    (repo / "evaluate.py").write_text(EVALUATOR)
    for version, values in (("v1", "1 1"), ("v2", "1 0.5")):
        (repo / "data" / version).mkdir(parents=True)
        (repo / "data" / version / "values.txt").write_text(values)
    for number, weight in enumerate((0.4, 0.6, 0.8, 0.9)):
        (repo / f"model{number}.txt").write_text(str(weight))
        done = cli(
            "record", "-e", "weights", "--param", f"weight={weight}", "--model", f"model{number}.txt",
            "--metric", f"validation/accuracy={weight}", "--dataset", "validation:numbers@v1=data/v1",
            *(("--dataset", "test:numbers@v2=data/v2") if number == 0 else ()),
        )  # fmt: skip
        assert done.code == 0, done.err
    return repo


def runs(repo: Path) -> list[StoredRun]:
    return list(Branch.open(repo).contents().runs)


def measured(repo: Path) -> dict[str, float]:
    """Return what each model came to on v2, by the weight of the model."""
    return {
        str(run.record.params.values["weight"]): round(metric.number, 3)
        for run in runs(repo)
        for evaluation in run.evaluations
        for metric in evaluation.metrics
    }


EXPECTED = {"0.4": 0.3, "0.6": 0.45, "0.8": 0.6, "0.9": 0.675}


def test_every_model_is_measured_once_and_records_stay_as_they_are(team: Path, cli: Cli) -> None:
    before = {run.record.id: git_in(team, "rev-parse", f"ledger:{run.path}/record.json") for run in runs(team)}
    done = cli(*ON, *COMMAND)
    assert done.code == 0, done.err
    assert "4 models to measure on numbers@v2 by evaluator code:" in done.err
    assert "recorded 4 evaluations on numbers@v2; next: ledger matrix numbers" in done.err
    assert measured(team) == EXPECTED
    assert before == {run.record.id: git_in(team, "rev-parse", f"ledger:{run.path}/record.json") for run in runs(team)}
    (metric,) = runs(team)[0].evaluations[0].metrics
    assert (metric.key, metric.dataset) == ("test/accuracy", "numbers@v2")
    assert (metric.evaluator or "").startswith("code:")
    again = cli(*ON, *COMMAND)
    assert "0 models to measure on numbers@v2" in again.err
    assert "4 are measured already" in again.err
    (team / "evaluate.py").write_text(EVALUATOR.replace("sum(", "2 * sum("))
    assert "recorded 4 evaluations" in cli(*ON, *COMMAND).err  # another evaluator
    assert cli("verify").code == 0


def test_one_model_that_breaks_the_evaluator_stops_nobody(team: Path, cli: Cli) -> None:
    (team / "model1.txt").write_text("0.61")  # another file than the run left
    (team / "model3.txt").unlink()
    model = team / "model2.txt"
    model.write_text("-1")
    run = runs(team)[2].record
    done = cli("record", "-e", "weights", "--param", "weight=-1", "--model", "model2.txt", "--metric", "test/x=1")
    assert done.code == 0
    done = cli(*ON, "--jobs", "2", *COMMAND)
    assert done.code == 1
    assert "its model has changed since: model1.txt" in done.err
    assert "its model is missing: model3.txt" in done.err
    assert "exit code 1: this model cannot be loaded" in done.err
    assert f"{run.id} cannot be measured: its model has changed since" in done.err
    assert measured(team) == {"0.4": 0.3}
    assert "recorded 1 evaluation on numbers@v2; 4 models not measured" in done.err


def test_only_the_runs_that_pass_are_measured_and_a_dry_run_changes_nothing(team: Path, cli: Cli) -> None:
    tip = git_in(team, "rev-parse", "ledger")
    planned = cli(*ON, "--runs", "params.weight > 0.7", "--dry-run", "--json", *COMMAND)
    assert [task["model"][-10:] for task in json.loads(planned.out)["tasks"]] == ["model2.txt", "model3.txt"]
    assert git_in(team, "rev-parse", "ledger") == tip
    assert cli(*ON, "--runs", "params.weight > 0.7", *COMMAND).code == 0
    assert measured(team) == {"0.8": 0.6, "0.9": 0.675}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("numbers@v9", *COMMAND), 1, "no such dataset version: `numbers@v9`"),
        (("numbers@v2",), 2, "the evaluator's command is missing"),
        (("numbers@v2", "--", "true"), 2, "must name {model}"),
        (("numbers@v2", "--data", "data/v1", *COMMAND), 1, "this is not the content of numbers@v2"),
        (("numbers@v2", "--data", "nowhere", *COMMAND), 1, "there is no dataset at: `nowhere`"),
        (("numbers@v2", "--engine", "spark://x", *COMMAND), 2, "no such engine"),
        (("numbers@v2", "--metric", "a=1", *COMMAND), 2, "no such option"),
        (("numbers@v2", "--", "no-such-program", "{model}"), 1, "cannot be started"),
        (("numbers@v2", "--", sys.executable, "-c", "print('done')", "{model}"), 1, "not JSON with metrics"),
        (("numbers@v2", "--timeout", "0.2", "--", "sh", "-c", "sleep 5", "{model}"), 1, "no answer within"),
        ((), 2, "missing argument"),
    ],
)
def test_what_cannot_be_done_is_said(team: Path, cli: Cli, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = cli("reevaluate", *arguments)
    assert done.code == code, done.err
    assert said in done.err
    assert measured(team) == {}


def test_metrics_may_be_printed_and_a_data_set_that_moved_is_found_by_its_content(team: Path, cli: Cli) -> None:
    (team / "data" / "v2").rename(team / "moved")
    assert "no run recorded a path of numbers@v2 that exists" in cli(*ON, *COMMAND).err
    script = "import json; print('loading'); print(json.dumps({'validation/loss': 0.25}))"
    done = cli(*ON, "--data", "moved", "--", sys.executable, "-c", script, "{model}")
    assert done.code == 0, done.err
    assert {metric.key for run in runs(team) for e in run.evaluations for metric in e.metrics} == {"validation/loss"}


def test_cases_say_which_run_broke_and_which_mended_them(team: Path, cli: Cli) -> None:
    added = cli("case", "add", "numbers", "--input", "the number 7", "--expect", "big", "--severity", "high", "--json")
    case = json.loads(added.out)
    assert case["severity"] == "high"
    assert "has a case already" in cli("case", "add", "numbers", "--input", "the number 7", "--expect", "small").err
    assert cli("case", "add", "numbers", "--input", "the number 8", "--expect", "big", "--never").code == 0
    (team / "data" / "v3").mkdir()
    (team / "data" / "v3" / "values.txt").write_text("1 0.25")
    done = cli("dataset", "add", "numbers", "data/v3", "--role", "test", "--reason", "small numbers were missing")
    assert done.code == 0, done.err
    late = cli("case", "add", "numbers", "--input", "the number 9", "--expect", "big")  # of the versions to come
    assert late.code == 0
    on_v3 = ("reevaluate", "numbers@v3", "--data", "data/v3")
    assert cli(*on_v3, *COMMAND).code == 0
    contents = Branch.open(team).contents()
    untried, story = case_stories(contents.cases, contents.runs)
    assert (untried.case.input, untried.state) == ("the number 9", "untried")
    ids = [run.record.id for run in contents.runs]
    assert (story.failed, story.passed) == (ids[:1], ids[1:])
    assert (story.mended_by, story.broken_by, story.state) == (ids[1:2], [], "passes")
    assert "never big" in cli("case", "list", "numbers").out
    again = cli(*on_v3, "--again", "--runs", "params.weight < 0.5", *COMMAND)
    assert "1 of 1 cases fail" in again.err
    done = cli("record", "--metric", "test/x=1", "--dataset", "test:numbers@v4=data/v1/values.txt")
    assert done.code == 0, done.err
    *_, third, fourth = Branch.open(team).contents().datasets  # a version that a record adds holds the cases too
    assert set(third.cases) < set(fourth.cases)


def test_overrides_that_pile_up_are_warned_of(repo: Path, cli: Cli) -> None:
    for number in range(10):
        done = cli("case", "add", "numbers", "--input", f"input {number}", "--expect", "x", "--always")
        assert done.code == 0, done.err
    assert "warning: 10 rules now override models of numbers" in done.err


def test_the_matrix_shows_gaps_and_how_to_fill_them(team: Path, cli: Cli) -> None:
    assert cli(*ON, "--runs", "params.weight > 0.7", "--data", "data/v2", *COMMAND).code == 0
    shown = cli("matrix", "numbers", "--metric", "validation/accuracy")
    assert "4 gaps; to fill them: ledger reevaluate numbers@v2" in shown.err
    contents = Branch.open(team).contents()
    versions = [version for version in contents.datasets if version.name == "numbers"]
    matrix = matrix_of(versions, contents.runs, "test/accuracy")
    assert [[round(cell.number, 3) if cell else None for cell in row.cells] for row in matrix.rows] == [
        [None, 0.675],
        [None, 0.6],
    ]
    assert cli("matrix", "nothing").code == 1
    assert cli("matrix", "numbers", "--csv").out.startswith("run,experiment,v1,v2")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """A Dask cluster of separate processes on loopback: one scheduler, two workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        command = [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler" if words[0] == "scheduler" else "distributed.cli.dask_worker",
        ]
        log = (tmp_path / f"dask-{len(started)}.log").open("wb")
        started.append(
            subprocess.Popen(
                [*command, *words[1:]],
                cwd=tmp_path,
                stdout=log,
                stderr=log,
                env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            )
        )
        log.close()

    start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    for _ in range(2):
        start("worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard", "--no-nanny")
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield f"dask://127.0.0.1:{port}"
    for process in started:
        process.terminate()
        process.wait(20)


def test_a_cluster_of_other_processes_gives_the_same_results(team: Path, cli: Cli, cluster: str) -> None:
    done = cli(*ON, "--engine", cluster, *COMMAND)
    assert done.code == 0, done.err
    assert measured(team) == EXPECTED
    assert cli(*ON, "--again", *COMMAND).code == 0
    check_same(team)
    assert cli("verify").code == 0, "documents of a cluster have the canonical bytes"


def check_same(repo: Path) -> None:
    """Check that both evaluations of each run say the same, apart from their ids and their time."""
    for run in runs(repo):
        first, second = (
            dump(msgspec.structs.replace(one, id=run.record.id, evaluated_at=run.record.timing.recorded_at))
            for one in run.evaluations
        )
        assert first == second


def test_an_evaluator_that_leaves_a_process_running_spoils_nothing(tmp_path: Path) -> None:
    late = 'i=0; while [ $i -lt 20000 ]; do echo > "${LEDGER_METRICS%/*}/late$i"; i=$((i+1)); done'
    command = ["sh", "-c", f"({late}) >/dev/null 2>&1 & echo '{{\"f1\": 0.5}}'"]
    task = EvaluatorTask(
        run="r", command=command, folder=str(tmp_path), model="m", dataset="d", cases="", split="validation"
    )
    result = measure(task)
    assert result.problem is None
    assert [metric.value for metric in result.metrics] == [0.5]
