"""Milestones: the seven stages of a product, who said that a model reached one, and what the ledger can see of it.

A stage is claimed by a person, with a run as evidence, and never awarded: what the records show is set beside the
claim, and what they do not show is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.stages import CHECKS, STAGES, Check, Evidence, Stage
from ledger.analysis.comparing.settings import setting_key
from ledger.model.entries import Case, DatasetVersion, Note, StoredRun
from ledger.model.values import Document

State = Literal["done", "claimed", "next", "not yet"]
"""Of a stage: claimed and seen; claimed with something missing; the one after the highest claimed; the others."""


class MilestoneStep(Document, frozen=True, kw_only=True):
    """One stage of one model."""

    stage: Stage
    """The stage."""
    state: State
    """How it stands."""
    run: str | None = None
    """Run that was named as evidence, where it still counts."""
    note: Note | None = None
    """The latest claim."""
    withdrawn: str | None = None
    """Run that was named as evidence and retracted, so that the claim counts no longer."""
    checks: tuple[Check, ...] = ()
    """What it asks for, as the records show it today."""

    @property
    def missing(self) -> tuple[Check, ...]:
        """What the records do not show."""
        return tuple(check for check in self.checks if not check.holds)


class Progress(Document, frozen=True, kw_only=True):
    """Where one model stands."""

    model: str
    """Name of the model; that of an experiment where nobody chose another."""
    runs: int
    """Runs that were looked at, retracted ones left out."""
    reached: int
    """Highest stage that was claimed and whose evidence was not retracted; 0 for none."""
    steps: tuple[MilestoneStep, ...]
    """All seven stages, in their order."""

    @property
    def next(self) -> MilestoneStep | None:
        """The stage that comes next; none after the last."""
        return self.steps[self.reached] if self.reached < len(self.steps) else None


class Milestones(Document, frozen=True, kw_only=True):
    """Where every model stands."""

    models: tuple[Progress, ...]
    """Models of which somebody claimed a stage, the furthest first."""
    without: tuple[tuple[str, int], ...]
    """Experiments of which nobody did, by name, with the number of their runs."""


def milestones_of(
    runs: Sequence[StoredRun], versions: Iterable[DatasetVersion], cases: Iterable[Case], budget: Budget
) -> Milestones:
    """Return where every model stands.

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
    models = []
    for model, said in claims.items():
        members = {run.record.id: run for run in experiments.get(model, ())}
        shown = [run for run, _ in said if run.retraction is None]
        members |= {run.record.id: run for run in (*_repeats(shown, experiments), *shown)}
        ordered = tuple(members[run] for run in sorted(members))
        models.append(_progress(model, said, Evidence(ordered, known, registered, budget)))
    models.sort(key=lambda one: (-one.reached, one.model))
    without = tuple((name, len(members)) for name, members in sorted(experiments.items()) if name not in claims)
    return Milestones(models=tuple(models), without=without)


def _repeats(shown: Sequence[StoredRun], experiments: Mapping[str, Sequence[StoredRun]]) -> list[StoredRun]:
    """Return the runs that differ by seed only from evidence, which may lie in an experiment of another name."""
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
