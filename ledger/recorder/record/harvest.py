"""Harvest: boxes that nobody filled, from what the training left. What was said always wins."""

from collections.abc import Collection

import msgspec

from ledger.analysis.data.curves import gather
from ledger.capture.harvest.findings import find
from ledger.capture.harvest.known_files import check_formats
from ledger.capture.harvest.search import Findings, TrainingPlace
from ledger.errors import LedgerError
from ledger.recorder.record.draft import CaptureProblem, Draft
from ledger.recorder.record.options import seed_of
from ledger.recorder.record.recorder import read_policy
from ledger.store.branch.branch import Branch

_PARAM = "params."
_MOST_NOTES = 5
"""Most reasons that one box gives for being empty."""


def with_harvest(
    ledger: Branch | None,
    draft: Draft,
    source: TrainingPlace,
    *,
    choice: str | None = None,
    options: Collection[str] = (),
) -> Draft:
    """Return the draft with what the training left, in boxes that nobody filled; never raises.

    Args:
        ledger: ledger whose policy decides where nobody chose.
        draft: the run with everything that was said.
        source: where it ran, and when.
        choice: `auto`, `off`, or a list of sources.
        options: names of params that options of the command line state: others join them. A script that states
            params states all of them.
    """
    if draft.children or draft.elsewhere:
        return draft  # the files are those of several runs, or of another place
    try:
        formats = check_formats(choice or read_policy(ledger, strict=False)[0].harvest)
    except LedgerError as error:
        return _with_problem(draft, error.message)
    wanted = set() if draft.params.keys() - set(options) or draft.param_sources else {"params"}
    wanted |= set() if draft.curves else {"curves"}
    wanted |= set() if draft.metrics else {"metrics"}
    wanted |= set() if draft.model or draft.model_path else {"model"}
    if not formats or not wanted:
        return draft
    try:
        return _joined(draft, find(source, formats, wanted))
    except Exception as error:  # noqa: BLE001  # foreign files may hold anything; the run is recorded without them
        return _with_problem(draft, f"{type(error).__name__}: {error}")


def _with_problem(draft: Draft, why: str) -> Draft:
    problem = CaptureProblem(field="curves", message=f"what the training left was not read: {why}")
    return msgspec.structs.replace(draft, problems=[*draft.problems, problem])


def _joined(draft: Draft, found: Findings) -> Draft:
    said = {name.replace("-", "_") for name in draft.params}
    new = {name: value for name, value in found.params.items() if name.replace("-", "_") not in said}
    params = {**draft.params, **new}
    sources = {
        name: where
        for name, where in found.sources.items()
        if not name.startswith(_PARAM) or name.removeprefix(_PARAM) in new
    }
    empty = {"params": not params, "curves": not found.points, "metrics": not found.metrics, "model": not found.model}
    problems = [
        CaptureProblem(field=box, message="; ".join(notes[:_MOST_NOTES]))
        for box, notes in found.notes.items()
        if empty[box] and not (box == "metrics" and found.points)
    ]
    return msgspec.structs.replace(
        draft,
        params=params,
        curves=gather(found.points) if found.points else draft.curves,
        metrics=found.metrics or draft.metrics,
        model_path=found.model or draft.model_path,
        seed=seed_of(draft.seed, params),
        found=sources,
        problems=[*draft.problems, *problems],
    )
