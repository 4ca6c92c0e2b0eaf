"""Stands before the installed packages under `ledger run --as tensorboard`."""
