"""A later measurement of a run that is already on the ledger, such as on a newer validation set."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ledger.capture.metrics import parse_key
from ledger.capture.secrets import Redactor
from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.boxes import Metric
from ledger.model.document import dump
from ledger.model.entries import EVALUATION_FORMAT, Evaluation
from ledger.model.ids import new_id
from ledger.recorder.datasets import Resolved, Resolver, attach_datasets
from ledger.recorder.draft import Dataset
from ledger.recorder.message import TOOL, evaluation_message
from ledger.store.ledger import Ledger
from ledger.store.waiting import Entry


def evaluate(
    run: str,
    metrics: Mapping[str, float] | Sequence[Metric],
    *,
    datasets: Sequence[Dataset] = (),
    note: str | None = None,
    folder: Path | str = ".",
) -> Evaluation:
    """Append a later measurement of a run's model and return it.

    Args:
        run: the run's id, or enough of it.
        metrics: `split/name` to value, or metrics made by hand.
        datasets: what it was measured on.
        note: what there is to say about it.
        folder: where the repository is.

    Raises:
        NotFound: there is no such run.
        LedgerError: no metric was given, or a dataset cannot be read.
        Conflict: a dataset version's name is taken by other content.
    """
    ledger = Ledger.open(folder)
    run_id = ledger.resolve(run)
    given = [parse_key(key, value) for key, value in metrics.items()] if isinstance(metrics, Mapping) else metrics
    if not given:
        raise LedgerError("an evaluation needs at least one metric")
    author, now = ledger.repository.author(), datetime.now(UTC)
    resolver = Resolver(ledger, author=author, now=now, strict=True)
    resolved = [resolver.resolve(source) for source in datasets]
    uses = [found.use for found in resolved]
    evaluation = Evaluation(
        format=EVALUATION_FORMAT,
        id=new_id(now, os.urandom(4)),
        run=run_id,
        datasets=uses,
        metrics=attach_datasets(given, uses),
        note=Redactor().text(note) if note else None,
        author=author,
        evaluated_at=now,
        tool=TOOL,
    )
    ledger.append(_entry(evaluation, resolved))
    return evaluation


def _entry(evaluation: Evaluation, resolved: Sequence[Resolved]) -> Entry:
    path = paths.evaluation_path(evaluation.id)
    files = {path: dump(evaluation)}
    for found in resolved:
        files |= found.files
    return Entry(
        id=evaluation.id,
        files=files,
        message=evaluation_message(evaluation, path),
        author=evaluation.author,
        made_at=evaluation.evaluated_at,
    )
