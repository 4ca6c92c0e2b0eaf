"""Trainings of several ranks that fail in every way: one record, and the curves of one process.

`make faults` plays every fault with every launcher; else a few of each.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.model.record import Record
from ledger.session.spool.spool import spools
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli, make_repository
from tests.faults.conftest import KILLS
from tests.faults.test_disk_full import fill

WHOLE = KILLS > 100
STEPS = 20

TRAIN = """
import os, sys, time, ledger
rank = int(os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or 0)
ranks = int(os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_NTASKS") or 1)
again = int(os.environ.get("TORCHELASTIC_RESTART_COUNT") or os.environ.get("AGAIN") or 0)
fault = os.environ.get("FAULT", "") if again == 0 else ""
if os.environ.get("GLOO"):
    import torch.distributed
    torch.distributed.init_process_group("gloo")

def barrier(name):
    open(f"{name}{again}.{rank}", "w").close()
    while not all(os.path.exists(f"{name}{again}.{other}") for other in range(ranks)):
        time.sleep(0.01)

open(f"pid.{rank}", "w").write(str(os.getpid()))
with ledger.run("ddp", params={"lr": 0.1}, seed=1, sample_seconds=0.2) as run:
    for step in range(20):
        run.log({"train/loss": 1 / (step + 1) + 10 * rank}, step)
        value = float(rank + step) if ranks > 1 else step + (int(os.environ["LIKE"]) - 1) / 2
        run.log({"accuracy": value}, step, reduce="mean")
    barrier("ready")
    if fault in {f"kill {rank}", f"restart {rank}"}:
        os.kill(os.getpid(), 9)
    if fault.startswith("kill"):
        time.sleep(0.4)
    if fault.startswith("restart"):
        time.sleep(60)
    if fault == f"hang {rank}":
        time.sleep(120)
    if fault in {"launcher", "term"}:
        deadline = time.monotonic() + 60
        while not os.path.exists("go") and time.monotonic() < deadline:
            time.sleep(0.01)
"""

PLAIN = """
import os, subprocess, sys
count, command = int(sys.argv[2]), sys.argv[3:]
def start(rank):
    own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": 29517}
    return subprocess.Popen(command, env=os.environ | {name: str(value) for name, value in own.items()})
sys.exit(max(abs(one.wait()) for one in [start(rank) for rank in range(count)]))
"""

SRUN = """#!/bin/sh
tasks=$2; shift 2; rank=0
while [ $rank -lt $tasks ]; do
  SLURM_PROCID=$rank SLURM_LOCALID=$rank SLURM_NTASKS=$tasks SLURM_STEP_ID=0 SLURM_JOB_ID=77 SLURM_NNODES=1 "$@" &
  rank=$((rank + 1))
done
wait
"""

KINDS = ("plain", "srun", "torchrun")
FAULTS = ("kill 0", "kill 1", "launcher", "term", "hang 1", "restart 0", "restart 1")
CASES = [
    (kind, ranks, fault)
    for kind in KINDS
    for ranks in (2, 4)
    for fault in FAULTS
    if WHOLE
    or (kind, ranks, fault)
    in {
        ("plain", 2, "launcher"),
        ("plain", 2, "hang 1"),
        ("plain", 2, "restart 0"),
        ("srun", 4, "term"),
        ("torchrun", 2, "restart 1"),
    }
]


class Training:
    """A training of several ranks under a launcher."""

    def __init__(self, repo: Path, kind: str, ranks: int) -> None:
        self.repo, self.kind, self.ranks = repo, kind, ranks
        (repo / "train.py").write_text(TRAIN)
        (repo / "plain.py").write_text(PLAIN)
        (repo / "srun").write_text(SRUN)
        (repo / "srun").chmod(0o755)
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, **variables: str) -> "subprocess.Popen[bytes]":
        script = [sys.executable, "train.py"]
        launchers = {
            "plain": [sys.executable, "plain.py", "-n", str(self.ranks), *script],
            "srun": ["./srun", "-n", str(self.ranks), *script],
            "torchrun": [
                *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--max-restarts"),
                *("1" if variables.get("FAULT", "").startswith("restart") else "0", "--nproc-per-node"),
                *(str(self.ranks), "train.py"),
            ],
        }
        # Ranks that torchrun starts again often cannot meet in gloo: 5 of 8 times without a ledger.
        meets = self.kind == "torchrun" and WHOLE and not variables.get("FAULT", "").startswith("restart")
        gloo = {"GLOO": "1"} if meets else {}
        process = subprocess.Popen(
            launchers[self.kind],
            cwd=self.repo,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **gloo, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def await_ready(self) -> None:
        """Wait until all ranks have logged everything."""
        until(lambda: all((self.repo / f"ready0.{rank}").exists() for rank in range(self.ranks)))

    @property
    def pids(self) -> list[int]:
        """The process of each rank."""
        return [int((self.repo / f"pid.{rank}").read_text()) for rank in range(self.ranks)]

    def await_gone(self) -> None:
        """Wait until every rank has ended; a killed launcher leaves them to themselves."""
        pids = self.pids
        until(lambda: not any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in pids))

    def close(self) -> None:
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(true: object, seconds: float = 100.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def training(repo: Path, request: pytest.FixtureRequest) -> Iterator[Training]:
    made = Training(repo, *getattr(request, "param", ("plain", 2)))
    yield made
    made.close()


def records_of(repo: Path) -> list[Record]:
    return [run.record for run in Branch.open(repo).contents().runs]


def only_record(repo: Path, cli: Cli) -> Record:
    """Return the one record, when everything that waits was recorded."""
    assert cli("recover").code == 0
    assert spools(Branch.open(repo).repository.state_dir) == []
    (record,) = records_of(repo)
    return record


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Record]:
    """The record of one process that knows the values of so many."""
    found = {}
    for ranks in sorted({ranks for _, ranks, _ in CASES}):
        folder = make_repository(tmp_path_factory.mktemp("alone") / str(ranks))
        (folder / "train.py").write_text(TRAIN)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIKE": str(ranks)}
        subprocess.run([sys.executable, "train.py"], cwd=folder, env=environment, capture_output=True, check=True)
        (found[ranks],) = records_of(folder)
    return found


def numbers_of(record: Record) -> dict[str, tuple[object, ...]]:
    series = record.statistics.series
    return {
        name: (one.count, *(pytest.approx(float(value)) for value in (one.first, one.last, one.min, one.max, one.mean)))
        for name, one in series.items()
    }


def play(training: Training, fault: str, cli: Cli) -> None:
    """Train, with a fault."""
    if fault.startswith("restart") and training.kind != "torchrun":
        key = {"LEDGER_RESUME": "key"}
        first = training.start(FAULT=fault, **key)
        training.await_ready()
        os.killpg(first.pid, signal.SIGKILL)  # the scheduler ends the job, and starts it again
        first.wait()
        training.start(AGAIN="1", **key).wait(200)
        return
    launcher = training.start(FAULT=fault)
    if fault in {"launcher", "term"}:
        training.await_ready()
        if fault == "launcher":
            launcher.kill()
        else:
            os.killpg(launcher.pid, signal.SIGTERM)
        time.sleep(0.3)
        (training.repo / "go").touch()
    if fault.startswith("hang"):
        until(lambda: records_of(training.repo))
        cli("list")
        os.killpg(launcher.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(training.pids[1], signal.SIGKILL)  # torchrun gives each rank a session of its own
    launcher.wait(200)
    training.await_gone()


@pytest.mark.parametrize(
    ("training", "fault"),
    [((kind, ranks), fault) for kind, ranks, fault in CASES],
    ids=[f"{kind}-{ranks}-{fault.replace(' ', '-')}" for kind, ranks, fault in CASES],
    indirect=["training"],
)
def test_whatever_fails_there_is_one_record_with_the_curves_of_one_process(
    training: Training, fault: str, repo: Path, cli: Cli, alone: dict[int, Record]
) -> None:
    play(training, fault, cli)
    record = only_record(repo, cli)
    assert numbers_of(record) == numbers_of(alone[training.ranks])
    assert [life.rank for life in record.hardware.ranks] == list(range(training.ranks))
    assert not [name for name in record.results.unknown if name.startswith("curves")]
    if fault.startswith("restart"):
        assert [one.status for one in record.timing.attempts][1:] == ["finished"]
    elif fault == "kill 0":
        assert record.status != "finished"
    elif fault == "hang 1":
        assert (record.status, record.hardware.ranks[1].status) == ("finished", None)


SETTINGS = """
import os, time, ledger
rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
for setting in ("old", "new"):
    for seed in range(5):
        with ledger.run("judged", params={"model": setting}, seed=seed) as run:
            value = 0.80 + 0.01 * seed * (-1) ** seed + (0.1 if setting == "new" else 0)
            run.dataset("data.txt", role="validation")
            run.log({"validation/accuracy": value + rank - (ranks - 1) / 2}, 1, reduce="mean")
            if rank == 0:
                run.metric("accuracy", value, split="validation", headline=True, direction="higher")
            open(f"{setting}{seed}.{rank}", "w").close()
            while not all(os.path.exists(f"{setting}{seed}.{other}") for other in range(ranks)):
                time.sleep(0.005)
"""


def judged(folder: Path, ranks: int, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> object:
    make_repository(folder)
    (folder / ".gitignore").write_text("*.0\n*.1\n*.2\n*.3\nplain.py\ntrain.py\n")
    (folder / "data.txt").write_text("x")
    training = Training(folder, "plain", ranks)
    (folder / "train.py").write_text(SETTINGS)
    try:
        assert training.start().wait(250) == 0
    finally:
        training.close()
    monkeypatch.chdir(folder)
    runs = [run.record for run in Branch.open(folder).contents().runs]
    assert len(runs) == 10
    newest, oldest = (next(run.id for run in runs if run.params.values["model"] == name) for name in ("new", "old"))
    done = cli("judge", newest, "--against", oldest, "--json")
    assert done.code == 0, done.err
    told = done.out
    for run in runs:
        told = told.replace(run.id, f"{run.params.values['model']} {run.seed}")
    return json.loads(told)


@pytest.mark.parametrize("ranks", [2, 4] if WHOLE else [2])
def test_a_verdict_does_not_depend_on_the_number_of_ranks(
    ranks: int, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, several = (judged(tmp_path / str(count), count, cli, monkeypatch) for count in (1, ranks))
    assert one == several


def run_ranks(training: Training, script: str, **variables: str) -> None:
    """Run another script in every rank; none may fail."""
    (training.repo / "train.py").write_text(script)
    assert training.start(**variables).wait(200) == 0


CLOCK = TRAIN.replace(
    "with ledger.run(",
    """
import datetime, ledger.session.run.lifetime, ledger.session.run.run, ledger.session.spool.job
def jump(module, hours):
    class Jumped(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.datetime.now(zone) + datetime.timedelta(hours=hours)
    module.datetime = Jumped
if rank == 1:
    jump(ledger.session.run.run, float(os.environ["JUMP"]))
else:
    jump(ledger.session.run.lifetime, -float(os.environ["JUMP"]))
    jump(ledger.session.spool.job, -float(os.environ["JUMP"]))
with ledger.run(""",
)


@pytest.mark.parametrize("hours", ["2", "-2"])
def test_a_clock_that_jumps_makes_no_second_record(training: Training, repo: Path, cli: Cli, hours: str) -> None:
    (repo / "train.py").write_text(CLOCK)
    launcher = training.start(JUMP=hours, FAULT="hang 1")
    until(lambda: records_of(repo))
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.wait()
    cli("list")
    record = only_record(repo, cli)
    assert (record.timing.duration_seconds or 0.0) < 200
    assert [life.rank for life in record.hardware.ranks] == [0, 1]
    assert record.statistics.series["accuracy"].last == STEPS - 0.5


FULL_DISK = """
import os, time, ledger
rank = int(os.environ["RANK"])
def barrier(name):
    open(f"{os.environ['MEET']}/{name}{rank}", "w").close()
    while not all(os.path.exists(f"{os.environ['MEET']}/{name}{other}") for other in range(2)):
        time.sleep(0.01)
with ledger.run("ddp", sample_seconds=0.2, output=False) as run:
    for step in range(40):
        run.log({"accuracy": float(rank)}, step, reduce="mean")
        if step == 9:
            barrier("ten")
            while not os.path.exists(f"{os.environ['MEET']}/full"):
                time.sleep(0.01)
        if step == 29:
            barrier("thirty")
            while not os.path.exists(f"{os.environ['MEET']}/free"):
                time.sleep(0.01)
    barrier("end")
"""


def test_a_disk_that_is_full_for_a_while_costs_the_points_of_that_time(
    small_disk: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, meet = make_repository(small_disk / "repo"), tmp_path / "meet"
    meet.mkdir()
    monkeypatch.chdir(folder)
    training = Training(folder, "plain", 2)
    (folder / "train.py").write_text(FULL_DISK)
    try:
        launcher = training.start(MEET=str(meet))
        until(lambda: all((meet / f"ten{rank}").exists() for rank in range(2)))
        filled = fill(small_disk)
        (meet / "full").touch()
        until(lambda: all((meet / f"thirty{rank}").exists() for rank in range(2)))
        filled.unlink()
        (meet / "free").touch()
        assert launcher.wait(100) == 0
    finally:
        training.close()
    record = only_record(folder, cli)
    series = record.statistics.series["accuracy"]
    assert record.status == "finished"
    assert 20 <= series.count <= 40
    assert (series.first, series.last) == (0.5, 0.5)


CHILDREN = """
import multiprocessing, os, sys, ledger
def work(run):
    run.log({"child": 7.0}, 1)
if __name__ == "__main__":
    with ledger.run("ddp") as run:
        run.log({"accuracy": float(os.environ["RANK"])}, 1, reduce="mean")
        if os.environ["HOW"] == "fork":
            child = os.fork()
            if child == 0:
                work(run)
                sys.exit(0)
            os.waitpid(child, 0)
        else:
            child = multiprocessing.get_context("spawn").Process(target=work, args=(run,))
            child.start()
            child.join()
        open(f"ready{os.environ['RANK']}", "w").close()
        import time
        while not all(os.path.exists(f"ready{other}") for other in range(2)):
            time.sleep(0.01)
"""


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_processes_that_a_rank_starts_are_part_of_the_record(
    training: Training, repo: Path, cli: Cli, how: str
) -> None:
    run_ranks(training, CHILDREN, HOW=how)
    record = only_record(repo, cli)
    series = record.statistics.series
    assert (series["accuracy"].last, series["child"].last) == (0.5, 7.0)
    assert [(life.rank, life.status) for life in record.hardware.ranks] == [(0, "finished"), (1, "finished")]


NESTED = """
import os, time, ledger
rank = int(os.environ["RANK"])
def barrier(name):
    open(f"{name}{rank}", "w").close()
    while not all(os.path.exists(f"{name}{other}") for other in range(2)):
        time.sleep(0.01)
with ledger.run("outer") as outer:
    outer.log({"x": 1.0 + rank}, 1, reduce="sum")
    with ledger.run("inner") as inner:
        inner.log({"x": 10.0 + rank}, 1, reduce="sum")
        barrier("inner")
    barrier("outer")
"""


def test_a_run_inside_a_run_of_every_rank_is_a_record_of_its_own(training: Training, repo: Path, cli: Cli) -> None:
    run_ranks(training, NESTED)
    cli("recover")
    records = {record.experiment: record for record in records_of(repo)}
    assert {name: record.statistics.series["x"].last for name, record in records.items()} == {
        "outer": 3.0,
        "inner": 21.0,
    }
    assert [len(record.hardware.ranks) for record in records.values()] == [2, 2]
    assert spools(Branch.open(repo).repository.state_dir) == []


def test_two_attempts_at_once_with_one_key_are_two_runs_with_all_their_ranks(
    training: Training, repo: Path, cli: Cli
) -> None:
    first = training.start(FAULT="launcher", LEDGER_RESUME="key")
    training.await_ready()
    (repo / "plain.py").write_text(PLAIN.replace("29517", "29518"))
    second = training.start(LEDGER_RESUME="key", AGAIN="1")
    assert second.wait(100) == 0
    (repo / "go").touch()
    assert first.wait(100) == 0
    cli("recover")
    records = records_of(repo)
    assert [[life.status for life in record.hardware.ranks] for record in records] == [["finished"] * 2] * 2
    assert [record.statistics.series["accuracy"].count for record in records] == [STEPS] * 2
    assert spools(Branch.open(repo).repository.state_dir) == []
