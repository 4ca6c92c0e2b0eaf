"""Differences between the environments of runs: software and machines, side by side."""

from collections.abc import Sequence

from ledger.model.entries import StoredRun
from ledger.model.record import Record
from ledger.model.values import Document


class EnvironmentDifference(Document, frozen=True, kw_only=True):
    """One property that differs between the runs."""

    name: str
    """Name of the property: `python`, `torch`, `gpu`, …"""
    values: list[str | None]
    """One value per run; none where it is unknown."""


def differences(runs: Sequence[StoredRun]) -> list[EnvironmentDifference]:
    """Return the differences in environment and hardware of runs, software first.

    Package lists are compared by hash: equal hashes mean that every package is equal.
    """
    told = [{name: value for part in facts_of(run.record).values() for name, value in part.items()} for run in runs]
    names = list(dict.fromkeys(name for facts in told for name in facts))
    rows = [EnvironmentDifference(name=name, values=[facts.get(name) for facts in told]) for name in names]
    return [row for row in rows if len(set(row.values)) > 1]


def facts_of(record: Record) -> dict[str, dict[str, str | None]]:
    """Return the properties of the `environment` and of the `hardware` of a run by name; none where one is unknown."""
    environment, hardware = record.environment, record.hardware
    counts: dict[str, int] = {}
    for gpu in hardware.gpus:
        counts[gpu.name] = counts.get(gpu.name, 0) + 1
    gpus = ", ".join(f"{count} x {name}" for name, count in sorted(counts.items()))
    listed = (environment.hash or "").rpartition(":")[2][:12]
    return {
        "environment": {
            "python": environment.python,
            "os": environment.os,
            "container": environment.container,
            **dict(sorted(environment.frameworks.items())),
            "packages": f"{environment.packages} ({listed})" if listed and environment.packages is not None else None,
        },
        "hardware": {"cpu": hardware.cpu, "gpu": gpus or None},
    }
