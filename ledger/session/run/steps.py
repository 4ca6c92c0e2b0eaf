"""Steps around the model, as a script states them: their place in the chain and the hash of their code."""

from collections.abc import Iterable
from typing import get_args

from ledger.errors import LedgerError
from ledger.model.boxes.inputs import Step
from ledger.model.values import StepStage, check_label


def make_step(name: str, code: object, stage: StepStage | None) -> Step:
    """Return a step; where its code cannot be hashed, it states why.

    Raises:
        LedgerError: a record cannot hold the name, or there is no such stage.
    """
    name = check_label("name of a step", name)
    if stage is None:
        stage = "output" if name.lower().startswith("post") else "input"
    elif stage not in get_args(StepStage):
        raise LedgerError(f"no such stage of a step: `{stage}`", hint=f"one of {', '.join(get_args(StepStage))}")
    if code is None:
        return Step(name=name, stage=stage)
    from ledger.data.preparing.object_code import hash_object, object_name  # inspecting code takes `ast` and `inspect`

    said = object_name(code)
    try:
        return Step(name=name, stage=stage, code=hash_object(code), function=said)
    except LedgerError as error:
        return Step(name=name, stage=stage, function=said, unknown=error.message)
    except Exception as error:  # noqa: BLE001  # a foreign object may raise anything when it is read
        return Step(name=name, stage=stage, function=said, unknown=f"{type(error).__name__}: {error}"[:200])


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Return the steps in their order, those of the input first; a later one of the same name replaces it in place."""
    latest = {step.name: step for step in steps}
    return sorted(latest.values(), key=lambda step: step.stage == "output")
