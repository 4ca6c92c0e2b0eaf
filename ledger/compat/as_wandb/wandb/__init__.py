"""`import wandb` under `ledger run --as wandb`: the ledger."""

try:
    from ledger.compat import wandb
    from ledger.compat.submodules import stand_in
except ModuleNotFoundError as error:
    raise ImportError("`ledger run --as wandb` needs git-ledger in the Python of the command") from error

stand_in(__name__, wandb)
