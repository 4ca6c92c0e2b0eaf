"""What looking for secrets costs: a log, a patch, a table of hashes, base64 of 11 MB each, and single cells."""

import base64
import random
from collections.abc import Callable
from pathlib import Path

from ledger.capture.secrets.redactor import Redactor
from ledger.hashing import hash_bytes
from tests.benchmarks.measuring import Case, interleaved, milliseconds, options_of, show, sized

SIZE = sized(11_000_000, 110_000)
CELLS = sized(60_000, 600)
REPETITIONS = sized(3)
WORDS = (
    *("the", "training", "loss", "epoch", "step", "validation", "accuracy", "rate", "batch", "model", "layer"),
    *("checkpoint", "saved", "data", "loader", "worker", "warning", "gradient", "tokens", "memory", "cuda", "torch"),
)


def log(draw: random.Random, size: int) -> bytes:
    """Return the log of a training."""
    return _lines(
        size,
        lambda number: (
            f"2026-11-20 19:{number % 60:02}:{number % 59:02},123 INFO trainer.loop epoch={number // 1000}"
            f" step={number} loss={draw.random():.6f} lr=0.0003 {' '.join(draw.choices(WORDS, k=6))} 127.3it/s"
        ),
    )


def patch(_: random.Random, size: int) -> bytes:
    """Return a patch that adds our own sources again and again."""
    files = [file.read_text("utf-8") for file in sorted(Path(__file__).parents[2].glob("ledger/**/*.py"))]
    return _lines(size, lambda number: "+" + files[number % len(files)].replace("\n", "\n+"))


def table(draw: random.Random, size: int) -> bytes:
    """Return a table of hashes."""
    return _lines(
        size, lambda number: f"{number},{draw.randbytes(32).hex()},img_{number:06}.png,{draw.random():.5f},cat"
    )


def encoded(draw: random.Random, size: int) -> bytes:
    """Return base64 of no text."""
    return base64.encodebytes(draw.randbytes(size * 3 // 4))


def _lines(size: int, line: Callable[[int], str]) -> bytes:
    made, length, number = [], 0, 0
    while length < size:
        made.append(line(number))
        length += len(made[-1]) + 1
        number += 1
    return "\n".join(made).encode()


def looking(data: bytes) -> Case:
    """Return the case that takes the secrets out of data."""
    return lambda _: lambda: Redactor().content(data)


def hashing(data: bytes) -> Case:
    """Return the case that hashes data."""
    return lambda _: lambda: hash_bytes(data)


def main() -> None:
    """Print the CPU seconds of each, and their ratio to hashing the same bytes."""
    options_of(__doc__).parse_args()
    draw = random.Random(5)  # noqa: S311  # no secret
    texts = {made.__name__: made(draw, SIZE) for made in (log, patch, table, encoded)}
    cells = [f"image_{number:06}.png" if number % 3 else f"{draw.choice(WORDS)} {number}" for number in range(CELLS)]

    def each_cell() -> None:
        redactor = Redactor()
        for cell in cells:
            redactor.text(cell)

    cases = {name: looking(data) for name, data in texts.items()}
    cases |= {f"hash of {name}": hashing(data) for name, data in texts.items()}
    cases[f"{CELLS:,} cells"] = lambda _: each_cell
    samples = interleaved(cases, REPETITIONS)
    rows = [[name, milliseconds(sample.median)] for name, sample in samples.items()]
    show(f"Looking for secrets in {SIZE:,} bytes", ["what", "CPU ms"], rows)


if __name__ == "__main__":
    main()
