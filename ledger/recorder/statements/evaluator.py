"""Execution of the team's own evaluator on one model, on this machine or on a worker with the same files.

The evaluator is a command. It receives the paths of model and data, and writes its metrics to a file
(`$LEDGER_METRICS`) or prints them as JSON in its last line; answers to cases go to `$LEDGER_ANSWERS`.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ledger.capture.outputs.metrics import parse_key, read_metrics
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Metric
from ledger.model.values import Document
from ledger.settings import (
    ANSWERS_VARIABLE,
    CASES_VARIABLE,
    DATASET_VARIABLE,
    METRICS_VARIABLE,
    MODEL_VARIABLE,
    RUN_ID_VARIABLE,
    RUN_VARIABLE,
)

_SAID = 2_000
"""Most characters that are kept of an evaluator's error output."""


class EvaluatorTask(Document, frozen=True, kw_only=True):
    """One model to measure, with everything that a worker needs, on this or another machine with the same files."""

    run: str
    """Run whose model it is."""
    model: str
    """File or folder of the model, absolute."""
    dataset: str
    """The data, absolute."""
    command: list[str]
    """The evaluator; `{model}`, `{dataset}` and `{run}` are replaced."""
    folder: str
    """Working directory of the command."""
    split: str
    """Split of metrics without one."""
    cases: str
    """The cases, as JSON lines."""
    timeout_seconds: float | None = None
    """Time limit."""


class EvaluatorResult(Document, frozen=True, kw_only=True):
    """The result of one task."""

    run: str
    """Run whose model was measured."""
    metrics: list[Metric] = []
    """The measurements."""
    answers: dict[str, str] = {}
    """Answer by case id."""
    problem: str | None = None
    """Why there is no result; none when there is one."""


def measure(task: EvaluatorTask) -> EvaluatorResult:
    """Run the evaluator on one model; every failure is part of the result."""
    # Processes that the evaluator left running may still write there.
    with tempfile.TemporaryDirectory(prefix="ledger-evaluate-", ignore_cleanup_errors=True) as scratch:
        here = Path(scratch)
        (here / "cases.jsonl").write_text(task.cases, encoding="utf-8")
        meant = {"{model}": task.model, "{dataset}": task.dataset, "{run}": task.run}
        environment = {
            **os.environ,
            MODEL_VARIABLE: task.model,
            DATASET_VARIABLE: task.dataset,
            RUN_ID_VARIABLE: task.run,
            RUN_VARIABLE: task.run,
            METRICS_VARIABLE: str(here / "metrics.json"),
            CASES_VARIABLE: str(here / "cases.jsonl"),
            ANSWERS_VARIABLE: str(here / "answers.json"),
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
                return EvaluatorResult(
                    run=task.run, problem=f"exit code {done.returncode}: {_last_line(done.stderr or done.stdout)}"
                )
            return EvaluatorResult(
                run=task.run, metrics=_metrics(here, done.stdout, task.split), answers=_answers(here)
            )
        except subprocess.TimeoutExpired:
            return EvaluatorResult(
                run=task.run, problem=f"the evaluator gave no answer within {task.timeout_seconds:.0f} s"
            )
        except OSError as error:
            return EvaluatorResult(
                run=task.run, problem=f"the evaluator cannot be started ({(error.strerror or str(error)).lower()})"
            )
        except LedgerError as error:
            return EvaluatorResult(run=task.run, problem=error.message)


def _filled(word: str, meant: Mapping[str, str]) -> str:
    for mark, text in meant.items():
        word = word.replace(mark, text)
    return word


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return (lines[-1] if lines else "it printed nothing")[:_SAID]


def _metrics(here: Path, stdout: bytes, split: str) -> list[Metric]:
    file = here / "metrics.json"
    found = read_metrics(file).metrics if file.is_file() else _printed(_last_line(stdout))
    if not found:
        raise LedgerError("the evaluator returned no metrics", hint="write metrics to the file in $LEDGER_METRICS")
    return [metric if metric.split else msgspec.structs.replace(metric, split=split) for metric in found]


def _printed(line: str) -> list[Metric]:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise LedgerError(
            f"the last line of the evaluator's output is not JSON with metrics: `{ascii(line)[1:-1][:80]}`"
        )
    return [parse_key(str(key), value) for key, value in said.items()]


def _answers(here: Path) -> dict[str, str]:
    file = here / "answers.json"
    if not file.is_file():
        return {}
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError("the evaluator's answers to the cases are not JSON") from error
    if not isinstance(said, dict):
        raise LedgerError("the evaluator's answers to the cases are not a JSON object from case id to answer")
    return {str(case): answer if isinstance(answer, str) else json.dumps(answer) for case, answer in said.items()}
