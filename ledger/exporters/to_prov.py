"""Runs as PROV-JSON: a run is an activity, its data and its model are entities, its author is an agent.

Source: https://www.w3.org/submissions/prov-json/.
"""

from collections.abc import Sequence

from ledger.exporters.exported_run import Exported, ExportedRun, json_bytes

_PREFIX = {"ledger": "https://ledger.invalid/", "xsd": "http://www.w3.org/2001/XMLSchema#"}
"""Names of ours lead nowhere: a record is in a repository, and not on the web."""


def to_prov(runs: Sequence[ExportedRun]) -> Exported:
    """Return runs as one PROV-JSON document."""
    activities: dict[str, object] = {}
    entities: dict[str, object] = {}
    agents: dict[str, object] = {}
    used: dict[str, object] = {}
    generated: dict[str, object] = {}
    associated: dict[str, object] = {}
    for run in runs:
        record = run.record
        activity = f"ledger:run/{record.id}"
        activities[activity] = {
            "prov:startTime": record.timing.started_at.isoformat(),
            "prov:endTime": record.timing.ended_at.isoformat(),
            "prov:label": record.experiment,
            "ledger:status": record.status,
        }
        agent = f"ledger:agent/{record.author.name}"
        agents[agent] = {
            "prov:type": {"$": "prov:Person", "type": "prov:QUALIFIED_NAME"},
            "prov:label": record.author.name,
        }
        associated[f"_:a{record.id}"] = {"prov:activity": activity, "prov:agent": agent}
        for number, use in enumerate(record.datasets.used):
            entity = f"ledger:data/{use.hash or use.label}"
            entities[entity] = {"prov:label": use.label}
            used[f"_:u{record.id}-{number}"] = {
                "prov:activity": activity, "prov:entity": entity, "prov:role": use.role,
            }  # fmt: skip
        if record.code.commit:
            entity = f"ledger:code/{record.code.commit}"
            entities[entity] = {"prov:label": record.code.commit}
            used[f"_:c{record.id}"] = {"prov:activity": activity, "prov:entity": entity, "prov:role": "code"}
        if record.model.hash:
            entity = f"ledger:model/{record.model.hash}"
            entities[entity] = {"prov:label": record.model.path or record.model.hash}
            generated[f"_:g{record.id}"] = {"prov:entity": entity, "prov:activity": activity}
    document = {
        "prefix": _PREFIX,
        "entity": entities,
        "activity": activities,
        "agent": agents,
        "used": used,
        "wasGeneratedBy": generated,
        "wasAssociatedWith": associated,
    }
    losses = ["params, metrics, curves, hardware, environment and cost"]
    return Exported(files={"prov.json": json_bytes(document)}, losses=losses)
