"""Measured values of runs as `.eval_results/*.yaml` of a model repository on the Hugging Face Hub.

Source: `huggingface_hub/_eval_results.py` (https://github.com/huggingface/huggingface_hub), seen in 2.4.
"""

from collections.abc import Iterator, Sequence

import msgspec

from ledger.exporters.exported_run import Exported, ExportedRun, number_of
from ledger.model.record import Record
from ledger.model.values import slug


def to_hub(runs: Sequence[ExportedRun]) -> Exported:
    """Return the final values of runs, one file each."""
    files = {
        f".eval_results/{slug(run.record.id)}.yaml": _yaml(run.record) for run in runs if run.record.results.metrics
    }
    return Exported(
        files=files,
        losses=[
            "a revision there is a commit of a dataset on the Hub: the hash of the content stands in the notes",
            "names of datasets are those of the ledger: name them as on the Hub",
            "values that are not finite, params, curves, code, hardware, cost and log",
        ],
        next="upload .eval_results to the model's repository",
    )


def _yaml(record: Record) -> bytes:
    # JSON is YAML 1.2: a name can become nothing else.
    return "".join(f"- {msgspec.json.encode(entry).decode()}\n" for entry in _entries(record)).encode()


def _entries(record: Record) -> Iterator[dict[str, object]]:
    hashes = {use.label: use.hash for use in record.datasets.used}
    for metric in record.results.metrics:
        value = number_of(metric.value)
        if value != value or abs(value) == float("inf"):  # noqa: PLR0124  # NaN is not itself
            continue
        name, _, version = (metric.dataset or "unknown").partition("@")
        facts = [
            f"version {version}" if version else "",
            f"content {hashes.get(metric.dataset or '') or metric.dataset_hash or 'unknown'}",
            f"evaluator {metric.evaluator}" if metric.evaluator else "",
            "the last value of a curve" if metric.origin == "curve" else "",
            f"run {record.id}",
        ]
        yield {
            "dataset": {"id": name, "task_id": metric.key},
            "value": value,
            "date": record.timing.ended_at.isoformat(),
            "notes": ", ".join(fact for fact in facts if fact),
        }
