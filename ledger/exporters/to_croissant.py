"""The datasets of runs as Croissant 1.1: a description each, by name, version and content hash.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

from collections.abc import Sequence

from ledger.exporters.exported_run import Exported, ExportedRun, json_bytes
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.values import slug

_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references",
    "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
"""The context that the specification recommends."""


def to_croissant(runs: Sequence[ExportedRun]) -> Exported:
    """Return a description of each dataset version that runs used."""
    uses = {use.label: (use, run.record.timing.started_at) for run in runs for use in run.record.datasets.used}
    files = {
        f"{slug(label)}.croissant.json": json_bytes(_metadata(use, began.isoformat()))
        for label, (use, began) in uses.items()
    }
    return Exported(
        files=files,
        losses=[
            "files by SHA-256: the ledger hashes content with BLAKE3, which Croissant has no field for",
            "columns, types and labels: the ledger keeps statistics, not a schema",
        ],
    )


def _metadata(use: DatasetUse, used_at: str) -> dict[str, object]:
    counts = ", ".join(
        text
        for text in (
            f"{use.samples} samples" if use.samples is not None else "",
            f"{use.files} files" if use.files is not None else "",
            f"{use.bytes} bytes" if use.bytes is not None else "",
        )
        if text
    )
    said = f"content hash {use.hash}" if use.hash else "its content is unknown"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": slug(use.label),
        "description": f"{use.label}, {use.role} data of a training; {said}{f'; {counts}' if counts else ''}",
        "version": use.version or "unknown",
        "identifier": use.hash or use.label,
        "datePublished": used_at,
        "url": f"https://ledger.invalid/datasets/{slug(use.label)}",
        "license": "unknown",
        "distribution": [],
    }
