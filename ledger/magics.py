"""Magics for notebooks and IPython: `%load_ext ledger` loads them.

`%ledger` runs the command line, `%%ledger_run` runs a cell as a run. Nothing of ours is raised into the kernel, but a
mistyped option, before anything has run; what the cell itself raises is.
"""

import ast
import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import click
import msgspec

from ledger.capture.inputs.params import parse_assignment
from ledger.errors import LedgerError
from ledger.session.notebook.cells import CellWatch
from ledger.session.run.run import Run
from ledger.session.run.run import run as begin

LINE, CELL = "ledger", "ledger_run"
"""Names of the two magics."""

Shell = Any  # IPython is not imported


@click.command(CELL, add_help_option=False)
@click.argument("experiment", required=False)
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="One param.")
@click.option("-t", "--tag", "tags", multiple=True, help="Word to find the run by.")
@click.option("-n", "--note", help="Comment on the run.")
@click.option("--seed", type=int, help="Random seed.")
@click.option("--parent", metavar="RUN", help="Run that it continues.")
@click.option("--baseline", metavar="RUN", help="Run to compare it with.")
@click.option("--figures", is_flag=True, help="Keep the matplotlib figures that the cell shows.")
@click.option("--no-output", is_flag=True, help="Keep nothing of what the cell prints.")
@click.option("-h", "--help", "wants_help", is_flag=True, help="Show this message, and run nothing.")
def _options(**given: Any) -> dict[str, Any]:  # noqa: ANN401  # click passes options by name, whatever their types
    """Run the cell as one run; in it `run` is the run: `run.log(…)`, `run.metric(…)`.

    Example: %%ledger_run digits -p lr=0.1 --seed 1
    """
    return given


def load(shell: Shell) -> None:
    """Register the magics in a shell and watch its cells from now on; never raises."""
    try:
        watch = CellWatch.of(shell)
        for cell in watch.cells()[-1:]:  # the one that loads us
            watch.adopt(cell if cell.at else msgspec.structs.replace(cell, at=time.time()))
        shell.register_magic_function(_line_magic, "line", LINE)
        shell.register_magic_function(_cell_magic(shell), "cell", CELL)
        shell.set_hook("complete_command", _complete, str_key=f"%{LINE}")
        shell.set_hook("complete_command", _complete, str_key=LINE)
        shell.set_hook("complete_command", _complete_options, str_key=f"%%{CELL}")
    except Exception as error:  # noqa: BLE001  # whatever only looks like IPython's shell
        _say(f"the magics of ledger could not be loaded: {error}")


def unload(shell: Shell) -> None:
    """Remove the magics; never raises."""
    with contextlib.suppress(Exception):
        for kind, name in (("line", LINE), ("cell", CELL)):
            shell.magics_manager.magics[kind].pop(name, None)
        CellWatch.of(shell).stop()


def _line_magic(line: str) -> None:
    """Run a command of ledger, such as `%ledger list` or `%ledger show x7k2qf`; `%ledger --help` lists them all."""
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        _say(f"the command cannot be read ({str(error).lower()}): {line}")
        return
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        _say(f"the command could not be started: {error}")
        return
    with process:
        try:
            for text in process.stdout or ():
                sys.stdout.write(text)
        except KeyboardInterrupt:
            process.terminate()
            raise


def _cell_magic(shell: Shell) -> Callable[[str, str], None]:
    def ledger_run(line: str, cell: str) -> None:
        __tracebackhide__ = True  # IPython leaves this frame out
        given = _given(line)
        if given is None:
            return
        run = _begin(given)
        if run is None:
            _execute(shell, cell)
            return
        with run:
            shell.user_ns["run"] = run
            _execute(shell, cell)

    with click.Context(_options, info_name=f"%%{CELL}") as context:
        ledger_run.__doc__ = _options.get_help(context)
    return ledger_run


def _given(line: str) -> dict[str, Any] | None:
    """Return the options of a cell; none where only their description was wanted, which is then shown."""
    try:
        with _options.make_context(f"%%{CELL}", shlex.split(line)) as context:
            given: dict[str, Any] = _options.invoke(context)
            if given.pop("wants_help"):
                click.echo(_options.get_help(context))
                return None
            given["params"] = dict(parse_assignment(text) for text in given["params"])
            return given
    except click.ClickException as error:
        _refuse(error.format_message())
    except LedgerError as error:
        _refuse(f"{error.message}{f' (hint: {error.hint})' if error.hint else ''}")
    except ValueError as error:  # an open quotation mark
        _refuse(str(error))


def _begin(given: dict[str, Any]) -> Run | None:
    """Begin the run; none where that fails, which is said: the cell is executed all the same."""
    figures, silent = given.pop("figures"), given.pop("no_output")
    try:
        return begin(given.pop("experiment"), **given, inline_figures=figures, output=not silent)
    except LedgerError as error:  # a name that no record can hold
        _refuse(f"{error.message}{f' (hint: {error.hint})' if error.hint else ''}")
    except Exception as error:  # noqa: BLE001  # training goes on, whatever broke
        _say(f"this cell is not recorded: {type(error).__name__}: {error}")
        return None


def _execute(shell: Shell, cell: str) -> None:
    """Execute the body of a cell as IPython would, its last value shown; what it raises is raised."""
    __tracebackhide__ = True
    transformed = shell.transform_cell(cell)
    name = shell.compile.cache(transformed, shell.execution_count, raw_code=cell)
    tree = shell.transform_ast(shell.compile.ast_parse(transformed, filename=name))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(shell.compile(tree, name, "exec"), shell.user_global_ns, shell.user_ns)  # noqa: S102  # the user's own cell
    if isinstance(last, ast.Expr):
        code = shell.compile(ast.Expression(last.value), name, "eval")
        sys.displayhook(eval(code, shell.user_global_ns, shell.user_ns))  # noqa: S307  # the user's own cell


def _complete(_: object, event: Any) -> list[str]:  # noqa: ANN401  # IPython's
    """Return what may follow in `%ledger …`: commands and their options, as in a shell."""
    with contextlib.suppress(Exception):
        from click.shell_completion import ShellComplete

        from ledger.cli import program

        words = event.line.split()[1:]
        unfinished = words.pop() if words and not event.line.endswith(" ") else ""
        found = ShellComplete(program, {}, LINE, "").get_completions(words, unfinished)
        return [item.value for item in found if item.type == "plain"]
    return []


def _complete_options(_: object, event: Any) -> list[str]:  # noqa: ANN401, ARG001  # IPython's
    return [option for parameter in _options.params for option in parameter.opts if option.startswith("--")]


def _refuse(message: str) -> NoReturn:
    """Stop before anything has run, with one line and no traceback.

    Raises:
        UsageError: always, that of IPython.
    """
    error = getattr(sys.modules.get("IPython.core.error"), "UsageError", ValueError)
    raise error(f"%%{CELL}: {message}")


def _say(message: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{message}\n")
