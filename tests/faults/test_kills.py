"""Processes killed with SIGKILL at random moments: nothing acknowledged is lost, and the next command just works."""

from pathlib import Path

import pytest

from tests.faults.account import Figures
from tests.faults.campaign import campaign
from tests.faults.conftest import KILLS, SEED


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("work", "part"), [("append", 1 / 2), ("sync", 1 / 3), ("index", 1 / 6)])
def test_killed_at_any_moment_nothing_acknowledged_is_lost(
    work: str, part: float, tmp_path: Path, figures: Figures
) -> None:
    figures.add(campaign(work, round(KILLS * part), SEED, tmp_path))
    assert figures.kills == round(KILLS * part)
    assert figures.records > figures.kills
