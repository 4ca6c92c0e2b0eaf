"""A verdict does not depend on how many processes a training had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli, git_in

TRAIN = """
import ledger, os, sys
lr, base, accuracy = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
with ledger.run("e", params={"lr": lr}, seed=base + int(os.environ["RANK"]), per_rank=True) as run:
    run.dataset("val.csv", role="validation", name="val", version="v1")
    run.metric("accuracy", accuracy, split="validation")
"""
TRIED = [(0.1, 0, 0.900), (0.1, 10, 0.905), (0.1, 20, 0.910), (0.2, 0, 0.906), (0.2, 10, 0.911), (0.2, 20, 0.916)]


@pytest.mark.parametrize("world", ["", "2"])
def test_ranks_that_were_recorded_turn_no_verdict(repo: Path, cli: Cli, world: str) -> None:
    (repo / "val.csv").write_text("1,2\n")
    (repo / "ddp.py").write_text(TRAIN)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "--quiet", "--message", "Data")
    for number, trial in enumerate(TRIED):
        for rank in ("0", "1"):
            job = {"WORLD_SIZE": world, "TORCHELASTIC_RUN_ID": f"job{number}"} if world else {}
            environment = os.environ | {"PYTHONPATH": str(ROOT), "RANK": rank} | job
            command = [sys.executable, "ddp.py", *map(str, trial)]
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    ids = cli("list", "--csv", "--columns", "id,params.lr").out.split()[1:]
    better, worse = (next(line.split(",")[0] for line in ids if line.endswith(lr)) for lr in ("0.2", "0.1"))
    done = cli("judge", better, "--against", worse)
    assert done.code == 2, done.out
    assert "from 6 runs of 2 settings" in done.out
    assert "3 runs of the judged setting seem to be ranks of the same training run" in done.out
    board = cli("leaderboard")
    assert board.out.count(" +2") == 2 or "\t3\t" in board.out
    assert "ranks of the same training run, so counted once" in board.err
