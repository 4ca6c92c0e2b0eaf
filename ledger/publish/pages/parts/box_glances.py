"""Each of the ten boxes in one line, for those that are folded on the page of a run."""

from collections import Counter
from collections.abc import Callable, Mapping

from ledger.formatting import byte_size, share
from ledger.model.entries import StoredRun
from ledger.model.record import Record
from ledger.model.values import counted
from ledger.publish.text import money, short_hash, short_number

_NAMED = 3
"""Most datasets, frameworks and warnings that are named; the others are counted."""


def box_glances(run: StoredRun, differing: int | None = None) -> dict[str, str]:
    """Return the line of each box by its name; empty where nothing of it is known.

    Args:
        run: the run.
        differing: number of params that differ from its reference; none where it has no reference.
    """
    record = run.record
    glances = {name: glance(record) if record_box_known(record, name) else "" for name, glance in _GLANCES.items()}
    if differing is not None and glances["params"]:
        told = f"{differing} differ{'s' if differing == 1 else ''}" if differing else "none differs"
        glances["params"] += f", {told} from what it is compared with"
    later = sum(len(evaluation.metrics) for evaluation in run.evaluations)
    if later:
        glances["results"] += f", {counted(later, 'value')} measured later"
    return glances


def record_box_known(record: Record, name: str) -> bool:
    """Return whether anything of a box was captured."""
    known: bool = getattr(record, name).known
    return known


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _code(record: Record) -> str:
    code = record.code
    changed = ""
    if code.patch:
        changed = f"{counted(code.patch.files, 'file')} changed, +{code.patch.added} -{code.patch.removed} lines"
    elif code.dirty is False:
        changed = "nothing uncommitted"
    return _joined(
        f"commit {short_hash(code.commit, 12).removeprefix('git:')}" if code.commit else "commit unknown",
        f"on {code.branch}" if code.branch else "",
        changed,
        f"{counted(len(code.omitted), 'file')} left out" if code.omitted else "",
    )


def _params(record: Record) -> str:
    return counted(len(record.params.values), "param")


def _datasets(record: Record) -> str:
    return _listed([f"{use.label} ({use.role})" for use in record.datasets.used]) or "none named"


def _hardware(record: Record) -> str:
    hardware = record.hardware
    gpus = Counter(gpu.name for gpu in hardware.gpus)
    idle = [gpu.gpu_idle_fraction for gpu in hardware.gpus if gpu.gpu_idle_fraction is not None]
    return _joined(
        hardware.host or "",
        _listed([f"{count} x {name}" if count > 1 else name for name, count in gpus.items()]) or hardware.cpu or "",
        f"idle {share(sum(idle) / len(idle))}" if idle else "",
    )


def _environment(record: Record) -> str:
    environment = record.environment
    return _joined(
        environment.python or "",
        _listed([f"{name} {version}" for name, version in sorted(environment.frameworks.items())]),
        counted(environment.packages, "package") if environment.packages is not None else "",
        f"container {environment.container}" if environment.container else "",
    )


def _cost(record: Record) -> str:
    cost = record.cost
    return _joined(
        money(cost.amount, cost.currency) if cost.amount is not None else "amount unknown",
        f"{short_number(cost.energy_kwh)} kWh" if cost.energy_kwh is not None else "",
        f"of that {money(cost.idle_amount, cost.currency)} for idle GPUs" if cost.idle_amount else "",
    )


def _model(record: Record) -> str:
    model = record.model
    return _joined(
        f"{short_number(model.parameters)} parameters" if model.parameters is not None else "",
        byte_size(model.bytes) if model.bytes is not None else "",
        model.format or "",
        short_hash(model.hash) if model.hash else "content unknown",
    )


def _logs(record: Record) -> str:
    logs = record.logs
    return _joined(
        counted(logs.lines, "line") if logs.lines is not None else "",
        counted(len(logs.warnings), "distinct warning") if logs.warnings else "no warning",
        counted(len(logs.errors), "distinct error") if logs.errors else "no error",
    )


def _results(record: Record) -> str:
    return counted(len(record.results.metrics), "value")


def _statistics(record: Record) -> str:
    statistics = record.statistics
    return _joined(
        f"{short_number(statistics.steps)} steps" if statistics.steps is not None else "",
        f"{short_number(statistics.epochs)} epochs" if statistics.epochs is not None else "",
        f"{len(statistics.series)} series" if statistics.series else "",
        counted(len(statistics.tables), "table") if statistics.tables else "",
    )


_GLANCES: Mapping[str, Callable[[Record], str]] = {
    "code": _code,
    "params": _params,
    "datasets": _datasets,
    "hardware": _hardware,
    "environment": _environment,
    "cost": _cost,
    "model": _model,
    "logs": _logs,
    "results": _results,
    "statistics": _statistics,
}
