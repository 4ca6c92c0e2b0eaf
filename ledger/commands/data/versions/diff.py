"""`ledger dataset diff`: how two versions differ, from their manifests alone."""

import click

from ledger.analysis.data.versions import find_version
from ledger.commands.data.versions.version_text import counts_text
from ledger.commands.output import echo, write_json
from ledger.commands.workplace import open_ledger
from ledger.data.samples.changes import label_shift
from ledger.data.version.difference import VersionDifference
from ledger.model.entries import DatasetVersion
from ledger.model.values import counted, plain
from ledger.store.branch.manifests import read_difference


@click.command("diff")
@click.argument("name")
@click.argument("old")
@click.argument("new")
@click.option(
    "--limit",
    type=click.IntRange(0, 10**9),
    default=20,
    show_default=True,
    help="Number of files to name of each kind.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff_command(name: str, old: str, new: str, limit: int, as_json: bool) -> None:
    """Show the changes of files of NAME between the versions OLD and NEW; the data need not be here.

    Example: ledger dataset diff digits-validation v2 v3
    """
    ledger = open_ledger()
    contents = ledger.contents()
    ours, theirs = (find_version(contents, f"{name}@{label.removeprefix(f'{name}@')}") for label in (old, new))
    difference = read_difference(ledger, ours, theirs)
    shift = _shift(ours, theirs)
    relabelled = theirs.change.relabelled if theirs.change and theirs.change.parent == ours.version else None
    if as_json:
        write_json(
            {
                "old": ours.label,
                "new": theirs.label,
                "added": difference.added,
                "removed": difference.removed,
                "changed": [{"old": before, "new": after} for before, after in difference.changed],
                "relabelled": relabelled,
                "labels": shift,
            }
        )
        return
    for mark, paths in _marked(difference):
        for path in paths[:limit]:
            echo(f"{mark} {plain(path)}")
        if len(paths) > limit:
            echo(f"{mark} … and {len(paths) - limit} more")
    more = f", {counted(relabelled, 'sample')} relabelled" if relabelled else ""
    added = counted(len(difference.added), "file")
    echo(
        f"{ours.label} to {theirs.label}: {added} added, {len(difference.removed)} removed,"
        f" {len(difference.changed)} changed{more}"
    )
    if shift:
        echo(plain(f"labels: {counts_text(shift, signed=True)}"))


def _marked(difference: VersionDifference) -> list[tuple[str, list[str]]]:
    return [
        ("+", [line.path for line in difference.added]),
        ("-", [line.path for line in difference.removed]),
        ("~", [after.path for _, after in difference.changed]),
    ]


def _shift(old: DatasetVersion, new: DatasetVersion) -> dict[str, int]:
    then, now = (version.statistics.labels if version.statistics else {} for version in (old, new))
    return label_shift(then, now) if then and now else {}
