"""Frameworks that this process has imported so far; installed ones may be unused."""

import sys
from collections.abc import Mapping
from types import ModuleType

_MODULES = {
    **{name: name for name in ("torch", "torchvision", "torchaudio", "tensorflow", "keras", "jax", "flax", "optax")},
    **{name: name for name in ("lightning", "transformers", "accelerate", "deepspeed", "peft", "diffusers", "timm")},
    **{name: name for name in ("datasets", "ultralytics", "fastai", "xgboost", "lightgbm", "catboost", "numpy")},
    **{name: name for name in ("scipy", "pandas", "polars", "cupy", "numba", "mxnet", "paddle", "gymnasium", "gym")},
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
    "stable_baselines3": "stable-baselines3",
}
"""Package of each module whose version is part of the record itself."""
_LENGTH = 100


def imported_frameworks(modules: Mapping[str, ModuleType | None] | None = None) -> dict[str, str]:
    """Return the version of each imported framework, `unknown` where it has none; nothing is imported.

    Args:
        modules: imported modules; those of this process by default.
    """
    loaded = sys.modules if modules is None else modules
    found: dict[str, str] = {}
    for module, package in _MODULES.items():
        # Reading an attribute of a lazily loaded module could import all of it.
        said = vars(loaded[module]).get("__version__") if isinstance(loaded.get(module), ModuleType) else None
        if loaded.get(module) is not None:
            text = str(said)[:_LENGTH] if said is not None else "unknown"
            found[package] = text if text.isprintable() else "unknown"
    return dict(sorted(found.items()))
