"""Advice that needs the other runs of an experiment: noise that hides the best, and a small model that is as good."""

from datetime import timedelta

import pytest

from ledger.analysis.advice.experiment_advice import advise_among, best_of
from ledger.model.boxes.outputs import Metric, Model, Results
from ledger.model.entries import StoredRun
from ledger.model.values import Direction
from tests.samples import START, Blobs, sample_run

NOISE = (-0.012, 0.004, 0.009, -0.005, 0.011, -0.007)


def runs_of(
    means: dict[int, float],
    *,
    seeds: int = 6,
    noise: float = 1.0,
    size: dict[int, int] | None = None,
    direction: Direction | None = "higher",
) -> list[StoredRun]:
    """Return runs of settings: width to mean accuracy, each with its seeds and number of parameters."""
    runs = []
    for width, mean in means.items():
        for seed in range(seeds):
            value = mean + noise * NOISE[(seed + width) % 6]
            metric = Metric(
                name="accuracy", split="validation", value=value, direction=direction, dataset="d@v1", dataset_hash="h"
            )
            results = Results(headline="validation/accuracy", metrics=[metric])
            model = Model(parameters=(size or {}).get(width))
            blobs: Blobs = {}
            runs.append(
                sample_run(
                    blobs, 100 * width + seed, experiment="e", params={"width": width, "seed": seed}, accuracy=value,
                    started=START + timedelta(minutes=60 * width + seed), results=results, model=model,
                )
            )  # fmt: skip
    return runs


def said(runs: list[StoredRun]) -> list[str]:
    found = best_of(runs)
    return [] if found is None else [advice.rule for advice in advise_among(*found, runs)]


def test_the_best_of_an_experiment_is_a_run_of_the_setting_with_the_best_mean() -> None:
    runs = runs_of({1: 0.90, 2: 0.95, 3: 0.91})
    lucky = runs_of({4: 0.98}, seeds=1)
    for direction, width in (("higher", 2), ("lower", 1)):
        found = best_of(runs_of({1: 0.90, 2: 0.95, 3: 0.91}, direction=direction))  # type: ignore[arg-type]  # a direction
        assert found is not None
        assert found[0].record.params.values["width"] == width
    found = best_of([*runs, *lucky])
    assert found is not None
    assert found[0].record.params.values["width"] == 4
    assert best_of(runs_of({1: 0.9}, direction=None)) is None
    assert best_of([]) is None


def test_two_best_settings_closer_than_the_noise_are_said_with_how_many_seeds_would_settle_it() -> None:
    runs = runs_of({1: 0.900, 2: 0.906, 3: 0.80}, seeds=3)
    found = best_of(runs)
    assert found is not None
    (advice,) = advise_among(*found, runs)
    assert advice.rule == "noise"
    assert advice.numbers["difference"] < advice.numbers["noise_width"]
    assert advice.numbers["repeats"] > 3
    assert "repeat both with" in advice.say


@pytest.mark.parametrize(
    ("means", "seeds"),
    [
        ({1: 0.80, 2: 0.95}, 6),  # far apart
        ({1: 0.900, 2: 0.901}, 1),  # nothing was repeated: nobody knows the noise
        ({1: 0.90}, 6),  # nothing to be closer to
    ],
)
def test_nothing_is_said_of_noise_where_it_is_unknown_or_settled(means: dict[int, float], seeds: int) -> None:
    assert said(runs_of(means, seeds=seeds)) == []


def test_a_much_smaller_model_that_is_as_good_is_named() -> None:
    runs = runs_of({1: 0.900, 2: 0.9001, 3: 0.9002}, seeds=12, size={1: 1_000, 2: 3_000, 3: 40_000})
    found = best_of(runs)
    assert found is not None
    assert found[0].record.params.values["width"] == 3
    advice = next(advice for advice in advise_among(*found, runs) if advice.rule == "complexity")
    assert advice.numbers == {"parameters": 40_000.0, "smaller": 1_000.0}
    assert "40 times fewer parameters" in advice.say
    assert runs[11].record.id in advice.say


@pytest.mark.parametrize(
    ("means", "size", "seeds"),
    [
        ({1: 0.900, 3: 0.9002}, {1: 20_000, 3: 40_000}, 12),  # not much smaller
        ({1: 0.850, 3: 0.9002}, {1: 1_000, 3: 40_000}, 12),  # much smaller, and worse
        ({1: 0.900, 3: 0.9002}, {3: 40_000}, 12),  # nobody knows how large the other is
        ({1: 0.900, 3: 0.9002}, {1: 1_000, 3: 40_000}, 2),  # too few repeats to say that it is as good
    ],
)
def test_nothing_is_said_of_a_smaller_model_without_evidence(
    means: dict[int, float], size: dict[int, int], seeds: int
) -> None:
    assert "complexity" not in said(runs_of(means, seeds=seeds, size=size))
