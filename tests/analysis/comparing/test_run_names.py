"""Names of runs: the fewest params that tell them apart, and no two alike."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.analysis.comparing.run_names import run_names
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue
from tests.samples import START, sample_run

SEEDS = st.integers(0, 2)


def runs_with(*params: dict[str, ParamValue]) -> list[StoredRun]:
    return [
        sample_run({}, at, experiment="width", params=given, accuracy=0.9, started=START + timedelta(hours=at))
        for at, given in enumerate(params)
    ]


def names_of(*params: dict[str, ParamValue]) -> list[str]:
    return [name.text for name in run_names("width", runs_with(*params)).values()]


def test_a_name_is_what_differs_words_first_and_the_seed_last() -> None:
    shared: dict[str, ParamValue] = {"epochs": 20, "out_dir": "a"}
    grid = [("cnn", 16, 0), ("cnn", 16, 1), ("mlp", 16, 0), ("mlp", 32, 0)]
    names = names_of(*({**shared, "net.width": width, "model": model, "seed": seed} for model, width, seed in grid))
    assert names == [
        "cnn · width 16 · seed 0",
        "cnn · width 16 · seed 1",
        "mlp · width 16 · seed 0",
        "mlp · width 32 · seed 0",
    ]


def test_a_param_that_tells_nothing_more_is_left_out() -> None:
    assert names_of({"width": 8, "hidden": 80}, {"width": 16, "hidden": 160}) == ["width 8", "width 16"]


def test_seeds_that_tell_nothing_apart_are_left_out() -> None:
    assert names_of({"lr": 0.1, "seed": 1}, {"lr": 0.2, "seed": 2}) == ["lr 0.1", "lr 0.2"]


def test_runs_that_nothing_tells_apart_are_numbered_and_older_ones_keep_their_name() -> None:
    same: dict[str, ParamValue] = {"lr": 0.1, "seed": 3}
    assert names_of(same) == ["width"]
    assert names_of(same, same) == ["width", "width #2"]
    assert names_of(same, same, same)[:2] == ["width", "width #2"]


def test_seeds_of_one_setting_are_called_after_the_experiment() -> None:
    assert names_of({"lr": 0.1, "seed": 3}, {"lr": 0.1, "seed": 4}) == ["width · seed 3", "width · seed 4"]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ((True, False), ["amp true", "amp false"]),
        ((None, "bf16"), ["amp none", "bf16"]),
        ((0.30000000000000004, 1e-5), ["amp 0.3", "amp 1e-05"]),
        (("x" * 99, "y"), ["x" * 23 + "…", "y"]),
    ],
)
def test_values_are_short_and_say_their_param_where_they_do_not_speak(
    values: Sequence[ParamValue], names: list[str]
) -> None:
    assert names_of(*({"amp": value} for value in values)) == names


def test_a_setting_is_called_like_its_runs_without_their_seeds() -> None:
    runs = runs_with({"lr": 0.1, "seed": 3}, {"lr": 0.1, "seed": 4}, {"lr": 0.2, "seed": 3})
    assert run_names("width", runs)[runs[1].record.id].setting == "lr 0.1"
    assert run_names("width", runs[:2])[runs[1].record.id].setting == "width"


def test_a_value_that_looks_like_a_part_of_a_name_stays_whole() -> None:
    odd: dict[str, ParamValue] = {"note": "a · seed 1 #2", "seed": 1}
    runs = runs_with(odd, odd, {"note": "a", "seed": 1})
    names = run_names("width", runs)
    assert [names[run.record.id].setting for run in runs] == ["a · seed 1 #2", "a · seed 1 #2", "a"]
    assert len({name.text for name in names.values()}) == len(runs)
    assert names_of({"note": "a"}, {"note": "a"}, {"note": "a #2"}) == ["a", "a #2", "a #2 #2"]


@pytest.mark.hypothesis
@given(
    st.lists(st.fixed_dictionaries({"lr": st.sampled_from([0.1, "a", "a #2"]), "seed": st.integers(0, 2)}), max_size=8)
)
def test_no_two_runs_have_one_name(params: list[dict[str, ParamValue]]) -> None:
    names = names_of(*params)
    assert len(set(names)) == len(params)
