"""The boxes of a record, filled from a draft, each with what could not be captured and why."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.analysis.data.curves import down_sample, render_curves
from ledger.capture.machine.pricing.cost import GPUS_UNKNOWN, capture_cost
from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.box import Box
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Datasets, Params
from ledger.model.boxes.machine import Environment, Gpu, Hardware
from ledger.model.boxes.outputs import Curves, Logs, Metric, Model, Results
from ledger.model.record import ImportOrigin, Timing
from ledger.model.values import counted
from ledger.recorder.data.datasets import Resolver, attach_datasets, leaks_within, with_aliases
from ledger.recorder.record.admission import few_enough, once
from ledger.recorder.record.curve_results import metrics_of_curves
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.figures import read_figures
from ledger.recorder.record.policy_metrics import complete
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import living_run
from ledger.store.branch.policy import Policy
from ledger.store.branch.run_ids import resolve_run

B = TypeVar("B", bound=Box)
"""One of the ten boxes."""


def timing_of(draft: Draft, now: datetime) -> Timing:
    """Return the timing of the run."""
    return Timing(
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        duration_seconds=round(draft.duration_seconds, 3) if draft.timed else None,
        recorded_at=now,
        source=draft.times,
        unknown=draft.times_unknown,
        attempts=draft.attempts,
    )


def params_of(draft: Draft, policy: Policy) -> Params:
    """Return box 2: the inputs."""
    places = [name for name in draft.params if name in policy.places or name.rpartition(".")[2] in policy.places]
    unknown = {name.removeprefix("params."): why for name, why in _problems(draft) if _box_of(name) == "params"}
    if not draft.params and not draft.chain:
        silent = f"no params in {', '.join(draft.param_sources)}" if draft.param_sources else "no params were given"
        unknown = {"all": "; ".join(f"{name}: {why}" for name, why in unknown.items()) or silent}
    if draft.children and not draft.params and not draft.chain:
        unknown = {"all": _of_children(draft)}
    return Params(
        values=draft.params,
        sources=draft.param_sources,
        places=places,
        chain=draft.chain,
        unknown=unknown,
        found=_found(draft, "params.", draft.params),
    )


def _found(draft: Draft, prefix: str, whole: Collection[str]) -> dict[str, str]:
    """Return where the values of a box were found, as `all` where all of them have one source."""
    found = {name.removeprefix(prefix): where for name, where in draft.found.items() if name.startswith(prefix)}
    sources = set(found.values())
    return {"all": sources.pop()} if len(sources) == 1 and found.keys() == set(whole) else found


def _of_children(draft: Draft) -> str:
    """Return why a run with child runs has no values of its own."""
    return f"{counted(len(draft.children), 'run')} started in it have records of their own"


def _problems(draft: Draft) -> list[tuple[str, str]]:
    return [(problem.field, problem.message) for problem in draft.problems]


def _box_of(field: str) -> str:
    """Return the box that a problem belongs to: the results, unless its field names another."""
    first = field.partition(".")[0]
    return first if first in {"params", "datasets", "model", "logs", paths.TABLES} else "results"


def with_problems(box: B, name: str, draft: Draft) -> B:
    """Return a box with its problems in `unknown`; for an empty box they explain that."""
    said = {field.removeprefix(f"{name}."): why for field, why in _problems(draft) if _box_of(field) == name}
    if said and "all" in box.unknown:
        said = {"all": "; ".join(f"{field}: {why}" for field, why in said.items())}
    return msgspec.structs.replace(box, unknown={**box.unknown, **said})


def datasets_of(draft: Draft, resolver: Resolver, policy: Policy, files: dict[str, bytes]) -> Datasets:
    """Return box 3; files of versions that are new on the ledger are added to `files`."""
    if not draft.datasets:
        return Datasets(unknown={"all": "no dataset was named"})
    resolved = [resolver.resolve(source) for source in draft.datasets]
    for found in resolved:
        files |= found.files
    unknown = {f"used.{found.use.label}": found.unknown for found in resolved if found.unknown}
    used = with_aliases([found.use for found in resolved], policy)
    return Datasets(used=used, leaks=leaks_within(resolved), feeds=draft.feeds, unknown=unknown)


def named_run(ledger: Branch | None, short: str | None, *, strict: bool) -> str | None:
    """Return the whole id of a run that the user named; a name of no run is refused, or kept as it is."""
    if short is None or ledger is None:
        return short
    try:
        return resolve_run(ledger, short)
    except LedgerError:
        # A living run has no record yet; only its whole id names it, since any word may be the start of an id.
        if strict and living_run(ledger.repository.state_dir, short) != short:
            raise
        return short


def with_imported(environment: Environment, imported: dict[str, str] | None) -> Environment:
    """Return box 5 with the frameworks that the run had imported, where its processes reported them."""
    if imported is not None:
        return msgspec.structs.replace(environment, imported=imported)
    if not environment.known:
        return environment
    why = "imports are unknown, only the installed packages are known; `ledger.run()` in the script records imports"
    return msgspec.structs.replace(environment, unknown={**environment.unknown, "imported": why})


def with_usage(hardware: Hardware, draft: Draft) -> Hardware:
    """Return box 4 with the measurements of the sampler."""
    if draft.rank is not None:
        rank = draft.rank
        hardware = msgspec.structs.replace(
            hardware,
            processes=rank.processes,
            rank=rank.rank,
            job=rank.job,
            launcher=rank.launcher,
            nodes=draft.nodes,
            ranks=draft.ranks,
        )
    if draft.ranks_unknown is not None:
        hardware = msgspec.structs.replace(hardware, unknown={**hardware.unknown, "ranks": draft.ranks_unknown})
    if draft.usage is None and not hardware.known:
        return hardware
    if draft.usage is None:
        reason = "the run was not watched; `ledger run` and `ledger.run()` watch it"
        return msgspec.structs.replace(hardware, unknown={**hardware.unknown, "usage": reason})
    gpus: list[Gpu] = draft.gpus or hardware.gpus
    return msgspec.structs.replace(hardware, usage=draft.usage, gpus=gpus)


def cost_of(hardware: Hardware, draft: Draft, policy: Policy, policy_problem: str | None) -> Cost:
    """Return box 6; a price that is unknown has a reason."""
    if not draft.timed and draft.origin is not None:
        return Cost(unknown={"all": f"imported from {draft.origin.tracker}, which does not say how long it took"})
    if not draft.timed:
        return Cost(unknown={"all": "the run's duration was not measured; give it with --duration"})
    if draft.machines > 1:
        why = f"attempts ran on {draft.machines} kinds of machine, and each has a price of its own"
        return Cost(currency=policy.prices.currency, catalogue=policy.prices.name, unknown={"amount": why})
    started = None if "started_at" in draft.times_unknown else draft.started_at.date()
    cost = capture_cost(hardware, draft.duration_seconds, policy.prices, started=started, energy=policy.energy)
    unknown = dict(cost.unknown)
    if draft.origin is not None and unknown.get("amount") == GPUS_UNKNOWN:
        unknown["amount"] = unknown_machine(draft.origin)
    if draft.ranks_unknown is not None:
        unknown["ranks"] = f"only the hosts that were seen have a price: {draft.ranks_unknown}"
    if policy_problem is not None:
        unknown["catalogue"] = policy_problem
    return msgspec.structs.replace(cost, unknown=unknown)


def unknown_machine(origin: ImportOrigin) -> str:
    """Return why an imported run has no price, although its duration is known."""
    return f"imported from {origin.tracker}, which does not say on what machine"


def model_of(draft: Draft, redactor: Redactor, *, strict: bool) -> Model:
    """Return box 7: the model's file, and what its forward pass costs.

    Raises:
        LedgerError: strict, and what the user named cannot be captured.
    """
    made = _model_file(draft, redactor, strict=strict)
    return made if draft.profile is None else _with_profile(made, draft.profile)


def _with_profile(made: Model, profile: Model) -> Model:
    """Return the model box with the fields of a profile; what its file says of its parameters wins."""
    known = {name: getattr(profile, name) for name in Model.__struct_fields__ if name not in {"unknown", "found"}}
    fresh = {name: value for name, value in known.items() if value and not getattr(made, name)}
    unknown = {name: why for name, why in made.unknown.items() if name not in fresh}
    if (why := unknown.pop("all", None)) is not None:
        unknown["hash"] = why
    why_not = {name: why for name, why in profile.unknown.items() if getattr(made, name, None) is None}
    return msgspec.structs.replace(made, **fresh, unknown=why_not | unknown)


def _model_file(draft: Draft, redactor: Redactor, *, strict: bool) -> Model:
    if draft.model is not None:
        return _without_secrets(draft.model, redactor)
    if draft.model_path is None:
        return Model(unknown={"all": "no model was given"})
    from ledger.capture.outputs.model import capture_model

    try:
        made = capture_model(Path(draft.model_path))
    except LedgerError as error:
        if strict:
            raise
        made = Model(path=draft.model_path, unknown={"all": error.message})
    if "model" in draft.found:
        made = msgspec.structs.replace(made, path=_within_folder(draft), found={"all": draft.found["model"]})
    return _without_secrets(made, redactor)


def _within_folder(draft: Draft) -> str:
    """Return the path of a model that was found as the record shows it: not where this machine keeps it."""
    return draft.found["model"].partition(", ")[0]


def _without_secrets(model: Model, redactor: Redactor) -> Model:
    return msgspec.structs.replace(model, path=redactor.text(model.path)) if model.path else model


def logs_of(draft: Draft, side: dict[str, bytes], redactor: Redactor, *, strict: bool) -> Logs:
    """Return box 8; the summary of the log is added to `side`.

    Raises:
        LedgerError: strict, and what the user named cannot be captured.
    """
    if draft.log is None:
        return Logs(unknown={"all": "no log was given"})
    from ledger.capture.outputs.logs import summarise_log

    try:
        logs, side[paths.LOG_FILE] = summarise_log(Path(draft.log), redactor)
    except LedgerError as error:
        if strict:
            raise
        return Logs(unknown={"all": error.message})
    return logs


def results_of(
    draft: Draft, datasets: Datasets, policy: Policy, side: dict[str, bytes], redactor: Redactor, *, strict: bool
) -> Results:
    """Return box 9; curves and figures are added to `side`.

    Raises:
        LedgerError: strict, and what the user named cannot be captured.
    """
    said = draft.metrics
    if all(metric.origin == "file" for metric in said):
        known = {metric.key for metric in said}
        said = [*said, *(one for one in metrics_of_curves(draft.curves, policy) if one.key not in known)]
    metrics = complete(once(attach_datasets(said, datasets.used)), policy)
    headline = _headline(draft.headline, metrics, policy, strict=strict)
    metrics, too_many = few_enough(metrics, headline, policy.limits.metrics, strict=strict)
    unknown = {name: why for name, why in _problems(draft) if _box_of(name) == "results"}
    if not draft.metrics:
        instead = "; those here are the last values of the curves" if metrics else ""
        none = _of_children(draft) if draft.children else "no metric was given"
        unknown.setdefault("metrics", f"{none}{instead}")
    if too_many:
        unknown["metrics"] = too_many
    found = _found(draft, "metrics.", [metric.key for metric in draft.metrics])
    found = {f"metrics.{name}" if name != "all" else "metrics": where for name, where in found.items()}
    found |= {"curves": draft.found["curves"]} if "curves" in draft.found else {}
    curves = None
    if draft.curves:
        kept = down_sample(draft.curves.points, policy.limits.curve_points)
        side[paths.CURVES_FILE] = data = render_curves(kept)
        series = sorted({name for point in kept for name in point.values})
        curves = Curves(hash=hash_bytes(data), series=series, points=len(kept), logged=draft.curves.logged)
    figures, problems = read_figures(draft.figures, side, redactor, limit=policy.limits.figure_bytes, strict=strict)
    return Results(
        headline=headline,
        metrics=metrics,
        curves=curves,
        figures=figures,
        unknown=unknown | problems,
        found=found,
    )


def _headline(wanted: str | None, metrics: list[Metric], policy: Policy, *, strict: bool) -> str | None:
    """Return the headline metric: the requested one, else validation, test, any, train; higher-is-better first."""
    keys = [metric.key for metric in metrics]
    wanted = next((metric.key for metric in metrics if wanted is not None and metric.said == wanted), wanted)
    if wanted in keys or not keys:
        return wanted if keys else None
    if wanted is not None and strict:
        raise LedgerError(f"the headline must be a metric of this run: `{wanted}`", hint=f"one of {', '.join(keys)}")
    order = {"validation": 0, "test": 1, "train": 3}

    def rank(metric: Metric) -> tuple[int, bool]:
        split = (metric.split or "").lower()
        return order.get(policy.splits.get(split, split), 2), metric.direction != "higher"

    return min(metrics, key=rank).key
