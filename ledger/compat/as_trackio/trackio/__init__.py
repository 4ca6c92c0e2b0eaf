"""`import trackio` under `ledger run --as trackio`: the ledger."""

from ledger.compat import wandb
from ledger.compat.submodules import stand_in

stand_in(__name__, wandb)
