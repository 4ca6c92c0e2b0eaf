"""Trackio's calls, which are W&B's: `import ledger.compat.trackio as trackio`."""

import sys

from ledger.compat import wandb
from ledger.compat.wandb import Histogram, Image, Table, config, define_metric, finish, init, log, run, save

__all__ = ["Histogram", "Image", "Table", "config", "define_metric", "finish", "init", "log", "run", "save"]

sys.modules[__name__] = wandb  # so that `run` and `config` are those of the moment
