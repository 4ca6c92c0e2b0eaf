"""`import trackio` under `ledger run --as trackio`: the ledger."""

try:
    from ledger.compat import wandb
    from ledger.compat.submodules import stand_in
except ModuleNotFoundError as error:
    raise ImportError("`ledger run --as trackio` needs git-ledger in the Python of the command") from error

stand_in(__name__, wandb)
