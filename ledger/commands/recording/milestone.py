"""`ledger milestone`: product stages of models, claimed by people with a run as evidence."""

import click

from ledger.analysis.advice.milestones import Milestones, MilestoneStep, Progress, milestones_of
from ledger.analysis.advice.stages import stage_named
from ledger.commands.output import echo, say, write_json
from ledger.commands.recording.note import append_notes
from ledger.commands.sending import push_options
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.formatting import moment
from ledger.model.values import counted, plain


@click.command("milestone")
@click.argument("run", required=False)
@click.argument("stage", required=False)
@click.option("--because", "reason", metavar="TEXT", help="How the run shows it.")
@click.option("--model", metavar="NAME", help="Model that reached it. Default: the run's experiment.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the note, or the list, as JSON.")
def milestone_command(
    run: str | None,
    stage: str | None,
    reason: str | None,
    model: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Claim that the model of RUN reached STAGE; without RUN, list the stage of each model.

    The stages of a product: 1 by-hand (examples worked out by hand), 2 glued (glued together), 3 works (on some
    data), 4 measurable (and inspectable), 5 accurate (and documented), 6 simple (and fast), 7 domains (new ones).
    A stage is claimed, never awarded: the list shows the evidence in the records, and what is missing.

    Example: ledger milestone x7k2qf measurable --because "errors by class are on the page of v2"
    """
    if run is None:
        if reason is not None or model is not None:
            raise UsageError("a milestone needs a run", hint="ledger milestone RUN STAGE --because TEXT")
        _list(as_json=as_json)
        return
    if stage is None or reason is None:
        lacking = "a stage" if stage is None else "a reason"
        raise UsageError(f"a milestone needs {lacking}", hint=f"ledger milestone {run} STAGE --because TEXT")
    number = stage_named(stage).number
    told = {"push": push, "push_timeout": push_timeout, "as_json": as_json}
    append_notes(run, "milestone", [reason], stage=number, model=model, **told)  # type: ignore[arg-type]  # by name


def _list(*, as_json: bool) -> None:
    ledger = open_ledger()
    contents = ledger.contents()
    found = milestones_of(contents.runs, contents.datasets, contents.cases, ledger.policy.budget)
    if as_json:
        write_json(found)
        return
    for progress in found.models:
        _print_progress(progress)
    if not found.models:
        say("no model has a milestone yet; next: ledger milestone RUN STAGE --because TEXT")
    elif found.without:
        _print_others(found)


def _print_progress(progress: Progress) -> None:
    reached = progress.steps[progress.reached - 1] if progress.reached else None
    stands = f"stage {progress.reached}, {reached.stage.name}" if reached else "no stage that still counts"
    model = " ".join(plain(progress.model).split())
    echo(f"{click.style(model, bold=True)}: {stands} ({counted(progress.runs, 'run')})")
    for step in progress.steps:
        if step.note is not None:
            _print_claim(step)
    following = progress.next
    if following is None:
        echo("  that is the last stage")
        return
    echo(f"  next  {following.stage.number} {following.stage.name}: {following.stage.asks}")
    for check in following.checks:
        echo(f"        {'seen' if check.holds else 'missing'}: {plain(f'{check.asks}: {check.detail}')}")


def _print_claim(step: MilestoneStep) -> None:
    note = step.note
    if note is None:
        return
    by = f"{note.author.name}, {moment(note.noted_at)}"
    text = " ".join(note.text.splitlines()[:1])
    head = f"  {step.stage.number} {step.stage.name}"
    if step.withdrawn is not None:
        echo(plain(f"{head}: no longer counts, as run {step.withdrawn} is retracted"))
        return
    echo(plain(f"{head}: {text} (run {step.run}, {by})"))
    for check in step.missing:
        echo(f"        missing: {plain(f'{check.asks}: {check.detail}')}")


def _print_others(found: Milestones) -> None:
    named = ", ".join(name for name, _ in found.without[:5])
    more = f" and {len(found.without) - 5} more" if len(found.without) > 5 else ""  # noqa: PLR2004  # as shown
    say(f"without any milestone: {named}{more}")
