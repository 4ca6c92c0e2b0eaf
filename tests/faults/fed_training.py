"""A training that is fed by data servers until somebody kills it, and goes on from its checkpoint after that.

`python -m tests.faults.fed_training DATA CHECKPOINT SERVER…`: what it learns is a chain of hashes over every byte of
every batch, which is right only if no batch is missing, none was there twice, and all came in order. It ends after the
batch in which somebody made the file `CHECKPOINT.stop`.
"""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import ledger
from ledger.model.feed import FeedStretch
from ledger.serve.batches import Batches

_STEP_SECONDS = 0.002
"""Time of a step: a training that is never waited for has nothing to kill it in."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a training keeps after each batch."""

    state: dict[str, Any]
    """Where the batches are."""
    chain: str
    """Hash of the chain before it, and of the batch."""
    steps: int
    samples: int
    stretches: list[list[FeedStretch]]
    """What was served, in each life of the training."""


def open_batches(
    data: str, servers: list[str], transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> Batches:
    """Return the batches of the training."""
    return ledger.batches(data, batch_size=8, seed=5, server=servers, transform=transform)


def twice(sample: dict[str, Any]) -> dict[str, Any]:
    """Make a sample of a sample, in a server or without one."""
    return {**sample, "image": sample["image"] * 2}


def link(chain: str, batch: dict[str, Any]) -> str:
    """Return the next link of the chain."""
    content = hashlib.blake2b(chain.encode())
    for name, array in sorted(batch.items()):
        content.update(f"{name} {array.dtype} {array.shape}".encode())
        content.update(array.tobytes())
    return content.hexdigest()


def endless(batches: Batches) -> Iterator[dict[str, Any]]:
    """Yield the batches of epoch after epoch."""
    while True:
        yield from batches


def train(data: str, checkpoint: Path, servers: list[str]) -> None:
    """Train, and keep a checkpoint after each batch."""
    batches = open_batches(data, servers)
    chain, steps, samples, lives = "", 0, 0, list[list[FeedStretch]]()
    if checkpoint.exists():
        kept = msgspec.json.decode(checkpoint.read_bytes(), type=Checkpoint)
        batches.load_state_dict(kept.state)
        chain, steps, samples, lives = kept.chain, kept.steps, kept.samples, kept.stretches
    stop, new = Path(f"{checkpoint}.stop"), Path(f"{checkpoint}.new")
    for batch in endless(batches):
        chain, steps, samples = link(chain, batch), steps + 1, samples + len(batch["label"])
        state, stretches = batches.state_dict(), [*lives, batches.feed().stretches]
        kept = Checkpoint(state=state, chain=chain, steps=steps, samples=samples, stretches=stretches)
        new.write_bytes(msgspec.json.encode(kept))
        new.replace(checkpoint)
        if stop.exists():
            return
        time.sleep(_STEP_SECONDS)


if __name__ == "__main__":
    train(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
