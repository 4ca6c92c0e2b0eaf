"""`ledger report`: the figures and tables of a paper, a slide or a decision."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import click

from ledger.analysis.comparing.report import Report
from ledger.analysis.query.language import about_query
from ledger.commands.comparing.include_option import include_option
from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.selection import query_of, say_warnings
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound, UsageError
from ledger.model.values import Document, counted
from ledger.publish.report.figure import Format
from ledger.publish.report.folder import check_folder, write_folder
from ledger.publish.report.report import KINDS, choose_boards, make_report
from ledger.repository.blobs import blob_reader
from ledger.store.index.leaderboards import boards_on, read_standings
from ledger.store.index.selection import find_runs


class _Written(Document, frozen=True, kw_only=True):
    """What was written."""

    folder: str
    """The folder."""
    files: list[str]
    """Path of each file."""
    left_out: list[str]
    """Figures that have not enough data, and why."""


def _some_of(
    known: tuple[str, ...], noun: str
) -> Callable[[click.Context, click.Parameter, str | None], tuple[str, ...]]:
    def chosen(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(word.strip().lower() for word in (given or "").split(",") if word.strip()))
        for word in words:
            if word not in known:
                raise UsageError(f"no such {noun}: `{ascii(word)[1:-1]}`", hint=f"one or more of {','.join(known)}")
        return words or known

    return chosen


@click.command("report")
@click.argument("about", nargs=-1, metavar="[EXPERIMENT|QUERY]...")
@click.option("-o", "--output", type=click.Path(file_okay=False), required=True, metavar="FOLDER", help="Folder.")
@click.option("-m", "--metric", metavar="SPLIT/NAME", help="Metric to report. Default: the most frequent headline.")
@click.option("--on", metavar="NAME@VERSION", help="Only this dataset version; for a name alone, each of its versions.")
@include_option
@click.option(
    "--formats",
    metavar="FORMAT,…",
    callback=_some_of(get_args(Format), "format"),
    help="Formats of each figure. Default: pdf,svg,png.",
)
@click.option(
    "--figures",
    metavar="KIND,…",
    callback=_some_of(KINDS, "figure"),
    help=f"Figures to draw. Default: {','.join(KINDS)}.",
)
@click.option("--force", is_flag=True, help="Replace a report that is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def report_command(
    about: tuple[str, ...],
    output: str,
    metric: str | None,
    on: str | None,
    include: frozenset[str],
    formats: tuple[Format, ...],
    figures: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Write figures and tables of an EXPERIMENT or QUERY to a folder, for a paper, a slide or a decision.

    Learning curves, forest plot, Pareto front, growth and history as PDF, SVG and PNG; tables as LaTeX and Markdown;
    report.md and report.json name the runs behind every number. There is one table for each comparable group. What
    has not enough data is left out, and report.md says why. The same runs give the same bytes.

    Example: ledger report learning-rate -o build/report
    """
    folder = Path(output)
    check_folder(folder, force=force)
    try:
        report, files = _make(about, metric, on, include, formats, figures)
    except ModuleNotFoundError as error:
        raise UsageError(f"a report needs a package: `{error.name}`", hint="pip install 'git-ledger[site]'") from None
    write_folder(folder, files, force=force)
    left_out = [f"{one.figure}: {one.why}" for one in report.left_out]
    if as_json:
        paths = [str(folder / name) for name in sorted(files)]
        write_json(_Written(folder=str(folder), files=paths, left_out=left_out))
        return
    for line in left_out:
        say(f"left out: {line}")
    tables, drawn = counted(len(report.tables), "table"), counted(len(report.figures), "figure")
    say(f"wrote {output}: {tables}, {drawn}; next: open {output}/report.md")


def _make(
    about: tuple[str, ...],
    metric: str | None,
    on: str | None,
    include: frozenset[str],
    formats: tuple[Format, ...],
    figures: tuple[str, ...],
) -> tuple[Report, dict[str, bytes]]:
    ledger = open_ledger()
    standings = read_standings(ledger, metric, query_of(map(about_query, about)), include)
    for problem in standings.problems:
        say(f"warning: {problem.path}: {problem.message}")
    say_warnings(standings.warnings)
    if not standings.key:
        raise NotFound(
            f"no run that matches has a headline metric: `{ascii(' '.join(about))[1:-1]}`",
            hint="ledger list shows experiments; --metric SPLIT/NAME names a metric",
        )
    boards = choose_boards(boards_on(standings, on))
    ids = [run for board in boards for place in board.places for run in place.runs]
    runs = {run.record.id: run for run in find_runs(ledger, ids)}
    kinds = [kind for kind in KINDS if kind in figures]
    with Bar("drawing the report") as bar, blob_reader(ledger.repository) as read_blob:
        return make_report(
            boards,
            runs,
            read_blob,
            about=" ".join(about),
            formats=formats,
            figures=kinds,
            warnings=standings.warnings,
            progress=bar.show,
        )
