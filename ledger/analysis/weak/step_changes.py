"""Steps around the model that differ between two runs, in words."""

from ledger.analysis.query.fields import params_that_differ, show_value
from ledger.model.boxes.inputs import Step
from ledger.model.entries import StoredRun
from ledger.model.values import Document


class StepChange(Document, frozen=True, kw_only=True):
    """A step that differs between a run and the one it is compared with."""

    name: str
    """Name of the step."""
    said: str
    """The difference in words: `flip: false → true`, `added`, `its code`."""


def changed_steps(run: StoredRun, other: StoredRun) -> list[StepChange]:
    """Return the steps of a run that differ from those of another, in the order of the chain."""
    ours, theirs = ({step.name: step for step in one.record.params.chain} for one in (run, other))
    names = dict.fromkeys((*ours, *theirs))
    found = ((name, _difference(run, ours.get(name), other, theirs.get(name))) for name in names)
    return [StepChange(name=name, said=said) for name, said in found if said]


def other_differences(run: StoredRun, other: StoredRun) -> list[str]:
    """Return the params outside of steps that differ between two runs, and `code` where that differs; sorted."""
    steps = {step.name for one in (run, other) for step in one.record.params.chain}
    names = [
        name
        for name in params_that_differ([run, other])
        if not any(name == step or name.startswith(f"{step}.") for step in steps)
    ]
    code = run.record.code.identity != other.record.code.identity
    return [*names, *(["code"] if code else [])]


def _difference(run: StoredRun, step: Step | None, other: StoredRun, before: Step | None) -> str:
    if step is None or before is None:
        return "added" if before is None else "removed"
    now, then = run.record.params.of_step(step), other.record.params.of_step(before)
    missing = object()
    told = [
        f"{name}: {show_value(then.get(name)) or 'none'} → {show_value(now.get(name)) or 'none'}"
        for name in dict.fromkeys((*then, *now))
        if repr(then.get(name, missing)) != repr(now.get(name, missing))
    ]
    if step.code != before.code:
        told.append("its code")
    if step.stage != before.stage:
        told.append(f"{before.stage} → {step.stage}")
    return ", ".join(told)
