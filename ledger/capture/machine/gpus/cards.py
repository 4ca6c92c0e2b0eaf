"""The cards of this machine, of every maker."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger.capture.machine.gpus.amd import amd_cards
from ledger.capture.machine.gpus.apple import apple_cards
from ledger.capture.machine.gpus.card import Card
from ledger.capture.machine.gpus.nvidia import NvidiaCard
from ledger.capture.machine.gpus.nvml import Nvml, lost_devices, open_nvml, visible_devices


class Cards:
    """Cards that are open, to be closed again.

    Args:
        cards: the cards.
        nvml: NVML, which is closed with them.
    """

    def __init__(self, cards: Sequence[Card], nvml: Nvml | None = None) -> None:
        self.cards = list(cards)
        self.lost = lost_devices(nvml) if nvml is not None else []
        self._nvml = nvml

    def close(self) -> None:
        """Close them; never raises."""
        for card in self.cards:
            card.close()
        if self._nvml is not None:
            with contextlib.suppress(Exception):  # nothing is left to lose
                self._nvml.nvmlShutdown()
        self._nvml = None


def open_cards(variables: Mapping[str, str] | None = None, root: Path = Path("/")) -> Cards:
    """Return the cards that a process with these variables can use.

    Args:
        variables: environment variables, of which some hide cards; by default those of this process.
        root: root of the file system; `/` except in tests.

    Raises:
        RuntimeError: there is a driver, but it does not answer.
    """
    variables = os.environ if variables is None else variables
    nvml = open_nvml()
    try:
        found = [NvidiaCard(nvml, device) for device in visible_devices(nvml, variables)] if nvml else []
    except RuntimeError:
        Cards([], nvml).close()
        raise
    return Cards([*found, *amd_cards(root, variables), *apple_cards()], nvml)
