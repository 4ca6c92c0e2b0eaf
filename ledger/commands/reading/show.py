"""`ledger show`: one run in the terminal."""

import sys
from collections.abc import Iterator

import click

from ledger.analysis.data.chain import chain_of
from ledger.analysis.data.feeds import feed_facts, shown_stretches
from ledger.analysis.query.fields import show_value
from ledger.commands.output import echo, write_json
from ledger.commands.reading.notebook_lines import notebook_lines
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound
from ledger.formatting import byte_size, duration, moment, money, number, share
from ledger.model.boxes import Metric
from ledger.model.claims.measurements import same_data, same_data_text
from ledger.model.entries import EnvironmentFile, Note, StoredRun
from ledger.model.paths import ENVIRONMENT_FILE, RECORD_FILE
from ledger.model.record import Record, Timing
from ledger.model.values import NoteKind, counted, plain
from ledger.recorder.record.warnings import leak_text
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import living_run
from ledger.store.index.selection import find_runs

_CHILDREN = 10
"""Most runs started in a run that are named."""

Lines = Iterator[tuple[str, str]]
"""Name and value of each line of a box."""


_LEFT_OUT = 5
"""Most files left out of the patch that are shown; the record has them all."""


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
    boxes = {
        "code": _code,
        "params": _params,
        "datasets": _datasets,
        "hardware": _hardware,
        "environment": _environment,
        "cost": _cost,
        "model": _model,
        "logs": _logs,
        "statistics": _statistics,
    }
    for name, box in record.boxes().items():
        echo(f"\n{click.style(name, bold=True)}")
        _write_lines(_results(run) if name == "results" else boxes[name](record))
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
}


def _history(run: StoredRun) -> Lines:
    """Print what was said about a run, oldest first."""
    record = run.record
    said = [(record.timing.recorded_at, f"recorded as {record.status} by {record.author.name}")]
    for evaluation in run.evaluations:
        measured = ", ".join(f"{metric.key} {_metric_text(metric)}" for metric in evaluation.metrics)
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


def _heading(run: StoredRun) -> Lines:
    record = run.record
    yield "experiment", record.experiment
    yield "author", f"{record.author.name} <{record.author.email}>"
    timing = record.timing
    if "started_at" in timing.unknown:
        yield "started", f"unknown: {timing.unknown['started_at']}"
        yield "recorded", moment(timing.recorded_at)
    else:
        source = {"options": " (as stated)", "log": " (by the times in its log)"}.get(timing.source, "")
        yield "started", f"{moment(timing.started_at)}, took {duration(timing.took)}{source}"
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


def _code(record: Record) -> Lines:
    code = record.code
    pushed = {True: " (pushed)", False: " (not pushed)", None: ""}[code.pushed]
    yield "commit", f"{code.commit.removeprefix('git:')}{pushed}" if code.commit else ""
    yield "branch", code.branch or ""
    yield "remote", code.remote or ""
    if code.patch:
        patch = code.patch
        exact = "" if patch.exact else ", changed by redaction"
        files = counted(patch.files, "file")
        yield "uncommitted", f"{files}, +{patch.added} -{patch.removed}, {byte_size(patch.bytes)}{exact}"
    elif code.dirty is False:
        yield "uncommitted", "nothing"
    for file in code.omitted[:_LEFT_OUT]:
        facts = [
            counted(file.files, "file") if file.files else "",
            byte_size(file.bytes),
            (file.hash or "not hashed")[:19],
        ]
        yield "left out", f"{file.path} ({', '.join(fact for fact in (*facts, file.why) if fact)})"
    if len(code.omitted) > _LEFT_OUT:
        yield "left out", f"{len(code.omitted) - _LEFT_OUT} more: ledger show {record.id[16:]} --json"
    if code.not_code:
        yield "no code", f"{', '.join(code.not_code[:_LEFT_OUT])}{' …' if len(code.not_code) > _LEFT_OUT else ''}"
    for other in code.repositories:
        said = {True: "changed", False: "unchanged", None: "not looked into"}[other.dirty]
        kept = ", its changes stand in the patch" if other.kind == "submodule" and other.dirty else ""
        yield other.kind, f"{other.path} at {(other.commit or 'no commit').removeprefix('git:')[:12]}, {said}{kept}"
    if code.notebook:
        yield from notebook_lines(code.notebook)


def _params(record: Record) -> Lines:
    if chain := chain_of(record):
        yield "chain", " → ".join(link.title for link in chain)
    for step in record.params.chain:
        code = (step.code or "")[:19] if step.unknown is None else f"code unknown: {step.unknown}"
        by = f"by {step.function}" if step.function else ""
        yield f"step {step.name}", ", ".join(part for part in (step.stage, by, code) if part)
    for name, value in record.params.values.items():
        yield name, "null" if value is None else show_value(value) or '""'


def _datasets(record: Record) -> Lines:
    for use in record.datasets.used:
        count = f"{counted(use.files, 'file')}, {byte_size(use.bytes or 0)}" if use.files is not None else ""
        samples = f"{counted(use.samples, 'sample')}, " if use.samples is not None else ""
        count = count or (f"{use.memory} in memory" if use.memory else "")
        told = "declared, not verified" if use.declared else (use.hash or "")[:19]
        yield use.role, f"{use.label.removesuffix(' (declared)')}  {samples}{count}  {told}".rstrip()
        if use.prepared is not None:
            sources = ", ".join(f"{source.path} {source.hash[:19]}" for source in use.prepared.sources)
            yield "prepared", f"from {sources} by {use.prepared.step}"
    for feed in record.datasets.feeds:
        yield "fed by", f"{feed.dataset}, plan {feed.plan_digest[:19]}"
        yield from feed_facts(feed, record.timing.took)
        for stretch in shown_stretches(feed):
            yield f"epoch {stretch.epoch}", f"batches {stretch.first} to {stretch.last}, order {stretch.digest[:19]}"
    for one, other in same_data(record.datasets.used):
        yield "warning", same_data_text(one, other)
    for leak in record.datasets.leaks:
        yield "leak", leak_text(leak)


def _hardware(record: Record) -> Lines:
    hardware = record.hardware
    limit = f", {hardware.cores_limit:g} allowed" if hardware.cores_limit not in {None, hardware.cores} else ""
    yield "host", hardware.host or ""
    yield "cpu", f"{hardware.cpu or 'unknown'}, {hardware.cores} cores{limit}" if hardware.cores else ""
    memory_limit = f", {byte_size(hardware.memory_limit_bytes)} allowed" if hardware.memory_limit_bytes else ""
    yield "memory", f"{byte_size(hardware.memory_bytes)}{memory_limit}" if hardware.memory_bytes else ""
    for gpu in hardware.gpus:
        idle = f", idle {share(gpu.gpu_idle_fraction)}" if gpu.gpu_idle_fraction is not None else ""
        yield "gpu", f"{gpu.name}{f', {byte_size(gpu.memory_bytes)}' if gpu.memory_bytes else ''}{idle}"
    if not hardware.gpus and hardware.known and "gpus" not in hardware.unknown:
        yield "gpu", "none"
    if hardware.processes is not None or hardware.rank is not None:
        of = f" of {hardware.processes} processes" if hardware.processes else ""
        told = f", stated by {hardware.launcher}" if hardware.launcher else ""
        yield "rank", f"{hardware.rank or 0}{of}{told}{f', job {hardware.job}' if hardware.job else ''}"
    if "ranks" in hardware.unknown:
        yield "ranks", hardware.unknown["ranks"]
    for node in hardware.nodes if len(hardware.nodes) > 1 else ():
        gpus = ", ".join(gpu.name for gpu in node.gpus) or "no GPU"
        machine = node.unknown.get("all") or f"{node.cpu or 'unknown'}, {node.cores or 'unknown'} cores, {gpus}"
        yield f"on {node.host}", f"ranks {', '.join(str(rank) for rank in node.ranks)}: {machine}"
    for life in hardware.ranks:
        if life.rank > 0 and life.status not in {"finished", "pruned"}:
            ended = f"{life.status}: {life.reason}" if life.status else "still running when the record was made"
            yield f"rank {life.rank}", f"{life.host}: {ended}"
    usage = hardware.usage
    if usage:
        busy = f"cores {share(usage.cpu_fraction_mean)} busy, " if usage.cpu_fraction_mean is not None else ""
        yield "used", f"{busy}peak memory {byte_size(usage.memory_peak_bytes or 0)}" if usage.samples else ""
        if usage.data_wait_seconds is not None:
            took = record.timing.took
            part = f", {share(usage.data_wait_seconds / took)} of the time" if took else ""
            yield "waited for data", f"{duration(usage.data_wait_seconds)}{part}"


def _environment(record: Record) -> Lines:
    environment = record.environment
    yield "python", environment.python or ""
    yield "os", environment.os or ""
    yield "container", environment.container or ""
    imported, installed = environment.imported, environment.frameworks
    yield "imported", ", ".join(f"{name} {version}" for name, version in (imported or {}).items())
    rest = {name: version for name, version in installed.items() if name not in (imported or {})}
    only = "installed" if imported is None else "installed as well"
    yield only, ", ".join(f"{name} {version}" for name, version in rest.items())
    for name, copy in environment.working_copies.items():
        changed = {True: ", changed", False: "", None: ", maybe changed"}[copy.dirty]
        at = f"commit {copy.commit.partition(':')[2][:12]}{changed}" if copy.commit else "in no repository"
        yield "editable", f"{name} {at}{f' of {copy.remote}' if copy.remote else ''}"
    yield "packages", show_value(environment.packages)


def _cost(record: Record) -> Lines:
    cost = record.cost
    if cost.amount is not None:
        yield "amount", money(cost.amount, cost.currency)
        yield "for", f"{cost.device_count:g} x {cost.device} at {cost.price_per_hour:g} {cost.currency} per hour"
    if cost.idle_amount is not None:
        yield "of it idle", money(cost.idle_amount, cost.currency)
    if cost.energy_kwh is not None:
        yield "energy", f"{number(cost.energy_kwh)} kWh"
    yield "catalogue", cost.catalogue or ""


def _model(record: Record) -> Lines:
    model = record.model
    stored = [byte_size(model.bytes)] if model.bytes is not None else []
    stored += [model.hash[:19]] if model.hash else []
    yield "file", f"{model.path} ({', '.join(stored)})" if model.path and stored else model.path or ""
    yield "parameters", f"{model.parameters:,}" if model.parameters is not None else ""
    yield "format", model.format or ""


def _logs(record: Record) -> Lines:
    logs = record.logs
    yield "log", f"{logs.lines} lines, {byte_size(logs.bytes or 0)}" if logs.lines is not None else ""
    for kind, found in (("error", logs.errors), ("warning", logs.warnings)):
        for text, count in list(found.items())[:5]:
            yield f"{kind} x{count}", text.splitlines()[-1] if text else ""


def _results(run: StoredRun) -> Lines:
    headline = run.record.results.headline
    for metric in run.record.results.metrics:
        yield f"{metric.key}{' *' if metric.key == headline else ''}", _metric_text(metric)
    for evaluation in run.evaluations:
        for metric in evaluation.metrics:
            yield f"{metric.key} (later)", f"{_metric_text(metric)}, {moment(evaluation.evaluated_at)}"
    curves = run.record.results.curves
    if curves:
        yield "curves", f"{', '.join(curves.series)} ({curves.logged} points)"
    for figure in run.record.results.figures:
        yield "figure", f"{figure.title} ({figure.file})"


def _metric_text(metric: Metric) -> str:
    better = f", {metric.direction} is better" if metric.direction else ""
    return f"{show_value(metric.number)} on {metric.dataset or 'unknown data'}{better}{_how_made(metric)}"


def _how_made(metric: Metric) -> str:
    """Return remarks on a value: folds, another name, or that nobody stated it."""
    told = ""
    if metric.folds:
        spread = f", deviation {number(metric.deviation)}" if metric.deviation is not None else ""
        told += f", mean of {counted(len(metric.folds), 'fold')}{spread}"
    if metric.said:
        told += f", said as {metric.said}"
    if metric.origin == "curve":
        told += ", from the curve: its last value"
        told += f", step {metric.step}" if metric.step is not None else ""
        told += f", epoch {metric.epoch:g}" if metric.step is None and metric.epoch is not None else ""
    return told


def _statistics(record: Record) -> Lines:
    for table in record.statistics.tables:
        what = f"{table.metric} on {table.dataset or 'unknown data'}, " if table.metric else ""
        shape = f"{counted(table.rows, 'row')} of {counted(table.columns, 'column')}"
        label = "table" if table.kind == "table" else f"table of {table.kind}"
        yield label, f"{table.name}: {what}{shape} ({table.file})"
    statistics = record.statistics
    yield "steps", f"the last is {statistics.steps}" if statistics.steps is not None else ""
    yield "epochs", f"{statistics.epochs:g}" if statistics.epochs is not None else ""
    for name, series in record.statistics.series.items():
        last = f"{number(float(series.last))}"
        yield (
            name,
            f"last {last}, min {number(float(series.min))}, max {number(float(series.max))}, {series.count} points",
        )
