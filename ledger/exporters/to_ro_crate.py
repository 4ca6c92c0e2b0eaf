"""Runs as a Process Run Crate: an RO-Crate 1.1 folder whose metadata says what was run on what, with which result.

Sources: https://w3id.org/ro/crate/1.1 and https://w3id.org/ro/wfrun/process/0.5.
"""

from collections.abc import Iterator, Sequence

from ledger.exporters.exported_run import Exported, ExportedRun, json_bytes, number_of, param_text
from ledger.model.record import Record
from ledger.model.values import counted, plain

_CRATE = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_STATUSES = {"finished": "https://schema.org/CompletedActionStatus"}
_FAILED = "https://schema.org/FailedActionStatus"

Node = dict[str, object]


def to_ro_crate(runs: Sequence[ExportedRun]) -> Exported:
    """Return runs as one crate: an action for each, and every record as a file of it."""
    files = {f"records/{run.record.id}.json": json_bytes(run.record) for run in runs}
    parts = [_file(name, data) for name, data in files.items()]
    files["ro-crate-metadata.json"] = crate_metadata([run.record for run in runs], parts)
    return Exported(files=files, losses=["curves, figures, tables, log and patch; the records name them"])


def crate_metadata(records: Sequence[Record], files: Sequence[Node] = ()) -> bytes:
    """Return the metadata of a crate.

    Args:
        records: the runs, an action each.
        files: descriptions of the files that lie beside it.
    """
    nodes: dict[str, Node] = {}
    for record in records:
        for node in _nodes(record):
            nodes.setdefault(str(node["@id"]), node)
    last = max((record.timing.ended_at for record in records), default=None)
    root: Node = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Training runs",
        "description": f"{counted(len(records), 'training run')} of a ledger",
        "datePublished": last.date().isoformat() if last else "1970-01-01",
        "license": "the licence of the repository that the runs are from",
        "conformsTo": {"@id": _PROFILE},
        "hasPart": [{"@id": node["@id"]} for node in files],
        "mentions": [{"@id": f"#{record.id}"} for record in records],
    }
    metadata: Node = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _CRATE},
    }
    profile: Node = {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    graph = [metadata, root, profile, *nodes.values(), *files]
    return json_bytes({"@context": f"{_CRATE}/context", "@graph": graph})


def _file(name: str, data: bytes) -> Node:
    return {
        "@id": name,
        "@type": "File",
        "name": name.rpartition("/")[2],
        "encodingFormat": "application/json",
        "contentSize": str(len(data)),
    }


def _nodes(record: Record) -> Iterator[Node]:
    author = f"#{plain(record.author.name)}"
    code = f"#code-{record.code.tree or record.code.commit or 'unknown'}"
    inputs = [f"#{record.id}-param-{number}" for number in range(len(record.params.values))]
    data = [(f"#data-{use.hash or use.label}", use) for use in record.datasets.used]
    results = [f"#{record.id}-metric-{number}" for number in range(len(record.results.metrics))]
    model = f"#model-{record.model.hash}" if record.model.hash else None
    yield {
        "@id": f"#{record.id}",
        "@type": "CreateAction",
        "name": f"{plain(record.experiment)} {record.id}",
        "agent": {"@id": author},
        "instrument": {"@id": code},
        "startTime": record.timing.started_at.isoformat(),
        "endTime": record.timing.ended_at.isoformat(),
        "actionStatus": {"@id": _STATUSES.get(record.status, _FAILED)},
        **({"error": record.reason} if record.reason and record.status != "finished" else {}),
        "object": [{"@id": one} for one in (*inputs, *dict.fromkeys(place for place, _ in data))],
        "result": [{"@id": one} for one in (*results, *([model] if model else []))],
    }
    yield {"@id": author, "@type": "Person", "name": record.author.name}
    yield {
        "@id": code,
        "@type": "SoftwareApplication",
        "name": record.command[1] if len(record.command) > 1 else "training",
        **({"softwareVersion": record.code.commit} if record.code.commit else {}),
        **({"codeRepository": record.code.remote} if record.code.remote else {}),
    }
    for place, (name, value) in zip(inputs, record.params.values.items(), strict=True):
        yield {"@id": place, "@type": "PropertyValue", "name": name, "value": param_text(value)}
    for place, use in data:
        yield {
            "@id": place, "@type": "Dataset", "name": use.label, **({"identifier": use.hash} if use.hash else {}),
        }  # fmt: skip
    for place, metric in zip(results, record.results.metrics, strict=True):
        value = number_of(metric.value)
        yield {
            "@id": place,
            "@type": "PropertyValue",
            "name": metric.key,
            "value": value if value == value and abs(value) != float("inf") else str(metric.value),  # noqa: PLR0124  # NaN is not itself
            **({"measurementTechnique": metric.evaluator} if metric.evaluator else {}),
        }
    if model:
        yield {
            "@id": model,
            "@type": "Dataset",
            "name": record.model.path or "model",
            "identifier": record.model.hash,
            **({"contentSize": str(record.model.bytes)} if record.model.bytes is not None else {}),
        }
