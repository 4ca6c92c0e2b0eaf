"""`ledger reevaluate`: measure the models of many runs on one dataset version."""

from collections.abc import Sequence
from pathlib import Path

import click

from ledger.analysis.data.versions import find_version
from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.selection import query_of, read_selection
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.data.preparing.step_code import hash_scripts
from ledger.engine import open_engine
from ledger.errors import UsageError
from ledger.model.values import counted
from ledger.recorder.message import shown
from ledger.recorder.statements.cases import cases_of
from ledger.recorder.statements.reevaluation import Outcome, Planned, find_data, plan, reevaluate
from ledger.store.branch.manifests import hash_cache

_HASH_SHOWN = 12


@click.command("reevaluate", context_settings={"ignore_unknown_options": False})
@click.argument("version", metavar="NAME@VERSION")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option("--data", type=click.Path(), metavar="PATH", help="Path of the data. Default: where a run found it.")
@click.option("--runs", "query", metavar="FILTER", help="Only the models of runs that match, as for `ledger list`.")
@click.option("--evaluator", metavar="NAME", help="Version of the evaluator. Default: the hash of its scripts.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Number of models at once.")
@click.option("--engine", metavar="ADDRESS", help="Run on a cluster: dask://host:port, ray://host:port.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Time limit for each model."
)
@click.option("--again", is_flag=True, help="Repeat what this evaluator has measured on it already.")
@click.option("--dry-run", is_flag=True, help="Only show which models would be measured.")
@click.option("-n", "--note", help="Comment.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print what was recorded as JSON.")
def reevaluate_command(
    version: str,
    command: tuple[str, ...],
    data: str | None,
    query: str | None,
    evaluator: str | None,
    jobs: int | None,
    engine: str | None,
    timeout: float | None,
    again: bool,
    dry_run: bool,
    note: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> int:
    """Measure the models of many runs on a dataset version with COMMAND, and record each result.

    COMMAND is started once for each model, with {model}, {dataset} and {run} replaced. It writes its metrics to the
    file in $LEDGER_METRICS, or prints them as JSON in its last line; answers to the cases in $LEDGER_CASES go to
    $LEDGER_ANSWERS. Each result is recorded at once, so a stopped re-evaluation resumes where it was. Exits with 1 when
    a model could not be measured.

    Example: ledger reevaluate digits-validation@v3 -- python evaluate.py {model} {dataset}
    """
    if not command:
        raise UsageError(
            "the evaluator's command is missing",
            hint=f"ledger reevaluate {version} -- python evaluate.py {{model}} {{dataset}}",
        )
    ledger = open_ledger(writing=True)
    contents = ledger.contents()
    on = find_version(contents, version)
    if (retired := contents.retirement(on.label)) is not None:
        say(f"warning: {on.label} is retired: {retired.text.splitlines()[0]}")
    place = find_data(on, contents.runs, Path(data) if data else None, hash_cache(ledger))
    chosen = read_selection(ledger, query_of([query])).runs
    used = evaluator if evaluator is not None else _version_of(command)
    cases = [case for case in cases_of(ledger, on.name) if case.id in on.cases]
    planned = plan(chosen, on, place, command, evaluator=used, cases=cases, again=again, timeout_seconds=timeout)
    _print_plan(planned, on.label, used)
    if dry_run:
        if as_json:
            write_json(planned)
        return 0
    outcomes = []
    with open_engine(engine, jobs=jobs) as workers, Bar(f"measuring on {on.label}") as bar:
        for outcome in reevaluate(
            ledger, planned, on, workers, evaluator=used, cases=cases, note=note, progress=bar.count
        ):
            outcomes.append(outcome)
            if outcome.problem:
                say(f"warning: {outcome.run}: {outcome.problem}")
    if as_json:
        write_json(outcomes)
    else:
        _print_outcomes(outcomes, planned, on.label)
    push_recorded(ledger, push=push, push_timeout=push_timeout)
    return 1 if planned.missing or any(outcome.problem for outcome in outcomes) else 0


def _version_of(command: Sequence[str]) -> str:
    """Return the version of an evaluator without a stated one: the hash of the scripts that its command names."""
    scripts = [Path(word) for word in command if Path(word).is_file() and Path(word).suffix]
    if not scripts:
        return ""
    return f"code:{hash_scripts(scripts, Path()).removeprefix('blake3:')[:_HASH_SHOWN]}"


def _print_plan(planned: Planned, label: str, evaluator: str) -> None:
    for run, why in planned.missing.items():
        say(f"warning: {run} cannot be measured: {why}")
    done = f", {len(planned.done)} are measured already" if planned.done else ""
    by = f" by evaluator {evaluator}" if evaluator else ""
    say(f"{counted(len(planned.tasks), 'model')} to measure on {label}{by}{done}")


def _print_outcomes(outcomes: Sequence[Outcome], planned: Planned, label: str) -> None:
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
