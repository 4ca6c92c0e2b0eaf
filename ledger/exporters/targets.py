"""The formats that runs can be exported to, by name."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ledger.exporters.exported_run import Exported, ExportedRun
from ledger.exporters.to_croissant import to_croissant
from ledger.exporters.to_cyclonedx import to_cyclonedx
from ledger.exporters.to_hub import to_hub
from ledger.exporters.to_mlflow import to_mlflow
from ledger.exporters.to_prov import to_prov
from ledger.exporters.to_ro_crate import to_ro_crate
from ledger.exporters.to_tensorboard import to_tensorboard
from ledger.exporters.to_wandb import to_wandb


class Target(NamedTuple):
    """A format of another tool."""

    render: Callable[[Sequence[ExportedRun]], Exported]
    """Makes its files."""
    curves: bool
    """Whether it holds curves."""


TARGETS = {
    "mlflow": Target(to_mlflow, curves=True),
    "tensorboard": Target(to_tensorboard, curves=True),
    "wandb": Target(to_wandb, curves=True),
    "ro-crate": Target(to_ro_crate, curves=False),
    "croissant": Target(to_croissant, curves=False),
    "hf": Target(to_hub, curves=False),
    "cyclonedx": Target(to_cyclonedx, curves=False),
    "prov": Target(to_prov, curves=False),
}
"""Every format."""
