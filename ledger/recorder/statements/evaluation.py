"""A later measurement of a run that is already on the ledger, such as on a newer validation set."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from ledger.capture.outputs.metrics import parse_key
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric
from ledger.model.claims.rules import refuse_claims
from ledger.model.datasets import CaseResult
from ledger.model.document import dump
from ledger.model.entries import EVALUATION_FORMAT, Evaluation, StoredRun
from ledger.model.ids import new_id
from ledger.model.values import check_period
from ledger.recorder.data.datasets import Resolved, Resolver, attach_datasets, with_aliases
from ledger.recorder.message import TOOL, evaluation_message
from ledger.recorder.record.admission import few_enough
from ledger.recorder.record.draft import Dataset
from ledger.recorder.record.policy_metrics import complete, missing_aggregates
from ledger.recorder.record.redaction import redact_document, redactor_for
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.branch.run_ids import resolve_run


def evaluate(
    run: str,
    metrics: Mapping[str, float] | Sequence[Metric],
    *,
    datasets: Sequence[Dataset] = (),
    period: str | None = None,
    note: str | None = None,
    folder: Path | str = ".",
    ledger: Branch | None = None,
) -> Evaluation:
    """Append a later measurement of a run's model and return it.

    Example:
        >>> ledger.evaluate("x7k2qf", {"validation/accuracy": 0.91}, datasets=[data])

    Args:
        run: id of the run, or a part of it.
        metrics: value by `split/name`, or `Metric` objects.
        datasets: datasets that they were measured on.
        period: for online metrics, their first and last day, as `2026-11-01/2026-11-07`.
        note: comment on the evaluation.
        folder: folder in the repository.
        ledger: the ledger itself, instead of `folder`.

    Raises:
        NotFound: there is no such run.
        LedgerError: no metric was given, a dataset cannot be read, or the period is invalid.
        Conflict: a dataset version's name stands for other content.
    """
    opened = ledger or Branch.open(folder)
    run_id = resolve_run(opened, run)
    given = [parse_key(key, value) for key, value in metrics.items()] if isinstance(metrics, Mapping) else metrics
    if not given:
        raise LedgerError("an evaluation needs at least one metric")
    if period is not None:
        given = [_counted_over(check_period(period), metric) for metric in given]
    resolver = Resolver(opened, author=opened.author(), now=datetime.now(UTC), strict=True)
    resolved = [resolver.resolve(source) for source in datasets]
    uses = with_aliases([found.use for found in resolved], opened.policy)
    metrics = attach_datasets(given, uses)
    return append_evaluation(opened, run_id, metrics, resolved=resolved, uses=uses, note=note)


def append_evaluation(
    ledger: Branch,
    run: str,
    metrics: Sequence[Metric],
    *,
    uses: Sequence[DatasetUse],
    resolved: Sequence[Resolved] = (),
    cases: Sequence[CaseResult] = (),
    note: str | None = None,
) -> Evaluation:
    """Append measurements of a run's model, completed by the policy, and return the evaluation.

    Args:
        ledger: ledger to append to.
        run: whole id of the run.
        metrics: measurements, each with its dataset version.
        uses: those dataset versions.
        resolved: the same, with the files that are new on the ledger.
        cases: results of the model on each case.
        note: comment; secrets in it are replaced.

    Raises:
        InvalidDocument: `policy.yaml` is damaged.
        LedgerError: the branch cannot be written.
    """
    policy = ledger.policy
    before = _earlier_metrics(ledger, run) if policy.aggregates else []
    author, now, redactor = ledger.author(), datetime.now(UTC), redactor_for(ledger)
    made = Evaluation(
        format=EVALUATION_FORMAT,
        id=new_id(now, os.urandom(4)),
        run=run,
        datasets=[*uses],
        metrics=complete(metrics, policy, before=before),
        cases=[*cases],
        note=redactor.text(note) if note else None,
        author=author,
        evaluated_at=now,
        tool=TOOL,
    )
    made = redact_document(made, redactor)
    few_enough(made.metrics, None, policy.limits.metrics, strict=True)
    refuse_claims(made)
    path = paths.evaluation_path(made.id)
    files = {path: dump(made)}
    for found in resolved:
        files |= found.files
    message = redactor.text(evaluation_message(made, path))
    ledger.append(Entry(id=made.id, files=files, message=message, author=author, made_at=now))
    return made


def _earlier_metrics(ledger: Branch, run: str) -> list[Metric]:
    from ledger.store.index.selection import find_runs  # the index and SQLite, which recording does without

    return find_runs(ledger, [run])[0].metrics()


def fill_aggregates(ledger: Branch, runs: Sequence[StoredRun]) -> list[Evaluation]:
    """Append missing aggregates of `policy.yaml` to the runs that have all their parts.

    Args:
        ledger: ledger to append to.
        runs: selected runs; retracted ones are skipped.

    Raises:
        InvalidDocument: `policy.yaml` is damaged.
        LedgerError: it names no aggregates, or the branch cannot be written.
    """
    if not ledger.policy.aggregates:
        raise LedgerError("policy.yaml names no aggregates", hint="see the handbook: Policy")
    standing = (run for run in runs if run.retraction is None)
    return [
        append_evaluation(ledger, run.record.id, whole, uses=())
        for run in standing
        if (whole := missing_aggregates(run.metrics(), ledger.policy))
    ]


def _counted_over(period: str, metric: Metric) -> Metric:
    """Return an online metric: it is comparable only with those of the same days."""
    if metric.dataset or metric.dataset_hash:
        raise LedgerError(f"a metric is measured on a dataset or over a period, not both: `{metric.key}`")
    label = f"production {period}"
    return replace(metric, period=period, dataset=label, dataset_hash=hash_bytes(label.encode()))
