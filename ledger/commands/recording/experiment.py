"""`ledger experiment`: what an experiment asks, expects and concluded, beside what its runs showed."""

from collections.abc import Iterator

import click

from ledger.analysis.advice.experiment_summary import BestOfExperiment, ExperimentSummary, summarise_experiment
from ledger.analysis.query.language import Condition
from ledger.commands.output import echo, say, write_json
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound
from ledger.formatting import moment, number
from ledger.model.entries import Note, StoredRun
from ledger.model.values import NoteKind, counted, plain
from ledger.recorder.statements.inquiry import add_statements
from ledger.store.branch.branch import Branch
from ledger.store.branch.versions import read_experiment_notes
from ledger.store.index.selection import select_runs


@click.command("experiment")
@click.argument("name")
@click.option("--question", metavar="TEXT", help="What it asks.")
@click.option("--hypothesis", metavar="TEXT", help="What you expect, and why.")
@click.option("--conclusion", metavar="TEXT", help="What it showed.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the notes, or what is known, as JSON.")
def experiment_command(
    name: str,
    question: str | None,
    hypothesis: str | None,
    conclusion: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Say what the experiment NAME asks, what you expect, or what it showed; without options, show what is known of it.

    A question may be asked before the first run. The latest statement of each kind stands, and earlier ones are kept.
    Shown are also how its runs ended, and the best setting with the 95 % interval of its mean.

    Example: ledger experiment cnn-width --question "does a wider net pay on shifted digits?"
    """
    stated: list[tuple[NoteKind, str | None]] = [
        ("question", question),
        ("hypothesis", hypothesis),
        ("conclusion", conclusion),
    ]
    texts = {kind: text for kind, text in stated if text is not None}
    ledger = open_ledger(writing=bool(texts))
    runs = _runs_of(ledger, name)
    if not texts:
        _show(ledger, name, runs, as_json=as_json)
        return
    notes = add_statements(ledger, name, texts, begun=bool(runs))
    if as_json:
        write_json(notes)
    else:
        for note in notes:
            say(f"{note.kind} of {name}: {note.text.splitlines()[0]}")
    if not runs:
        say(f"it has no run yet; next: ledger run -e {name} -- COMMAND")
    push_recorded(ledger, push=push, push_timeout=push_timeout)


def _runs_of(ledger: Branch, name: str) -> tuple[StoredRun, ...]:
    """Return the runs of an experiment, oldest first."""
    found = select_runs(ledger, Condition(field="experiment", operator="=", value=name), reverse=True)
    return tuple(run for run in found.runs if run.record.experiment == name)


def _show(ledger: Branch, name: str, runs: tuple[StoredRun, ...], *, as_json: bool) -> None:
    notes = read_experiment_notes(ledger, name)
    if not runs and not notes:
        raise NotFound(
            f"no run is of this experiment, and nobody asked about it: `{plain(name)}`",
            hint=f"ledger experiment {plain(name)} --question TEXT",
        )
    known = summarise_experiment(name, runs, notes)
    if as_json:
        write_json(known)
        return
    echo(f"{click.style(plain(known.experiment), bold=True)}: {_runs_text(known)}")
    for label, text in _lines(known):
        echo(f"  {label:<12} {plain(text)}")


def _runs_text(known: ExperimentSummary) -> str:
    if not known.runs:
        return f"{known.state}, no run yet"
    ended = ", ".join(f"{count} {status}" for status, count in known.ended.items())
    return f"{known.state}, {counted(known.runs, 'run')} ({ended})"


def _lines(known: ExperimentSummary) -> Iterator[tuple[str, str]]:
    for kind, note in (
        ("question", known.question),
        ("hypothesis", known.hypothesis),
        ("conclusion", known.conclusion),
    ):
        yield kind, "not stated" if note is None else _note_text(note)
    if known.conclusion is not None and known.runs_since:
        yield "", f"{counted(known.runs_since, 'run')} ended after this conclusion"
    if known.best is None:
        yield "best", f"unknown: {known.no_best}"
    else:
        yield from _best_lines(known.best)
    for note in known.earlier:
        yield "earlier", f"{note.kind}: {_note_text(note)}"


def _note_text(note: Note) -> str:
    return f"{' '.join(note.text.split())} ({note.author.name}, {moment(note.noted_at)})"


def _best_lines(best: BestOfExperiment) -> Iterator[tuple[str, str]]:
    """Yield the best setting: its mean and interval, and how many others may be as good."""
    if best.interval is None:
        interval = "interval unknown: no setting was repeated"
    else:
        low, high = map(number, best.interval)
        interval = f"95 % {low} to {high}"
    runs = f"mean of {counted(best.n, 'run')}" if best.n > 1 else "1 run"
    yield "best", f"{best.setting}: {number(best.mean)} ({runs}; {interval})"
    yield "", f"{best.group.label}, of {counted(best.settings, 'setting')}"
    if best.rivals > 1:
        yield "", f"{best.rivals} settings may be the best: their differences are within the noise"
    yield "", f"its runs: {' '.join(best.runs[:3])}{f' and {best.n - 3} more' if best.n > 3 else ''}"  # noqa: PLR2004  # as shown
