"""`ledger dataset show`: one version."""

import click

from ledger.analysis.data.versions import VersionFacts, facts_of, find_version
from ledger.commands.data.versions.version_text import change_lines, drift_lines, statistics_lines
from ledger.commands.output import echo, write_json
from ledger.commands.workplace import open_ledger
from ledger.formatting import byte_size, moment
from ledger.model.entries import Contents
from ledger.model.values import counted, plain
from ledger.recorder.record.warnings import leak_text


@click.command("show")
@click.argument("version", metavar="NAME[@VERSION]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_command(version: str, as_json: bool) -> None:
    """Show a version; for a name alone, the latest that is not retired.

    Example: ledger dataset show digits-validation@v2
    """
    contents = open_ledger().contents()
    (facts,) = facts_of(contents, [find_version(contents, version)])
    if as_json:
        write_json(
            {
                "version": facts.version,
                "judged": facts.judged,
                "trained": facts.trained,
                "retired": facts.retired,
                "cases": [case for case in contents.cases if case.id in facts.version.cases],
            }
        )
        return
    echo(click.style(plain(facts.version.label), bold=True))
    for line in _lines(facts, contents):
        echo(f"  {plain(line)}")


def _lines(facts: VersionFacts, contents: Contents) -> list[str]:
    version = facts.version
    lines = []
    if facts.retired:
        lines.append(f"retired {moment(facts.retired.noted_at)} by {facts.retired.author.name}: {facts.retired.text}")
    said = (
        ("role", version.role),
        ("kind", version.kind),
        ("reason", version.reason),
        ("source", version.source),
        ("parent", version.parent),
        ("added", f"{moment(version.added_at)} by {version.author.name}"),
        ("hash", version.hash),
        ("holds", f"{counted(version.files, 'file')}, {byte_size(version.bytes)}"),
    )
    lines += [f"{name:<8} {value}" for name, value in said if value]
    if version.statistics:
        lines += statistics_lines(version.statistics)
        lines += [f"warning: {warning}" for warning in version.statistics.warnings]
    lines += change_lines(version)
    lines += [line for drift in version.drift for line in drift_lines(drift)]
    lines += [f"warning: {leak_text(leak)}" for leak in version.leaks]
    cases = [case for case in contents.cases if case.id in version.cases]
    if cases:
        lines.append(f"{len(cases)} cases that must pass: ledger case list {version.name}")
    lines.append(f"{counted(len(facts.judged), 'run')} measured on it, {len(facts.trained)} trained on it")
    return lines
