"""The adapters of Ray Tune and fastai in real trainings, as the handbook shows them."""

from collections.abc import Callable

import pytest

from tests.real.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
Make = Callable[..., Project]


def test_each_trial_of_ray_is_a_run_of_the_driver(project: Make) -> None:
    there = project("with_ray.py")
    there.run("python", "with_ray.py")
    good, bad = sorted(there.records(), key=lambda record: float(str(record.params.values["lr"])))
    assert [good.status, bad.status] == ["finished", "failed"]
    assert bad.reason == "ValueError: the loss is not finite"
    for record in (good, bad):
        assert record.code.commit is not None, "workers of Ray have no repository; the driver has"
        assert record.experiment == "with-ray"
        assert list(record.statistics.series) == ["validation/loss"]
        assert record.statistics.series["validation/loss"].count == 3
        (loss,) = record.results.metrics
        assert (loss.direction, loss.evaluator) == ("lower", "last result of the Ray trial")
    assert good.results.metrics[0].number == pytest.approx(0.1 / 3)


AGAIN = """
    import pathlib
    if not pathlib.Path("FLAG").exists():
        pathlib.Path("FLAG").write_text("")
        raise ValueError("a lost node")
"""


def test_a_trial_that_ray_starts_again_has_each_step_once(project: Make) -> None:
    there = project("with_ray.py")
    there.edit("with_ray.py", "[0.1, 2]", "[0.1]")
    there.edit("with_ray.py", "verbose=0", "verbose=0, failure_config=tune.FailureConfig(max_failures=1)")
    again = AGAIN.replace("FLAG", str(there.folder / "data" / "flag"))
    there.edit("with_ray.py", '    if config["lr"] > 1:', f'{again}    if config["lr"] > 1:')
    there.run("python", "with_ray.py")
    (record,) = there.records()
    assert (record.status, record.statistics.series["validation/loss"].count) == ("finished", 3)


def test_fastai(project: Make) -> None:
    there = project("with_fastai.py")
    there.run("python", "with_fastai.py")
    (record,) = there.records()
    assert (record.status, record.seed) == ("finished", 0)
    assert record.params.values == {"epochs": 2, "lr": 0.05, "batch_size": 8, "optimizer": "Adam", "seed": 0}
    assert record.statistics.series["train/batch_loss"].count == 12
    assert record.statistics.series["validation/loss"].count == 2
    assert (record.statistics.epochs, record.model.parameters) == (2, 5)
    assert {metric.key for metric in record.results.metrics} == {"train/loss", "validation/loss"}
    assert {metric.evaluator for metric in record.results.metrics} == {"last epoch of fastai"}


def test_a_learner_that_is_fitted_again_goes_on(project: Make) -> None:
    there = project("with_fastai.py")
    there.edit("with_fastai.py", "    learner.fit(2, 0.05)", "    learner.fit(2, 0.05)\n    learner.fit(1, 0.01)")
    there.run("python", "with_fastai.py")
    (record,) = there.records()
    assert record.statistics.series["train/batch_loss"].count == 18
    assert (record.statistics.epochs, record.params.values["epochs"]) == (3, 3)


def test_a_learner_that_fails_is_recorded_as_failed(project: Make) -> None:
    there = project("with_fastai.py")
    there.edit("with_fastai.py", "torch.nn.functional.mse_loss", "lambda found, truth: 1 / 0")
    there.run("python", "with_fastai.py", fails=True)
    (record,) = there.records()
    assert (record.status, record.reason) == ("failed", "ZeroDivisionError: division by zero")
