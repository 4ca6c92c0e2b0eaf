"""`ledger weak`: where the model of a run is weak, and what to change next."""

from collections.abc import Iterator

import click

from ledger.analysis.weak.weak_points import ConfusedPair, Flips, Mistake, WeakPoints, WeakShare
from ledger.api.weak import weak_points_of_id
from ledger.commands.output import echo, say, write_json
from ledger.commands.workplace import open_ledger
from ledger.formatting import number, share
from ledger.model.values import counted, plain

_CHANCE = 0.05
"""Largest p-value of a split that is more than chance."""


@click.command("weak")
@click.argument("run")
@click.option(
    "--against",
    metavar="RUN|baseline|parent|best",
    help="Run to compare with. Default: the first of the last three that there is.",
)
@click.option("-m", "--metric", metavar="SPLIT/NAME", help="Metric whose tables to read. Default: the headline.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1, max=200),
    default=5,
    show_default=True,
    help="Most entries of each list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def weak_command(run: str, against: str | None, metric: str | None, limit: int, as_json: bool) -> None:
    """Show where the model of RUN is weak: slices, classes, pairs, mistakes, and what changed against another run.

    It reads the tables that `run.predictions(truth, predicted, confidence=…, slices=…, samples=…)` kept. A slice is
    `weak` where it is worse than all samples together by more than chance, corrected for the number of slices. What
    to change next is a guess: one sentence each on data, augmentation and architecture, with its rule.

    Example: ledger weak x7k2qf --against best
    """
    points = weak_points_of_id(open_ledger(), run, against, metric=metric, most=limit)
    if as_json:
        write_json(points)
        return
    value = f" is {number(points.value)}" if points.value is not None else ""
    where = f" on {points.dataset}" if points.dataset else ""
    other = f", beside {points.word} {points.against}" if points.against and points.word != "given" else ""
    other = f", beside {points.against}" if points.against and points.word == "given" else other
    echo(click.style(plain(f"{points.run}: {points.metric}{value}{where}{other}"), bold=True))
    for title, lines in _parts(points):
        shown = list(lines)
        if shown:
            echo(f"\n{click.style(title, bold=True)}")
            for line in shown:
                echo(plain(f"  {line}"))
    for name, why in points.missing.items():
        say(plain(f"{name}: {why}"))


def _parts(points: WeakPoints) -> Iterator[tuple[str, Iterator[str]]]:
    yield "worst slices", map(_share_line, points.slices)
    yield "worst classes, by recall", map(_share_line, points.classes)
    yield "most confused", map(_pair_line, points.pairs)
    yield "surest mistakes", map(_mistake_line, points.mistakes)
    yield f"changed against {points.against}", _change_lines(points)
    yield "what to change next: guesses", (f"{one.about}: {one.say} ({one.rule})" for one in points.guesses)


def _share_line(one: WeakShare) -> str:
    interval = (
        f", 95 % {number(one.low, 3)} to {number(one.high, 3)}" if one.low is not None and one.high is not None else ""
    )
    before = f", was {number(one.before, 3)}" if one.before is not None else ""
    moved = f" ({one.moved})" if one.moved else ""
    mark = ", weak" if one.weak else ""
    return f"{one.name}: {number(one.value, 3)}{interval}, {counted(one.samples, 'sample')}{mark}{before}{moved}"


def _pair_line(pair: ConfusedPair) -> str:
    part = f", {share(pair.share)} of its samples" if pair.share is not None else ""
    if pair.low is not None and pair.high is not None:
        part += f" (95 % {share(pair.low)} to {share(pair.high)})"
    times = f"{pair.count} times" if pair.count != 1 else "once"
    return f"{pair.truth} taken for {pair.predicted}: {times}{part}"


def _mistake_line(mistake: Mistake) -> str:
    picture = f"; its picture: git show ledger:{mistake.picture.path}" if mistake.picture else ""
    said = f"{mistake.truth} taken for {mistake.predicted}, {share(mistake.confidence)} sure"
    return f"{mistake.sample}: {said}{picture}"


def _change_lines(points: WeakPoints) -> Iterator[str]:
    if points.flips is not None:
        yield _flip_line(points.flips)
        if points.flips.broken_samples:
            yield f"broken: {', '.join(points.flips.broken_samples)}"
        if points.flips.mended_samples:
            yield f"mended: {', '.join(points.flips.mended_samples)}"
    if points.cases:
        yield f"cases that it broke: {', '.join(points.cases)}"
    for one in points.moved:
        yield f"{one.moved}: {one.name}, {number(one.before or 0.0, 3)} → {number(one.value, 3)}"
    for step in points.steps:
        yield f"step {step.name}: {step.said}"
    if points.beside and (points.steps or points.moved):
        yield f"changed as well: {', '.join(points.beside)}"


def _flip_line(flips: Flips) -> str:
    chance = "more than chance" if flips.p_value < _CHANCE else "no more than chance"
    split = f": {chance} (p {number(flips.p_value, 2)})" if flips.broken + flips.mended else ""
    return f"{counted(flips.broken, 'sample')} broken, {flips.mended} mended{split}"
