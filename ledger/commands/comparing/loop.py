"""`ledger loop`: reports on loops that change, train, and keep or discard, and instructions for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from ledger.analysis.judging.loop import LoopReport
from ledger.api.loop import report_loop
from ledger.commands.output import echo, say, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError
from ledger.formatting import duration, money, number, share
from ledger.model.values import counted, plain
from ledger.resources import shipped

_BEGIN, _END = "<!-- ledger loop: begin -->", "<!-- ledger loop: end -->"
_SHOWN = 20
"""Most kept runs that are listed."""


@click.group("loop")
def loop_command() -> None:
    """Report on a loop that changes, trains, and keeps or discards; tell an agent how to run one."""


@loop_command.command("report")
@click.argument("filters", nargs=-1, metavar="[EXPERIMENT|FILTER]...")
@click.option(
    "-m", "--metric", metavar="SPLIT/NAME", help="Metric that it improves. Default: the most frequent headline."
)
@click.option(
    "--direction", type=click.Choice(["higher", "lower"]), help="Which values are better. Default: as recorded."
)
@click.option(
    "--noise", type=click.FloatRange(min=0, min_open=True), metavar="NUMBER",
    help="Standard deviation between repeats, where you know it. Default: that of its own repeats.",
)  # fmt: skip
@click.option("--since", metavar="TIME", help="Only runs that started then or later, such as 2026-11-20.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report_command(
    filters: tuple[str, ...],
    metric: str | None,
    direction: Literal["higher", "lower"] | None,
    noise: float | None,
    since: str | None,
    *,
    as_json: bool,
) -> None:
    """Report how many of a loop's decisions to keep lie inside the noise, its best run so far, and its cost.

    Decisions are the tags keep, discard and crash, or a line of the note such as `status: keep`, as imported tables
    have them. Each kept run is judged against the one that was kept before it, as ledger judge does.

    Example: ledger loop report nightly --since 2026-11-20
    """
    report = report_loop(open_ledger(), filters, since=since, metric=metric, direction=direction, noise=noise)
    if as_json:
        write_json({"inside": report.inside, "report": report})
        return
    for line in _lines(report):
        echo(plain(line))


def _lines(report: LoopReport) -> Iterator[str]:
    kept = len(report.kept) + (report.first is not None)
    yield f"{counted(report.runs, 'run')}: {kept} kept, {report.discarded} discarded, {report.crashed} crashed" + (
        f", {report.undecided} without a decision" if report.undecided else ""
    )
    known = report.noise is not None or report.stated_noise is not None
    if not report.kept:
        yield "no change was kept after the first run"
    elif not known:
        yield f"cannot tell how many of {counted(len(report.kept), 'kept change')} are chance: no setting was repeated"
        yield "  repeat the best run with three other seeds, or state the noise: --noise NUMBER"
    else:
        part = share(report.inside / len(report.kept))
        yield f"{report.inside} of {counted(len(report.kept), 'kept change')} ({part}) lie inside the noise"
    yield from _facts(report)
    for change in report.kept[:_SHOWN]:
        mark = "cannot tell" if not known else "inside the noise" if change.inside else "beyond the noise"
        yield f"  {change.run[16:]}  {number(change.value)}  gain {number(change.verdict.effect)}  {mark}"
    if len(report.kept) > _SHOWN:
        yield f"  and {len(report.kept) - _SHOWN} more: --json lists all"


def _facts(report: LoopReport) -> Iterator[str]:
    if (noise := report.noise) is not None:
        yield (
            f"  noise       {number(noise.width)}, 95 % from {number(noise.low)} to {number(noise.high)}, "
            f"from {counted(noise.runs, 'run')} of {counted(noise.settings, 'setting')}"
        )
    if report.stated_noise is not None:
        yield f"  noise       {number(report.stated_noise)}, as stated"
    yield f"  metric      {report.metric}, {report.direction} is better"
    if report.best is not None and report.best_value is not None:
        reach = ", its interval is unknown"
        if report.best_low is not None and report.best_high is not None:
            reach = f", its setting between {number(report.best_low)} and {number(report.best_high)} (95 %)"
        yield f"  best        {number(report.best_value)} in {report.best[16:]}{reach}"
    amounts = ", ".join(money(amount, currency) for currency, amount in report.cost.items()) or "unknown"
    unknown = f", {counted(report.unknown_cost, 'run')} of unknown cost" if report.unknown_cost else ""
    took = duration(report.seconds) if report.seconds else "unknown time"
    yield f"  cost        {amounts}{unknown}; {took} of training"


@loop_command.command("init")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write into this file.")
def init_command(into: Path | None) -> None:
    """Print instructions for an agent that runs such a loop, or write them into a file such as AGENTS.md.

    In a file, what an earlier call wrote is replaced; nothing else in it is touched.

    Example: ledger loop init --into AGENTS.md
    """
    text = (shipped("templates") / "loop/instructions.md").read_text("utf-8")
    if into is None:
        echo(text, nl=False)
        return
    before = into.read_text("utf-8") if into.exists() else ""
    start, end = before.find(_BEGIN), before.find(_END)
    if (start < 0) != (end < 0) or end < start:
        raise LedgerError(f"only one of the two marks of ledger loop is in this file: `{into}`", hint="remove it")
    if start >= 0:
        after = before[:start] + text.rstrip("\n") + before[end + len(_END) :]
    else:
        gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
        after = before + gap + text
    if after != before:
        into.write_text(after, "utf-8")
    say(f"{'wrote' if after != before else 'unchanged:'} {into}")
