"""`ledger judge` where runs kept a value for each validation sample."""

import random
from collections.abc import Sequence
from pathlib import Path

from ledger.store.branch.branch import Branch
from tests.conftest import Cli


def rows_of(seed: str, right: float, *, samples: int = 300) -> list[int]:
    """Return right and wrong of a model, on samples of which each is as hard for all models."""
    chance, hard = random.Random(seed), random.Random(0)  # noqa: S311  # samples, not secrets
    return [int(chance.random() < (0.5 if hard.random() < 0.1 else right)) for _ in range(samples)]


def record(repo: Path, cli: Cli, lr: float, seed: int, value: float, rows: Sequence[int]) -> str:
    # Beside the repository: an untracked file would be part of the code, and no two runs repeats.
    data = repo.parent / "data"
    data.mkdir(exist_ok=True)
    (data / "x.txt").write_text("validation")
    (repo.parent / "samples.csv").write_text(
        "sample,value\n" + "".join(f"img-{at},{row}\n" for at, row in enumerate(rows))
    )
    done = cli(
        "record", "-p", f"lr={lr}", "--seed", str(seed), "-m", f"validation/accuracy={value}",
        "-d", "validation:digits@v1=../data", "--table", "samples:validation/accuracy=../samples.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    return Branch.open(repo).contents().runs[-1].record.id


def test_the_evidence_of_single_samples_stands_beside_that_of_seeds(repo: Path, cli: Cli) -> None:
    base: list[str] = []
    good: list[str] = []
    for members, lr, right in ((base, 0.1, 0.8), (good, 0.2, 0.95)):
        for seed in range(4):
            rows = rows_of(f"{lr} {seed}", right)
            members.append(record(repo, cli, lr, seed, sum(rows) / len(rows), rows))
    done = cli("judge", good[0], "--against", base[0])
    assert done.code == 0, done.out + done.err
    (line,) = [line for line in done.out.splitlines() if line.startswith("  samples")]
    assert "over 300 (each with itself), 95 % +0." in line
    assert "as many other samples could reverse it" not in done.out


def test_a_difference_that_one_sample_carries_is_kept_with_a_caution(repo: Path, cli: Cli) -> None:
    wrong_on_three, wrong_on_two = [0, 0, 0, *[1] * 9], [0, 0, *[1] * 10]
    base = [record(repo, cli, 0.1, seed, 0.750 + seed / 1000, wrong_on_three) for seed in range(4)]
    better = [record(repo, cli, 0.2, seed, 0.833 + seed / 1000, wrong_on_two) for seed in range(4)]
    done = cli("judge", better[0], "--against", base[0])
    assert done.code == 0, done.out + done.err
    assert "  samples     +0.08333 over 12 (each with itself), 95 % 0 to +0.25" in done.out
    assert "better on these 12 samples: as many other samples could reverse it" in done.out


def test_a_run_without_such_a_table_is_judged_as_ever(repo: Path, cli: Cli) -> None:
    base = record(repo, cli, 0.1, 0, 0.8, [1] * 20)
    done = cli("record", "-p", "lr=0.3", "--seed", "0", "-m", "validation/accuracy=0.9", "-d", "validation=../data")
    assert done.code == 0
    judged = cli("judge", Branch.open(repo).contents().runs[-1].record.id, "--against", base)
    assert judged.code == 2
    assert "  samples" not in judged.out
