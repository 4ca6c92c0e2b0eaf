from datetime import timedelta

import msgspec
import pytest

from ledger.analysis.comparing.comparable import group_of
from ledger.analysis.comparing.settings import is_place, is_seed, settings_of, spread_of
from ledger.model.boxes.code import Code, Patch
from ledger.model.boxes.inputs import Datasets, DatasetUse, Params, Step
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue
from tests.samples import START, V2_HASH, sample_run

PATCH = Patch(hash="blake3:aa", bytes=3, files=1, added=1, removed=0)


def run_with(index: int, accuracy: float, *, evaluated: float | None = None, **params: ParamValue) -> StoredRun:
    return sample_run(
        {},
        index,
        experiment="noise",
        params=params,
        accuracy=accuracy,
        evaluated=evaluated,
        started=START + timedelta(hours=index),
    )


def changed(run: StoredRun, **fields: object) -> StoredRun:
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, **fields))


def sizes(*runs: StoredRun) -> list[int]:
    return [len(setting.runs) for setting in settings_of(runs)]


def test_runs_that_differ_by_seed_only_are_one_setting() -> None:
    runs = [run_with(n, 0.9, lr=lr, seed=n, **{"data.random_seed": n}) for n, lr in enumerate((0.1, 0.2, 0.1))]
    settings = settings_of(runs)
    assert [[run.record.id for run in setting.runs] for setting in settings] == [
        [runs[0].record.id, runs[2].record.id],
        [runs[1].record.id],
    ]
    assert settings[0].params == {"lr": 0.1}


def test_other_code_other_changes_and_other_training_data_are_other_settings() -> None:
    first, second = run_with(0, 0.9, lr=0.1, seed=0), run_with(1, 0.9, lr=0.1, seed=1)
    code = second.record.code
    other_data = Datasets(used=[DatasetUse(role="train", split="train", name="digits-train", hash="blake3:other")])
    assert sizes(first, second) == [2]
    assert sizes(first, changed(second, code=msgspec.structs.replace(code, commit=f"git:{'1' * 40}"))) == [1, 1]
    assert sizes(first, changed(second, code=msgspec.structs.replace(code, dirty=True, patch=PATCH))) == [1, 1]
    assert sizes(first, changed(second, datasets=other_data)) == [1, 1]
    assert sizes(first, changed(second, params=Params(values={"lr": 0.1, "seed": 1, "hidden": [1]}))) == [1, 1]


def test_other_steps_around_the_model_are_another_setting() -> None:
    def stepped(index: int, *steps: Step, **params: ParamValue) -> StoredRun:
        run = run_with(index, 0.9, lr=0.1, seed=index)
        return changed(run, params=Params(values={"lr": 0.1, "seed": index, **params}, chain=list(steps)))

    flip, crop = (Step(name="augment", stage="input", code=f"blake3:{digit * 64}") for digit in "ab")
    vote = Step(name="postprocess", stage="output")
    assert sizes(stepped(0, flip), stepped(1, flip)) == [2]
    assert sizes(stepped(0, flip), stepped(1, crop)) == [1, 1]
    assert sizes(stepped(0, flip), stepped(1)) == [1, 1]
    assert sizes(stepped(0, flip), stepped(1, flip, vote)) == [1, 1]
    assert sizes(stepped(0, flip, **{"augment.p": 0.1}), stepped(1, flip, **{"augment.p": 0.2})) == [1, 1]
    assert sizes(stepped(0, flip, **{"augment.seed": 1}), stepped(1, flip, **{"augment.seed": 2})) == [2]


def test_code_that_nobody_knows_is_shared_with_no_other_run() -> None:
    runs = [run_with(n, 0.9, lr=0.1, seed=n) for n in range(2)]
    assert sizes(*(changed(run, code=Code(unknown={"all": "not a repository"})) for run in runs)) == [1, 1]
    lost = [changed(run, code=msgspec.structs.replace(run.record.code, dirty=True)) for run in runs]
    assert sizes(*lost) == [1, 1]


def test_the_spread_is_taken_within_one_comparable_group() -> None:
    values = (0.95, 0.97, 0.96)
    runs = [run_with(n, value, evaluated=value - 0.3, lr=0.1, seed=n) for n, value in enumerate(values)]
    (setting,) = settings_of(runs)
    v1, v2 = (group_of(runs[0].metrics()[at]) for at in (0, 3))
    on_v1, on_v2 = spread_of(setting, v1), spread_of(setting, v2)
    assert on_v1 is not None
    assert on_v2 is not None
    assert v2.dataset_hash == V2_HASH
    assert (on_v1.count, on_v1.low, on_v1.high) == (3, 0.95, 0.97)
    assert (on_v1.mean, on_v2.mean) == pytest.approx((0.96, 0.66))


def test_four_values_have_quartiles_and_three_do_not() -> None:
    runs = [run_with(n, value, lr=0.1, seed=n) for n, value in enumerate((0.91, 0.99, 0.93, 0.95))]
    group = group_of(runs[0].metrics()[0])
    four, three = spread_of(settings_of(runs)[0], group), spread_of(settings_of(runs[:3])[0], group)
    assert four is not None
    assert four.quartiles == pytest.approx((0.925, 0.94, 0.96))
    assert three is not None
    assert three.quartiles is None


def test_values_that_are_not_finite_count_for_nothing() -> None:
    runs = [run_with(n, 0.9, lr=0.1, seed=n) for n in range(2)]
    failed = changed(
        runs[1],
        results=msgspec.structs.replace(
            runs[1].record.results,
            metrics=[msgspec.structs.replace(metric, value="NaN") for metric in runs[1].record.results.metrics],
        ),
    )
    (setting,) = settings_of([runs[0], failed])
    group = group_of(runs[0].metrics()[0])
    spread = spread_of(setting, group)
    assert spread is not None
    assert (spread.count, spread.low, spread.high) == (1, 0.9, 0.9)
    assert spread_of(settings_of([failed])[0], group) is None


@pytest.mark.parametrize(
    ("param", "seed"),
    [("seed", True), ("random_seed", True), ("trainer.seed", True), ("Seed", True), ("manualSeed", True),
     ("seed_everything", True), ("seeding", False), ("lr", False)],
)  # fmt: skip
def test_seeds_are_known_by_name(param: str, *, seed: bool) -> None:
    assert is_seed(param) is seed


@pytest.mark.parametrize(("param", "place"), [("out", True), ("trainer.output", True), ("save", True), ("data", False)])
def test_places_are_known_by_name(param: str, *, place: bool) -> None:
    assert is_place(param) is place
