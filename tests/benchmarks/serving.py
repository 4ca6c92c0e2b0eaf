"""What it costs to be fed: a memory-mapped gather, `ledger.batches`, a data server, and torch's `DataLoader`.

Batches of 64 samples of 3 x 224 x 224, shuffled, from a warm page cache. CPU is that of the training's process and of
all that work for it, servers and workers, together.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch
import webdataset

import ledger
from ledger.model.feed import FeedPlan, FeedStage
from ledger.serve.hosting import ask_status
from ledger.serve.order.plan import BatchPlan
from ledger.serve.remote import RemoteSource
from tests.benchmarks.measuring import cpu_seconds, milliseconds, show, sized, verdict, workplace
from tests.conftest import ROOT

ROWS = sized(2_000, 128)
BATCH = 64
ROUNDS = sized(5)
SHAPE = (3, 224, 224)
STEP_SECONDS = 0.06
"""Time of a training step in the measurement of stalls."""
AHEAD = 4
"""Batches that are asked for at once."""

LEDGER = [sys.executable, "-m", "ledger"]
ADD = ["dataset", "add", "floats", "float32", "--role", "train", "--because", "measured", "--source", "random"]

Epoch = Callable[[], Iterator[object]]
"""Begins an epoch."""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process of ours."""
    who = {f"GIT_{role}_{part}": "bench@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder), **who}


class Rows(torch.utils.data.Dataset[Any]):
    """A map-style dataset of torch over a memory map, as people write it."""

    def __init__(self, file: Path) -> None:
        self._rows = np.load(file, mmap_mode="r")

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> torch.Tensor:
        return torch.from_numpy(np.array(self._rows[row]))


def gather(file: Path) -> Epoch:
    """Return the floor: a shuffled gather from a memory map."""
    rows = np.load(file, mmap_mode="r")

    def epoch() -> Iterator[object]:
        order = np.random.default_rng(0).permutation(len(rows))
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            yield rows[order[start : start + BATCH]]

    return epoch


def frames(address: str) -> Epoch:
    """Return the batches of a server that come over the socket, as on another host."""
    source = RemoteSource([address], shares_memory=False)

    def epoch() -> Iterator[object]:
        order = np.random.default_rng(0).permutation(len(source))
        asked: deque[Callable[[], object]] = deque()
        for start in range(0, len(order) - BATCH + 1, BATCH):
            asked.append(source.begin(order[start : start + BATCH]))
            if len(asked) == AHEAD:
                yield asked.popleft()()
        while asked:
            yield asked.popleft()()

    return epoch


def web(folder: Path, data: str) -> Epoch:
    """Return the batches of the same rows in a tar archive, as WebDataset reads them in this process."""
    archive = folder / f"{data}.tar"
    rows = np.load(folder / data / "x.npy", mmap_mode="r")
    with webdataset.TarWriter(str(archive)) as writer:
        for number in range(len(rows)):
            writer.write({"__key__": f"{number:06}", "x.npy": np.ascontiguousarray(rows[number])})
    samples = webdataset.WebDataset(str(archive), shardshuffle=False).shuffle(256).decode().to_tuple("x.npy")
    return lambda: iter(samples.batched(BATCH, partial=False))


@contextmanager
def served(folder: Path, data: str, version: str = "") -> Iterator[str]:
    """Serve data in a process of its own, and yield its address; those of a version are verified meanwhile."""
    address = f"ipc://{folder}/own/{data}"
    what = [version, "--path", str(folder / data)] if version else [str(folder / data)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "serve", *what, "--listen", address],
        cwd=folder,
        env=environment(folder),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        process.stderr.readline()
        yield address
    finally:
        process.terminate()
        process.communicate()


def spent() -> float:
    """Return the CPU seconds of this process and of all that it started."""
    alive = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return cpu_seconds() + sum(times.user + times.system for times in alive)


def consumed(epoch: Epoch, step_seconds: float = 0.0) -> tuple[float, float, float]:
    """Return CPU and wall seconds of a batch, and the share of the time that was waited."""
    wall, cpu, waited, count = time.perf_counter(), spent(), 0.0, 0
    batches = epoch()
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        waited += time.perf_counter() - began
        if batch is None:
            break
        count += 1
        time.sleep(step_seconds)
        del batch
    took = time.perf_counter() - wall
    return (spent() - cpu) / count, took / count, waited / took


def measure_ways(folder: Path, data: str) -> None:
    """Measure all ways in turns and print the table."""
    file = folder / data / "x.npy"
    place = str(folder / data)
    with served(folder, data) as address:
        here = ledger.batches(place, batch_size=BATCH, folder=folder)
        there = ledger.batches(place, batch_size=BATCH, folder=folder, server=address)
        loader = torch.utils.data.DataLoader(Rows(file), BATCH, shuffle=True, drop_last=True, num_workers=1)
        ways: dict[str, Epoch] = {
            "gather from a memory map": gather(file),
            "ledger.batches": lambda: iter(here),
            "server, shared memory": lambda: iter(there),
            "server, frames": frames(address),
            "DataLoader, 1 worker": lambda: iter(loader),
            "WebDataset": web(folder, data),
        }
        seen: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
        for number in range(ROUNDS + 1):
            for name, epoch in ways.items():
                found = consumed(epoch)
                if number or ROUNDS == 1:
                    seen[name].append(found)
        stalls = {name: consumed(epoch, STEP_SECONDS)[2] for name, epoch in ways.items()}
    cost = {name: median(cpu for cpu, _, _ in found) for name, found in seen.items()}
    floor = cost["gather from a memory map"]
    show(
        f"{data}, a batch of {BATCH} x {' x '.join(map(str, SHAPE))}, {ROUNDS} rounds of {ROWS // BATCH} batches",
        ("", "CPU ms", "wall ms", "to the gather", f"waited, step {STEP_SECONDS * 1e3:.0f} ms"),
        (
            (
                name,
                milliseconds(cost[name]),
                milliseconds(median(wall for _, wall, _ in found)),
                f"{cost[name] / floor:.2f}",
                f"{100 * stalls[name]:.1f} %",
            )
            for name, found in seen.items()
        ),
    )
    if data == "uint8":
        shared, socket = cost["server, shared memory"], cost["server, frames"]
        print(f"shared memory to gather: {shared / floor:.2f}, at most 1.5: {verdict(shared / floor, 1.5)}")
        print(f"frames to gather: {socket / floor:.2f}, at most 2.3: {verdict(socket / floor, 2.3)}")
        times = shared / cost["DataLoader, 1 worker"]
        print(f"shared memory to DataLoader: {times:.2f}, at most 0.5: {verdict(times, 0.5)}")
        times = shared / cost["WebDataset"]
        print(f"shared memory to WebDataset: {times:.2f}, at most 0.25: {verdict(times, 0.25)}")
        stall = stalls["server, shared memory"]
        print(f"waited: {stall:.3f}, at most 0.05: {verdict(stall, 0.05)}")


def measure_starts(folder: Path) -> None:
    """Print how long the first batch takes, from a running and from a cold server, and beside `numpy.load`."""
    for command in (["git", "init", "--quiet"], [*LEDGER, "init"], [*LEDGER, *ADD]):
        subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, check=True)
    began = time.perf_counter()
    with served(folder, "float32", "floats@v1") as address:
        next(iter(ledger.batches("floats@v1", batch_size=BATCH, folder=folder, server=address)))
        cold = time.perf_counter() - began
        batches = ledger.batches("floats@v1", batch_size=BATCH, folder=folder, server=address)
        began = time.perf_counter()
        next(iter(batches))
        warm = time.perf_counter() - began
    began = time.perf_counter()
    whole = np.load(folder / "float32" / "x.npy")[:BATCH]
    loaded = time.perf_counter() - began
    torch.save(torch.from_numpy(np.load(folder / "float32" / "x.npy")), folder / "x.pt")
    began = time.perf_counter()
    torch.load(folder / "x.pt")[:BATCH]
    unpickled = time.perf_counter() - began
    size = (folder / "float32" / "x.npy").stat().st_size / 1e9
    show(
        f"first batch of {size:.2f} GB, wall s",
        ("", "s"),
        (
            ("running server", f"{warm:.3f}"),
            ("server started for it", f"{cold:.3f}"),
            (f"np.load of all, for {len(whole)}", f"{loaded:.3f}"),
            (f"torch.load of all, for {len(whole)}", f"{unpickled:.3f}"),
        ),
    )
    print(
        f"running: at most 0.15: {verdict(warm, 0.15)}; started: at most 1: {verdict(cold, 1.0)} ({len(whole)} samples)"
    )


def measure_plan() -> None:
    """Print what the order costs."""
    many = BatchPlan(FeedPlan(dataset_hash="x", seed=0, global_batch_size=4096, stages=[FeedStage(samples=10**9)]))
    began = cpu_seconds()
    batches = sized(200, 2)
    for number in range(batches):
        many.rows(0, number * 1001)
    each = (cpu_seconds() - began) / batches / 4096
    whole = BatchPlan(FeedPlan(dataset_hash="x", seed=0, global_batch_size=10**6, stages=[FeedStage(samples=10**6)]))
    began = cpu_seconds()
    whole.rows(0, 0)
    epoch = cpu_seconds() - began
    print(f"\na row of 1,000,000,000: {each * 1e6:.3f} µs, at most 5: {verdict(each * 1e6, 5)}")
    print(f"the order of 1,000,000 samples: {epoch:.3f} s, at most 0.2: {verdict(epoch, 0.2)}")


def measure_sharing(folder: Path) -> None:
    """Print what four trainings on one server cost, and how often a sample was decoded."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(sized(640, 16)):
        path = folder / "pictures" / str(number % 10) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    costs = {}
    for trainings in (1, 4):
        with served(folder, "pictures") as address:
            feeds = [
                iter(ledger.batches(str(folder / "pictures"), batch_size=16, folder=folder, server=address))
                for _ in range(trainings)
            ]
            began = spent()
            for batches in zip(*feeds, strict=True):
                del batches
            costs[trainings] = spent() - began
            status = ask_status(address, None)
    show(
        "pictures, decoded by one server",
        ("trainings", "CPU s", "batches", "decoded"),
        (
            ("1", f"{costs[1]:.2f}", str(status.batches // 4), ""),
            ("4", f"{costs[4]:.2f}", str(status.batches), str(status.decoded)),
        ),
    )
    print(f"four to one: {costs[4] / costs[1]:.2f}, at most 1.5 and the sending: {verdict(costs[4] / costs[1], 1.5)}")


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        for name in ("uint8", "float32"):
            (folder / name).mkdir()
            data = np.random.default_rng(0).integers(0, 255, (ROWS, *SHAPE), dtype=np.uint8)
            np.save(folder / name / "x.npy", data.astype(name))
            (folder / name / "x.npy").chmod(0o444)  # as `ledger prepare` leaves it
            measure_ways(folder, name)
        measure_starts(folder)
        measure_sharing(folder)
    measure_plan()


if __name__ == "__main__":
    main()
