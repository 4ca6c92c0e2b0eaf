"""`ledger dataset add`: a new version of a dataset."""

import click

from ledger.commands.data.versions.version_text import change_lines, drift_lines, statistics_lines
from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.sending import push_options, push_recorded
from ledger.commands.workplace import open_ledger
from ledger.formatting import byte_size
from ledger.model.datasets import DatasetKind
from ledger.model.entries import DatasetVersion
from ledger.model.values import Role, counted
from ledger.recorder.data.dataset_versions import AddedVersion, add_version
from ledger.recorder.data.version_request import VersionRequest
from ledger.recorder.record.warnings import leak_text


@click.command("add")
@click.argument("name")
@click.argument("path")
@click.option("--role", type=click.Choice(["train", "validation", "test", "production"]), help="Role of the data.")
@click.option(
    "--because", "--reason", "reason", metavar="TEXT", help="Why this version exists; only the first needs none."
)
@click.option("--version", metavar="LABEL", help="Label of the version. Default: the next vN.")
@click.option("--parent", metavar="LABEL", help="Version that it is based on. Default: the latest.")
@click.option("--source", metavar="TEXT", help="Where its data comes from, such as: production, week 46.")
@click.option("--kind", type=click.Choice(["truth", "fodder", "baseline"]), help="Origin of its labels.")
@click.option(
    "--labels",
    metavar="WHERE",
    help="folder, none, FILE.csv:COLUMN, FILE.parquet:COLUMN, FILE.npy, coco:FILE.json, yolo:FOLDER, MODULE:FUNCTION.",
)
@click.option("--slice", "slices", multiple=True, metavar="COLUMN", help="Column, or folder:N, to group samples by.")
@click.option(
    "--against",
    multiple=True,
    metavar="[NAME@VERSION:]PATH",
    help="Production sample, or other version, to measure the drift from.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when it shares content with data for another use.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print the version as JSON.")
def add_command(
    name: str,
    path: str,
    role: Role | None,
    reason: str | None,
    version: str | None,
    parent: str | None,
    source: str | None,
    kind: DatasetKind | None,
    labels: str | None,
    slices: tuple[str, ...],
    against: tuple[str, ...],
    strict: bool,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> int:
    """Add the data at PATH as a version of the dataset NAME.

    Exit code 1 with --strict when it shares content with data for another use; the version is added all the same.

    Example: ledger dataset add digits-validation data/val --role validation --because "60 hard cases of week 46"
    """
    ledger = open_ledger(writing=True)
    asked = VersionRequest(
        name=name,
        path=path,
        role=role,
        reason=reason,
        version=version,
        parent=parent,
        source=source,
        kind=kind,
        labels=labels,
        slices=list(slices),
        against=list(against),
    )
    with Bar(name) as bar:
        added = add_version(ledger, asked, progress=bar.show)
    if as_json:
        write_json({"new": added.new, "warnings": added.warnings, "version": added.version})
    _print_added(added, as_json=as_json)
    if added.new:
        push_recorded(ledger, push=push, push_timeout=push_timeout)
    return int(strict and bool(added.version.leaks))


def _print_added(added: AddedVersion, *, as_json: bool) -> None:
    version = added.version
    for leak in version.leaks:
        say(f"warning: {leak_text(leak)}")
    if as_json:
        return
    for warning in added.warnings:
        say(f"warning: {warning}")
    if not added.new:
        say(f"this data is {version.label} already, so nothing was added; next: ledger dataset show {version.label}")
        return
    for line in _facts(version):
        say(line)
    say(f"added {version.label}: {version.hash[:19]}; next: ledger dataset show {version.label}")


def _facts(version: DatasetVersion) -> list[str]:
    lines = [f"{counted(version.files, 'file')}, {byte_size(version.bytes)}"]
    if version.statistics:
        lines += statistics_lines(version.statistics)
    lines += change_lines(version)
    for drift in version.drift:
        lines += drift_lines(drift)
    return lines
