"""CPU of reading the scalars of TensorBoard's event files, beside TensorBoard's own reader with all points kept."""

from itertools import chain

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from ledger.capture.outputs.curves import read_curves
from ledger.formats.tfevents_file import read_scalars
from tests.benchmarks.measuring import cpu_seconds, show, sized, verdict, workplace

POINTS = sized(200_000, 2_000)
THEIRS = sized(50_000, 2_000)
"""TensorBoard's reader takes so long that it reads the first of them only."""


def main() -> None:
    """Measure and print."""
    rows = []
    with workplace() as folder:
        for style, options in (("plain numbers", {}), ("tensors", {"new_style": True})):
            for count in {POINTS, THEIRS}:
                with SummaryWriter(str(folder / style / str(count))) as writer:
                    for step in range(count):
                        writer.add_scalar(f"series {step % 5}", 1 / (step + 1), step // 5, **options)
            files = list((folder / style / str(POINTS)).iterdir())
            began = cpu_seconds()
            found = sum(1 for _ in chain.from_iterable(read_scalars(file.open("rb")) for file in files))
            read = (cpu_seconds() - began) / found
            began = cpu_seconds()
            points = read_curves(folder / style / str(POINTS)).points
            whole = (cpu_seconds() - began) / sum(len(point.values) for point in points)
            began = cpu_seconds()
            theirs = EventAccumulator(str(folder / style / str(THEIRS)), size_guidance={"scalars": 0, "tensors": 0})
            theirs.Reload()
            other = (cpu_seconds() - began) / THEIRS
            rows.append(
                (style, f"{read * 1e6:.2f}", f"{whole * 1e6:.2f}", f"{other * 1e6:.2f}", f"{whole / other:.2f}")
            )
            if style == "plain numbers":
                million = read * 1e6
    show(
        f"{POINTS} scalars of five series, CPU µs each",
        ("", "read", "read, as curves", "TensorBoard", "ratio"),
        rows,
    )
    print(f"1,000,000 scalars: {million:.1f} s, at most 3: {verdict(million, 3)}")


if __name__ == "__main__":
    main()
