"""Params are told in the order in which the headline metric moves with them."""

import random

import pytest

from ledger.analysis.comparing.param_ranking import rank_params, share_explained
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import StoredRun
from ledger.model.values import ParamValue, Status
from tests.minimal import minimal_record


def run(
    number: int,
    params: dict[str, ParamValue],
    value: float | None = None,
    *,
    data: str = "sha256:1",
    experiment: str = "x",
    status: Status = "finished",
    places: tuple[str, ...] = (),
) -> StoredRun:
    """Return a run with its value of the headline metric on some data."""
    metrics = [Metric(name="f1", value=value, dataset="d@v1", dataset_hash=data or None)] if value is not None else []
    record = minimal_record(
        id=f"20261120-19{number:04}-abcdef",
        status=status,
        experiment=experiment,
        params=Params(values=params, places=list(places)),
        results=Results(headline="f1" if metrics else None, metrics=metrics),
    )
    return StoredRun(record=record, path=f"runs/{number}", files={})


def test_without_a_metric_the_most_frequent_params_that_differ_come_first_and_seeds_last() -> None:
    runs = [
        run(0, {"lr": 0.1, "seed": 0, "same": 1, "b": 1, "a": 1}),
        run(1, {"lr": 0.2, "seed": 1, "same": 1, "b": 2, "a": 2}),
        run(2, {"lr": 0.1, "once": 3}),
    ]
    assert rank_params(runs) == ["lr", "a", "b", "seed"]
    assert rank_params(runs[:1]) == []
    assert rank_params([]) == []


def test_what_the_metric_moves_with_comes_before_what_it_does_not() -> None:
    runs = [
        run(at, {"a": at % 2, "width": width, "z": at % 3}, width / 100 + at % 2 / 1000)
        for at, width in enumerate([8, 8, 16, 16, 32, 32, 48, 48])
    ]
    assert rank_params(runs) == ["width", "a", "z"]


def test_the_share_is_epsilon_squared() -> None:
    values, group = {0: "a", 1: "a", 2: "b", 3: "b"}, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}
    eta_squared = 4 / 5
    assert share_explained(values, [group]) == pytest.approx(1 - (1 - eta_squared) * 3 / 2)
    assert share_explained(values, [{at: 1e300 * value for at, value in group.items()}]) == pytest.approx(0.7)
    assert share_explained(values, [dict.fromkeys(group, 5.0)]) == 0
    assert share_explained(dict.fromkeys(group, "a"), [group]) == 0
    assert share_explained(values, []) == 0


def test_a_param_of_many_values_is_no_better_for_having_many() -> None:
    chance = random.Random(7)  # noqa: S311  # noise, no secret
    runs = [run(at, {"noise": at, "each": f"word {at}", "model": at % 2}, at % 2 + chance.random()) for at in range(40)]
    assert rank_params(runs)[0] == "model"


def test_a_number_that_every_run_has_its_own_of_is_ranked_by_its_parts() -> None:
    chance = random.Random(7)  # noqa: S311  # noise, no secret
    runs = [run(at, {"lr": at / 100, "a": chance.randrange(2)}, at / 100 + chance.random() / 10) for at in range(40)]
    assert rank_params(runs) == ["lr", "a"]


def test_values_on_other_data_are_never_mixed() -> None:
    runs = [
        run(0, {"a": 0, "b": 0}, 0.9, data="sha256:1"),
        run(1, {"a": 0, "b": 0}, 0.9, data="sha256:1"),
        run(2, {"a": 0, "b": 1}, 0.8, data="sha256:1"),
        run(3, {"a": 1, "b": 0}, 0.3, data="sha256:2"),
        run(4, {"a": 1, "b": 0}, 0.3, data="sha256:2"),
        run(5, {"a": 1, "b": 1}, 0.2, data="sha256:2"),
    ]
    assert rank_params(runs) == ["b", "a"]


def test_values_on_unknown_data_are_looked_at_within_an_experiment() -> None:
    runs = [
        run(at, {"a": at // 3, "b": b, "both": at % 2}, at // 3 + b / 10, data="", experiment=f"e{at // 3}")
        for at, b in enumerate([0, 0, 1, 0, 0, 1])
    ]
    assert rank_params(runs) == ["b", "both", "a"]


def test_what_no_experiment_changed_comes_after_all_that_one_did() -> None:
    runs = [
        run(at, {"data": at // 4, "lr": at % 2}, (at // 4) * 10 + (at % 3) / 10, experiment=f"e{at // 4}")
        for at in range(8)
    ]
    assert rank_params(runs) == ["lr", "data"]


def test_what_differs_between_experiments_does_not_pass_for_what_was_changed_in_one() -> None:
    runs = [
        run(
            at,
            {"log_every": 1 + at // 6, "lr": at % 2, "z": at % 3 // 2},
            (at // 6) * 10 + at % 2,
            experiment=f"e{at // 6}",
        )
        for at in range(12)
    ]
    once = run(12, {"log_every": 3, "lr": 0, "z": 0}, 0.0, experiment="e0")
    assert rank_params([*runs, once]) == ["lr", "log_every", "z"]


def test_seeds_and_places_are_never_first_whatever_the_metric_does() -> None:
    params: list[dict[str, ParamValue]] = [
        {"seed": at // 2, "output_dir": f"o{at // 2}", "where": f"w{at // 2}", "lr": at % 2} for at in range(8)
    ]
    runs = [run(at, given, at // 2 + at % 2 / 100, places=("where",)) for at, given in enumerate(params)]
    assert rank_params(runs) == ["lr", "output_dir", "where", "seed"]


def test_runs_that_do_not_count_say_nothing() -> None:
    good = [run(at, {"a": at % 2, "b": at // 2}, at // 2) for at in range(4)]
    bad = [run(4 + at, {"a": at % 2, "b": 0}, 1000.0 * (at % 2), status="failed") for at in range(4)]
    assert rank_params([*good, *bad]) == ["b", "a"]


def test_yes_and_one_are_two_values_and_a_list_is_one() -> None:
    assert rank_params([run(0, {"a": True, "b": [1]}), run(1, {"a": 1, "b": [1]})]) == ["a"]
