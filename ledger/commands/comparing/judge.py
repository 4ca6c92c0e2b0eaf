"""`ledger judge`: keep, discard, or cannot tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import click

from ledger.analysis.judging.verdict import Answer
from ledger.analysis.judging.verdict_text import brief_line, lines_of
from ledger.api.judge import judge_run
from ledger.commands.comparing.include_option import include_option
from ledger.commands.output import echo, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, NoVerdict
from ledger.model.values import plain

EXIT_CODES: dict[Answer, int] = {"keep": 0, "discard": 1, "cannot tell": 2}


class _Question(click.Command):
    """A command with exit codes 0, 1 and 2 for answers: any error exits with 4."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:  # as click has it
        """Read the command line."""
        with _no_verdict():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:  # as click has it
        """Run it."""
        with _no_verdict():
            return super().invoke(ctx)


@contextmanager
def _no_verdict() -> Iterator[None]:
    """Turn any error into one with an exit code of its own."""
    try:
        yield
    except LedgerError as error:
        raise NoVerdict(error.message, hint=error.hint) from error
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        message = error.format_message()
        raise NoVerdict(message[:1].lower() + message[1:].rstrip("."), hint="ledger judge --help") from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "ledger":
            raise
        hint = "pip install 'git-ledger[stats]'"
        raise NoVerdict(f"judging needs a package: `{error.name}`", hint=hint) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f": `{error.filename}`" if error.filename is not None else ""
        raise NoVerdict(f"{(error.strerror or str(error)).lower()}{where}") from error


@click.command("judge", cls=_Question)
@click.argument("run")
@click.option(
    "--against", default="baseline", metavar="RUN|best|baseline", help="Run to judge against. Default: the baseline."
)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME", help="Metric to judge by. Default: its headline."
)
@click.option(
    "--min-effect", type=float, metavar="NUMBER", help="Smallest improvement worth having. Default: the noise width."
)
@click.option(
    "--trials", type=click.IntRange(min=1), help="Number of settings it was chosen from. Default: all that were tried."
)
@click.option(
    "--direction", type=click.Choice(["higher", "lower"]), help="Which values are better, where it is not recorded."
)
@include_option
@click.option("--pareto", is_flag=True, help="Also show its place in metric, cost, time, size and memory.")
@click.option("--brief", is_flag=True, help="Print one line: the answer, the gain, its chance, the repeats needed.")
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
    brief: bool,
    as_json: bool,
) -> int:
    """Judge whether RUN is better than another by more than chance: keep (0), discard (1), cannot tell (2).

    Runs of one setting, which differ by seed only, are judged together. A run that did not finish is not judged, and is
    never the best, unless --include names its status. Any error exits with 4, prints `error:` on stderr and
    nothing on stdout: 0, 1 and 2 are always answers.

    Example: ledger judge x7k2qf --against best --min-effect 0.002
    """
    judged = judge_run(
        open_ledger(),
        run,
        against,
        metrics=metrics,
        min_effect=min_effect,
        trials=trials,
        direction=direction,
        include=include,
        pareto=pareto,
    )
    if as_json:
        write_json(judged)
    elif brief:
        echo(plain(brief_line(judged.answer, judged.judgements)))
    else:
        for line in lines_of(judged.judgements, judged.fronts):
            echo(plain(line))
    return EXIT_CODES[judged.answer]
