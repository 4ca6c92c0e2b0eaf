"""scikit-learn: a search is one run, its candidates are a table.

from ledger.integrations.sklearn import record_search

search = GridSearchCV(model, {"C": [0.1, 1, 10]}).fit(x, y)
record_search(search, "digits")
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.integrations.adapter import AdapterRun
from ledger.model.values import Direction

RULE = "mean over the folds, best candidate of the search"


def record_search(
    search: Any,  # noqa: ANN401  # GridSearchCV, RandomizedSearchCV and their halving kin
    experiment: str | None = None,
    *,
    name: str = "score",
    direction: Direction = "higher",
    **options: Any,  # noqa: ANN401
) -> None:
    """Record a search that has ended, in the run that is open, or in one of its own; never raises.

    The params are those of the best candidate and those of its estimator that differ from the defaults. The metric is
    its mean score on the held-out folds, the table `candidates` has the score of every one.

    Args:
        search: fitted search, with `cv_results_`.
        experiment: experiment of the run.
        name: name of the score, where the search does not name several.
        direction: which scores are better; those of scikit-learn are higher.
        options: further arguments of `ledger.run()`.
    """
    adapter = AdapterRun({"experiment": experiment, **options})
    try:
        run = adapter.begin({**changed(search.estimator), **search.best_params_})
        if run is None:
            return
        refit = search.refit if search.multimetric_ else None
        label, suffix = (refit, f"_{refit}") if isinstance(refit, str) else (name, "_score")
        columns = candidates(search.cv_results_)
        run.table("candidates", columns)
        best = float(search.cv_results_[f"mean_test{suffix}"][search.best_index_])
        run.metric(label, best, split="validation", direction=direction, evaluator=RULE)
        adapter.settle()
        adapter.finish()
    except Exception as error:  # noqa: BLE001  # an object that only looks like a search
        adapter.warn("record_search", error)
        adapter.finish("failed", str(error))


def candidates(results: Mapping[str, Sequence[Any]]) -> dict[str, list[object]]:
    """Return `cv_results_` as columns of plain values: params, scores and times of every candidate."""
    return {
        name: [getattr(value, "item", lambda value=value: value)() for value in column]
        for name, column in results.items()
        if name != "params"
    }


def changed(estimator: Any) -> dict[str, object]:  # noqa: ANN401
    """Return the estimator, and its params that differ from their defaults."""
    usual = type(estimator)().get_params() if not hasattr(estimator, "steps") else {}
    kept = {
        name: value
        for name, value in estimator.get_params().items()
        if isinstance(value, bool | int | float | str) and (name not in usual or value != usual[name])
    }
    return {"estimator": type(estimator).__name__, **kept}
