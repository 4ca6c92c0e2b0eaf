"""The table of verbs, and the one place that turns errors into exit codes."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from ledger import __version__
from ledger.commands.lazy_group import LazyGroup, Section
from ledger.errors import LedgerError, UsageError
from ledger.settings import COMPLETE_VARIABLE

SECTIONS = (
    Section(
        "Record",
        "ledger.commands.recording",
        {
            "record": "Record a training run that has ended.",
            "run": "Run a command and record it, however it ends.",
            "import": "Import the history of another tracker, with its times and ids.",
            "recover": "Finish what a crash left behind: runs that died, records that wait.",
            "evaluate": "Record a later measurement of a run, such as on a newer validation set.",
            "reevaluate": "Measure the models of many runs on a dataset version, with a command.",
            "aggregate": "Add the aggregates of the policy to runs that lack them.",
            "note": "Add a note to a run.",
            "watch": "Watch the GPUs of this host, run or no run: busy, held idle, free.",
            "tag": "Add tags to a run, or remove them.",
            "retract": "Withdraw a run: it stays on the ledger and on no leaderboard.",
            "baseline": "Make a run the baseline of its experiment.",
            "experiment": "Say what an experiment asks, expects and showed; show what is known of it.",
            "milestone": "Claim a product stage for a model, with a run as evidence; list all models.",
        },
    ),
    Section(
        "Read",
        "ledger.commands.reading",
        {
            "list": "List runs: filter, sort, choose columns.",
            "status": "Show the runs that live now: how far, how fast, when done.",
            "show": "Show one run: its ten boxes, or a file of its record.",
            "log": "Show the commits of the ledger, newest first.",
            "export": "Export runs as a flat table: CSV, JSON lines or Parquet.",
            "schema": "Print the JSON Schema of a document.",
        },
    ),
    Section(
        "Compare and judge",
        "ledger.commands.comparing",
        {
            "compare": "Compare runs: params that differ, metrics side by side.",
            "leaderboard": "Show the best settings, on each dataset version by itself.",
            "report": "Write figures and tables for a paper: PDF, SVG, PNG, LaTeX, Markdown.",
            "judge": "Say whether a run is better by more than chance: keep, discard, or cannot tell.",
            "loop": "Say how many of a loop's decisions lie inside the noise; instruct an agent.",
            "advise": "Say what to try next, from the numbers of a run.",
            "weak": "Show where a run's model is weak: slices, classes, mistakes; and what to change next.",
            "cost": "Show what runs cost, and what of it was wasted; estimate what more would cost.",
            "idle": "Show which GPUs were held and did nothing, by whom, and what it cost.",
            "matrix": "Show the value of a metric for each run on each version of a dataset.",
            "align": "Show whether better offline means better in production.",
            "growth": "Fit how a metric grows, and predict what ten times more would give.",
        },
    ),
    Section(
        "Datasets",
        "ledger.commands.data",
        {
            "dataset": "Keep versions of datasets, and the history of each.",
            "case": "Register cases that every model must pass.",
            "prepare": "Run a preprocessing command once for its code, params and data.",
            "cache": "List prepared data, and make room.",
            "serve": "Serve the samples of a dataset version to any number of trainings.",
        },
    ),
    Section(
        "Review",
        "ledger.commands.review",
        {
            "propose": "Propose runs for a review, on a branch of their own.",
            "review": "Show the facts about a proposal for its reviewer, and record the decision.",
            "check": "Check what is proposed for the ledger: everything that is wrong with it, at once.",
            "ci": "Install the workflows that check, review and publish.",
        },
    ),
    Section(
        "Keep safe",
        "ledger.commands.safety",
        {
            "sync": "Send entries to a remote, and get those of others.",
            "verify": "Verify that the ledger only ever grew, and that its content agrees with its records.",
            "sign": "Sign entries that are on the ledger already.",
            "checkpoint": "Vouch for the whole ledger as it is now, with a tag.",
            "redact": "Remove a leaked secret from the ledger's history.",
            "hooks": "Install git hooks that keep the ledger whole wherever it arrives.",
        },
    ),
    Section(
        "Set up",
        "ledger.commands.setup",
        {
            "init": "Begin a ledger in this repository, or one of its own where there is none.",
            "policy": "Show or change the team's policy, without a checkout.",
            "site": "Build or serve the static site of the ledger.",
            "demo": "Train small real models, record them, and build their site.",
            "mcp": "Serve the ledger to an agent, over stdin and stdout.",
            "completion": "Print the shell completion for bash, zsh or fish.",
        },
    ),
)
"""Every verb with its one line; the file `<verb>.py` in the folder of its section is imported when it is chosen."""

EXIT_CODES = {
    0: "Done.",
    1: "A problem that you can fix: one line says what, and a hint says how.",
    2: "The command line itself is wrong.",
    3: "A bug in ledger: the line names a report to send.",
    4: "`ledger judge` has no answer: the question is wrong, or something is missing.",
    130: "Stopped by Ctrl-C.",
    141: "Whoever read the output went away, as `head` does; what was recorded is recorded.",
}
"""Exit codes of `run`, and their meaning; the reference is made from it."""


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)
@click.version_option(__version__, "-V", "--version", prog_name="git-ledger")
@click.option(
    "-C", "folder", type=click.Path(file_okay=False), metavar="FOLDER", help="Work as if started in FOLDER, like git."
)
def program(folder: str | None) -> None:
    """The experiment ledger for deep learning that needs no server.

    Every run becomes one permanent, reviewable record on the branch `ledger` of your own git repository.
    """
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            why = (error.strerror or "").lower()
            raise UsageError(f"cannot work in this folder ({why}): `{folder}`") from error


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911  # one return for each exit code
    """Run one command line and return its exit code."""
    try:
        result = _dispatch(arguments)
        sys.stdout.flush()
    except LedgerError as error:
        return _complain(error.message, error.hint, error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        hint = f"{error.ctx.command_path} --help" if error.ctx else None
        return _complain(_lowered(error.format_message()), hint, 2)
    except click.ClickException as error:
        return _complain(_lowered(error.format_message()), None, 1)
    except (KeyboardInterrupt, click.Abort):
        return _complain("stopped", None, 130)
    except OSError as error:
        return unwritten(error)
    except Exception as error:  # noqa: BLE001  # the one place where a bug becomes one line and a report
        from ledger.commands.bug_report import write_report

        said = f"this is a bug in ledger: {type(error).__name__}: {error}"
        return _complain(said, f"please report it with this file: {write_report(error, arguments)}", 3)
    return result if isinstance(result, int) else 0


def _dispatch(arguments: Sequence[str]) -> object:
    """Let click find and run the command; its own `main` would turn a closed pipe into exit code 1."""
    if COMPLETE_VARIABLE in os.environ:
        return program.main(args=list(arguments), prog_name="ledger", standalone_mode=False)
    try:
        with program.make_context("ledger", list(arguments)) as context:
            return program.invoke(context)
    except click.exceptions.Exit as ended:  # --help and --version
        return ended.exit_code


def unwritten(error: OSError) -> int:
    """Return the exit code for a closed pipe, or for a problem that the user must fix: a full disk, a folder."""
    _give_up_output()
    if isinstance(error, BrokenPipeError):
        return 141
    where = f": `{error.filename}`" if error.filename is not None else ""
    return _complain(f"{(error.strerror or str(error)).lower()}{where}", None, 1)


def _give_up_output() -> None:
    """Drop buffered output: Python would try to write it at exit, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(message: str, hint: str | None, code: int) -> int:
    """Print one line on stderr, and a hint; nothing from a record may control the terminal."""
    from ledger.model.values import plain

    with suppress(OSError):  # the exit code is returned even without a stderr
        click.echo(f"{click.style('error:', fg='red', bold=True)} {plain(message)}", err=True)
        if hint:
            click.echo(f"{click.style('hint:', fg='cyan')} {plain(hint)}", err=True)
    return code


def _lowered(message: str) -> str:
    return (message[:1].lower() + message[1:]).rstrip(".")
