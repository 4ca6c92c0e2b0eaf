"""Tables of a report as Markdown and LaTeX; every text of a record is escaped."""

import re

from ledger.analysis.comparing.report import ReportRow, ReportTable
from ledger.formatting import measured, number
from ledger.model.values import counted
from ledger.publish.report.figure import MOST_SETTINGS
from ledger.publish.text import one_line, visible

LATEX: dict[str, str] = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "-": "{-}",
    "[": "{[}",
    "]": "{]}",
}
"""Special characters, and those of which two make another sign (`--`, quotes) or an option (`[`): LaTeX2e, 2.7 and
7.4 of https://latexref.xyz; \\textquotedbl needs the encoding T1."""
_MARKDOWN = set("\\`*_{}[]<>#!|~^$&")
"""Characters that mean something within a line, by CommonMark 0.31, 2.4 and 6, and GFM: tables, links, mathematics."""
_AT_START = re.compile(r"^(\d{1,9})([.)])|^([-+=])")
_NAME = 90
"""Most characters of a setting in a table."""


def latex_text(text: str) -> str:
    """Return a text as LaTeX that prints it and does nothing else."""
    return "".join(LATEX.get(character, character) for character in visible(text).replace("\n", " "))


def markdown_text(text: str) -> str:
    """Return a text as one line of Markdown that shows it and does nothing else."""
    line = " ".join(visible(text).split())
    inert = "".join(f"\\{character}" if character in _MARKDOWN else character for character in line)
    inert = inert.replace("://", "\\://").replace("www.", "www\\.")  # addresses of others become no links
    return _AT_START.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", inert)


def render_markdown(table: ReportTable) -> str:
    """Return a table for people and pages."""
    lines = ["| setting | mean | 95 % interval | n | runs |", "| --- | ---: | :---: | ---: | --- |"]
    for row in table.rows[:MOST_SETTINGS]:
        mean, interval = cells(row)
        setting = markdown_text(one_line(row.setting, _NAME))
        if row.leading:
            setting, mean = f"**{setting}**", f"**{mean}**"
        runs = " ".join(f"`{run}`" for run in row.runs) or "none has a number"
        lines.append(f"| {setting} | {mean} | {interval} | {row.n} | {runs} |")
    return "\n".join([*lines, "", markdown_text(caption(table)), ""])


def render_latex(table: ReportTable) -> str:
    """Return a table for a paper: packages booktabs, fontenc (T1), inputenc (utf8) and textcomp."""
    lines = [
        r"% \usepackage{booktabs} \usepackage[T1]{fontenc} \usepackage[utf8]{inputenc} \usepackage{textcomp}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{latex_text(caption(table))}}}",
        rf"  \label{{tab:{table.name}}}",
        r"  \begin{tabular}{lrcr}",
        r"    \toprule",
        rf"    Setting & {latex_text(table.group.key)} & 95\,\% interval & $n$ \\",
        r"    \midrule",
    ]
    for row in table.rows[:MOST_SETTINGS]:
        mean, interval = cells(row)
        parts = [latex_text(one_line(row.setting, _NAME)), latex_text(mean), latex_text(interval), str(row.n)]
        if row.leading:
            parts[:2] = [rf"\textbf{{{part}}}" for part in parts[:2]]
        lines.append(f"    {' & '.join(parts)} \\\\")
        lines.append(f"    % runs: {' '.join(row.runs) or 'none'}")
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""])


def cells(row: ReportRow) -> tuple[str, str]:
    """Return mean and interval to the same digit."""
    if row.mean is None:
        return "no number", ""
    if row.interval is None:
        return measured(row.mean, row.deviation)[0], ""
    low, high = row.interval
    width = (high - low) / 2
    mean, _ = measured(row.mean, width)
    ends = [measured(end, width)[0] for end in row.interval] if width > 0 else [number(low), number(high)]
    return mean, f"{ends[0]} to {ends[1]}"


def caption(table: ReportTable) -> str:
    """Return what a table shows: metric, dataset version, evaluator, direction, what is bold, and what is left out."""
    group = table.group
    better = f" ({table.direction} is better)" if table.direction else ""
    evaluator = group.evaluator or "not stated"
    said = [f"{group.key}{better} on {group.dataset}, evaluator: {evaluator}."]
    if any(row.leading for row in table.rows):
        said.append("Bold: may be the best, at 95 %.")
    elif table.unranked:
        said.append(f"None is marked as best: {table.unranked}.")
    if table.noise is not None:
        said.append(f"Intervals of the mean use the noise of all settings, {number(table.noise, 2)}.")
    if len(table.rows) > MOST_SETTINGS:
        said.append(f"The first {MOST_SETTINGS} of {len(table.rows)} settings; the others are in report.json.")
    if table.withdrawn:
        said.append(f"Not counted: {counted(len(table.withdrawn), 'run')} (retracted, unfinished or out of range).")
    return " ".join(said)
