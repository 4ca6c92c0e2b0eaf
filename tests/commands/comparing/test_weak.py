"""`ledger weak`: what a run's tables say of its weak points, against which run, and what it refuses."""

import json
from pathlib import Path

import msgspec
import pytest

import ledger as api
from ledger.api.weak import weak_points_of
from ledger.model.datasets import CaseResult
from ledger.model.entries import Evaluation
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

TRUTH = ["cat", "dog"] * 100
NIGHT = ["night" if place < 100 else "day" for place in range(200)]
IDS = [f"img-{place}" for place in range(200)]


def train(repo: Path, wrong: int, *, flip: bool, parent: str | None = None, tables: bool = True) -> str:
    """Train a model that is wrong on the first so many samples, which are at night; return the run's id."""
    taken = [("dog" if label == "cat" else "cat") if place < wrong else label for place, label in enumerate(TRUTH)]
    with api.run("pets", params={"wrong": wrong}, parent=parent, folder=repo) as run:
        run.step("augment", flip=flip)
        used = run.dataset("train.py", role="validation", name="pets", version="v1", samples=200)
        if tables:
            sure = [0.6 + place / 1000 for place in range(200)]
            run.predictions(TRUTH, taken, dataset=used, confidence=sure, slices=NIGHT, samples=IDS)
        else:
            run.metric("validation/accuracy", 1 - wrong / 200, dataset=used)
    assert run.recorded is not None
    return run.id


@pytest.fixture
def runs(repo: Path) -> list[str]:
    """A good run, and one that is worse at night with another augmentation."""
    return [train(repo, 5, flip=False), train(repo, 60, flip=True)]


def test_weak_points_are_printed_with_intervals_and_against_the_best_run(runs: list[str], cli: Cli) -> None:
    done = cli("weak", runs[1])
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == f"{runs[1]}: validation/accuracy is 0.7 on pets@v1, beside best {runs[0]}"
    for line in (
        "  night: 0.4, 95 % 0.309 to 0.498, 100 samples, weak, was 0.95 (worse)",
        "  cat taken for dog: 30 times, 30 % of its samples (95 % 21.9 % to 39.6 %)",
        "  img-59: dog taken for cat, 65.9 % sure",
        "  55 samples broken, 0 mended: more than chance (p 5.6e-17)",
        "  step augment: flip: false → true",
        "  changed as well: wrong",
        "  data: add training data like `night`",
        f"  augmentation: `night` is worse than in {runs[0]} (0.95 → 0.4); `augment` (flip: false → true) differs",
    ):
        assert line in done.out, done.out
    assert "architecture: the error on training data is unknown" in done.err


def test_json_and_python_give_the_same_answer(runs: list[str], repo: Path, cli: Cli) -> None:
    printed = json.loads(cli("weak", runs[1], "--json", "-n", "1").out)
    points = api.Ledger.open(repo).weak(runs[1], most=1)
    assert (printed["run"], printed["against"]) == (points.run, points.against)
    assert [one["name"] for one in printed["slices"]] == [one.name for one in points.slices] == ["night"]
    assert len(printed["classes"]) == len(points.classes) == 1


def test_the_run_to_compare_with_is_the_baseline_then_the_parent_then_the_best(
    runs: list[str], repo: Path, cli: Cli
) -> None:
    child = train(repo, 61, flip=True, parent=runs[1])

    def compared(*more: str) -> tuple[str, str]:
        done = json.loads(cli("weak", child, "--json", *more).out)
        return done["word"], done["against"]

    assert compared() == ("parent", runs[1])
    assert compared("--against", "best") == ("best", runs[0])
    assert compared("--against", runs[0]) == ("given", runs[0])
    assert cli("baseline", runs[0], "--because", "the good one").code == 0
    assert compared() == ("baseline", runs[0])
    assert compared("--against", "parent") == ("parent", runs[1])


def test_what_cannot_be_answered_is_refused_with_the_mend(runs: list[str], repo: Path, cli: Cli) -> None:
    bare = train(repo, 3, flip=False, tables=False)
    done = cli("weak", bare)
    assert (done.code, done.out) == (1, "")
    assert "this run kept no tables of single predictions" in done.err
    assert "hint: in its script: run.predictions(truth, predicted, confidence=" in done.err
    assert "no tables of single predictions of `test/f1`" in cli("weak", runs[0], "-m", "test/f1").err
    alone = cli("weak", runs[0], "--against", "baseline")
    assert (alone.code, alone.out) == (2, "")
    assert "this run has no baseline to compare with" in alone.err
    assert "cannot be compared with itself" in cli("weak", runs[0], "--against", runs[0]).err
    assert cli("weak", "zzz").code == 1
    other = cli("weak", runs[0], "--against", bare)
    assert other.code == 0
    assert f"comparison: the run compared with {bare} kept no such tables on pets@v1" in other.err


def test_advice_names_a_step_that_changed_together_with_a_weak_slice(runs: list[str], cli: Cli) -> None:
    said = cli("advise", runs[1]).out
    assert f"steps: `night` is worse than in {runs[0]} (0.95 → 0.4); `augment` (flip: false → true) differs" in said
    kept = cli("advise", runs[0]).out
    assert f"steps: `night` is better than in {runs[1]} (0.4 → 0.95); `augment` (flip: true → false) differs" in kept
    assert "keep it" in kept


def test_a_case_that_the_run_broke_is_named(runs: list[str], repo: Path, cli: Cli) -> None:
    assert cli("case", "add", "pets", "--input", "img-1", "--expect", "dog").code == 0
    branch = Branch.open(repo)
    contents = branch.contents()
    (case,) = contents.cases
    answered = []
    for run, passed in zip(contents.runs, (True, False), strict=True):
        evaluation = Evaluation(
            format=1, id=run.record.id, run=run.record.id, metrics=[], cases=[CaseResult(case=case.id, passed=passed)],
            author=run.record.author, evaluated_at=run.record.timing.ended_at, tool=run.record.tool,
        )  # fmt: skip
        answered.append(msgspec.structs.replace(run, evaluations=(evaluation,)))
    contents = msgspec.structs.replace(contents, runs=tuple(answered))
    assert weak_points_of(branch, contents, answered[1]).cases == [case.id]
    assert weak_points_of(branch, contents, answered[0]).cases == []
