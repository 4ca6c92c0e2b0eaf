"""Re-evaluation of the models of existing runs on one dataset version, with the team's own evaluator.

Each result is recorded at once as an evaluation, so an interrupted re-evaluation resumes where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from ledger.data.version.manifest import build_manifest
from ledger.data.version.stat_cache import StatCache
from ledger.engine import Engine
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.hashing import hash_file
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Case, DatasetVersion, Evaluation, StoredRun
from ledger.model.values import Document
from ledger.recorder.data.datasets import attach_datasets, with_aliases
from ledger.recorder.statements.cases import judge
from ledger.recorder.statements.evaluation import append_evaluation
from ledger.recorder.statements.evaluator import EvaluatorTask, measure
from ledger.store.branch.branch import Branch


class Planned(Document, frozen=True, kw_only=True):
    """The plan of a re-evaluation."""

    tasks: list[EvaluatorTask]
    """Models to measure."""
    done: list[str] = []
    """Runs that this evaluator has already measured on this version."""
    missing: dict[str, str] = {}
    """Runs whose model cannot be measured, each with the reason."""


class Outcome(Document, frozen=True, kw_only=True):
    """The result for one run of a re-evaluation."""

    run: str
    """The run."""
    evaluation: Evaluation | None = None
    """Evaluation that was recorded."""
    problem: str | None = None
    """Why there is none."""


def find_data(
    version: DatasetVersion, runs: Sequence[StoredRun], given: Path | None, cache: StatCache | None = None
) -> Path:
    """Return the path of a version's data on this machine, with its content verified.

    Args:
        version: dataset version.
        runs: runs whose paths are tried, the latest first.
        given: path that the user gave.
        cache: hashes of unchanged files.

    Raises:
        NotFound: no run has a path for it, or the path does not exist any more.
        LedgerError: the path has other content.
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
                    f"this is not the content of {version.label}: `{place}`",
                    hint=f"ledger dataset check {place}",
                )
    if given:
        raise NotFound(f"there is no dataset at: `{given}`")
    raise NotFound(f"no run recorded a path of {version.label} that exists on this machine", hint="--data PATH")


def plan(
    runs: Sequence[StoredRun],
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
        runs: selected runs.
        version: dataset version to measure on.
        data: path of its data.
        command: the evaluator.
        evaluator: version of the evaluator; a run that it has measured on this version is done.
        cases: cases of the dataset.
        again: measure those again, too.
        timeout_seconds: time limit for each model.

    Raises:
        UsageError: the command has no place for the model.
    """
    if not any("{model}" in word for word in command):
        raise UsageError("the evaluator's command must name {model}", hint="-- python evaluate.py {model} {dataset}")
    lines = "".join(msgspec.json.encode(case).decode() + "\n" for case in cases if case.override is None)
    tasks, done, missing = [], [], {}
    for run in runs:
        if run.retraction is not None or run.continued_by is not None:
            continue
        if not again and _is_measured(run, version, evaluator):
            done.append(run.record.id)
            continue
        model, problem = _model_of(run)
        if model is None:
            missing[run.record.id] = problem
            continue
        tasks.append(
            EvaluatorTask(
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


def _is_measured(run: StoredRun, version: DatasetVersion, evaluator: str) -> bool:
    return any(
        metric.dataset_hash == version.hash and (metric.evaluator or "") == evaluator for metric in run.metrics()
    )


def _model_of(run: StoredRun) -> tuple[Path | None, str]:
    """Return the model of a run where its hash is unchanged, else why it is not used."""
    said = run.record.model
    if said.path is None:
        return None, "its record names no model"
    path = Path(said.path).absolute()
    try:
        found = build_manifest(path).hash if path.is_dir() else hash_file(path)
    except (OSError, LedgerError):
        return None, f"its model is missing: {said.path}"
    if said.hash is not None and found != said.hash:
        return None, f"its model has changed since: {said.path}"
    return path, ""


def reevaluate(
    ledger: Branch,
    planned: Planned,
    version: DatasetVersion,
    engine: Engine,
    *,
    evaluator: str,
    cases: Sequence[Case],
    note: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Outcome]:
    """Measure every model of a plan, record each result at once, and yield it.

    Args:
        ledger: ledger to append to.
        planned: plan from `plan`.
        version: dataset version to measure on.
        engine: runs the tasks.
        evaluator: version of the evaluator.
        cases: cases of the dataset.
        note: comment on each evaluation.
        progress: receives how many are done, and of how many.

    Raises:
        LedgerError: the branch cannot be written, or the engine is gone; recorded results remain.
    """
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
    (use,) = with_aliases([use], ledger.policy)
    for number, measured in enumerate(engine.map(measure, planned.tasks), start=1):
        evaluation = None
        if measured.problem is None:
            metrics = attach_datasets([_on_version(metric, version, evaluator) for metric in measured.metrics], [use])
            answered = judge(cases, measured.answers)
            evaluation = append_evaluation(ledger, measured.run, metrics, uses=[use], cases=answered, note=note)
        progress(number, len(planned.tasks))
        yield Outcome(run=measured.run, evaluation=evaluation, problem=measured.problem)


def _on_version(metric: Metric, version: DatasetVersion, evaluator: str) -> Metric:
    return msgspec.structs.replace(
        metric,
        dataset=version.label,
        dataset_hash=version.hash,
        evaluator=metric.evaluator or evaluator or None,
    )
