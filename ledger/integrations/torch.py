"""PyTorch itself: gradient norms of a module, and the data behind a loader.

from ledger.integrations.torch import use_data, watch

with ledger.run("digits") as run:
use_data(run, loader)
gradients = watch(run, model, every=10)
for step, batch in enumerate(loader):
…
loss.backward()
gradients.log(step)
"""

from typing import Any

import torch

from ledger.integrations.values import LatePoints
from ledger.model.values import Role
from ledger.recorder import Dataset
from ledger.session.run.run import Run


def use_data(run: Run, loader: Any, role: Role = "train", **options: Any) -> Dataset:  # noqa: ANN401  # a loader or a dataset
    """Record the data of a loader or a dataset by the hash of its samples, as `run.dataset` does.

    Every sample is read once. A subset is hashed as the samples that are in it, and of a loader the batch size becomes
    a param.

    Args:
        run: run that uses it.
        loader: `DataLoader`, or a map-style dataset.
        role: `train`, `validation`, `test` or `production`.
        options: further arguments of `run.dataset`.
    """
    batch = getattr(loader, "batch_size", None)
    if batch is not None and role == "train":
        run.params(batch_size=batch)
    return run.dataset(getattr(loader, "dataset", loader), role=role, **options)


class GradientWatch:
    """Logs gradient norms of a module; made by `watch`.

    Args:
        run: run to log to.
        module: module whose gradients are looked at.
        every: number of steps from one look to the next.
        layers: log the norm of each direct child too.
    """

    def __init__(self, run: Run, module: torch.nn.Module, every: int, *, layers: bool) -> None:
        self._run = run
        self._points = LatePoints(run)
        self._every = max(1, every)
        parts = dict(module.named_children()) if layers else {}
        self._parts = {"gradient/norm": module, **{f"gradient/norm/{name}": part for name, part in parts.items()}}

    def log(self, step: int) -> None:
        """Log the norms of the gradients as they are now: after `backward`, before `zero_grad`; never raises."""
        if step % self._every:
            return
        try:
            norms = {name: _norm(part) for name, part in self._parts.items()}
            self._points.log({name: norm for name, norm in norms.items() if norm is not None}, step=step)
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on
            self._run.log({"gradient/norm": f"{type(error).__name__}: {error}"}, step=step)  # left out, and said

    def flush(self) -> None:
        """Log norms that a GPU was still computing."""
        self._points.flush()


def watch(run: Run, module: torch.nn.Module, *, every: int = 10, layers: bool = False) -> GradientWatch:
    """Return what logs the gradient norms of a module on request, every few steps.

    The norm is computed where the gradients are, and no step waits for it.

    Args:
        run: run to log to.
        module: module whose gradients are looked at.
        every: number of steps from one look to the next.
        layers: log the norm of each direct child too.
    """
    return GradientWatch(run, module, every, layers=layers)


def _norm(module: torch.nn.Module) -> torch.Tensor | None:
    gradients = [one.grad for one in module.parameters() if one.grad is not None]
    return torch.nn.utils.get_total_norm(gradients) if gradients else None
