"""`ledger dataset history`: the history of a dataset, and of every metric on it."""

import click

from ledger.analysis.comparing.comparable import Leaderboard
from ledger.analysis.data.versions import VersionFacts, facts_of, versions_of
from ledger.commands.data.versions.version_text import change_lines, drift_lines
from ledger.commands.output import echo, write_json
from ledger.commands.workplace import open_ledger
from ledger.formatting import moment
from ledger.model.values import counted, plain
from ledger.recorder.message import shown
from ledger.recorder.record.warnings import leak_text


@click.command("history")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def history_command(name: str, as_json: bool) -> None:
    """Show why each version of NAME exists, what it changed, and the values of each metric on it.

    The line of a metric breaks where the version changes: values on both sides are not comparable.

    Example: ledger dataset history digits-validation
    """
    contents = open_ledger().contents()
    facts = facts_of(contents, versions_of(contents, name))
    if as_json:
        write_json(
            [
                {
                    "version": fact.version,
                    "retired": fact.retired,
                    "judged": fact.judged,
                    "trained": fact.trained,
                    "best": [_best(board) for board in fact.best],
                }
                for fact in facts
            ]
        )
        return
    for fact in facts:
        _print_version(fact)
    _print_metrics(facts)


def _best(board: Leaderboard) -> dict[str, object]:
    best = board.best
    return {
        "metric": board.group.key,
        "evaluator": board.group.evaluator,
        "direction": board.direction,
        "runs": len(board.standings),
        "best": best.metric.value if best else None,
        "run": best.run.record.id if best else None,
    }


def _print_version(fact: VersionFacts) -> None:
    version = fact.version
    retired = f", retired: {fact.retired.text}" if fact.retired else ""
    echo(click.style(plain(f"{version.label}{retired}"), bold=True))
    samples = f", {counted(version.samples, 'sample')}" if version.samples is not None else ""
    lines = [
        f"{moment(version.added_at)} by {version.author.name}: {version.reason or 'the first version'}",
        *([f"source: {version.source}"] if version.source else []),
        f"{version.role}, {counted(version.files, 'file')}{samples}, {version.hash[:19]}",
        *change_lines(version),
        *(line for drift in version.drift for line in drift_lines(drift)),
        *(f"warning: {leak_text(leak)}" for leak in version.leaks),
        f"{counted(len(fact.judged), 'run')} measured on it, {len(fact.trained)} trained on it",
    ]
    for line in lines:
        echo(f"  {plain(line)}")


def _print_metrics(facts: list[VersionFacts]) -> None:
    keys = sorted({(board.group.key, board.group.evaluator) for fact in facts for board in fact.best})
    for key, evaluator in keys:
        by = f", evaluator {evaluator}" if evaluator else ""
        echo(plain(f"{key}{by}, best of each version:"))
        pieces = []
        for fact in facts:
            board = next((one for one in fact.best if (one.group.key, one.group.evaluator) == (key, evaluator)), None)
            pieces.append(f"{fact.version.version} {_best_text(board) if board else 'not measured'}")
        # two lines: the history is broken here, as it is on the page
        echo(plain(f"  {'  //  '.join(pieces)}"))


def _best_text(board: Leaderboard) -> str:
    best = board.best
    if best is None:
        return f"{len(board.standings)} runs, and which is best is unknown"
    return f"{shown(best.metric)} ({best.run.record.id[16:]}, {len(board.standings)} runs)"
