"""`ledger import`: the history of another tracker, with its times, ids and losses."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from ledger.commands.output import say, write_json, write_table
from ledger.commands.progress import Bar
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.formats.trackers.table_file import ForeignColumns
from ledger.model.values import check_label, counted, plain
from ledger.recorder.foreign.foreign_draft import foreign_draft, moment_text
from ledger.recorder.foreign.foreign_import import Import, import_runs, known_imports
from ledger.recorder.foreign.stores import TRACKERS, Store, open_store

_SHOWN = 20
"""Most runs that `--dry-run` lists, and most losses."""


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--from", "tracker", type=click.Choice(TRACKERS), help="Kind of store. Default: what lies there decides.")
@click.option("-e", "--experiment", help="Experiment of all runs. Default: that of the store.")
@click.option("--dry-run", is_flag=True, help="Only list what would come, and every loss.")
@click.option("--metric", "metrics", multiple=True, metavar="COLUMN", help="Column of a table that is a metric.")
@click.option("--param", "params", multiple=True, metavar="COLUMN", help="Column of a table that is a param.")
@click.option("--id", "identity", metavar="COLUMN", help="Column of a table that names the run.")
@click.option("--time", "time", metavar="COLUMN", help="Column of a table with the start of the run.")
@click.option("--deleted", is_flag=True, help="Take runs that were deleted there, too.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_command(
    source: Path,
    tracker: str | None,
    experiment: str | None,
    metrics: tuple[str, ...],
    params: tuple[str, ...],
    identity: str | None,
    time: str | None,
    push: bool | None,
    push_timeout: float,
    *,
    dry_run: bool,
    deleted: bool,
    as_json: bool,
) -> None:
    """Import the runs of another tracker from SOURCE: its database, folder, offline run or table.

    Times, ids, status, author and every point come as the store has them. A run that was imported before is left as it
    is. Nothing in the store is executed, and secrets are replaced as everywhere.

    Example: ledger import mlflow.db --dry-run
    """
    if experiment is not None:
        check_label("experiment", experiment)
    columns = ForeignColumns(list(metrics), list(params), identity, time)
    store = open_store(source, tracker, columns)
    ledger = open_ledger(writing=not dry_run)
    if dry_run:
        known = {there for kind, there in known_imports(ledger) if kind == store.tracker}
        _preview(store, source, experiment, known, deleted=deleted, as_json=as_json)
        return
    with Bar("importing") as bar:
        done = import_runs(
            ledger,
            store.runs,
            tracker=store.tracker,
            store=source,
            experiment=experiment,
            deleted=deleted,
            progress=lambda count: bar.count(count, count),
        )
    _tell(done, store, as_json=as_json)
    if done.added:
        push_recorded(ledger, push=push, push_timeout=push_timeout)


def _tell(done: Import, store: Store, *, as_json: bool) -> None:
    losses = Counter(done.losses)
    if as_json:
        write_json(replace(done, losses=dict(losses), left_out=store.losses))
        return
    here = f"; {counted(done.known, 'run')} {'was' if done.known == 1 else 'were'} here already" if done.known else ""
    commits = f" in {counted(len(done.commits), 'commit')}" if done.added else ""
    say(f"imported {counted(len(done.added), 'run')} of {store.tracker}{commits}{here}")
    if done.changed:
        say(f"warning: {counted(len(done.changed), 'run')} changed there since the last import; both states are kept")
    if done.deleted:
        say(f"hint: {counted(done.deleted, 'run')} deleted there left out; to take them: --deleted")
    if done.running:
        say(f"hint: {counted(done.running, 'run')} left out that may still be going on there; import again when ended")
    _tell_losses(losses, store.losses)
    if done.added:
        say("next: ledger loop report" if store.tracker == "results" else "next: ledger list")


def _tell_losses(losses: "Counter[str]", of_store: Sequence[str]) -> None:
    for loss in of_store[:_SHOWN]:
        say(f"warning: left out: {plain(loss)}")
    if len(of_store) > _SHOWN:
        say(f"warning: and {len(of_store) - _SHOWN} more: --json lists all")
    for loss, count in losses.most_common(_SHOWN):
        say(f"warning: not kept, of {counted(count, 'run')}: {plain(loss)}")
    if len(losses) > _SHOWN:
        say(f"warning: and {len(losses) - _SHOWN} more kinds of losses; each record names its own")


def _preview(
    store: Store, source: Path, experiment: str | None, known: set[str], *, deleted: bool, as_json: bool
) -> None:
    """List what would come, and what would be lost."""
    now = datetime.now(UTC)
    rows: list[list[str]] = []
    losses: Counter[str] = Counter()
    count = here = 0
    for run in store.runs:
        if (run.deleted and not deleted) or run.status == "running":
            continue
        count += 1
        here += run.id in known
        draft = foreign_draft(run, tracker=store.tracker, store=source.name, now=now, experiment=experiment)
        losses.update(set(draft.origin.losses if draft.origin else ()))
        if len(rows) < _SHOWN:
            rows.append([
                plain(run.id)[:40],
                draft.experiment,
                draft.status,
                moment_text(run.started_at),
                str(len(draft.params)),
                str(len(draft.metrics)),
                str(draft.curves.logged if draft.curves else 0),
            ])  # fmt: skip
    if as_json:
        write_json({
            "tracker": store.tracker, "runs": count, "known": here, "losses": dict(losses), "left_out": store.losses
        })  # fmt: skip
        return
    write_table(["id there", "experiment", "status", "started", "params", "metrics", "points"], rows)
    more = f", the first {_SHOWN} above" if count > _SHOWN else ""
    new = counted(count - here, "run")
    say(f"would import {new} of {store.tracker}{more}; {here} here already; nothing was written")
    _tell_losses(losses, store.losses)
