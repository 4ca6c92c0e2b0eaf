"""Results of known tools and of nobody's: every name once, as a number or with the reason why it is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.formats.results import OmittedResult, Value, history_rows, read_results


def values(document: dict[str, object]) -> dict[str, object]:
    return {found.key: found.value for found in read_results(document) if isinstance(found, Value)}


def left_out(document: dict[str, object]) -> dict[str, str]:
    return {found.path: found.why for found in read_results(document) if isinstance(found, OmittedResult)}


def test_names_and_numbers_nested_however_deep_are_metrics_with_their_whole_path() -> None:
    document: dict[str, object] = {"a": {"b": {"c": 1, "d": None}}, "e": True}
    assert [(found.path, found.key, found.value) for found in read_results(document) if isinstance(found, Value)] == [
        ("a/b/c", "a/b/c", 1), ("a/b/d", "a/b/d", None), ("e", "e", True),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["versions", "configs", "n-shot", "n-samples"])
def test_results_are_those_of_the_harness_only_beside_a_key_of_its_own(key: str) -> None:
    document: dict[str, object] = {"results": {"task": {"acc,none": 0.5}, "average": 0.4}, key: {"task": 2}}
    assert values(document) == {"task/acc": 0.5, "average": 0.4}
    assert left_out(document) == {key: "about the evaluation"}
    assert values({"results": {"task": {"acc,none": 0.5}}}) == {"results/task/acc,none": 0.5}


def test_the_evaluator_of_the_harness_says_what_the_file_says_and_no_more() -> None:
    def evaluator(**others: object) -> str | None:
        (found,) = (one for one in read_results({"results": {"t": {"acc": 1}}, **others}) if isinstance(one, Value))
        return found.evaluator

    assert evaluator(lm_eval_version="0.4", versions={"t": 2}) == "lm-evaluation-harness 0.4, task version 2"
    assert evaluator(versions={"t": 2}) == "task version 2"
    assert evaluator(versions={"other": 2}) is None
    assert evaluator(versions=[1], lm_eval_version=4) is None


def test_the_trainer_gives_the_last_of_each_series_with_step_and_epoch() -> None:
    log: list[object] = [
        {"loss": 0.9, "step": 1, "epoch": 0.5}, "no entry", {"loss": 0.5, "step": 2.5, "epoch": 10**400},
        {"flag": True, "text": "x", "eval_loss": 0.6, "epoch": 2},
    ]  # fmt: skip
    loss, evaluated, best, other = read_results({"log_history": log, "best_metric": 0.4, "max_steps": 9})
    assert loss == Value("log_history/loss", "loss", 0.5, last=True)
    assert evaluated == Value("log_history/eval_loss", "eval_loss", 0.6, epoch=2.0, last=True)
    assert best == Value("best_metric", "best_metric", 0.4)
    assert other == OmittedResult("max_steps", "about the training")
    assert left_out({"log_history": [], "best_metric": None}) == {"best_metric": "about the training"}


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ({"log_history": [{"loss": 1}, 3]}, [{"loss": 1}]),
        ({"history": {"loss": [0.9, 0.5]}}, [{"epoch": 0, "loss": 0.9}, {"epoch": 1, "loss": 0.5}]),
        ({"history": {"loss": [0.9]}, "epoch": [7]}, [{"epoch": 7, "loss": 0.9}]),
        ({"loss": [3, 2], "acc": [1], "name": "x"}, [{"epoch": 0, "loss": 3, "acc": 1}, {"epoch": 1, "loss": 2}]),
        ({"Step": [10, 20], "loss": [1, 2]}, [{"Step": 10, "loss": 1}, {"Step": 20, "loss": 2}]),
        ({"loss": []}, []),
        ({"loss": 0.5}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_history_has_a_row_for_each_epoch_numbered_where_the_file_does_not(
    document: dict[str, object], rows: list[dict[str, object]] | None
) -> None:
    assert history_rows(document) == rows


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ({"loss": [3, 2]}, {"loss": 2}),
        ({"acc": [1, 2], "val_acc": [3, 4]}, {"acc": 2, "val_acc": 4}),
        ({"acc": [1, 3]}, {"acc": 2.0}),
        ({"test_loss": [1, 3], "fit_time": [1, 1], "loss": [1, 3]}, {"test_loss": 2.0, "fit_time": 1.0, "loss": 2.0}),
    ],
)
def test_lists_are_a_history_only_where_their_names_leave_no_doubt(
    document: dict[str, object], made: dict[str, object]
) -> None:
    assert values(document) == made


def test_the_axis_of_a_history_is_no_metric() -> None:
    assert left_out({"loss": [1, 2], "Epoch": [1, 2], "global_step": [5, 6]}) == {
        "Epoch": "an axis",
        "global_step": "an axis",
    }


@pytest.mark.parametrize(
    ("document", "made"),
    [
        ({"fold_0": {"auc": 1, "loss": 4}, "fold_1": {"auc": 3, "loss": 6}}, {"auc": 2.0, "loss": 5.0}),
        ({"Fold 1": 1, "Fold 2": 3}, {"score": 2.0}),
        ({"cv": {"split0": {"auc": 1}, "split1": {"auc": 3}}}, {"cv/auc": 2.0}),
        ({"cv": [{"split": 0, "auc": 1}, {"split": 1, "auc": 3}]}, {"auc": 2.0}),
        ({"fold_0": {"auc": 1}}, {"fold_0/auc": 1}),
        ({"fold_0": {"auc": 1}, "best": {"auc": 3}}, {"fold_0/auc": 1, "best/auc": 3}),
        ({"rows": [{"auc": 1}, {"auc": 3}]}, {}),
    ],
)
def test_folds_are_put_together_where_all_names_say_that_they_are_folds(
    document: dict[str, object], made: dict[str, object]
) -> None:
    assert values(document) == made


def test_a_fold_without_a_value_makes_a_hole_that_is_named() -> None:
    assert left_out({"fold_0": {"auc": 1, "f1": 2}, "fold_1": {"auc": 3}}) == {"*/f1": "a list of 2"}


@pytest.mark.parametrize(
    ("numbers", "mean"),
    [
        ([math.inf, 1.0], math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.nan, 1.0], math.nan),
        ([1e308, 1e308], 1e308),
        ([0.1] * 10, 0.1),
    ],
)
def test_the_mean_of_folds_is_a_number_whatever_they_are(numbers: list[float], mean: float) -> None:
    (found,) = read_results({"auc": numbers})
    assert isinstance(found, Value)
    assert found.value == mean or (math.isnan(mean) and math.isnan(float(str(found.value))))
    assert found.folds == numbers or math.isnan(mean)


def test_a_whole_number_beyond_every_float_leaves_its_list_out() -> None:
    assert left_out({"auc": [10**400, 1]}) == {"auc": "a list of 2, one of them beyond every float"}


@pytest.mark.parametrize(
    ("key", "text", "value", "note"),
    [
        ("loss", "NaN", "NaN", None),
        ("loss", "0.50", 0.5, None),
        ("loss", "93.1%", 0.931, "written as 93.1%"),
        ("loss", "0,5", 0.5, "written as 0,5"),
        ("loss", " tensor(0.5) ", 0.5, "written as tensor(0.5)"),
    ],
)
def test_a_text_that_says_a_measured_value_is_one_and_how_it_was_written_is_noted(
    key: str, text: str, value: object, note: str | None
) -> None:
    assert list(read_results({key: text})) == [Value(key, key, value, note=note)]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("loss", "5"),
        ("loss", "1,234"),
        ("version", "1.0"),
        ("commit", "1.5"),
        ("run_id", "1.5"),
        ("seed", "0.5"),
        ("a", "x"),
    ],
)
def test_a_text_that_may_be_an_id_or_a_date_is_left_out(key: str, text: str) -> None:
    assert left_out({key: text}) == {key: "a text"}


def test_the_summary_of_wandb_is_told_by_its_own_keys_and_only_at_the_top() -> None:
    assert values({"_step": 3, "_private": 1, "acc": 0.5}) == {"acc": 0.5}
    assert values({"_private": 1, "acc": 0.5}) == {"_private": 1, "acc": 0.5}
    assert values({"inner": {"_step": 3}}) == {"inner/_step": 3}
    assert left_out({"image": {"_type": "image-file", "path": "x"}}) == {"image": "a image-file of W&B"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["loss", "fold_0", "fold_1", "_step", "results", "versions", "log_history", "macro avg", "epoch", "cv", "x"]
    ), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(
    st.dictionaries(
        st.text(max_size=9) | st.sampled_from(["log_history", "results", "versions", "loss"]), JSON, max_size=5
    )
)
def test_whatever_json_holds_is_told_and_nothing_raises(document: dict[str, object]) -> None:
    for found in read_results(document):
        assert isinstance(found, OmittedResult) or all(type(fold) is float for fold in found.folds)
    history_rows(document)
