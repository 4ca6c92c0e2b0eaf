"""`run.step`: augmentation and post-processing as facts of a run, with their params and the hash of their code."""

import sys
from pathlib import Path

import pytest

import ledger as api
from ledger.analysis.data.chain import chain_of
from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python


def augment(picture: object) -> object:
    return picture


def only_record(repo: Path) -> Record:
    (run,) = Branch.open(repo).contents().runs
    return run.record


def test_steps_stand_in_the_order_of_the_chain_and_their_params_are_params_of_the_run(repo: Path) -> None:
    with api.run("p", params={"lr": 0.1}, folder=repo) as run:
        run.step("postprocess", {"threshold": 0.5})
        run.step("augment", {"flip": True, "crop": {"size": 32}}, code=augment)
        run.step("normalise", mean=0.5)
        run.step("vote", stage="output", models=3)
    record = only_record(repo)
    assert [(step.name, step.stage) for step in record.params.chain] == [
        ("augment", "input"), ("normalise", "input"), ("postprocess", "output"), ("vote", "output"),
    ]  # fmt: skip
    assert record.params.values == {
        "lr": 0.1, "augment.flip": True, "augment.crop.size": 32, "normalise.mean": 0.5,
        "postprocess.threshold": 0.5, "vote.models": 3,
    }  # fmt: skip
    first = record.params.chain[0]
    assert first.function == f"{__name__}.augment"
    assert first.code is not None
    assert record.params.of_step(first) == {"flip": True, "crop.size": 32}
    assert [link.kind for link in chain_of(record)] == ["data", "step", "step", "model", "step", "step", "metric"]


def test_params_of_a_config_belong_to_the_step_of_their_name(repo: Path) -> None:
    with api.run("p", params={"augment": {"flip": True}, "augmented": 1}, folder=repo) as run:
        run.step("augment")
    record = only_record(repo)
    assert record.params.of_step(record.params.chain[0]) == {"flip": True}


def test_a_later_step_of_a_name_replaces_it_in_its_place(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.step("augment", flip=False)
        run.step("normalise")
        run.step("augment", code=augment, flip=True)
    record = only_record(repo)
    assert [step.name for step in record.params.chain] == ["augment", "normalise"]
    assert record.params.chain[0].code is not None
    assert record.params.values == {"augment.flip": True}


def test_a_run_without_steps_has_no_chain(repo: Path) -> None:
    with api.run("p", params={"lr": 0.1}, folder=repo):
        pass
    assert chain_of(only_record(repo)) == []


def test_steps_without_params_are_known_inputs(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.step("augment")
    assert only_record(repo).params.unknown == {}


def test_code_that_cannot_be_read_is_unknown_and_says_why(repo: Path) -> None:
    made: dict[str, object] = {}
    exec("def flip(x):\n    return x", made)  # noqa: S102  # a function whose source is nowhere
    made["flip"].__module__ = __name__  # as one defined in this file
    with api.run("p", folder=repo) as run:
        run.step("augment", code=made["flip"])
    (step,) = only_record(repo).params.chain
    assert step.code is None
    assert "the source of this step cannot be read" in (step.unknown or "")


@pytest.mark.parametrize("wrong", [("", None), ("a\nb", None), ("augment", "middle")])
def test_a_step_that_a_record_cannot_hold_is_a_problem_and_training_goes_on(
    repo: Path, wrong: tuple[str, str | None]
) -> None:
    name, stage = wrong
    with api.run("p", params={"lr": 0.1}, folder=repo) as run:
        run.step(name, stage=stage)  # type: ignore[arg-type]  # what a script may give
    record = only_record(repo)
    assert record.params.chain == []
    assert any(field.startswith("step ") for field in record.params.unknown)
    assert record.status == "finished"


class _Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __getattribute__(self, name: str) -> object:
        if name in {"__dict__", "size"}:
            raise RuntimeError("no")
        return object.__getattribute__(self, name)


def test_an_object_that_raises_when_it_is_read_harms_no_training(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.step("augment", {"flip": True}, code=_Rude())
    record = only_record(repo)
    assert record.status == "finished"
    assert record.params.chain[0].name == "augment"
    assert record.params.chain[0].unknown


def test_a_secret_among_the_params_of_a_step_is_replaced(repo: Path) -> None:
    with api.run("p", folder=repo) as run:
        run.step("augment", {"api_key": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH", "flip": True})
    record = only_record(repo)
    assert "sk-proj" not in str(record.params.values["augment.api_key"])
    assert record.redactions


STEPS = """
import ledger, os, signal
with ledger.run("p") as run:
    run.step("augment", flip=True)
    END
"""


def test_steps_of_a_wrapped_script_and_of_a_killed_one_are_kept(repo: Path, cli: Cli) -> None:
    (repo / "train.py").write_text(STEPS.replace("END", "pass"), "utf-8")
    assert cli("run", "--no-push", "--", sys.executable, "train.py").code == 0
    run_python(STEPS.replace("END", "os.kill(os.getpid(), signal.SIGKILL)"), cwd=repo).communicate(timeout=60)
    assert cli("recover").code == 0
    runs = Branch.open(repo).contents().runs
    assert {run.record.status for run in runs} == {"finished", "lost"}
    assert [[step.name for step in run.record.params.chain] for run in runs] == [["augment"], ["augment"]]
    assert all(run.record.params.values == {"augment.flip": True} for run in runs)


def test_show_list_and_compare_name_the_steps(repo: Path, cli: Cli) -> None:
    for flip in (True, False):
        with api.run("p", folder=repo) as run:
            run.step("augment", {"flip": flip}, code=augment if flip else only_record)
            run.metric("validation/accuracy", 0.9)
    with api.run("p", folder=repo):
        pass
    ids = [run.record.id for run in Branch.open(repo).contents().runs]
    shown = cli("show", ids[0]).out
    assert "unknown training data → augment → model → validation/accuracy" in shown
    assert f"by {__name__}.augment" in shown
    assert cli("list", "chain=augment", "augment.flip=true", "--json").out.count('"id"') == 1
    assert cli("list", "chain=postprocess", "--json").out.strip() == "[]"
    compared = cli("compare", *ids, "--csv").out
    assert "params.augment.flip,true,false," in compared
    assert "code of augment,blake3:" in compared
    assert "chain,augment,augment," in compared


def test_a_wrapped_command_of_any_language_names_its_steps_in_a_file(repo: Path, cli: Cli) -> None:
    said = f'{{"postprocess": {{"threshold": 0.5}}, "augment": {{"flip": true}}, "{"x" * 201}": {{"much": 1}}}}'
    done = cli("run", "--no-push", "--", "sh", "-c", f"printf '%s' '{said}' > $LEDGER_RUN_DIR/steps.json")
    assert done.code == 0, done.err
    record = only_record(repo)
    assert [(step.name, step.stage) for step in record.params.chain] == [
        ("augment", "input"),
        ("postprocess", "output"),
    ]
    assert record.params.values["augment.flip"] is True
    assert record.params.values["postprocess.threshold"] == 0.5
    assert "steps" in record.params.unknown


def test_a_file_of_steps_that_cannot_be_read_is_said(repo: Path, cli: Cli) -> None:
    done = cli("run", "--no-push", "--", "sh", "-c", "echo '{' > $LEDGER_RUN_DIR/steps.json; exit 0")
    assert done.code == 0, done.err
    record = only_record(repo)
    assert record.params.chain == []
    assert "steps.json" in str(record.params.unknown)
