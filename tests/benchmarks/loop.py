"""What everything that a run does costs a training in torch: the same loop with a run and without, in pairs.

With a run it is watched, its output is kept, its loader is timed and five numbers are logged in each step. Start and
end of the run are not counted.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

import ledger
from tests.benchmarks.measuring import own_seconds, run, show, sized, verdict, workplace

ROUNDS = sized(10)
STEPS = sized(1_000, 20)
LIMIT = 1.01
"""Most CPU time with everything on, as a multiple of that without."""
WIDTH, BATCH = 512, 64


class Spent(NamedTuple):
    """What one loop took."""

    cpu: float
    wall: float


class Training:
    """A small network that learns noise."""

    def __init__(self) -> None:
        torch.set_num_threads(1)  # with more, the machine's other work shows in the CPU time
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 10))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)
        self.batches = [(torch.randn(BATCH, WIDTH), torch.randint(10, (BATCH,))) for _ in range(STEPS)]

    def loop(self, started: ledger.Run | None) -> Spent:
        """Train for all batches, and say what it took."""
        batches = self.batches if started is None else started.loading(self.batches)
        wall, cpu = time.perf_counter(), own_seconds()
        for step, (data, truth) in enumerate(batches):
            self.optimizer.zero_grad()
            guess = self.net(data)
            loss = torch.nn.functional.cross_entropy(guess, truth)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it so
            self.optimizer.step()
            value = loss.item()
            if started is not None:
                started.log({"loss": value, "a": 0.1, "b": 0.2, "c": 0.3, "lr": 0.01}, step=step)
            if step % 10 == 0:
                print(f"step {step} loss {value:.4f}", flush=True)
        return Spent(own_seconds() - cpu, time.perf_counter() - wall)


def paired(training: Training, repository: Path) -> list[tuple[Spent, Spent]]:
    """Return what each pair took: without a run, and with one; every second pair the other way round."""

    def without() -> Spent:
        return training.loop(None)

    def with_run() -> Spent:
        with ledger.run("loop", folder=repository) as started:
            return training.loop(started)

    pairs = []
    for number in range(ROUNDS + 1):
        order: list[Callable[[], Spent]] = [without, with_run] if number % 2 else [with_run, without]
        first, second = order[0](), order[1]()
        pairs.append((first, second) if number % 2 else (second, first))
    return pairs[1:]


def main() -> None:
    """Measure and print; what the loops print goes to nobody."""
    with workplace() as folder:
        repository = folder / "repository"
        repository.mkdir()
        run(["git", "init", "--quiet"], repository)
        run(["git", "commit", "--quiet", "--allow-empty", "--message", "Begin"], repository)
        shown = os.dup(1)
        with Path(os.devnull).open("wb") as nobody:
            os.dup2(nobody.fileno(), 1)
        try:
            pairs = paired(Training(), repository)
        finally:
            os.dup2(shown, 1)
    cpu = median(with_run.cpu / without.cpu for without, with_run in pairs)
    wall = median(with_run.wall / without.wall for without, with_run in pairs)
    show(
        f"a loop of {STEPS:,} steps, {ROUNDS} pairs, ms a step (median)",
        ("", "CPU", "wall"),
        (
            (name, *(f"{median(seconds) / STEPS * 1e3:.3f}" for seconds in zip(*loops, strict=True)))
            for name, loops in zip(("without a run", "with everything on"), zip(*pairs, strict=True), strict=True)
        ),
    )
    print(f"with to without: CPU {cpu:.4f}, wall {wall:.4f}; CPU at most {LIMIT}: {verdict(cpu, LIMIT)}")


if __name__ == "__main__":
    main()
