"""Measures the models of existing runs again, on one dataset version, with the team's own evaluator.

The evaluator is a command. For each run it is told where the model and the data are, and writes its metrics to a
file (`$LEDGER_METRICS`) or prints them as JSON in its last line; answers to cases go to `$LEDGER_ANSWERS`. Each
result becomes an evaluation as soon as it is there, so what was interrupted goes on where it stopped.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.capture.metrics import parse_key, read_metrics
from ledger.data.manifest import build_manifest
from ledger.data.stat_cache import StatCache
from ledger.engine import Engine
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.hashing import hash_file
from ledger.model import paths
from ledger.model.boxes import DatasetUse, Metric
from ledger.model.document import dump
from ledger.model.entries import EVALUATION_FORMAT, Case, DatasetVersion, Evaluation, Run
from ledger.model.ids import new_id
from ledger.model.values import Document
from ledger.recorder.cases import judge
from ledger.recorder.message import TOOL, evaluation_message
from ledger.store.ledger import Ledger
from ledger.store.waiting import Entry

_SAID = 2_000
"""Characters of an evaluator's complaint that are kept."""


class Task(Document, frozen=True, kw_only=True):
    """One model to measure: all that a worker needs, on this machine or another that sees the same files."""

    run: str
    """Run whose model it is."""
    model: str
    """The model's file or folder, absolute."""
    dataset: str
    """The data, absolute."""
    command: list[str]
    """The evaluator; `{model}`, `{dataset}` and `{run}` are put in."""
    folder: str
    """Where it is started."""
    split: str
    """Split of metrics that name none."""
    cases: str
    """The cases as JSON lines."""
    timeout_seconds: float | None = None
    """When to give it up."""


class Measured(Document, frozen=True, kw_only=True):
    """What became of one task."""

    run: str
    """Run whose model was measured."""
    metrics: list[Metric] = []
    """What was measured."""
    answers: dict[str, str] = {}
    """Case to answer."""
    problem: str | None = None
    """Why there is nothing; none when all went well."""


class Planned(Document, frozen=True, kw_only=True):
    """What a re-evaluation would do."""

    tasks: list[Task]
    """Models to measure."""
    done: list[str] = []
    """Runs that this evaluator has measured on this version already."""
    missing: dict[str, str] = {}
    """Runs whose model cannot be measured, and why."""


class Outcome(Document, frozen=True, kw_only=True):
    """One run of a re-evaluation."""

    run: str
    """The run."""
    evaluation: Evaluation | None = None
    """What was recorded."""
    problem: str | None = None
    """Why nothing was."""


def find_data(version: DatasetVersion, runs: Sequence[Run], given: Path | None, cache: StatCache | None = None) -> Path:
    """Return where the data of a version lies on this machine, its content checked.

    Args:
        version: the version.
        runs: where they found it is looked at, the latest first.
        given: where the user says it is.
        cache: remembers the hashes of unchanged files.

    Raises:
        NotFound: no run says where it is, or it is there no longer.
        LedgerError: something else lies there.
    """
    places = (
        [given]
        if given
        else [
            Path(use.path)
            for run in reversed(runs)
            for use in run.record.datasets.used
            if use.hash == version.hash and use.path
        ]
    )
    for place in dict.fromkeys(places):
        if place.exists():
            found = build_manifest(place, cache=cache).hash
            if found == version.hash:
                return place.absolute()
            if given:
                raise LedgerError(
                    f"this is not {version.label}, its content is another: `{place}`",
                    hint=f"ledger dataset check {place}",
                )
    if given:
        raise NotFound(f"there is no dataset at: `{given}`")
    raise NotFound(f"no run says where {version.label} lies on this machine", hint="say so: --data PATH")


def plan(
    runs: Sequence[Run],
    version: DatasetVersion,
    data: Path,
    command: Sequence[str],
    *,
    evaluator: str,
    cases: Sequence[Case],
    again: bool = False,
    timeout_seconds: float | None = None,
) -> Planned:
    """Return which models would be measured; retracted runs are left out.

    Args:
        runs: the runs chosen.
        version: what they are measured on.
        data: where it lies.
        command: the evaluator.
        evaluator: its version; a run it has measured on this version is done.
        cases: cases of the dataset.
        again: measure those again, too.
        timeout_seconds: for each model.

    Raises:
        UsageError: the command does not say where the model goes.
    """
    if not any("{model}" in word for word in command):
        raise UsageError("the evaluator's command must name {model}", hint="-- python evaluate.py {model} {dataset}")
    lines = "".join(msgspec.json.encode(case).decode() + "\n" for case in cases if case.override is None)
    tasks, done, missing = [], [], {}
    for run in runs:
        if run.retraction is not None:
            continue
        if not again and _is_measured(run, version, evaluator):
            done.append(run.record.id)
            continue
        model, problem = _model_of(run)
        if model is None:
            missing[run.record.id] = problem
            continue
        tasks.append(
            Task(
                run=run.record.id,
                model=str(model),
                dataset=str(data),
                command=list(command),
                folder=str(Path.cwd()),
                split=version.role,
                cases=lines,
                timeout_seconds=timeout_seconds,
            )
        )
    return Planned(tasks=tasks, done=done, missing=missing)


def _is_measured(run: Run, version: DatasetVersion, evaluator: str) -> bool:
    return any(
        metric.dataset_hash == version.hash and (metric.evaluator or "") == evaluator for metric in run.metrics()
    )


def _model_of(run: Run) -> tuple[Path | None, str]:
    """Return the model of a run where it still is what the run left, else why not."""
    said = run.record.model
    if said.path is None:
        return None, "its record names no model"
    path = Path(said.path).absolute()
    try:
        found = build_manifest(path).hash if path.is_dir() else hash_file(path)
    except (OSError, LedgerError):
        return None, f"its model is gone: {said.path}"
    if said.hash is not None and found != said.hash:
        return None, f"its model is another file now: {said.path}"
    return path, ""


def measure(task: Task) -> Measured:
    """Run the evaluator on one model; whatever goes wrong is part of what is returned."""
    with tempfile.TemporaryDirectory(prefix="ledger-evaluate-") as scratch:
        here = Path(scratch)
        (here / "cases.jsonl").write_text(task.cases, encoding="utf-8")
        meant = {"{model}": task.model, "{dataset}": task.dataset, "{run}": task.run}
        environment = {
            **os.environ,
            "LEDGER_MODEL": task.model,
            "LEDGER_DATASET": task.dataset,
            "LEDGER_RUN": task.run,
            "LEDGER_METRICS": str(here / "metrics.json"),
            "LEDGER_CASES": str(here / "cases.jsonl"),
            "LEDGER_ANSWERS": str(here / "answers.json"),
        }
        try:
            done = subprocess.run(
                [_filled(word, meant) for word in task.command],
                cwd=task.folder,
                env=environment,
                capture_output=True,
                timeout=task.timeout_seconds,
                check=False,
            )
            if done.returncode:
                return Measured(
                    run=task.run, problem=f"exit code {done.returncode}: {_last_line(done.stderr or done.stdout)}"
                )
            return Measured(run=task.run, metrics=_metrics(here, done.stdout, task.split), answers=_answers(here))
        except subprocess.TimeoutExpired:
            return Measured(run=task.run, problem=f"gave no answer within {task.timeout_seconds:.0f} s")
        except OSError as error:
            return Measured(run=task.run, problem=f"cannot be started ({(error.strerror or str(error)).lower()})")
        except LedgerError as error:
            return Measured(run=task.run, problem=error.message)


def _filled(word: str, meant: Mapping[str, str]) -> str:
    for mark, text in meant.items():
        word = word.replace(mark, text)
    return word


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return (lines[-1] if lines else "it said nothing")[:_SAID]


def _metrics(here: Path, stdout: bytes, split: str) -> list[Metric]:
    file = here / "metrics.json"
    found = read_metrics(file) if file.is_file() else _printed(_last_line(stdout))
    if not found:
        raise LedgerError("it measured nothing", hint="write metrics to the file in $LEDGER_METRICS")
    return [metric if metric.split else msgspec.structs.replace(metric, split=split) for metric in found]


def _printed(line: str) -> list[Metric]:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise LedgerError(f"its last line is no JSON with metrics: `{ascii(line)[1:-1][:80]}`")
    return [parse_key(str(key), value) for key, value in said.items()]


def _answers(here: Path) -> dict[str, str]:
    file = here / "answers.json"
    if not file.is_file():
        return {}
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError("its answers to the cases are no JSON") from error
    if not isinstance(said, dict):
        raise LedgerError("its answers to the cases are no JSON object of case id to answer")
    return {str(case): answer if isinstance(answer, str) else json.dumps(answer) for case, answer in said.items()}


def reevaluate(
    ledger: Ledger,
    planned: Planned,
    version: DatasetVersion,
    engine: Engine,
    *,
    evaluator: str,
    cases: Sequence[Case],
    note: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Outcome]:
    """Measure every model of a plan, record each result at once, and yield what became of each.

    Args:
        ledger: where evaluations are appended.
        planned: from `plan`.
        version: what is measured on.
        engine: runs the tasks.
        evaluator: version of the evaluator.
        cases: cases of the dataset.
        note: stands in each evaluation.
        progress: told how many are done, and of how many.

    Raises:
        LedgerError: the branch cannot be written, or the engine is gone; what is recorded stays.
    """
    author = ledger.repository.author()
    use = DatasetUse(
        role=version.role,
        split=version.role,
        name=version.name,
        version=version.version,
        hash=version.hash,
        files=version.files,
        bytes=version.bytes,
        samples=version.samples,
    )
    for number, measured in enumerate(engine.map(measure, planned.tasks), start=1):
        if measured.problem is not None:
            progress(number, len(planned.tasks))
            yield Outcome(run=measured.run, problem=measured.problem)
            continue
        now = datetime.now(UTC)
        evaluation = Evaluation(
            format=EVALUATION_FORMAT,
            id=new_id(now, os.urandom(4)),
            run=measured.run,
            datasets=[use],
            metrics=[_placed(metric, version, evaluator) for metric in measured.metrics],
            cases=judge(cases, measured.answers),
            note=note,
            author=author,
            evaluated_at=now,
            tool=TOOL,
        )
        path = paths.evaluation_path(evaluation.id)
        message = evaluation_message(evaluation, path)
        ledger.append(
            Entry(id=evaluation.id, files={path: dump(evaluation)}, message=message, author=author, made_at=now)
        )
        progress(number, len(planned.tasks))
        yield Outcome(run=measured.run, evaluation=evaluation)


def _placed(metric: Metric, version: DatasetVersion, evaluator: str) -> Metric:
    return msgspec.structs.replace(
        metric,
        dataset=version.label,
        dataset_hash=version.hash,
        evaluator=metric.evaluator or evaluator or None,
    )
