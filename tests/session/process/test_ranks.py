"""Of several ranks of one training, rank 0 keeps the record."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.model.entries import StoredRun
from ledger.recorder.record.draft import Rank
from ledger.session.process.ranks import find_rank, is_silent, launched_by
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli

PYTHON = sys.executable

TRAIN = """
import ledger, os
rank = int(os.environ.get("R", "0"))
with ledger.run("ddp", params={"lr": 0.1, "seed": rank}) as run:
    for step in range(3):
        run.log({"train/loss": 1 / (step + 1) + rank}, step)
        run.log({f"rank{rank}/loss": 1.0}, step)
    run.dataset("train.py", role="validation")
    run.model("nowhere.pt")
    run.predictions([0, 1], [0, 1])
    run.metric("score", 0.5 + rank, split="validation")
"""


def runs_of(repo: Path) -> list[StoredRun]:
    return list(Branch.open(repo).contents().runs)


def train(repo: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(
        [PYTHON, "-c", TRAIN], cwd=repo, env=environment, capture_output=True, text=True, check=True, timeout=60
    )


LAUNCHERS = [
    {"RANK": "{}", "LOCAL_RANK": "{}", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "job7"},
    {"OMPI_COMM_WORLD_RANK": "{}", "OMPI_COMM_WORLD_SIZE": "2"},
    {"PMI_RANK": "{}", "PMI_SIZE": "2"},
    {"SLURM_PROCID": "{}", "SLURM_NTASKS": "2", "SLURM_STEP_ID": "0", "SLURM_JOB_ID": "991"},
    {"SLURM_PROCID": "{}", "SLURM_NTASKS": "2"},
    {"JSM_NAMESPACE_RANK": "{}", "JSM_NAMESPACE_SIZE": "2"},
    {"MV2_COMM_WORLD_RANK": "{}", "MV2_COMM_WORLD_SIZE": "2"},
    {"HOROVOD_RANK": "{}", "HOROVOD_SIZE": "2"},
    {"MPIRUN_RANK": "{}", "MPIRUN_NPROCS": "2"},
    {"PMI_ID": "{}", "PMI_SIZE": "2"},
    {"JAX_PROCESS_ID": "{}", "JAX_NUM_PROCESSES": "2"},
    {"FLUX_TASK_RANK": "{}", "FLUX_JOB_SIZE": "2", "FLUX_JOB_ID": "f1"},
    {"SLURM_PROCID": "{}", "SLURM_NTASKS": "2", "SLURM_STEP_ID": "0", "SLURM_JOB_NAME": "bash"},
    {"LOCAL_RANK": "{}", "NODE_RANK": "0", "WORLD_SIZE": "2"},
]


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=lambda launcher: next(iter(launcher)))
def test_every_launcher_is_known_by_what_it_sets(launcher: dict[str, str]) -> None:
    found = [find_rank({name: value.format(rank) for name, value in launcher.items()}) for rank in range(2)]
    assert [(rank.rank, rank.processes) if rank else None for rank in found] == [(0, 2), (1, 2)]
    assert [is_silent(rank) for rank in found] == [False, True]


def test_a_rank_that_cannot_be_keeps_its_record() -> None:
    assert not is_silent(find_rank({"RANK": "5", "WORLD_SIZE": "2"}))


def test_one_process_of_a_job_is_no_rank() -> None:
    assert find_rank({}) is None
    assert find_rank({"RANK": "0"}) is None
    assert find_rank({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}) is None
    # A batch script and an interactive shell are no tasks, though they have a number.
    assert find_rank({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "ENVIRONMENT": "BATCH"}) is None
    assert find_rank({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_NAME": "bash"}) is None
    assert find_rank({"RANK": "many", "WORLD_SIZE": "-1"}) is None


def told(found: Rank | None) -> tuple[int, int | None, str | None] | None:
    return None if found is None else (found.rank, found.processes, found.launcher)


def test_what_is_stated_stands_before_what_a_launcher_says() -> None:
    torchrun = {"RANK": "1", "WORLD_SIZE": "4"}
    assert told(find_rank(torchrun, 3)) == (3, 4, "stated")
    assert told(find_rank({**torchrun, "LEDGER_RANK": "2"})) == (2, 4, "stated")
    assert told(find_rank({**torchrun, "SLURM_PROCID": "0", "SLURM_NTASKS": "1"})) == (1, 4, "torchrun")


def test_tensorflow_numbers_its_chief_before_its_workers() -> None:
    config = '{"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1}}'
    assert told(find_rank({"TF_CONFIG": config})) == (2, 3, "tensorflow")
    assert find_rank({"TF_CONFIG": "no JSON"}) is None


def test_the_ranks_of_a_training_have_one_key_and_those_of_others_have_another() -> None:
    def key(**variables: str) -> str | None:
        found = find_rank({"WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"} | variables)
        return found.group if found else None

    assert key(RANK="0") == key(RANK="1", LOCAL_RANK="0") is not None
    others = [key(RANK="0", MASTER_PORT="2"), key(RANK="0", SLURM_JOB_ID="7"), key(RANK="0", WORLD_SIZE="4")]
    restarted = key(RANK="0", TORCHELASTIC_RESTART_COUNT="1")
    assert len({key(RANK="0"), restarted, *others}) == 5
    config = '{"cluster": {"worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": %d}}'
    first, second = (find_rank({"TF_CONFIG": config % index}) for index in range(2))
    assert first is not None
    assert second is not None
    assert first.group == second.group


def test_a_job_without_an_id_has_none() -> None:
    found = find_rank({"RANK": "1", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"})
    assert found is not None
    assert found.job is None
    step = find_rank({"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_STEP_ID": "3", "SLURM_JOB_ID": "991"})
    assert step is not None
    assert step.job == "991.3"


def test_one_training_of_several_ranks_is_one_record(repo: Path) -> None:
    told = [
        train(repo, R=str(rank), RANK=str(rank), WORLD_SIZE="3", TORCHELASTIC_RUN_ID="job7").stderr for rank in range(3)
    ]
    (run,) = runs_of(repo)
    hardware = run.record.hardware
    assert (hardware.rank, hardware.processes, hardware.job, hardware.launcher) == (0, 3, "job7", "torchrun")
    assert run.record.params.values["seed"] == 0
    assert "rank 2 of 3 keeps no record" in told[2]
    assert len(told[1].splitlines()) == 1  # one line, though its file of a model is not there


def test_ranks_inside_a_wrapped_command_never_mix_in_one_curve(repo: Path, cli: Cli) -> None:
    (repo / "ranks.py").write_text(TRAIN)
    launch = 'for r in 0 1; do R=$r RANK=$r WORLD_SIZE=2 "$PYTHON" ranks.py & done; wait'
    done = cli("run", "-e", "wrapped", "--", "env", f"PYTHON={PYTHON}", "sh", "-c", launch)
    assert done.code == 0, done.err
    (run,) = runs_of(repo)
    record = run.record
    series = record.statistics.series
    assert (series["train/loss"].count, series["train/loss"].max) == (3, 1.0)
    assert set(series) == {"train/loss", "rank0/loss", "rank1/loss"}
    assert record.params.values["seed"] == 0
    assert {metric.key: metric.value for metric in record.results.metrics}["validation/score"] == 0.5
    assert record.hardware.processes == 2
    assert len(record.datasets.used) == 1
    assert (
        record.results.unknown["ranks"] == "ranks disagree, so the values of rank 0 were kept: validation/score, seed"
    )


def test_a_wrapper_that_every_rank_starts_records_once(repo: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in ("0", "1"):
        monkeypatch.setenv("SLURM_PROCID", rank)
        monkeypatch.setenv("SLURM_NTASKS", "2")
        assert cli("run", "--", "sh", "-c", "exit 3").code == 3
    (run,) = runs_of(repo)
    assert run.record.hardware.processes == 2


def test_a_rank_that_nobody_counts_keeps_its_record_and_says_its_rank(repo: Path) -> None:
    train(repo, RANK="16")  # the rank of an adapter, by the name of the variable
    (run,) = runs_of(repo)
    assert (run.record.hardware.rank, run.record.hardware.processes) == (16, None)


def test_every_rank_is_recorded_where_that_is_asked(repo: Path) -> None:
    script = TRAIN.replace('ledger.run("ddp",', 'ledger.run("ddp", per_rank=True,')
    for rank in range(2):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "R": str(rank), "RANK": str(rank), "WORLD_SIZE": "2"}
        subprocess.run([PYTHON, "-c", script], cwd=repo, env=environment, capture_output=True, check=True, timeout=60)
    assert [run.record.hardware.rank for run in runs_of(repo)] == [0, 1]


@pytest.mark.parametrize(
    ("command", "processes"),
    [
        ("torchrun --nproc-per-node 4 train.py", 4),
        ("/usr/bin/torchrun --nnodes=2 --nproc_per_node=8 train.py --lr 0.1", 16),
        ("python -m torch.distributed.run --standalone --nproc-per-node=2 train.py", 2),
        ("accelerate launch --num_processes 2 train.py", 2),
        ("mpirun -np 3 python train.py", 3),
        ("srun --ntasks=5 python train.py", 5),
        ("torchrun --nproc-per-node=gpu train.py", None),
        ("torchrun --nproc-per-node=1 train.py", None),
        ("python train.py --ntasks 4", None),
        ("mpirun python train.py -n 4", None),
    ],
)
def test_a_launcher_s_command_line_says_how_many_processes_it_starts(command: str, processes: int | None) -> None:
    found = launched_by(command.split())
    assert (found.processes if found else None) == processes


def test_a_launched_script_that_knows_nothing_of_us_has_its_processes_in_the_record(repo: Path, cli: Cli) -> None:
    (repo / "mpirun").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    (repo / "mpirun").chmod(0o755)
    assert cli("run", "--", "./mpirun", "-n", "4", "true").code == 0
    (run,) = runs_of(repo)
    assert run.record.hardware.processes == 4
    assert run.record.hardware.launcher == "the command line of mpirun"
