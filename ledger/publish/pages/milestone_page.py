"""The page of milestones: seven steps for each model, who claimed them, and the requirements of the next."""

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.milestones import Milestones, MilestoneStep, milestones_of
from ledger.analysis.advice.stages import STAGES
from ledger.publish.charts.axes import name_at, picture
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.publish.text import escaped

MODELS_SHOWN = 200
"""Most models on the page, the furthest first."""
_FOLDED = 300
"""Most experiments without a milestone that are named."""
_PITCH, _RADIUS = 96, 13
"""Distance between two steps and radius of one, in pixels."""

_MARKS = {"done": "M-5 0l3.500 3.500L5.500 -4", "claimed": "M0 -6v7M0 4.500v1"}
"""Marks in a step beside its number: colour is never the only sign."""


def survey_milestones(atlas: Atlas, budget: Budget) -> Milestones:
    """Return the progress of every model."""
    versions = [version for members in atlas.datasets.values() for version in members]
    cases = [case for members in atlas.cases.values() for case in members]
    return milestones_of(atlas.runs, versions, cases, budget)


def render_milestones(atlas: Atlas, milestones: Milestones) -> Page:
    """Return the page of milestones.

    Args:
        atlas: everything on the ledger.
        milestones: progress of every model.
    """
    shown = milestones.models[:MODELS_SHOWN]
    content = render(
        "milestones",
        names=atlas.names,
        models=[(progress, markup(render_steps(progress.model, progress.steps))) for progress in shown],
        left_out=len(milestones.models) - len(shown),
        without=milestones.without[:_FOLDED],
        others=len(milestones.without),
        experiments=set(atlas.experiments),
        stages=STAGES,
        depth=1,
    )
    return Page(
        kind="milestones",
        path=addresses.MILESTONES,
        title="Milestones",
        description=f"Where {len(milestones.models)} models stand on the way to a product, with evidence",
        content=content,
    )


def render_steps(model: str, steps: tuple[MilestoneStep, ...]) -> str:
    """Return seven steps as a picture: done, claimed with something missing, next, not yet."""
    width = _PITCH * len(steps)
    parts = [f'<path class="lg-step-line" d="M{_PITCH // 2} 26H{width - _PITCH // 2}"/>']
    for index, step in enumerate(steps):
        x = _PITCH // 2 + index * _PITCH
        css = f"lg-step lg-step-{step.state.replace(' ', '-')}"
        mark = _MARKS.get(step.state)
        inside = f'<path d="{mark}"/>' if mark else f'<text x="0" y="4" text-anchor="middle">{step.stage.number}</text>'
        title = escaped(f"{step.stage.number} {step.stage.name}: {_state_text(step)}")
        parts.append(
            f'<g class="{css}" transform="translate({x} 26)"><title>{title}</title><circle r="{_RADIUS}"/>{inside}</g>'
        )
        parts.append(name_at(x, 58, step.stage.slug, anchor="middle"))
    title = f"{model}: " + "; ".join(f"{step.stage.slug} {_state_text(step)}" for step in steps)
    return picture(width, 66, title, "".join(parts), "lg-steps-chart")


def _state_text(step: MilestoneStep) -> str:
    if step.withdrawn is not None:
        return "its evidence was retracted"
    return f"claimed, {len(step.missing)} missing" if step.state == "claimed" else step.state
