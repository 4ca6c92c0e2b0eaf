"""Milestones: the seven stages of a product, who claimed them for a model, and which evidence the ledger has.

A stage is claimed by a person, with a run as evidence, and never awarded: the evidence in the records is shown beside
the claim, and missing evidence is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.stages import CHECKS, STAGES, Check, Evidence, Stage
from ledger.analysis.comparing.settings import setting_key
from ledger.model.entries import Case, DatasetVersion, Note, StoredRun
from ledger.model.values import Document

State = Literal["done", "claimed", "next", "not yet"]
"""State of a stage: claimed with all evidence; claimed with some missing; next after the highest claimed; other."""


class MilestoneStep(Document, frozen=True, kw_only=True):
    """One stage of one model."""

    stage: Stage
    """The stage."""
    state: State
    """State of the stage."""
    run: str | None = None
    """Run named as evidence, where it still counts."""
    note: Note | None = None
    """The latest claim."""
    withdrawn: str | None = None
    """Run named as evidence that was retracted, which voids the claim."""
    checks: tuple[Check, ...] = ()
    """Requirements of the stage, as the records show them now."""

    @property
    def missing(self) -> tuple[Check, ...]:
        """Return the requirements that the records do not show."""
        return tuple(check for check in self.checks if not check.holds)


class Progress(Document, frozen=True, kw_only=True):
    """The progress of one model."""

    model: str
    """Name of the model; that of an experiment where nobody chose another."""
    runs: int
    """Number of runs that were considered; retracted ones are not."""
    reached: int
    """Highest stage that was claimed with evidence that stands; 0 for none."""
    steps: tuple[MilestoneStep, ...]
    """All seven stages, in order."""

    @property
    def next(self) -> MilestoneStep | None:
        """The next stage; none after the last."""
        return self.steps[self.reached] if self.reached < len(self.steps) else None


class Milestones(Document, frozen=True, kw_only=True):
    """The progress of every model."""

    models: tuple[Progress, ...]
    """Models with a claimed stage, the furthest first."""
    without: tuple[tuple[str, int], ...]
    """Number of runs of each experiment without one, by name."""


def milestones_of(
    runs: Sequence[StoredRun], versions: Iterable[DatasetVersion], cases: Iterable[Case], budget: Budget
) -> Milestones:
    """Return the progress of every model.

    Args:
        runs: every run, oldest first; a retracted one is no evidence.
        versions: every dataset version.
        cases: cases that models must pass.
        budget: what a model may take up.
    """
    experiments: dict[str, list[StoredRun]] = {}
    claims: dict[str, list[tuple[StoredRun, Note]]] = {}
    for run in runs:
        if run.retraction is None:
            experiments.setdefault(run.record.experiment, []).append(run)
        for note in run.notes:
            if note.kind == "milestone":
                claims.setdefault(note.model or run.record.experiment, []).append((run, note))
    known, registered = {version.hash: version for version in versions}, tuple(cases)
    with_baseline = [
        name
        for name, members in sorted(experiments.items())
        if any(note.kind == "baseline" for run in members for note in run.notes)
    ]
    models = []
    for model, said in claims.items():
        members = {run.record.id: run for run in experiments.get(model, ())}
        shown = [run for run, _ in said if run.retraction is None]
        members |= {run.record.id: run for run in (*_repeats(shown, experiments), *shown)}
        ordered = tuple(members[run] for run in sorted(members))
        models.append(_progress(model, said, Evidence(ordered, known, registered, budget, with_baseline)))
    models.sort(key=lambda one: (-one.reached, one.model))
    without = tuple((name, len(members)) for name, members in sorted(experiments.items()) if name not in claims)
    return Milestones(models=tuple(models), without=without)


def _repeats(shown: Sequence[StoredRun], experiments: Mapping[str, Sequence[StoredRun]]) -> list[StoredRun]:
    """Return the runs that differ only by seed from evidence, which may have an experiment of another name."""
    settings = {setting_key(run) for run in shown}
    names = dict.fromkeys(run.record.experiment for run in shown)
    return [run for name in names for run in experiments.get(name, ()) if setting_key(run) in settings]


def _progress(model: str, said: Sequence[tuple[StoredRun, Note]], evidence: Evidence) -> Progress:
    standing: dict[int, tuple[StoredRun, Note]] = {}
    withdrawn: dict[int, tuple[StoredRun, Note]] = {}
    for run, note in sorted(said, key=lambda claim: (claim[1].id[:15], claim[1].noted_at)):
        (standing if run.retraction is None else withdrawn)[note.stage or 0] = (run, note)
    reached = max(standing, default=0)
    steps = []
    for stage in STAGES:
        claim, fallen = standing.get(stage.number), withdrawn.get(stage.number)
        checks = tuple(CHECKS[stage.number](evidence, claim[0] if claim else evidence.latest))
        steps.append(
            MilestoneStep(
                stage=stage,
                state=_state(stage, reached, claim, checks),
                run=claim[0].record.id if claim else None,
                note=claim[1] if claim else fallen[1] if fallen else None,
                withdrawn=fallen[0].record.id if fallen and not claim else None,
                checks=checks,
            )
        )
    return Progress(model=model, runs=len(evidence.runs), reached=reached, steps=tuple(steps))


def _state(stage: Stage, reached: int, claim: object, checks: Sequence[Check]) -> State:
    if claim is not None:
        return "done" if all(check.holds for check in checks) else "claimed"
    return "next" if stage.number == reached + 1 else "not yet"
