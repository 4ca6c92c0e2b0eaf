"""The page of one run: status, headline, curves, and the ten boxes in their order."""

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ledger.analysis.advice.budget import Budget, Spent
from ledger.analysis.advice.run_advice import Advice, advise
from ledger.analysis.comparing.comparable import agreed_direction, why_not_comparable
from ledger.analysis.data.chain import chain_of
from ledger.analysis.data.feeds import feed_facts, shown_stretches
from ledger.errors import LedgerError
from ledger.exporters.exported_run import ExportedRun
from ledger.exporters.to_cyclonedx import to_cyclonedx
from ledger.exporters.to_prov import to_prov
from ledger.exporters.to_ro_crate import crate_metadata
from ledger.formatting import utc
from ledger.model.boxes.outputs import Metric
from ledger.model.claims.measurements import same_data, same_data_text
from ledger.model.document import load
from ledger.model.entries import DatasetVersion, EnvironmentFile, StoredRun
from ledger.model.paths import ENVIRONMENT_FILE, LOG_FILE, NOTEBOOK_FILE, PATCH_FILE, run_path
from ledger.model.record import Record
from ledger.model.values import Document
from ledger.publish.charts.curve_panels import Panel, encode_curves, panels_of, try_points
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.box_glances import box_glances
from ledger.publish.pages.parts.code_view import CellView, FileChange, load_cells, load_patch
from ledger.publish.pages.parts.table_views import TableView, tables_of
from ledger.publish.pages.parts.verdict_line import VerdictLine
from ledger.publish.pages.parts.weak_view import WeakView
from ledger.publish.pages.pictures import Picture, pictures_of
from ledger.publish.site.site_data import Atlas, board_paths_of
from ledger.publish.site.templating import render
from ledger.publish.text import one_line, param_text, safe_url, short_number

LOG_SHOWN = 200_000
"""Most characters of the log summary on a page."""

_COMMIT = re.compile(r"git:([0-9a-f]{40}(?:[0-9a-f]{24})?)")
"""A commit or tree id (SHA-1 or SHA-256) as records write it."""

SECTIONS = (
    ("code", "Code"),
    ("params", "Parameters"),
    ("datasets", "Datasets"),
    ("hardware", "Hardware"),
    ("environment", "Environment"),
    ("cost", "Cost"),
    ("model", "Model"),
    ("logs", "Logs"),
    ("results", "Results"),
    ("statistics", "Statistics"),
)
"""The ten boxes in the order of the record, with their headings."""

_OPEN = {"params", "results"}
"""Boxes that are not folded: what was chosen, and what came out."""

_REDACTED = "[redacted: "
"""How what stands for a secret begins; two that are alike may stand for two secrets."""
_SIBLINGS = 11
"""Most repeats that a link compares with, the latest."""
_DECIDED = {"acceptance": "accepted", "rejection": "rejected", "retest": "to be repeated"}
"""Decisions of a reviewer, in one word."""


class MetricRowView(Document, frozen=True, kw_only=True):
    """One value in the table of results."""

    metric: Metric
    """The value."""
    at: datetime
    """When it was measured."""
    later: bool
    """Whether it is a later evaluation."""
    note: str | None
    """Comment of its author."""
    board: str
    """Page of its leaderboard; empty when its dataset version is unknown, or nothing that counts was measured there."""


class Beside(Document, frozen=True, kw_only=True):
    """The files beside the record, read and bounded."""

    panels: list[Panel]
    """Learning curves."""
    curves_problem: str | None
    """Why the curves cannot be shown."""
    environment: EnvironmentFile | None
    """The whole environment."""
    log: str | None
    """The log summary."""
    changes: list[FileChange]
    """Uncommitted changes, file by file."""
    left_out: int
    """Number of lines of the patch that are not shown."""
    cells: list[CellView]
    """Executed cells of its notebook."""
    pictures: list[Picture]
    """Pictures of the run."""
    tables: list[TableView]
    """Tables of the run."""


def render_run(
    run: StoredRun,
    atlas: Atlas,
    read_blob: Callable[[str], bytes],
    verdict: VerdictLine | None = None,
    advice: Sequence[Advice] = (),
    weak: WeakView | None = None,
    spent: Sequence[Spent] = (),
) -> tuple[Page, bytes, dict[str, bytes]]:
    """Return the page of a run, its curves for scripts (JSON, empty where it has none), and the files beside it."""
    points, problem = try_points(run, read_blob)
    beside = _beside(run, read_blob, panels_of(points, run.record.results.headline), problem)
    files = {picture.path: read_blob(picture.blob) for picture in beside.pictures if picture.path}
    if atlas.has_documents(run):
        files |= _documents(run.record)
    curves = encode_curves(run, points) if points else b""
    return _page(run, atlas, beside, verdict, advice, weak, spent), curves, files


def ways_to_compare(run: StoredRun, atlas: Atlas) -> list[tuple[str, list[str]]]:
    """Return what a run is worth comparing with: its reference, the run before it, its repeats; else the next run."""
    own = run.record.id
    before, after = atlas.neighbours[own]
    reference, word = atlas.reference_of(run) or ("", "")
    ways = [(f"its {word}", [reference])] if reference in atlas.by_id and reference != own else []
    if before and before != reference:
        ways.append(("the previous run", [before]))
    elif not ways and after:
        ways.append(("the next run", [after]))
    if siblings := [name for name in atlas.repeats.get(atlas.settings[own], ()) if name != own]:
        shown = siblings[-_SIBLINGS:]
        count = f"{len(siblings)} repeats" if len(siblings) > 1 else "its repeat"
        ways.append((count if len(shown) == len(siblings) else f"{len(shown)} of {count}", shown))
    return ways


def _documents(record: Record) -> dict[str, bytes]:
    """Return a run in the formats of other tools that are JSON; they name no address of a person."""
    alone = [ExportedRun(record, [])]
    return {
        addresses.run_document(record.id, "ro-crate"): crate_metadata([record]),
        addresses.run_document(record.id, "cdx"): to_cyclonedx(alone).files["bom.cdx.json"],
        addresses.run_document(record.id, "prov"): to_prov(alone).files["prov.json"],
    }


def advice_for(run: StoredRun, versions: Mapping[str, DatasetVersion], budget: Budget) -> list[Advice]:
    """Return the advice on the page of a run: only what follows from the run itself, whatever is recorded later."""
    if run.retraction is not None:
        return []
    return [one for one in advise(run, versions, budget=budget) if one.rule != "slices"]  # it is on the dataset's page


def _page(
    run: StoredRun,
    atlas: Atlas,
    beside: Beside,
    verdict: VerdictLine | None,
    advice: Sequence[Advice],
    weak: WeakView | None,
    spent: Sequence[Spent],
) -> Page:
    record = run.record
    before, after = atlas.neighbours[record.id]
    commit = hex_id(record.code.commit)
    reference = _reference_params(run, atlas)
    apart = [name for name, (_, same) in reference.items() if same is False] if reference is not None else None
    content = render(
        "run",
        names=atlas.names,
        run=run,
        record=record,
        before=before,
        after=after,
        beside=beside,
        sections=SECTIONS,
        glances=box_glances(run, len(apart) if apart is not None else None),
        reference=reference,
        comparison_word=(atlas.reference_of(run) or ("", ""))[1],
        open_boxes=_OPEN,
        rows=_metric_rows(run, atlas),
        comparison=_comparison(run, atlas),
        verdict=verdict,
        advice=advice,
        spent=spent,
        ways=ways_to_compare(run, atlas),
        chain=chain_of(record),
        has_documents=atlas.has_documents(run),
        feeds=[
            (feed, list(feed_facts(feed, record.timing.took)), shown_stretches(feed)) for feed in record.datasets.feeds
        ],
        weak=weak,
        same=[same_data_text(one, other) for one, other in same_data(record.datasets.used)],
        is_baseline=atlas.baselines.get(record.experiment) == record.id,
        decided=_DECIDED,
        related=[run_id for run_id in (record.parent, record.baseline) if run_id in atlas.by_id],
        known_datasets=set(atlas.datasets),
        commit=commit,
        commit_url=f"{atlas.repository_url}/commit/{commit}" if atlas.repository_url and commit else None,
        restore=markup("\n").join(restore_commands(run)),
        command=shlex.join(record.command),
        notebook_command=shlex.join(record.code.notebook.command) if record.code.notebook else "",
        links=[(link.title or link.url, safe_url(link.url), link.url) for link in record.links],
        depth=1,
    )
    headline = record.headline
    said = (
        f": {headline.key} {short_number(headline.value)} on {headline.dataset or 'unknown data'}" if headline else ""
    )
    return Page(
        kind="run",
        path=addresses.run_page(record.id),
        title=f"{one_line(atlas.names[record.id], 80)} · {one_line(record.experiment, 60)} · {record.id}",
        description=f"{record.status} run of {one_line(record.experiment, 60)} by {record.author.name}{said}",
        content=content,
        contents=_contents(record, beside, weak),
    )


def _reference_params(run: StoredRun, atlas: Atlas) -> dict[str, tuple[str | None, bool | None]] | None:
    """Return the params of the run that a run is compared with, and whether they are its own; none without such a run.

    Those that only the other has are among them; of one that it lacks the value is none. Whether redacted ones are the
    same nobody knows: none.
    """
    name, _ = atlas.reference_of(run) or ("", "")
    other = atlas.by_id.get(name)
    if other is None or other.record.id == run.record.id:
        return None
    ours, theirs = run.record.params.values, other.record.params.values
    found: dict[str, tuple[str | None, bool | None]] = {}
    for param in dict.fromkeys([*ours, *theirs]):
        same = param in ours and param in theirs and repr(ours[param]) == repr(theirs[param])
        hidden = same and _REDACTED in param_text(ours[param])
        found[param] = param_text(theirs[param]) if param in theirs else None, None if hidden else same
    return found


def _contents(record: Record, beside: Beside, weak: WeakView | None) -> list[tuple[str, str]]:
    contents = list(SECTIONS)
    if weak is not None:
        contents.insert(0, ("weak", "Weak points"))
    if beside.panels:
        contents.insert(0, ("curves", "Learning curves"))
    if record.code.notebook:
        contents.append(("notebook", "Notebook"))
    if record.timing.attempts:
        contents.append(("attempts", "Attempts"))
    return contents


def _beside(run: StoredRun, read_blob: Callable[[str], bytes], panels: list[Panel], problem: str | None) -> Beside:
    log = run.files.get(LOG_FILE)
    patch = run.files.get(PATCH_FILE)
    changes, left_out = load_patch(read_blob(patch)) if patch else ([], 0)
    return Beside(
        panels=panels,
        curves_problem=problem,
        environment=_environment(run, read_blob),
        log=read_blob(log).decode("utf-8", "replace")[:LOG_SHOWN] if log else None,
        changes=changes,
        left_out=left_out,
        cells=_cells(run, read_blob),
        pictures=pictures_of(run, read_blob),
        tables=tables_of(run, read_blob),
    )


def _cells(run: StoredRun, read_blob: Callable[[str], bytes]) -> list[CellView]:
    notebook, blob = run.record.code.notebook, run.files.get(NOTEBOOK_FILE)
    return load_cells(notebook, read_blob(blob) if blob else b"") if notebook else []


def _environment(run: StoredRun, read_blob: Callable[[str], bytes]) -> EnvironmentFile | None:
    blob = run.files.get(ENVIRONMENT_FILE)
    if blob is None:
        return None
    try:
        return load(read_blob(blob), EnvironmentFile, source=f"{run.path}/{ENVIRONMENT_FILE}")
    except LedgerError:
        return None


def _metric_rows(run: StoredRun, atlas: Atlas) -> list[MetricRowView]:
    measured: list[tuple[Metric, datetime, bool, str | None]]
    measured = [(metric, run.record.timing.ended_at, False, None) for metric in run.record.results.metrics]
    for evaluation in run.evaluations:
        measured += [(metric, evaluation.evaluated_at, True, evaluation.note) for metric in evaluation.metrics]
    rows = [
        MetricRowView(metric=metric, at=at, later=later, note=note, board=board)
        for (metric, at, later, note), board in zip(measured, board_paths_of(run, atlas), strict=True)
    ]
    return sorted(rows, key=lambda row: (row.metric.key != run.record.results.headline, row.metric.key, utc(row.at)))


def _comparison(run: StoredRun, atlas: Atlas) -> dict[str, object] | None:
    """Return how the headline compares with that of the reference run, or why they are not comparable."""
    headline = run.record.headline
    reference, word = atlas.reference_of(run) or ("", "")
    other = atlas.by_id.get(reference)
    if headline is None or other is None:
        return None
    candidates = [metric for metric in other.metrics() if metric.key == headline.key]
    reasons = [why_not_comparable(headline, metric) for metric in candidates]
    if None not in reasons:
        why = reasons[-1] if reasons else f"it has no `{headline.key}`"
        return {"id": other.record.id, "word": word, "why": why, "difference": None, "better": None}
    metric = candidates[reasons.index(None)]
    difference = headline.number - metric.number
    direction = agreed_direction([headline, metric])
    judged = direction is not None and math.isfinite(difference) and difference != 0
    better = (difference > 0) == (direction == "higher") if judged else None
    return {"id": other.record.id, "word": word, "why": None, "difference": difference, "better": better}


def hex_id(git_id: str | None) -> str | None:
    """Return the digits of a `git:…` id, or none when it is not one: people paste commands that contain it."""
    match = _COMMIT.fullmatch(git_id or "")
    return match[1] if match else None


def restore_commands(run: StoredRun) -> list[str]:
    """Return the commands that bring the run's exact code back into a folder beside the repository."""
    commit, tree = hex_id(run.record.code.commit), hex_id(run.record.code.tree)
    if commit is None:
        return []
    folder = f"../{run.record.id}"
    lines = []
    if run.record.code.pushed is False and run.record.code.remote:
        lines.append("git fetch origin refs/ledger/kept   # in another clone, once its author pushed it")
    lines.append(f"git worktree add --detach {folder} {commit}")
    patch = run.record.code.patch
    if patch is not None and PATCH_FILE in run.files:
        source = f"{run_path(run.record.id)}/{PATCH_FILE}"
        lines.append(f"git show ledger:{source} | git -C {folder} apply --index --binary -")
        if tree and patch.exact:
            lines.append(f"git -C {folder} write-tree   # prints {tree}")
    return lines
