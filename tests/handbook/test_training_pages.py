"""What the pages on training show is run as it stands, around functions that a reader would have of their own."""

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from ledger.model.entries import StoredRun
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli
from tests.handbook.pages import HANDBOOK
from tests.handbook.test_blocks import blocks

OWN = """
import json, os, time, ledger
params, STEPS, accuracy = {"lr": 0.1}, 20, 0.5

class State:
    step = json.load(open("checkpoint")) if os.path.exists("checkpoint") else 0

def load_checkpoint():
    return State

def train_step(state=State):
    state.step += 1
    json.dump(state.step, open("checkpoint", "w"))
    if os.environ.get("STOP") == str(state.step):
        raise MemoryError("preempted")
    return 1 / state.step

def train():
    if "RANK" in os.environ:  # ranks begin to train together, as torch.distributed lets them
        open("ready" + os.environ["RANK"], "w").close()
        while not all(os.path.exists(f"ready{rank}") for rank in range(int(os.environ["WORLD_SIZE"]))):
            time.sleep(0.01)
    return [(1 / (step + 1), 64) for step in range(20)]
"""
"""What the reader of a page brings along: a model, a checkpoint, data."""


def play(repo: Path, page: str, **variables: str) -> StoredRun | None:
    (block,) = blocks(HANDBOOK / f"{page}.md", "python")
    script = repo / "own.py"
    script.write_text(OWN + block)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    subprocess.run([sys.executable, script], cwd=repo, env=environment, capture_output=True, check=False, timeout=60)
    runs = Branch.open(repo).contents().runs
    return runs[0] if runs else None


def test_a_training_is_resumed_as_the_page_shows(repo: Path) -> None:
    assert play(repo, "restarts", STOP="8") is None
    run = play(repo, "restarts")
    assert run is not None
    assert [one.status for one in run.record.timing.attempts] == ["failed", "finished"]
    assert run.record.statistics.series["train/loss"].count == 19  # that of the step that failed was never logged


FED = """
import ledger
params = {"lr": 0.1}

def train_step(image, label):
    assert image.shape == (64, 8, 8)
    return float(label.mean())
"""


def test_a_training_is_fed_as_the_page_shows(repo: Path) -> None:
    for number in range(150):
        place = repo / "data" / "train" / str(number % 2) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(place)
    (repo / "own.py").write_text(FED + blocks(HANDBOOK / "feeding.md", "python")[0])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "own.py"], cwd=repo, env=environment, capture_output=True, check=True, timeout=60)
    (run,) = Branch.open(repo).contents().runs
    (feed,) = run.record.datasets.feeds
    assert [one.batches for one in feed.stretches] == [2, 2, 2]
    assert run.record.statistics.series["train/loss"].count == 6


def test_the_ranks_of_the_page_are_one_record(repo: Path, cli: Cli) -> None:
    (repo / "own.py").write_text(OWN + blocks(HANDBOOK / "clusters.md", "python")[0])
    common = {**os.environ, "PYTHONPATH": str(ROOT), "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "29500"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "own.py"], cwd=repo, env={**common, "RANK": str(rank)}, stderr=subprocess.PIPE
        )
        for rank in range(2)
    ]
    for rank in ranks:
        assert rank.communicate(timeout=60)[1] is not None
    assert cli("recover").code == 0
    (run,) = Branch.open(repo).contents().runs
    assert [one.rank for one in run.record.hardware.ranks] == [0, 1]
    assert run.record.statistics.series["samples"].last == 128
    assert run.record.statistics.series["accuracy"].last == 0.5


def test_a_run_that_states_its_steps_is_recorded_as_the_page_shows(repo: Path) -> None:
    run = play(repo, "live")
    assert run is not None
    assert (run.record.status, run.record.statistics.steps) == ("finished", 999)
