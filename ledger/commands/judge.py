"""`ledger judge`: keep, discard, or cannot tell."""

import math
from collections.abc import Collection
from typing import Literal, NoReturn

import click
from msgspec.structs import replace

from ledger.analysis.comparable import counts
from ledger.analysis.judging import Judgement, Tried, best_other, gather, identity, judge, shared_group, with_samples
from ledger.analysis.pareto import Front, choices_of, front_of
from ledger.analysis.per_sample import SampleEvidence, sample_evidence
from ledger.analysis.telling import lines_of
from ledger.analysis.verdict import Answer
from ledger.commands.include import include_option
from ledger.commands.output import echo, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.model.entries import Run
from ledger.model.values import Direction, Document, plain
from ledger.store.code_difference import why_no_repeats
from ledger.store.ledger import Ledger
from ledger.store.peers import read_baseline, read_peers
from ledger.store.sample_values import read_samples
from ledger.store.selection import find_runs

EXIT_CODES: dict[Answer, int] = {"keep": 0, "discard": 1, "cannot tell": 2}


class Judged(Document, frozen=True, kw_only=True):
    """What `ledger judge --json` prints."""

    answer: Answer
    """Of all metrics together: `discard` when one says so, `keep` when all do."""
    judgements: list[Judgement]
    """One per metric."""
    fronts: list[Front] = []
    """Where the setting stands in metric, cost, time, size and memory; one per metric, when asked for."""


@click.command("judge")
@click.argument("run")
@click.option(
    "--against", default="baseline", metavar="RUN|best|baseline", help="What to judge against; the baseline by default."
)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME", help="Which metric; its headline by default."
)
@click.option("--min-effect", type=float, metavar="NUMBER", help="Smallest improvement worth having; the noise width.")
@click.option("--trials", type=click.IntRange(min=1), help="Settings it was chosen from; all that were tried.")
@click.option("--direction", type=click.Choice(["higher", "lower"]), help="Which values are better, if nobody said.")
@include_option
@click.option("--pareto", is_flag=True, help="Show where it stands in metric, cost, time, size and memory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def judge_command(
    run: str,
    against: str,
    metrics: tuple[str, ...],
    min_effect: float | None,
    trials: int | None,
    direction: Literal["higher", "lower"] | None,
    include: frozenset[str],
    pareto: bool,
    as_json: bool,
) -> int:
    """Say whether RUN is better than another by more than chance: keep (0), discard (1), cannot tell (2).

    Runs of one setting, which differ by seed only, are judged together. A run that did not finish is not judged, and is
    never the best, unless --include names how it ended. Whatever goes wrong exits with 2 as well,
    says `error:` on stderr and nothing on stdout, so that neither 0 nor 1 is ever returned without an answer.

    Example: ledger judge x7k2qf --against best --min-effect 0.002
    """
    if min_effect is not None and not (math.isfinite(min_effect) and min_effect >= 0):
        raise UsageError(f"the smallest improvement must be a number, 0 or more: `{min_effect}`")
    try:
        ledger = open_ledger()
        judged = _judge(ledger, run, against, metrics, min_effect, trials, direction, include=include, pareto=pareto)
    except UsageError:
        raise
    except (LedgerError, OSError, ModuleNotFoundError) as error:
        _refuse(error)
    if as_json:
        write_json(judged)
    else:
        for line in lines_of(judged.judgements, judged.fronts):
            echo(plain(line))
    return EXIT_CODES[judged.answer]


def _refuse(error: LedgerError | OSError | ModuleNotFoundError) -> NoReturn:
    """Raise what exits with 2: 1 would mean that the run is no better."""
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, LedgerError):
        raise UsageError(error.message, hint=error.hint) from error
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").partition(".")[0] == "ledger":
            raise error
        hint = "pip install 'git-ledger[stats]'"
        raise UsageError(f"judging needs a package: `{error.name}`", hint=hint) from error
    raise UsageError(f"cannot read the ledger: `{error}`") from error


def _judge(
    ledger: Ledger,
    short: str,
    against: str,
    metrics: tuple[str, ...],
    min_effect: float | None,
    trials: int | None,
    direction: Direction | None,
    *,
    include: Collection[str],
    pareto: bool,
) -> Judged:
    (run,) = find_runs(ledger, [short])
    _refuse_uncounted(run, "run", include)
    other = None if against == "best" else _other(ledger, run, against, include)
    keys = list(dict.fromkeys(metrics)) or [_headline(run)]
    judgements, fronts = [], []
    for key in keys:
        peers = read_peers(ledger, [run, *([other] if other else [])], key, everything=pareto, include=include)
        group = shared_group(run, other or run, key)
        unread = peers.unread.get(identity(group), 0)
        tried = gather(peers.runs, unread=unread, only={identity(group)}, include=include)[identity(group)]
        if direction is not None and tried.direction is None:
            tried = replace(tried, direction=direction)
        reference = other.record.id if other else best_other(run.record.id, tried)
        judgement = judge(run.record.id, reference, tried, min_effect=min_effect, trials=trials, metrics=len(keys))
        judgement = with_samples(judgement, _samples(ledger, peers.runs, tried, judgement))
        if judgement.verdict.answer == "cannot tell" and (why := why_no_repeats(ledger, run)):
            judgement = replace(judgement, cautions=[*judgement.cautions, why])
        judgements.append(judgement)
        if pareto:
            fronts.append(_front(tried, peers.runs, judgement))
    return Judged(answer=_together([one.verdict.answer for one in judgements]), judgements=judgements, fronts=fronts)


def _samples(ledger: Ledger, runs: tuple[Run, ...], tried: Tried, judgement: Judgement) -> SampleEvidence | None:
    sides = ([run for run in runs if run.record.id in side.runs] for side in (judgement.ours, judgement.theirs))
    ours, theirs = (read_samples(ledger, side, tried.group) for side in sides)
    return sample_evidence(ours, theirs, judgement.direction) if ours and theirs else None


def _front(tried: Tried, runs: tuple[Run, ...], judgement: Judgement) -> Front:
    choices = choices_of(tried, {run.record.id: run for run in runs})
    return front_of(tried.place[judgement.run], tried.place[judgement.against], choices)


def _together(answers: list[Answer]) -> Answer:
    if "discard" in answers:
        return "discard"
    return "keep" if set(answers) == {"keep"} else "cannot tell"


def _headline(run: Run) -> str:
    if run.record.results.headline is None:
        raise UsageError(
            f"this run has no headline metric: `{run.record.id}`",
            hint=f"ledger judge {run.record.id} --metric SPLIT/NAME",
        )
    return run.record.results.headline


def _other(ledger: Ledger, run: Run, against: str, include: Collection[str]) -> Run:
    if against != "baseline":
        (other,) = find_runs(ledger, [against])
        _refuse_uncounted(other, "run to judge against", include)
        if other.record.id == run.record.id:
            raise UsageError(f"a run cannot be judged against itself: `{run.record.id}`")
        return other
    named = run.record.baseline
    baseline = find_runs(ledger, [named])[0] if named else read_baseline(ledger, run.record.experiment)
    if baseline is None:
        raise UsageError(
            f"no baseline stands for this experiment: `{run.record.experiment}`",
            hint=f"ledger judge {run.record.id} --against best, or first: ledger baseline RUN",
        )
    _refuse_uncounted(baseline, "baseline", include)
    if baseline.record.id == run.record.id:
        raise UsageError(
            f"this run is the baseline itself: `{run.record.id}`", hint=f"ledger judge {run.record.id} --against best"
        )
    return baseline


def _refuse_uncounted(run: Run, what: str, include: Collection[str]) -> None:
    if run.retraction is not None:
        why = run.retraction.text.splitlines()[0] if run.retraction.text else "nobody said why"
        raise UsageError(f"the {what} was retracted ({why}): `{run.record.id}`", hint="ledger judge RUN --against RUN")
    if not counts(run, include):
        status, reason = run.record.status, f", {run.record.reason}" if run.record.reason else ""
        raise UsageError(
            f"the {what} did not finish ({status}{plain(reason)}): `{run.record.id}`",
            hint=f"to judge it all the same: --include {status}",
        )
