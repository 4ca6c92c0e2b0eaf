"""`ledger show`: one run in the terminal."""

import sys

import click

from ledger.analysis.query.fields import show_value
from ledger.commands.output import echo, write_json
from ledger.commands.reading.box_lines import BOX_LINES, Lines, metric_text, results_lines
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound
from ledger.formatting import duration, moment
from ledger.model.entries import EnvironmentFile, Note, StoredRun
from ledger.model.paths import ENVIRONMENT_FILE, RECORD_FILE
from ledger.model.record import Record, Timing
from ledger.model.values import NoteKind, listed, plain
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import living_run
from ledger.store.index.selection import find_runs

_CHILDREN = 10
"""Most runs started in a run that are named."""


@click.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON, with evaluations and notes.")
@click.option("--file", "file", metavar="NAME", help="Print a file of the record: log.txt, code.patch, notebook.py, …")
@click.option("--requirements", is_flag=True, help="Print the packages it ran with, for `pip install -r`.")
@click.option("--history", is_flag=True, help="Show the history of the run: records, evaluations, notes.")
def show_command(run: str, as_json: bool, file: str | None, requirements: bool, history: bool) -> None:
    """Show one RUN: its id, or a part of its start or of its last part.

    Example: ledger show x7k2qf --file code.patch
    """
    ledger = open_ledger()
    try:
        (found,) = find_runs(ledger, [run])
    except NotFound:
        if not _show_living(ledger, run, as_json=as_json):
            raise
        return
    if file is not None:
        if file not in found.files:
            raise NotFound(f"this record has no such file: `{file}`", hint=f"one of {', '.join(sorted(found.files))}")
        data = ledger.read_blob(found.files[file])
        echo(plain(data.decode("utf-8", "replace")) if sys.stdout.isatty() else data, nl=False)
    elif requirements:
        echo(_requirements(ledger, found), nl=False)
    elif as_json:
        later = {"evaluations": found.evaluations, "notes": found.notes}
        write_json({"record": found.record, "path": found.path, **later})
    elif history:
        _write_lines(_history(found))
    else:
        _show(found)


def _requirements(ledger: Branch, run: StoredRun) -> str:
    from ledger.capture.machine.requirements import render_requirements
    from ledger.model.document import load

    blob = run.files.get(ENVIRONMENT_FILE)
    if blob is None:
        raise NotFound("this record has no list of packages", hint=f"ledger show {run.record.id[16:]}")
    file = load(ledger.read_blob(blob), EnvironmentFile, source=ENVIRONMENT_FILE)
    return render_requirements(run.record.id, run.record.environment, file)


def _show_living(ledger: Branch, short: str, *, as_json: bool) -> bool:
    """Show a run that has not ended; return whether there is one."""
    from ledger.commands.reading.living_text import (  # with the reader of spools, 8 ms to load
        living_details,
        living_text,
    )
    from ledger.session.live.living import read_living

    state_dir = ledger.repository.state_dir
    if (run := living_run(state_dir, short)) is None:
        return False
    try:
        living = read_living(state_dir, run)
    except OSError:  # it is just ending
        return False
    if as_json:
        write_json(living)
        return True
    echo(living_text(living))
    echo()
    _write_lines(living_details(living))
    echo("\nits record is made when it ends; next: ledger status --watch")
    return True


def _show(run: StoredRun) -> None:
    record = run.record
    status = click.style(record.status, fg="green" if record.status == "finished" else "red", bold=True)
    echo(f"{click.style(record.id, bold=True)}  {status}{plain(f': {record.reason}' if record.reason else '')}")
    _write_lines(_heading(run))
    for name, box in record.boxes().items():
        echo(f"\n{click.style(name, bold=True)}")
        _write_lines(results_lines(run) if name == "results" else BOX_LINES[name](record))
        _write_lines(("found", f"{listed(names, 12)} in {place}") for place, names in box.found_in.items())
        _write_lines((f"{field} unknown" if field != "all" else "unknown", why) for field, why in box.unknown.items())
    others = sorted(set(run.files) - {RECORD_FILE})
    echo(f"\nfiles: {', '.join(others)}  (ledger show {record.id[16:]} --file NAME)")


def _write_lines(lines: Lines) -> None:
    for name, value in lines:
        if value:
            echo(f"  {plain(name):<24} {plain(value)}")


_SAID: dict[NoteKind, str] = {
    "comment": "noted",
    "tag": "tagged",
    "untag": "tag taken away",
    "retraction": "retracted",
    "baseline": "made the baseline",
    "retirement": "retired",
    "milestone": "named as evidence of a milestone",
    "acceptance": "accepted",
    "rejection": "rejected",
    "retest": "to be repeated, decided",
    "continued": "said to be continued by another run",
    "continues": "said to continue another run",
    "question": "asked",
    "hypothesis": "expected",
    "conclusion": "concluded",
}


def _history(run: StoredRun) -> Lines:
    """Print what was said about a run, oldest first."""
    record = run.record
    said = [(record.timing.recorded_at, f"recorded as {record.status} by {record.author.name}")]
    for evaluation in run.evaluations:
        measured = ", ".join(f"{metric.key} {metric_text(metric)}" for metric in evaluation.metrics)
        said.append((evaluation.evaluated_at, f"measured again by {evaluation.author.name}: {measured}"))
    said += [(note.noted_at, f"{_note_kind_text(note)} by {note.author.name}: {note.text}") for note in run.notes]
    for when, what in sorted(said, key=lambda entry: entry[0]):
        yield moment(when), what


def _note_kind_text(note: Note) -> str:
    return _SAID[note.kind] if note.stage is None else f"{_SAID[note.kind]} (stage {note.stage})"


def _attempts(timing: Timing) -> Lines:
    for place, one in enumerate(timing.attempts, 1):
        ended = f"{one.status}{f' ({one.reason})' if one.reason else ''}"
        reached = f", to step {one.last_step}" if one.last_step is not None else ""
        when = f"{moment(one.started_at)} on {one.host}, {duration(one.duration_seconds)}"
        yield f"attempt {place}", f"{when}{reached}: {ended}"


def _origin(record: Record) -> Lines:
    """Yield the store of another tracker that a run comes from."""
    if (origin := record.imported) is None:
        return
    by = f", by {origin.author}" if origin.author else ""
    yield "imported", f"from {origin.tracker}: {origin.id} in {origin.store}{by}"
    for loss in origin.losses:
        yield "not kept", loss


_TIME_SOURCES = {
    "options": " (as stated)",
    "log": " (by the times in its log)",
    "store": " (as its store says)",
}


def _heading(run: StoredRun) -> Lines:
    record = run.record
    yield "experiment", record.experiment
    yield "author", f"{record.author.name} <{record.author.email}>"
    timing = record.timing
    if "started_at" in timing.unknown:
        yield "started", f"unknown: {timing.unknown['started_at']}"
        yield "recorded", moment(timing.recorded_at)
    else:
        source = _TIME_SOURCES.get(timing.source, "")
        yield "started", f"{moment(timing.started_at)}, took {duration(timing.took)}{source}"
    yield from _origin(record)
    yield from _attempts(timing)
    if timing.took is None or "started_at" in timing.unknown:
        why = timing.unknown.get("duration_seconds", "it was not measured")
        yield "took", duration(timing.took) if timing.took else f"unknown: {why}"
    yield "command", " ".join(record.command)
    yield "seed", show_value(record.seed)
    yield "tags", ", ".join(run.tags)
    yield "note", record.note or ""
    yield "parent", record.parent or ""
    shown = ", ".join(record.children[:_CHILDREN])
    more = f" and {len(record.children) - _CHILDREN} more" if len(record.children) > _CHILDREN else ""
    yield "children", f"{shown}{more}"
    yield "baseline", record.baseline or ""
    for link in record.links:
        yield "link", f"{link.title}: {link.url}" if link.title else link.url
    for note in run.notes:
        if note.kind == "comment":
            yield "note", f"{note.text} ({note.author.name}, {moment(note.noted_at)})"
        elif note.kind in {"acceptance", "rejection", "retest"}:
            yield "review", f"{_SAID[note.kind]} by {note.author.name}: {note.text} ({moment(note.noted_at)})"
        elif note.kind == "milestone":
            told = f"stage {note.stage} of {note.model or record.experiment}: {note.text}"
            yield "milestone", f"{told} ({note.author.name}, {moment(note.noted_at)})"
    if run.retraction:
        yield "retracted", f"{run.retraction.text} ({run.retraction.author.name}, {moment(run.retraction.noted_at)})"
    if record.redactions:
        yield "redacted", ", ".join(f"{count} {kind}" for kind, count in record.redactions.items())
