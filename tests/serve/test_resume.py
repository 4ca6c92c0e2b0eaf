"""A training that is killed in the middle of an epoch and resumed ends as one that was never stopped, bit by bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ledger.model.record import Record
from ledger.serve.order.plan import BatchPlan, digest_of
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, make_repository
from tests.serve.servers import Serve

TRAIN = """
import os, sys, torch, ledger
rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
kill_at, final = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
if world > 1:
    torch.distributed.init_process_group("gloo")
    open(f"met-{rank}", "w").close()
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
server = os.environ.get("SERVER", "").split()
batches = ledger.batches("data", global_batch_size=8, seed=3, as_torch=True, server=server)
step = 0
if os.path.exists("checkpoint.pt"):
    saved = torch.load("checkpoint.pt")
    net.load_state_dict(saved["net"]), optimizer.load_state_dict(saved["optimizer"])
    batches.load_state_dict(saved["batches"])
    step = saved["step"]
fresh = step == 0
with ledger.run("fed", resume="fed", seed=0, output=False) as run:
    while batches.epoch < 3:
        for batch in run.loading(batches):
            loss = torch.nn.functional.cross_entropy(net(batch["x"] / 300), batch["label"])
            optimizer.zero_grad()
            loss.backward()
            if world > 1:
                for parameter in net.parameters():
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad /= world
            optimizer.step()
            step += 1
            run.log({"loss": loss}, step)
            if rank == 0 and step % 4 == 0:
                state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
                torch.save({**state, "batches": batches.state_dict()}, "checkpoint.new")
                os.replace("checkpoint.new", "checkpoint.pt")
            if fresh and step == kill_at and rank == world - 1:
                os.kill(os.getpid(), 9)
if rank == 0:
    torch.save(net.state_dict(), final)
"""
STEPS = 3 * (100 // 8)


def train(repo: Path, world: int, kill_at: int, final: str, server: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train_fed.py"]
    if world > 1:
        # Started again from outside, as a scheduler does: gloo often fails to meet again within one torchrun.
        torchrun = ("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--max-restarts", "0")
        command = [sys.executable, *torchrun, "--nproc-per-node", str(world), "train_fed.py"]
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "SERVER": server, "GLOO_SOCKET_IFNAME": "lo"}
    for _ in range(3):
        done = subprocess.run(
            [*command, str(kill_at), final],
            cwd=repo,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        met = list(repo.glob("met-*"))
        for file in met:
            file.unlink()
        if world == 1 or met:  # ranks that never met trained nothing, so there is nothing of ours to see
            break
    return done


def prepare(folder: Path) -> Path:
    repo = make_repository(folder)
    (repo / "train_fed.py").write_text(TRAIN)
    (repo / "data").mkdir()
    rng = np.random.default_rng(0)
    np.save(repo / "data" / "x.npy", rng.integers(0, 300, (100, 3)).astype(np.float32))
    np.save(repo / "data" / "label.npy", rng.integers(0, 5, 100))
    return repo


def only_record(repo: Path) -> Record:
    (run,) = Branch.open(repo).contents().runs
    return run.record


def weights(file: Path) -> list[bytes]:
    torch = pytest.importorskip("torch")
    return [value.numpy().tobytes() for value in torch.load(file).values()]


@pytest.mark.parametrize(("world", "served"), [(1, False), (1, True), (2, False), (2, True)])
def test_a_killed_training_ends_with_the_weights_of_one_that_never_stopped(
    world: int,
    served: bool,  # noqa: FBT001  # one of two ways
    tmp_path: Path,
    short_path: Path,
    serve_in: Serve,
) -> None:
    unbroken, killed = prepare(tmp_path / "unbroken"), prepare(tmp_path / "killed")
    own = f"ipc://{short_path}/own/socket"
    server = serve_in(killed, "data", "--listen", own) if served else None
    whole = train(unbroken, world, kill_at=0, final="final.pt")
    assert whole.returncode == 0, whole.stderr
    assert train(killed, world, kill_at=18, final="final.pt", server=own if served else "").returncode != 0
    if server is not None:
        server.kill()  # with the training, as a host that fails
        server = serve_in(killed, "data", "--listen", own)
    again = train(killed, world, kill_at=18, final="final.pt", server=own if served else "")
    assert again.returncode == 0, again.stderr
    if server is not None:
        server.end()
    assert weights(killed / "final.pt") == weights(unbroken / "final.pt")
    expected_record, resumed = only_record(unbroken), only_record(killed)
    assert len(resumed.timing.attempts) == 2
    (feed,), (expected,) = resumed.datasets.feeds, expected_record.datasets.feeds
    assert feed.plan_digest == expected.plan_digest
    assert [use.path for use in resumed.datasets.used] == ["data"]
    # The record alone proves the order of what was served, attempt by attempt.
    plan = BatchPlan(feed.plan)
    assert [digest_of(plan, one) for one in feed.stretches] == [one.digest for one in feed.stretches]
    numbers = [(one.epoch, number) for one in feed.stretches for number in range(one.first, one.last + 1)]
    assert sorted(set(numbers)) == [(epoch, number) for epoch in range(3) for number in range(12)]
    assert len(numbers) == feed.batches
    resumed_at = feed.stretches[-2]
    assert (resumed_at.epoch, resumed_at.first) == (1, 4)  # the checkpoint of step 16
    assert resumed.statistics.series["loss"].count == expected_record.statistics.series["loss"].count == STEPS
