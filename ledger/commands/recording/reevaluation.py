"""`ledger evaluate --on`: measure the models of many runs on one dataset version."""

from collections.abc import Sequence
from pathlib import Path

from ledger.analysis.data.versions import find_version
from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.selection import query_of, read_selection
from ledger.data.preparing.step_code import hash_scripts
from ledger.engine import open_engine
from ledger.errors import UsageError
from ledger.model.values import counted
from ledger.recorder.message import shown
from ledger.recorder.statements.cases import cases_of
from ledger.recorder.statements.reevaluation import Outcome, Planned, find_data, plan, reevaluate
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import hash_cache

_HASH_SHOWN = 12


def reevaluate_many(
    ledger: Branch,
    command: Sequence[str],
    *,
    on: str,
    data: str | None,
    query: str | None,
    evaluator: str | None,
    jobs: int | None,
    engine: str | None,
    timeout: float | None,
    again: bool,
    dry_run: bool,
    note: str | None,
    as_json: bool,
) -> int:
    """Measure, record and say what became of each model; returns 1 when one could not be measured.

    Raises:
        UsageError: the command or the query is wrong.
        NotFound: there is no such version, or its data is not here.
        LedgerError: the branch cannot be written.
    """
    if not command:
        raise UsageError(
            "--on needs the evaluator's command",
            hint="ledger evaluate --on NAME@VERSION -- python evaluate.py {model} {dataset}",
        )
    contents = ledger.contents()
    version = find_version(contents, on)
    if (retired := contents.retirement(version.label)) is not None:
        say(f"warning: {version.label} is retired: {retired.text.splitlines()[0]}")
    place = find_data(version, contents.runs, Path(data) if data else None, hash_cache(ledger))
    chosen = read_selection(ledger, query_of([query])).runs
    used = evaluator if evaluator is not None else _version_of(command)
    cases = [case for case in cases_of(ledger, version.name) if case.id in version.cases]
    planned = plan(chosen, version, place, command, evaluator=used, cases=cases, again=again, timeout_seconds=timeout)
    _tell_plan(planned, version.label, used)
    if dry_run:
        if as_json:
            write_json(planned)
        return 0
    outcomes = []
    with open_engine(engine, jobs=jobs) as workers, Bar(f"measuring on {version.label}") as bar:
        for outcome in reevaluate(
            ledger, planned, version, workers, evaluator=used, cases=cases, note=note, progress=bar.count
        ):
            outcomes.append(outcome)
            if outcome.problem:
                say(f"warning: {outcome.run}: {outcome.problem}")
    if as_json:
        write_json(outcomes)
    else:
        _tell(outcomes, planned, version.label)
    return 1 if planned.missing or any(outcome.problem for outcome in outcomes) else 0


def _version_of(command: Sequence[str]) -> str:
    """Return the version of an evaluator whose author gave none: the hash of the scripts that its command names."""
    scripts = [Path(word) for word in command if Path(word).is_file() and Path(word).suffix]
    if not scripts:
        return ""
    return f"code:{hash_scripts(scripts, Path()).removeprefix('blake3:')[:_HASH_SHOWN]}"


def _tell_plan(planned: Planned, label: str, evaluator: str) -> None:
    for run, why in planned.missing.items():
        say(f"warning: {run} cannot be measured: {why}")
    done = f", {len(planned.done)} are measured already" if planned.done else ""
    by = f" by evaluator {evaluator}" if evaluator else ""
    say(f"{counted(len(planned.tasks), 'model')} to measure on {label}{by}{done}")


def _tell(outcomes: Sequence[Outcome], planned: Planned, label: str) -> None:
    made = [outcome.evaluation for outcome in outcomes if outcome.evaluation]
    for evaluation in made:
        first = evaluation.metrics[0]
        failed = sum(not result.passed for result in evaluation.cases)
        cases = f", {failed} of {len(evaluation.cases)} cases fail" if evaluation.cases else ""
        say(f"{evaluation.run}: {first.key} {shown(first)}{cases}")
    lost = len(planned.missing) + len(outcomes) - len(made)
    said = f"recorded {counted(len(made), 'evaluation')} on {label}"
    said += f"; {counted(lost, 'model')} not measured" if lost else ""
    say(f"{said}; next: ledger matrix {label.partition('@')[0]}")
