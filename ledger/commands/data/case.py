"""`ledger case`: inputs with the answer that every model must give, and rules that override models."""

import click

from ledger.commands.output import say, write_json, write_table
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.model.datasets import OVERRIDES_BEFORE_WARNING, Severity
from ledger.model.entries import Case, StoredRun
from ledger.recorder.statements.cases import add_case, cases_of


@click.group("case")
def case_command() -> None:
    """Register cases that every model must pass, and list who passes them."""


@case_command.command("add")
@click.argument("dataset")
@click.option("--input", "shown", required=True, metavar="TEXT", help="A path inside the dataset, or the input itself.")
@click.option("--expect", "expected", required=True, metavar="TEXT", help="The answer that a model must give.")
@click.option(
    "--severity", type=click.Choice(["low", "medium", "high", "critical"]), default="medium", show_default=True,
    help="How serious another answer is.",
)  # fmt: skip
@click.option("--origin", metavar="TEXT", help="Where it was observed, such as an issue.")
@click.option("--triage", type=click.Choice(["bug", "error"]), help="A bug to fix, or an error to learn from.")
@click.option("--always", "override", flag_value="always", help="A rule in front of the model: always this answer.")
@click.option("--never", "override", flag_value="never", help="A rule in front of the model: never this answer.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the case as JSON.")
def add_command(
    dataset: str,
    shown: str,
    expected: str,
    severity: Severity,
    origin: str | None,
    triage: str | None,
    override: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Register a case of DATASET; every version added from now on includes it.

    Example: ledger case add digits-validation --input 7/0042.png --expect 7 --severity high --origin "issue 12"
    """
    ledger = open_ledger(writing=True)
    case = add_case(
        ledger,
        dataset,
        shown=shown,
        expected=expected,
        severity=severity,
        override=override,
        origin=origin,
        triage=triage,
    )
    if as_json:
        write_json(case)
    else:
        say(f"registered {case.id}: {case.input} is {'' if case.override != 'never' else 'never '}{case.expected}")
    rules = sum(one.override is not None for one in cases_of(ledger, dataset))
    if case.override and rules >= OVERRIDES_BEFORE_WARNING:
        say(f"warning: {rules} rules now override models of {dataset}; the next model will learn from none of them")
    push_recorded(ledger, push=push, push_timeout=push_timeout)


@case_command.command("list")
@click.argument("dataset", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(dataset: str | None, as_json: bool) -> None:
    """List cases and overrides, each with the latest runs that passed and failed it.

    Example: ledger case list digits-validation
    """
    ledger = open_ledger()
    cases = cases_of(ledger, dataset)
    if as_json:
        write_json(cases)
        return
    if not cases:
        say("no case is registered yet; next: ledger case add DATASET --input TEXT --expect TEXT")
        return
    runs = ledger.contents().runs
    rows = [
        [case.id, case.dataset, case.input, _expected(case), case.severity, *_answered(case, runs)] for case in cases
    ]
    write_table(["case", "dataset", "input", "expected", "severity", "passed", "failed"], rows, needed=4)


def _expected(case: Case) -> str:
    return f"{case.override} {case.expected}" if case.override else case.expected


def _answered(case: Case, runs: tuple[StoredRun, ...]) -> tuple[str, str]:
    """Return how many runs pass and fail a case, by their latest answer."""
    latest = {
        run.record.id: result.passed
        for run in runs
        for evaluation in run.evaluations
        for result in evaluation.cases
        if result.case == case.id
    }
    passed = sum(latest.values())
    return (str(passed), str(len(latest) - passed)) if latest else ("", "")
