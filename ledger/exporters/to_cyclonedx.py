"""The models of runs as a CycloneDX 1.6 bill of materials with model cards: params, data, measured values, frameworks.

Source: https://cyclonedx.org/docs/1.6/json/. The serial number and the time are those of the runs, so that the same
runs give the same bytes.
"""

import uuid
from collections.abc import Iterator, Sequence

from ledger import __version__
from ledger.exporters.exported_run import Exported, ExportedRun, json_bytes, param_text
from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import Metric
from ledger.model.record import Record

_ALGORITHM = "BLAKE3"


def to_cyclonedx(runs: Sequence[ExportedRun]) -> Exported:
    """Return the models of runs as one bill of materials."""
    records = [run.record for run in runs]
    seed = hash_bytes("".join(record.id for record in records).encode()).partition(":")[2]
    last = max((record.timing.ended_at for record in records), default=None)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(hex=seed[:32], version=5)}",
        "version": 1,
        "metadata": {
            **({"timestamp": last.isoformat()} if last else {}),
            "tools": {"components": [{"type": "application", "name": "git-ledger", "version": __version__}]},
        },
        "components": [*(_model(record) for record in records), *_data(records)],
        "dependencies": [
            {"ref": f"model/{record.id}", "dependsOn": sorted(set(_data_refs(record)))} for record in records
        ],
    }
    losses = ["curves, code patch, hardware, cost, log, figures and tables"]
    return Exported(files={"bom.cdx.json": json_bytes(document)}, losses=losses)


def _model(record: Record) -> dict[str, object]:
    content = _content(record.model.hash)
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model/{record.id}",
        "name": record.model.path or record.experiment,
        "version": record.id,
        "authors": [{"name": record.author.name}],
        **({"description": record.note} if record.note else {}),
        **({"hashes": [{"alg": _ALGORITHM, "content": content}]} if content else {}),
        "modelCard": {
            "modelParameters": {"datasets": [{"ref": ref} for ref in dict.fromkeys(_data_refs(record))]},
            "quantitativeAnalysis": {"performanceMetrics": [_metric(metric) for metric in record.results.metrics]},
        },
        "properties": [{"name": name, "value": value} for name, value in _properties(record)],
    }


def _properties(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.params.values.items():
        yield f"ledger:param:{name}", param_text(value)
    for name, version in record.environment.frameworks.items():
        yield f"ledger:framework:{name}", version
    if record.code.commit:
        yield "ledger:code", record.code.commit


def _data_refs(record: Record) -> list[str]:
    return [_data_ref(use.hash, use.label) for use in record.datasets.used]


def _metric(metric: Metric) -> dict[str, object]:
    return {
        "type": metric.key,
        "value": str(metric.value),
        **({"slice": metric.dataset} if metric.dataset else {}),
    }


def _data(records: Sequence[Record]) -> list[dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for record in records:
        for use in record.datasets.used:
            ref = _data_ref(use.hash, use.label)
            content = _content(use.hash)
            found[ref] = {
                "type": "data",
                "bom-ref": ref,
                "name": use.name or use.label,
                **({"version": use.version} if use.version else {}),
                **({"hashes": [{"alg": _ALGORITHM, "content": content}]} if content else {}),
            }
    return [found[ref] for ref in sorted(found)]


def _data_ref(content: str | None, label: str) -> str:
    return f"data/{content or label}"


def _content(text: str | None) -> str | None:
    algorithm, _, digits = (text or "").partition(":")
    return digits if algorithm == "blake3" and digits else None
