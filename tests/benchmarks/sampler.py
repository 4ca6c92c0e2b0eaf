"""What sampling the machine costs a training: eight cards that a library built from C plays, and the start of a run.

The library answers at once, so the figure is the floor that Python and ctypes set; a real driver adds its own time.
"""

import ctypes
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ledger.capture.machine.gpus.cards import open_cards
from ledger.capture.machine.hardware import capture_hardware
from ledger.capture.machine.platforms.platforms import capture_platforms
from ledger.capture.machine.sampler import Sampler
from tests.benchmarks.measuring import cpu_seconds, interleaved, milliseconds, show, sized, verdict
from tests.capture.machine.fake_nvml import NAME, FakeCards, built

CARDS = 8
SECONDS = sized(30, 2)
INTERVAL = 2.0
LIMIT_SHARE = 0.005
LIMIT_START_MS = 5.0
REPETITIONS = sized(21)


def main() -> None:
    """Measure and print."""
    library = built()
    if library is None:
        print("no C compiler: the cards cannot be played")
        return
    with tempfile.TemporaryDirectory() as folder:
        cards = FakeCards(Path(folder))
        cards.set(count=CARDS, gpm=1, nvlink=1, pid=os.getpid())
        start = interleaved({"hardware and platforms, no card": _look()}, REPETITIONS)
        os.environ.update(cards.variables)
        ctypes.CDLL(str(library / NAME), mode=ctypes.RTLD_GLOBAL)
        start |= interleaved({f"hardware and platforms, {CARDS} cards": _look(), "one sample": _sample()}, REPETITIONS)
        sampler = Sampler(interval_seconds=INTERVAL)
        before = cpu_seconds()
        sampler.start()
        time.sleep(SECONDS)
        used = cpu_seconds() - before
        usage, gpus = sampler.stop()
    samples = usage.samples if usage is not None else 0
    show(
        f"the machine of a run, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best"),
        ((name, milliseconds(sample.median), milliseconds(sample.best)) for name, sample in start.items()),
    )
    share = used / SECONDS
    look = start[f"hardware and platforms, {CARDS} cards"].median * 1000
    show(
        f"limits ({len(gpus)} cards, {samples} samples in {SECONDS} s)",
        ("", "measured", "limit", ""),
        [
            ("share of one core", f"{share:.3%}", f"{LIMIT_SHARE:.1%}", verdict(share, LIMIT_SHARE)),
            ("start, ms", f"{look:.1f}", f"{LIMIT_START_MS}", verdict(look, LIMIT_START_MS)),
        ],
    )


def _look() -> Callable[[int], Callable[[], object]]:
    return lambda _: lambda: capture_hardware(Path.cwd(), lambda: capture_platforms(Path("/"), os.environ))


def _sample() -> Callable[[int], Callable[[], object]]:
    opened = open_cards()
    return lambda _: lambda: [card.read() for card in opened.cards]


if __name__ == "__main__":
    main()
