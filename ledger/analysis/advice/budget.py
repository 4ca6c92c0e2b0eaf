"""Budgets: the limits for a model in `policy.yaml`, and what a run used of them."""

from ledger.formatting import number
from ledger.model.record import Record
from ledger.model.values import Document


class Budget(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits for one model; a field without a value has no limit."""

    parameters: float | None = None
    """Parameters of the model."""
    model_bytes: float | None = None
    """Size of its file in bytes."""
    duration_seconds: float | None = None
    """Time of the run, in seconds."""
    cost: float | None = None
    """Cost of the run, in the currency of the price catalogue."""
    memory_bytes: float | None = None
    """Largest memory of the run in bytes: of its GPUs where it had some, else of its processes."""
    flops: float | None = None
    """FLOPs of one forward pass of the model, as `run.profile` counts them."""
    latency_seconds: float | None = None
    """Median time of a forward pass in seconds, as `run.profile` measures it."""
    power_watts: float | None = None
    """Mean power of all GPUs of the run together, in watts: their energy by the time of the run."""

    @property
    def stated(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in limits_of(self).values())


class Spent(Document, frozen=True, kw_only=True):
    """One limited quantity, with its limit and what a run used."""

    name: str
    """Field of the budget."""
    limit: float
    """The limit."""
    amount: float | None
    """What the run used; none where that is unknown."""

    @property
    def text(self) -> str:
        """What was used, and of how much: `parameters 37194 of 10000`."""
        amount = "unknown" if self.amount is None else number(self.amount)
        return f"{self.name.replace('_', ' ')} {amount} of {number(self.limit)}"

    @property
    def over(self) -> bool:
        """Whether the run is known to be over the limit."""
        return self.amount is not None and self.amount > self.limit


def limits_of(budget: Budget) -> dict[str, float | None]:
    """Return every limit, by the name of its field."""
    return {name: getattr(budget, name) for name in Budget.__struct_fields__}


def amounts_of(record: Record) -> dict[str, float | None]:
    """Return what a run used, by the fields of a budget; none where it is unknown."""
    return {
        "parameters": record.model.parameters,
        "model_bytes": record.model.bytes,
        "duration_seconds": record.timing.took,
        "cost": record.cost.amount,
        "memory_bytes": _peak_memory(record),
        "flops": record.model.flops,
        "latency_seconds": record.model.latency_seconds,
        "power_watts": _mean_power(record),
    }


def spent_of(record: Record, budget: Budget) -> list[Spent]:
    """Return what a run used of everything that a budget limits, in the order of its fields."""
    amounts = amounts_of(record)
    return [
        Spent(name=name, limit=limit, amount=amounts[name])
        for name, limit in limits_of(budget).items()
        if limit is not None
    ]


_JOULES = 3_600_000
"""Joules of a kWh."""


def _mean_power(record: Record) -> float | None:
    energy, took = record.cost.energy_kwh, record.timing.took
    return energy * _JOULES / took if energy is not None and took else None


def _peak_memory(record: Record) -> float | None:
    peaks = [gpu.memory_peak_bytes for gpu in record.hardware.gpus if gpu.memory_peak_bytes is not None]
    if peaks:
        return max(peaks)
    return record.hardware.usage.memory_peak_bytes if record.hardware.usage else None
