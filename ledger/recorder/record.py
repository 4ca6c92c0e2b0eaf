"""Turns a draft into a record and appends it: capture, redact, validate, append, else keep it waiting."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.analysis.curves import down_sample, render_curves
from ledger.capture.code import capture_code
from ledger.capture.cost import capture_cost
from ledger.capture.environment import capture_environment
from ledger.capture.hardware import capture_hardware
from ledger.capture.secrets import Redactor
from ledger.errors import Conflict, InvalidDocument, LedgerError, NotAppended
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes import (
    Box,
    Cost,
    Curves,
    Datasets,
    Gpu,
    Hardware,
    Logs,
    Metric,
    Model,
    Params,
    Results,
)
from ledger.model.document import dump
from ledger.model.record import RECORD_FORMAT, Record, Timing
from ledger.model.values import Document
from ledger.recorder.datasets import Progress, Resolver, attach_datasets, leaks_within
from ledger.recorder.draft import Captured, Draft
from ledger.recorder.figures import read_figures
from ledger.recorder.measured import complete
from ledger.recorder.message import TOOL, record_message
from ledger.recorder.redaction import redact_draft, redact_reasons
from ledger.recorder.tables import is_of_table, statistics_of
from ledger.repository.process import Git
from ledger.repository.repository import read_author
from ledger.store.ledger import Ledger
from ledger.store.policy import Policy
from ledger.store.waiting import Entry, homeless_dir, keep_waiting


class Recorded(Document, frozen=True, kw_only=True):
    """What became of a run."""

    record: Record
    """The record."""
    path: str
    """Its folder on the branch."""
    commit: str
    """The commit that holds it."""


def record(
    ledger: Ledger | None, draft: Draft, *, state_dir: Path, strict: bool, progress: Progress | None = None
) -> Recorded:
    """Make the record of a run and append it to the ledger.

    Args:
        ledger: where to; none outside of any repository, so that the record can only wait.
        draft: what is known of the run.
        state_dir: where the record waits when it cannot be appended.
        strict: refuse what cannot be captured (a missing file, a taken dataset version) instead of
            recording the rest and saying so in the record.
        progress: told how many files of a dataset are hashed, and of how many.

    Raises:
        LedgerError: strict, and something the user named cannot be captured; nothing was written.
        NotAppended: the record is made and safe in `state_dir`, but the branch cannot be written.
    """
    entry, made = build_entry(ledger, draft, strict=strict, progress=progress)
    try:
        commit = _append(ledger, entry, state_dir)
    except Conflict:
        if strict:
            raise
        # Another run added other data under the same label a moment ago: look again, now that it is there.
        entry, made = build_entry(ledger, draft, strict=strict, progress=progress)
        commit = _append(ledger, entry, state_dir)
    return Recorded(record=made, path=paths.run_path(draft.id), commit=commit)


def capture_now(ledger: Ledger | None, folder: Path, *, python: Path | None = None) -> Captured:
    """Return what the probes see now: code, hardware and environment; they never raise."""
    redactor = Redactor()
    limits = read_policy(ledger, strict=False)[0].limits
    code, patch = capture_code(
        ledger.repository if ledger else None,
        redactor,
        file_limit=limits.patch_file_bytes,
        patch_limit=limits.patch_bytes,
    )
    environment, environment_file = capture_environment(python)
    return Captured(
        code=code,
        patch=patch,
        hardware=capture_hardware(folder),
        environment=environment,
        environment_file=environment_file,
        redactions=dict(redactor.counts),
    )


def read_policy(ledger: Ledger | None, *, strict: bool) -> tuple[Policy, str | None]:
    """Return the policy, and why it is not the team's when it could not be read.

    Raises:
        InvalidDocument: strict, and `policy.yaml` is damaged.
    """
    try:
        return (ledger.policy if ledger else Policy()), None
    except InvalidDocument as error:
        if strict:
            raise
        return Policy(), error.message


def build_entry(
    ledger: Ledger | None, draft: Draft, *, strict: bool, progress: Progress | None = None
) -> tuple[Entry, Record]:
    """Return the entry that adds a run's record, and the record; nothing is written.

    Raises:
        LedgerError: strict, and something the user named cannot be captured.
    """
    redactor = Redactor()
    captured = draft.captured or capture_now(ledger, Path.cwd())
    for kind, count in captured.redactions.items():
        redactor.counts[kind] = redactor.counts.get(kind, 0) + count
    draft = redact_draft(draft, redactor)
    policy, policy_problem = read_policy(ledger, strict=strict)
    author = ledger.repository.author() if ledger else read_author(Git(Path.cwd()))
    now = datetime.now(UTC)
    folder = paths.run_path(draft.id)
    files: dict[str, bytes] = {}
    side: dict[str, bytes] = {}
    if captured.patch:
        side[paths.PATCH_FILE] = captured.patch
    side[paths.ENVIRONMENT_FILE] = dump(captured.environment_file)
    resolver = Resolver(ledger, author=author, now=now, strict=strict, progress=progress)
    datasets = _datasets(draft, resolver, files)
    hardware = _with_usage(captured.hardware, draft)
    results = _results(draft, datasets, policy, side, strict=strict)
    made = Record(
        format=RECORD_FORMAT,
        id=draft.id,
        status=draft.status,
        reason=draft.reason,
        exit_code=draft.exit_code,
        experiment=draft.experiment,
        tags=draft.tags,
        note=draft.note,
        author=author,
        command=draft.command,
        folder=draft.folder,
        seed=draft.seed,
        parent=_named_run(ledger, draft.parent, strict=strict),
        baseline=_named_run(ledger, draft.baseline, strict=strict),
        links=draft.links,
        timing=_timing(draft, now),
        code=captured.code,
        params=_params(draft),
        datasets=datasets,
        hardware=hardware,
        environment=captured.environment,
        cost=_cost(hardware, draft, policy, policy_problem),
        model=_model(draft, redactor, strict=strict),
        logs=_logs(draft, side, redactor, strict=strict),
        results=results,
        statistics=statistics_of(
            draft,
            side,
            metrics=results.metrics,
            uses=datasets.used,
            redactor=redactor,
            limit=policy.limits.table_bytes,
            strict=strict,
        ),
        tool=TOOL,
    )
    made = redact_reasons(made, redactor)
    files[f"{folder}/{paths.RECORD_FILE}"] = dump(made)
    files |= {f"{folder}/{name}": content for name, content in side.items()}
    commit = captured.code.commit
    keep = [commit.removeprefix("git:")] if commit and captured.code.pushed is False else []
    entry = Entry(id=draft.id, files=files, message=record_message(made, folder), author=author, made_at=now, keep=keep)
    return entry, made


def _timing(draft: Draft, now: datetime) -> Timing:
    return Timing(
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        duration_seconds=round(draft.duration_seconds, 3),
        recorded_at=now,
    )


def _params(draft: Draft) -> Params:
    unknown = {} if draft.params else {"all": "no params were given"}
    return Params(values=draft.params, sources=draft.param_sources, unknown=unknown)


def _append(ledger: Ledger | None, entry: Entry, state_dir: Path) -> str:
    try:
        if ledger is None:
            raise LedgerError("no git repository here", hint="inside a repository: ledger recover --homeless")  # noqa: TRY301  # it waits like every other
        return ledger.append(entry)
    except Conflict:
        raise
    except LedgerError as error:
        try:
            path = keep_waiting(state_dir, entry)
        except OSError as disk:
            why = (disk.strerror or str(disk)).lower()
            raise LedgerError(
                f"{error.message}; the record could not be kept anywhere else either ({why}): `{disk.filename}`",
                hint=error.hint,
            ) from disk
        hint = error.hint or "ledger recover"
        if path.is_relative_to(homeless_dir()) and hint.endswith("ledger recover"):
            hint += " --homeless"
        raise NotAppended(f"{error.message}; the record is safe in: `{path}`", hint=hint) from error


def _datasets(draft: Draft, resolver: Resolver, files: dict[str, bytes]) -> Datasets:
    """Return the datasets box; files of versions that the ledger does not know yet are added to `files`."""
    if not draft.datasets:
        return Datasets(unknown={"all": "no dataset was named"})
    resolved = [resolver.resolve(source) for source in draft.datasets]
    for found in resolved:
        files |= found.files
    unknown = {f"used.{found.use.label}": found.unknown for found in resolved if found.unknown}
    return Datasets(used=[found.use for found in resolved], leaks=leaks_within(resolved), unknown=unknown)


def _named_run(ledger: Ledger | None, short: str | None, *, strict: bool) -> str | None:
    """Return the whole id of a run that the user named; what names no run is refused, or kept as it is."""
    if short is None or ledger is None:
        return short
    try:
        return ledger.resolve(short)
    except LedgerError:
        if strict:
            raise
        return short


def _with_usage(hardware: Hardware, draft: Draft) -> Hardware:
    if draft.usage is None:
        reason = "the run was not watched; `ledger run` or `ledger.run()` watch it"
        return msgspec.structs.replace(hardware, unknown={**hardware.unknown, "usage": reason})
    gpus: list[Gpu] = draft.gpus or hardware.gpus
    return msgspec.structs.replace(hardware, usage=draft.usage, gpus=gpus)


def _cost(hardware: Hardware, draft: Draft, policy: Policy, policy_problem: str | None) -> Cost:
    if not draft.timed:
        return Cost(unknown={"all": "the run's duration was not measured; give it with --duration"})
    cost = capture_cost(hardware, draft.duration_seconds, policy.prices)
    if policy_problem is None:
        return cost
    return msgspec.structs.replace(cost, unknown={**cost.unknown, "catalogue": policy_problem})


def _model(draft: Draft, redactor: Redactor, *, strict: bool) -> Model:
    if draft.model is not None:
        return _without_secrets(draft.model, redactor)
    if draft.model_path is None:
        return Model(unknown={"all": "no model was given"})
    from ledger.capture.model import capture_model

    try:
        made = capture_model(Path(draft.model_path))
    except LedgerError as error:
        if strict:
            raise
        made = Model(path=draft.model_path, unknown={"all": error.message})
    return _without_secrets(made, redactor)


def _without_secrets(model: Model, redactor: Redactor) -> Model:
    return msgspec.structs.replace(model, path=redactor.text(model.path)) if model.path else model


def _logs(draft: Draft, side: dict[str, bytes], redactor: Redactor, *, strict: bool) -> Logs:
    if draft.log is None:
        return Logs(unknown={"all": "no log was given"})
    from ledger.capture.logs import summarise_log

    try:
        logs, side[paths.LOG_FILE] = summarise_log(Path(draft.log), redactor)
    except LedgerError as error:
        if strict:
            raise
        return Logs(unknown={"all": error.message})
    return logs


def _results(draft: Draft, datasets: Datasets, policy: Policy, side: dict[str, bytes], *, strict: bool) -> Results:
    metrics = complete(attach_datasets(draft.metrics, datasets.used), policy)
    unknown = {problem.field: problem.message for problem in draft.problems if not is_of_table(problem)}
    if not metrics:
        unknown.setdefault("metrics", "no metric was given")
    curves = None
    if draft.curves:
        kept = down_sample(draft.curves.points, policy.limits.curve_points)
        side[paths.CURVES_FILE] = data = render_curves(kept)
        series = sorted({name for point in kept for name in point.values})
        curves = Curves(hash=hash_bytes(data), series=series, points=len(kept), logged=draft.curves.logged)
    figures, problems = read_figures(draft.figures, side, limit=policy.limits.figure_bytes, strict=strict)
    return Results(
        headline=_headline(draft.headline, metrics, strict=strict),
        metrics=metrics,
        curves=curves,
        figures=figures,
        unknown=unknown | problems,
    )


def _headline(wanted: str | None, metrics: list[Metric], *, strict: bool) -> str | None:
    """Choose the metric that speaks for the run: asked for, else validation, test, any; higher-is-better first."""
    keys = [metric.key for metric in metrics]
    if wanted in keys or not keys:
        return wanted if keys else None
    if wanted is not None and strict:
        raise LedgerError(f"no metric of this run is the headline asked for: `{wanted}`", hint=f"one of {keys}")
    order = {"validation": 0, "test": 1}

    def rank(metric: Metric) -> tuple[int, bool]:
        return order.get(metric.split or "", 2), metric.direction != "higher"

    return min(metrics, key=rank).key


def unknown_boxes(made: Record) -> dict[str, Box]:
    """Return the boxes of a record that could not be captured at all."""
    return {name: box for name, box in made.boxes().items() if not box.known}
