"""How often `ledger judge` is wrong: simulated pairs of settings, judged by the functions that the command calls.

`python -m tests.benchmarks.verdicts` prints the tables of the handbook; `--pairs 1000` is a quick look.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ledger.analysis.judging.noise import Repeats, pool
from ledger.analysis.judging.verdict import Question, Verdict, decide
from tests.benchmarks.measuring import options_of, sized

PAIRS = sized(10_000, 10)
"""Pairs per setting; a rate of 5 % is then known to 0.2 % (one standard error)."""
SEEDS = (2, 3, 4, 5, 6, 7, 8, 9, 10)
EFFECTS = (0.5, 1.0, 2.0)
"""True improvements, in noise widths."""
TRIALS = sized(100, 10)
KNOWN = 10
"""Other settings with two repeats each, from which a small team knows its noise."""
SHAPES = ("normal", "skewed", "heavy-tailed")

Draw = Callable[[tuple[int, ...]], NDArray[np.float64]]


def draws(shape: str, chance: np.random.Generator) -> Draw:
    """Return the source of a shape's noise, of mean 0 and width 1: normal, exponential, Student with 3 degrees."""
    if shape == "normal":
        return lambda size: chance.normal(size=size)
    if shape == "skewed":
        return lambda size: chance.exponential(size=size) - 1
    return lambda size: chance.standard_t(3, size=size) / math.sqrt(3)


def repeats(values: Sequence[float]) -> Repeats:
    """Return values as the repeats of one setting."""
    return Repeats(runs=("",) * len(values), values=tuple(values))


def judged(
    draw: Draw, pairs: int, seeds: int, effect: float, min_effect: float | None, known: int = KNOWN
) -> Iterable[Verdict]:
    """Yield verdicts on pairs of settings that truly differ by `effect`."""
    ours, theirs = (draw((pairs, seeds)) + effect).tolist(), draw((pairs, seeds)).tolist()
    others = draw((pairs, known, 2)).tolist() if known else [()] * pairs
    question = Question(higher=True, min_effect=min_effect)
    for mine, yours, rest in zip(ours, theirs, others, strict=True):
        yield decide(repeats(mine), repeats(yours), pool(map(repeats, rest)), question)


def part(verdicts: Iterable[Verdict], answer: str) -> float:
    """Return how often an answer was given, in per cent."""
    said = [verdict.answer == answer for verdict in verdicts]
    return 100 * sum(said) / len(said)


def selected(draw: Draw, pairs: int, seeds: int, trials: int) -> Iterable[Verdict]:
    """Yield verdicts on the best of `trials` settings that are all equal to what they are judged against."""
    question = Question(higher=True, min_effect=0, trials=trials)
    for _ in range(pairs):
        values = draw((trials + 1, seeds))
        means = values.mean(axis=1)
        best = 1 + int(means[1:].argmax())
        squares = ((values - means[:, None]) ** 2).sum(axis=1)
        rest = float(squares.sum() - squares[0] - squares[best])
        others = rest, (trials - 1) * (seeds - 1)
        yield decide(repeats(values[best].tolist()), repeats(values[0].tolist()), others, question)


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"\n{title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(f'{cell:.1f}' if isinstance(cell, float) else str(cell) for cell in row)} |", flush=True)


def main() -> None:
    """Print all tables."""
    parser = options_of(__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    pairs = parser.parse_args().pairs
    chance = np.random.default_rng(5)
    sources = {shape: draws(shape, chance) for shape in SHAPES}
    show(
        f"False keep, per cent of {pairs:,} pairs that do not differ (asked for: anything above 0; at the default)",
        ("repeats", *(f"{shape}, {asked}" for shape in SHAPES for asked in ("any", "default"))),
        (
            (
                seeds,
                *(
                    part(judged(draw, pairs, seeds, 0.0, asked), "keep")
                    for draw in sources.values()
                    for asked in (0.0, None)
                ),
            )
            for seeds in SEEDS
        ),
    )
    show(
        f"Keep, per cent of {pairs:,} pairs that differ by so many noise widths (asked for: anything above 0)",
        ("repeats", *(f"{shape}, {effect}" for shape in SHAPES for effect in EFFECTS)),
        (
            (
                seeds,
                *(
                    part(judged(draw, pairs, seeds, effect, 0.0), "keep")
                    for draw in sources.values()
                    for effect in EFFECTS
                ),
            )
            for seeds in SEEDS
        ),
    )
    show(
        f"Discard, per cent of {pairs:,} pairs, asked for one noise width: nothing differs (right), that much (wrong)",
        ("repeats", *(f"{shape}, {said}" for shape in SHAPES for said in ("right", "wrong"))),
        (
            (
                seeds,
                *(
                    part(judged(draw, pairs, seeds, effect, 1.0), "discard")
                    for draw in sources.values()
                    for effect in (0.0, 1.0)
                ),
            )
            for seeds in SEEDS
        ),
    )
    show(
        f"False keep of the best of {TRIALS} null trials, per cent of {pairs:,} sweeps",
        ("repeats", *SHAPES),
        (
            (seeds, *(part(selected(draw, pairs, seeds, TRIALS), "keep") for draw in sources.values()))
            for seeds in SEEDS
        ),
    )


if __name__ == "__main__":
    main()
