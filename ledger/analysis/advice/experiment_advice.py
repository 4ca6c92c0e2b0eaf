"""Advice that needs all runs of an experiment: noise that hides the best, and models larger than necessary.

Silent where nothing was repeated, where no direction is known, and where sizes are unknown.
"""

from collections.abc import Sequence

from ledger.analysis.advice.run_advice import Advice
from ledger.analysis.comparing.comparable import counts, group_of
from ledger.analysis.judging.judgement import Tried, gather, ranked_settings, verdict_on
from ledger.formatting import number
from ledger.model.entries import StoredRun
from ledger.model.values import counted

_SMALLER = 4.0
"""How many times fewer parameters count as much fewer: our own threshold."""
_JUDGE = "the noise floor over seeds: ledger judge"
_OCCAM = "Blumer et al., Occam's Razor (Information Processing Letters 24, 1987); judged as by ledger judge"


def best_of(runs: Sequence[StoredRun]) -> tuple[StoredRun, Tried] | None:
    """Return the representative run of an experiment, and what was tried in the comparable group of its headline.

    The group is the one that most headlines were measured in; the run is the latest of the setting with the best
    mean. None where no headline was measured on known data, or no direction is known.

    Args:
        runs: runs of one experiment, oldest first.
    """
    keys = {run.record.headline.key for run in runs if run.record.headline is not None}
    headlines = [group_of(run.record.headline) for run in runs if run.record.headline and counts(run)]
    candidates = [
        tried
        for (key, _, _), tried in gather(runs).items()
        if key in keys and tried.direction is not None and tried.settings
    ]
    if not candidates:
        return None
    tried = max(candidates, key=lambda one: (headlines.count(one.group), sum(each.count for each in one.settings)))
    name = ranked_settings(tried)[0].runs[-1]
    return next((run, tried) for run in runs if run.record.id == name)


def advise_among(run: StoredRun, tried: Tried, runs: Sequence[StoredRun]) -> list[Advice]:
    """Return the advice that follows for a run from the other settings of its group.

    Args:
        run: run to advise on.
        tried: settings tried in its comparable group.
        runs: runs of these settings, for the size of each model.
    """
    if tried.direction is None or run.record.id not in tried.place:
        return []
    try:
        return [*_noise(run, tried), *_smaller(run, tried, runs)]
    except ModuleNotFoundError:  # scipy is part of the extra; without it differences cannot be told from noise
        return []


def _noise(run: StoredRun, tried: Tried) -> list[Advice]:
    """Yield advice when the two best settings, of which this is the best, differ by less than the noise width."""
    ranked = ranked_settings(tried)
    own = tried.settings[tried.place[run.record.id]]
    if len(ranked) == 1 or own is not ranked[0]:
        return []
    second = ranked[1]
    verdict = verdict_on(run.record.id, second.runs[-1], tried)
    if verdict.width is None or verdict.answer != "cannot tell" or abs(verdict.effect) >= verdict.width:
        return []
    effect, width = number(verdict.effect, 3), number(verdict.width, 3)
    what = f"the two best settings differ by {effect}, less than the noise width of {width}"
    cure = (
        f"repeat both with {counted(verdict.repeats, 'seed')}"
        if verdict.repeats is not None
        else "no number of repeats is likely to settle it: take the simpler one"
    )
    numbers = {"difference": verdict.effect, "noise_width": verdict.width}
    numbers |= {} if verdict.repeats is None else {"repeats": float(verdict.repeats)}
    return [Advice(rule="noise", say=f"{what}: {cure}", numbers=numbers, source=_JUDGE)]


def _smaller(run: StoredRun, tried: Tried, runs: Sequence[StoredRun]) -> list[Advice]:
    """Yield advice when a much smaller model is as good: an improvement over it by one noise width is excluded."""
    sizes = {one.record.id: one.record.model.parameters for one in runs}
    own = sizes.get(run.record.id)
    if not own:
        return []
    found: list[tuple[int, str]] = []
    for setting in tried.settings:
        size = max((sizes.get(name) or 0 for name in setting.runs), default=0)
        if 0 < size * _SMALLER <= own and verdict_on(run.record.id, setting.runs[-1], tried).answer == "discard":
            found.append((size, setting.runs[-1]))
    if not found:
        return []
    size, name = min(found)
    times = number(own / size, 2)
    say = f"run {name} has {times} times fewer parameters, and this one is not better than its noise: use it"
    numbers = {"parameters": float(own), "smaller": float(size)}
    return [Advice(rule="complexity", say=say, numbers=numbers, source=_OCCAM)]
