"""Ranks of one training keep spools of their own, and rank 0 makes one record of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.model.entries import StoredRun
from ledger.session.spool.spool import spools
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

TRAIN = """
import os, sys, time, ledger
rank = int(os.environ.get("RANK") or os.environ["SLURM_PROCID"])
kill, late = os.environ.get("KILL"), os.environ.get("LATE")
if kill == f"{rank} early":
    os.kill(os.getpid(), 9)
with ledger.run("ddp", params={"lr": 0.1}, sample_seconds=0.05) as run:
    run.dataset("train.py", role="validation")
    for step in range(20):
        run.log({"train/loss": 1 / (step + 1) + 10 * rank}, step)
        run.log({"accuracy": float(rank), "samples": 1.0 + rank}, step, reduce="mean")
    run.log({"most": float(rank)}, reduce="max")
    run.metric("score", 0.5, split="validation")
    open(f"ready{rank}", "w").close()
    others = [other for other in range(int(os.environ["ALL"])) if kill != f"{other} early"]
    while not all(os.path.exists(f"ready{other}") for other in others):
        time.sleep(0.01)
    if kill == str(rank):
        os.kill(os.getpid(), 9)
    if kill:
        time.sleep(0.3)
    if os.environ.get("HANG"):
        time.sleep(60)
    if late == str(rank):
        time.sleep(3)
"""

TWICE = """
import ledger, os, time
for number in range(2):
    with ledger.run(f"e{number}") as run:
        run.log({"x": 1.0}, reduce="sum")
        open(f"ready{number}-{os.environ['RANK']}", "w").close()
        while not all(os.path.exists(f"ready{number}-{rank}") for rank in range(2)):
            time.sleep(0.01)
"""


@pytest.fixture
def script(repo: Path) -> Path:
    path = repo / "train.py"
    path.write_text(TRAIN)
    return path


def start(script: Path, rank: int, processes: int, **variables: str) -> "subprocess.Popen[bytes]":
    launcher = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes), "MASTER_PORT": "29500"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | launcher | {"ALL": str(processes)} | variables
    return subprocess.Popen(
        [sys.executable, str(script)],
        cwd=script.parent,
        env={name: value for name, value in environment.items() if value},
        stderr=subprocess.DEVNULL,
    )


def train(script: Path, processes: int, **variables: str) -> list[int]:
    ranks = [start(script, rank, processes, **variables) for rank in range(processes)]
    return [rank.wait(60) for rank in ranks]


def only_run(repo: Path) -> StoredRun:
    (run,) = Branch.open(repo).contents().runs
    return run


def waiting(repo: Path) -> list[Path]:
    return spools(Branch.open(repo).repository.state_dir)


def test_the_record_of_rank_0_has_the_life_of_every_rank(repo: Path, script: Path) -> None:
    assert train(script, 4) == [0, 0, 0, 0]
    record = only_run(repo).record
    lives = record.hardware.ranks
    assert [(life.rank, life.status) for life in lives] == [(rank, "finished") for rank in range(4)]
    assert all(life.started_at <= life.last_seen_at for life in lives)
    assert all(life.usage is not None and life.usage.cpu_seconds is not None for life in lives)
    (node,) = record.hardware.nodes
    assert node.ranks == [0, 1, 2, 3]
    assert node.cores == record.hardware.cores
    assert "ranks" not in record.hardware.unknown
    assert waiting(repo) == []


def test_hosts_are_numbered_where_the_policy_leaves_their_names_out(repo: Path, script: Path, cli: Cli) -> None:
    cli("init")
    assert cli("policy", "set", "privacy.host", "true").code == 0
    train(script, 2)
    hardware = only_run(repo).record.hardware
    assert [life.host for life in hardware.ranks] == ["host 1", "host 1"]
    assert [node.host for node in hardware.nodes] == ["host 1"]


def test_curves_are_those_of_rank_0_or_of_all_ranks_as_the_script_says(repo: Path, script: Path) -> None:
    train(script, 2)
    series = only_run(repo).record.statistics.series
    assert series["train/loss"].last == pytest.approx(1 / 20)
    assert series["train/loss"].count == 20
    assert (series["accuracy"].last, series["accuracy"].reduced, series["accuracy"].count) == (0.5, "mean", 20)
    assert (series["samples"].min, series["samples"].max) == (1.5, 1.5)
    assert (series["most"].last, series["most"].reduced) == (1.0, "max")
    assert series["train/loss"].reduced is None


def test_points_that_a_rank_never_logged_are_counted(repo: Path, script: Path) -> None:
    script.write_text(TRAIN.replace("for step in range(20)", "for step in range(20 - 5 * rank)"))
    train(script, 2)
    record = only_run(repo).record
    assert record.results.unknown["curves.accuracy"] == "5 points without the value of some rank"
    assert record.statistics.series["accuracy"].last == 0.0


@pytest.mark.parametrize("processes", [2, 4])
def test_a_rank_that_is_killed_is_named_in_the_one_record(repo: Path, script: Path, cli: Cli, processes: int) -> None:
    train(script, processes, KILL="1")
    cli("list")
    record = only_run(repo).record
    assert record.status == "finished"
    assert record.hardware.ranks[1].status == "lost"
    assert "rank 1 (lost" in record.results.unknown["ranks"]
    assert waiting(repo) == []


@pytest.mark.parametrize("processes", [2, 4])
def test_where_rank_0_is_killed_the_next_command_records_all_ranks_once(
    repo: Path, script: Path, cli: Cli, processes: int
) -> None:
    train(script, processes, KILL="0")
    assert len(waiting(repo)) == processes
    cli("list")
    record = only_run(repo).record
    assert record.status == "lost"
    assert [life.status for life in record.hardware.ranks] == ["lost"] + ["finished"] * (processes - 1)
    assert record.statistics.series["train/loss"].count == 20
    assert waiting(repo) == []


def test_where_rank_0_leaves_nothing_the_lowest_rank_speaks(repo: Path, script: Path, cli: Cli) -> None:
    train(script, 3, KILL="0 early")
    assert list(Branch.open(repo).contents().runs) == []
    cli("list")
    record = only_run(repo).record
    assert (record.status, record.hardware.rank) == ("finished", 1)
    assert record.code.tree is not None  # rank 1 looked at the code when it started
    assert record.results.metrics[0].value == 0.5
    assert record.datasets.used[0].hash is not None
    assert record.hardware.unknown["ranks"] == "nothing is known of 1 rank: 0"
    assert record.cost.unknown["ranks"].startswith("only the hosts that were seen have a price")
    assert waiting(repo) == []


def test_ranks_of_an_attempt_are_not_taken_for_those_of_the_next(repo: Path, script: Path, cli: Cli) -> None:
    script.write_text(TRAIN.replace("sample_seconds=0.05", "resume='job'"))
    train(script, 3, KILL="0")
    for ready in repo.glob("ready*"):
        ready.unlink()
    assert len(waiting(repo)) == 3
    train(script, 3)
    record = only_run(repo).record
    assert [one.status for one in record.timing.attempts] == ["lost", "finished"]
    assert [(life.rank, life.status) for life in record.hardware.ranks] == [(rank, "finished") for rank in range(3)]
    series = record.statistics.series["accuracy"]
    assert (series.last, series.count, series.reduced) == (1.0, 20, "mean")
    assert not [name for name in record.results.unknown if name.startswith("curves")]
    assert waiting(repo) == []


def test_a_rank_that_ends_after_the_record_leaves_no_second_one(repo: Path, script: Path, cli: Cli) -> None:
    train(script, 2, LATE="1")
    cli("list")
    record = only_run(repo).record
    assert record.hardware.ranks[1].status is None
    assert waiting(repo) == []


def test_a_rank_that_is_killed_after_the_record_leaves_no_second_one(repo: Path, script: Path, cli: Cli) -> None:
    ranks = [start(script, rank, 2, LATE="1") for rank in range(2)]
    assert ranks[0].wait(60) == 0
    ranks[1].kill()
    ranks[1].wait()
    cli("list")
    assert only_run(repo).record.hardware.ranks[1].status is None
    assert waiting(repo) == []


def test_the_second_run_of_each_rank_is_part_of_the_second_record(repo: Path, script: Path, cli: Cli) -> None:
    script.write_text(TWICE)
    train(script, 2)
    runs = Branch.open(repo).contents().runs
    assert sorted(run.record.experiment for run in runs) == ["e0", "e1"]
    assert [run.record.statistics.series["x"].last for run in runs] == [2.0, 2.0]
    assert waiting(repo) == []


def test_a_training_that_lost_rank_0_is_not_taken_for_the_last_one_at_its_address(
    repo: Path, script: Path, cli: Cli
) -> None:
    train(script, 2)
    launch = [sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"]
    time.sleep(1.2)  # the note of the first training covers ranks that began up to a second later
    environment = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_PORT": "29500", "ALL": "1"}
    subprocess.run(
        [*launch, sys.executable, str(script)],
        cwd=repo,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    cli("list")
    assert sorted(run.record.hardware.rank or 0 for run in Branch.open(repo).contents().runs) == [0, 1]


def test_a_rank_whose_rank_0_is_on_another_host_waits_until_its_own_host_is_named(
    repo: Path, script: Path, cli: Cli
) -> None:
    start(script, 3, 4, LOCAL_RANK="1", ALL="0").wait(60)
    cli("list")
    assert list(Branch.open(repo).contents().runs) == []
    assert "part of a job" in cli("recover", "--list").out
    cli("recover", "--host", "all")
    assert only_run(repo).record.hardware.rank == 3


def test_sigterm_to_all_ranks_is_one_record(repo: Path, script: Path, cli: Cli) -> None:
    ranks = [start(script, rank, 2, HANG="1") for rank in range(2)]
    deadline = time.monotonic() + 30
    while not all((repo / f"ready{rank}").exists() for rank in range(2)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for rank in ranks:
        rank.send_signal(signal.SIGTERM)
    assert [rank.wait(60) for rank in ranks] == [-signal.SIGTERM] * 2
    cli("list")
    record = only_run(repo).record
    assert (record.status, [life.status for life in record.hardware.ranks]) == ("killed", ["killed", "killed"])
    assert waiting(repo) == []


FAKE_SRUN = """#!/bin/sh
tasks=$2; shift 2; rank=0
while [ $rank -lt $tasks ]; do
  SLURM_PROCID=$rank SLURM_LOCALID=$rank SLURM_NTASKS=$tasks SLURM_STEP_ID=0 SLURM_JOB_ID=77 "$@" & rank=$((rank + 1))
done
wait
"""


def launch(kind: str, script: Path, processes: int, **variables: str) -> None:
    environment: Mapping[str, str] = os.environ | {"PYTHONPATH": str(ROOT), "ALL": str(processes)} | variables
    if kind == "srun":
        srun = script.parent / "srun"
        srun.write_text(FAKE_SRUN)
        srun.chmod(0o755)
        command = [str(srun), "-n", str(processes), sys.executable, str(script)]
    else:
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), str(script)]
    subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("kill", ["", "0", "1"])
@pytest.mark.parametrize("kind", ["torchrun", "srun"])
def test_one_training_under_a_launcher_is_one_record(repo: Path, script: Path, cli: Cli, kind: str, kill: str) -> None:
    launch(kind, script, 2, KILL=kill)
    cli("list")
    record = only_run(repo).record
    assert [life.rank for life in record.hardware.ranks] == [0, 1]
    assert record.statistics.series["train/loss"].last == pytest.approx(1 / 20)
    assert (record.status == "finished") == (kill == "" or (kind == "srun" and kill == "1"))
    assert waiting(repo) == []
