"""`ledger dataset check`: whether data is a version on the ledger."""

import click

from ledger.analysis.data.versions import versions_of
from ledger.commands.output import echo, say, write_json
from ledger.commands.progress import Bar
from ledger.commands.workplace import open_ledger
from ledger.data.version.difference import VersionDifference, diff_manifests
from ledger.data.version.manifest import Manifest, build_manifest
from ledger.errors import LedgerError
from ledger.model.entries import DatasetVersion
from ledger.model.values import counted
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import hash_cache, read_manifest

_NAMED = 10


@click.command("check")
@click.argument("path")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check_command(path: str, name: str | None, as_json: bool) -> int:
    """Show which version the data at PATH is, exit code 0; or how it differs from the nearest, exit code 1.

    With NAME, only versions of that dataset are considered.

    Example: ledger dataset check data/val digits-validation
    """
    ledger = open_ledger()
    contents = ledger.contents()
    versions = versions_of(contents, name) if name else list(contents.datasets)
    with Bar("hashing") as bar:
        manifest = build_manifest(path, progress=bar.count, cache=hash_cache(ledger))
    same = [version.label for version in versions if version.hash == manifest.hash]
    nearest = None if same else _nearest(ledger, versions, manifest)
    if as_json:
        write_json(
            {
                "hash": manifest.hash,
                "versions": same,
                "nearest": nearest[0].label if nearest else None,
                "added": nearest[1].added if nearest else [],
                "removed": nearest[1].removed if nearest else [],
                "changed": [after for _, after in nearest[1].changed] if nearest else [],
            }
        )
    elif same:
        echo(f"{path} is {', '.join(same)}")
    else:
        _print_match(path, nearest)
    return int(not same)


def _nearest(
    ledger: Branch, versions: list[DatasetVersion], manifest: Manifest
) -> tuple[DatasetVersion, VersionDifference] | None:
    """Return the version that shares the most files, the latest where several do, and how the data differs from it."""
    found: list[tuple[int, DatasetVersion, VersionDifference]] = []
    for version in reversed(versions):
        try:
            difference = diff_manifests(read_manifest(ledger, version), manifest)
        except LedgerError:
            continue  # `ledger verify` reports what is wrong with it
        found.append((manifest.files - len(difference.added) - len(difference.changed), version, difference))
    nearest = max(found, key=lambda one: one[0], default=None)
    return nearest[1:] if nearest is not None and nearest[0] else None


def _print_match(path: str, nearest: tuple[DatasetVersion, VersionDifference] | None) -> None:
    if nearest is None:
        echo(f"{path} is not a known version, and shares no file with one")
        say(f"hint: ledger dataset add NAME {path} --role validation")
        return
    version, difference = nearest
    echo(
        f"{path} is not a known version; against {version.label}: {counted(len(difference.added), 'file')} added,"
        f" {len(difference.removed)} removed, {len(difference.changed)} changed"
    )
    for mark, paths in (
        ("+", [line.path for line in difference.added]),
        ("-", [line.path for line in difference.removed]),
        ("~", [after.path for _, after in difference.changed]),
    ):
        for one in paths[:_NAMED]:
            echo(f"{mark} {one}")
    say(f'hint: ledger dataset add {version.name} {path} --because "…"')
