"""A report: the tables and figures of each comparable group, and the page that holds them."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Literal, get_args

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.analysis.comparing.report import (
    REPORT_FORMAT,
    MissingFigure,
    Report,
    ReportFigure,
    ReportTable,
    report_table,
)
from ledger.analysis.query.order_warnings import measure_command
from ledger.errors import NotFound
from ledger.model.document import dump
from ledger.model.entries import StoredRun
from ledger.publish.report.curves import draw_curves
from ledger.publish.report.figure import Drawn, Format, ReadBlob, render, style
from ledger.publish.report.forest import draw_forest
from ledger.publish.report.growth import draw_growth
from ledger.publish.report.history import draw_history
from ledger.publish.report.pareto import draw_pareto
from ledger.publish.report.table_text import markdown_text, render_latex, render_markdown

FigureKind = Literal["curves", "forest", "pareto", "growth", "history"]
KINDS: tuple[FigureKind, ...] = get_args(FigureKind)
_GROUPS = 10
"""Most comparable groups of a report, those with the newest runs."""
Progress = Callable[[str, int, int], None]


def choose_boards(boards: Sequence[SettingBoard]) -> list[SettingBoard]:
    """Return the boards that a report may show, and refuse runs of which no two may be compared.

    Raises:
        NotFound: no value is on a known dataset version, or no two runs share one.
    """
    known = [board for board in boards if board.group.known and board.runs]
    if not known:
        said = "none of these runs has a value on a known dataset version, so none may be compared"
        raise NotFound(said, hint="state it when recording: --dataset validation:NAME@VERSION=PATH")
    if len(known) > 1 and all(board.runs == 1 for board in known):
        key = known[0].group.key
        on = ", ".join(sorted({board.group.dataset for board in known})[:5])
        remedy = measure_command(board.group.dataset for board in known)
        said = f"no two of these runs may be compared: {key} was measured on {on}, or by different evaluators"
        raise NotFound(said, hint=remedy or "ledger reevaluate NAME@VERSION -- COMMAND {model}")
    return known


def make_report(
    boards: Sequence[SettingBoard],
    runs: Mapping[str, StoredRun],
    read_blob: ReadBlob,
    *,
    about: str = "",
    formats: Sequence[Format] = get_args(Format),
    figures: Collection[FigureKind] = KINDS,
    warnings: Sequence[str] = (),
    progress: Progress = lambda _what, _done, _total: None,
) -> tuple[Report, dict[str, bytes]]:
    """Return a report, and its files by name; the same runs give the same bytes.

    Args:
        boards: one for each comparable group, as `choose_boards` returns them.
        runs: every run of the boards by id.
        read_blob: git blob id to its bytes.
        about: what the runs were selected by.
        formats: formats of every figure.
        figures: kinds of figures to draw.
        warnings: how the question was interpreted.
        progress: told what is drawn, how many are done, and of how many.

    Raises:
        ModuleNotFoundError: matplotlib or scipy is not installed.
    """
    said = [*warnings]
    if len(boards) > _GROUPS:
        said.append(f"the first {_GROUPS} of {len(boards)} comparable groups are in this report")
    boards = boards[:_GROUPS]
    names = _names([board.group for board in boards])
    tables = [report_table(board, runs, name) for board, name in zip(boards, names, strict=True)]
    drawn, left_out, files = _draw(_jobs(boards, tables, runs, read_blob, figures), formats, progress)
    for table in tables:
        files[f"table-{table.name}.tex"] = render_latex(table).encode()
        files[f"table-{table.name}.md"] = render_markdown(table).encode()
    report = Report(
        format=REPORT_FORMAT,
        about=about,
        metric=boards[0].group.key,
        tables=tuple(tables),
        figures=drawn,
        left_out=left_out,
        warnings=tuple(said),
        files=(*sorted([*files, "report.md"]),),
    )
    files["report.md"] = render_report(report).encode()
    files["report.json"] = dump(report)
    return report, files


_Job = tuple[str, str, Callable[[], Drawn | str]]
"""Name of the figure's files, what it is of, and what draws it."""


def _jobs(
    boards: Sequence[SettingBoard],
    tables: Sequence[ReportTable],
    runs: Mapping[str, StoredRun],
    read_blob: ReadBlob,
    figures: Collection[FigureKind],
) -> list[_Job]:
    jobs: list[_Job] = []
    histories: dict[tuple[str, str], list[int]] = {}
    for at, table in enumerate(tables):
        draws: dict[FigureKind, Callable[[], Drawn | str]] = {
            "curves": partial(draw_curves, table, runs, read_blob),
            "forest": partial(draw_forest, table),
            "pareto": partial(draw_pareto, table, runs),
            "growth": partial(draw_growth, table, runs),
        }
        jobs += [(f"{kind}-{table.name}", table.group.label, draw) for kind, draw in draws.items() if kind in figures]
        histories.setdefault((table.group.dataset.partition("@")[0], table.group.evaluator), []).append(at)
    if "history" in figures:
        for places in histories.values():
            own = sorted((boards[at] for at in places), key=_first_run)
            label = f"{own[0].group.key} on {own[0].group.dataset.partition('@')[0]}"
            jobs.append((f"history-{tables[places[0]].name}", label, partial(draw_history, own, runs)))
    return jobs


def _draw(
    jobs: Sequence[_Job], formats: Sequence[Format], progress: Progress
) -> tuple[tuple[ReportFigure, ...], tuple[MissingFigure, ...], dict[str, bytes]]:
    """Return the figures that were drawn, those that have not enough data, and the files."""
    drawn: list[ReportFigure] = []
    left_out: list[MissingFigure] = []
    files: dict[str, bytes] = {}
    with style():
        for done, (name, label, draw) in enumerate(jobs):
            progress(name, done, len(jobs))
            made = draw()
            if isinstance(made, str):
                left_out.append(MissingFigure(figure=f"{name.partition('-')[0]} of {label}", why=made))
                continue
            paths = tuple(f"{name}.{kind}" for kind in formats)
            files |= {path: render(made.figure, kind) for path, kind in zip(paths, formats, strict=True)}
            drawn.append(ReportFigure(name=name, caption=made.caption, files=paths, runs=made.runs))
    return tuple(drawn), tuple(left_out), files


def _first_run(board: SettingBoard) -> str:
    return min(run for place in board.places for run in place.runs)


def _names(groups: Sequence[Group]) -> list[str]:
    """Return a name in file names for each group, made of its metric and dataset version; no two are equal."""
    names: list[str] = []
    for group in groups:
        name = re.sub(r"[^a-z0-9]+", "-", f"{group.key}-{group.dataset}".lower()).strip("-")[:60].strip("-") or "group"
        count = 2
        while (numbered := name if name not in names else f"{name}-{count}") in names:
            count += 1
        names.append(numbered)
    return names


def render_report(report: Report) -> str:
    """Return the page of a report: tables and figures with captions, and the runs behind every number."""
    title = f"{report.metric}: {report.about}" if report.about else report.metric
    lines = [f"# {markdown_text(title)}", ""]
    lines += [f"Note: {markdown_text(warning)}.\n" for warning in report.warnings]
    if len(report.tables) > 1:
        said = f"These runs were measured in {len(report.tables)} ways that cannot be compared: one table for each."
        lines += [said, ""]
    for table in report.tables:
        lines += [f"## {markdown_text(table.group.label)}", "", render_markdown(table)]
        lines += [_withdrawn(table)] if table.withdrawn else []
        for figure in report.figures:
            if figure.name.partition("-")[2] == table.name:
                lines += _figure(figure)
    if report.left_out:
        lines += ["## Left out", ""]
        lines += [f"- {markdown_text(one.figure)}: {markdown_text(one.why)}" for one in report.left_out]
        lines.append("")
    return "\n".join(lines)


def _withdrawn(table: ReportTable) -> str:
    said = ", ".join(f"`{one.run}` ({markdown_text(one.why)})" for one in table.withdrawn)
    return f"Not counted: {said}\n"


def _figure(figure: ReportFigure) -> list[str]:
    shown = next((name for name in figure.files if name.endswith((".svg", ".png"))), figure.files[0])
    links = " · ".join(f"[{name.rpartition('.')[2].upper()}]({name})" for name in figure.files)
    runs = " ".join(f"`{run}`" for run in figure.runs)
    return [
        f"![{figure.name}]({shown})",
        "",
        f"{markdown_text(figure.caption)} {links}",
        "",
        f"<details><summary>Runs of this figure: {len(figure.runs)}</summary>\n\n{runs}\n\n</details>",
        "",
    ]
