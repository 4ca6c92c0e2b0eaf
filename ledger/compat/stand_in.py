"""The folders that put a tracker's name in front of the installed one, for the command of one `ledger run --as`."""

import os
from collections.abc import Mapping
from pathlib import Path

TRACKERS = ("tensorboard", "trackio", "wandb")
"""What `ledger run --as` can stand in for."""


def environment_as(tracker: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a command in which a tracker's name means the ledger; nothing is installed.

    Args:
        tracker: one of `TRACKERS`.
        environment: variables that it would have otherwise.
    """
    folder = str(Path(__file__).parent / f"as_{tracker}")
    path = environment.get("PYTHONPATH")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{path}" if path else folder}
