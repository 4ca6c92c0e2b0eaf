"""The server: its tools, each of which gives the answer of the command of that name."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from ledger import __version__
from ledger.api.ledger import Ledger
from ledger.errors import LedgerError
from ledger.mcp import answers
from ledger.model.ids import new_id
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.options import Given, read_given
from ledger.recorder.record.recorder import record
from ledger.store.branch.branch import Branch

P = ParamSpec("P")

INSTRUCTIONS = (
    "The experiment ledger of this repository: every training run, with params, data, metrics and what is unknown. "
    "Values on different dataset versions are never compared. Before you call a change better, ask `judge`: it says "
    "keep, discard or cannot tell, from repeats with other seeds. " + answers.MARK + "."
)
_MOST = 100
"""Most runs of one answer."""
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def make_server(folder: Path, *, write: bool = False) -> MCPServer[Any]:
    """Return the server for the ledger of a repository.

    Args:
        folder: any folder of the repository.
        write: also offer the tool that records a run; nothing is ever sent to a remote.
    """
    server: MCPServer[Any] = MCPServer("ledger", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")
    tools = Tools(folder)
    for read in (
        tools.list_runs, tools.show_run, tools.compare_runs, tools.judge_run, tools.leaderboard, tools.advise,
        tools.loop_report,
    ):  # fmt: skip
        server.tool(annotations=_READS, structured_output=False)(_answering(read))
    if write:
        server.tool(annotations=_WRITES, structured_output=False)(_answering(tools.record_run))
    return server


def _answering(tool: Callable[P, str]) -> Callable[P, str]:
    """Return a tool whose refusals are errors in one line, with what to do."""

    @wraps(tool)
    def answering(*given: P.args, **named: P.kwargs) -> str:
        try:
            return tool(*given, **named)
        except LedgerError as error:
            raise ToolError(f"{error.message}{f' (hint: {error.hint})' if error.hint else ''}") from error
        except ModuleNotFoundError as error:
            raise ToolError(f"a package is missing: {error.name}") from error
        except ValueError as error:
            raise ToolError(str(error)) from error

    return answering


class Tools:
    """The tools of the server; each opens the ledger anew, so that it sees what others add.

    Args:
        folder: any folder of the repository.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _ledger(self) -> Ledger:
        return Ledger.open(self._folder)

    def list_runs(self, query: str = "", sort: str = "", limit: int = 20) -> str:
        """List runs, newest first.

        A query is such as `status = finished and lr < 0.1`; a sort key is a metric such as `validation/loss`.
        """
        found = self._ledger().runs(query, sort=sort or None, limit=min(max(limit, 1), _MOST) + 1)
        shown = found[: min(max(limit, 1), _MOST)]
        warnings = {"warnings": list(found.warnings)} if found.warnings else {}
        return answers.render([answers.brief_run(run) for run in shown], more=len(found) > len(shown), **warnings)

    def show_run(self, run: str, boxes: list[str] | None = None) -> str:
        """Show one run by its id or a part of it.

        Boxes are code, params, datasets, hardware, environment, cost, model, logs, results, statistics; params,
        datasets and results by default.
        """
        return answers.render(answers.whole_run(self._ledger().run(run), answers.check_boxes(boxes or [])))

    def compare_runs(self, runs: list[str]) -> str:
        """Compare two or more runs: params that differ, metrics side by side.

        Values that cannot be compared are not ranked.
        """
        return answers.render(answers.comparison(self._ledger().compare(*runs)))

    def judge_run(self, run: str, against: str = "best", metric: str = "", min_effect: float | None = None) -> str:
        """Judge whether a run is better than another by more than chance: keep, discard or cannot tell.

        The other is a run, `best` or `baseline`.
        """
        found = self._ledger().judge(run, against, metrics=[metric] if metric else (), min_effect=min_effect)
        return answers.render(answers.judged(found), answer=found.answer)

    def leaderboard(self, metric: str = "", on: str = "", query: str = "", limit: int = 10) -> str:
        """Show the best settings of a metric, on each dataset version by itself.

        `may_be_best` marks those within the noise of the best.
        """
        boards = self._ledger().leaderboard(metric or None, query, on=on or None)
        return answers.render(
            [answers.board(board, min(max(limit, 1), _MOST)) for board in boards[:5]], boards=len(boards)
        )

    def advise(self, about: str) -> str:
        """Say what to try next after a run, or after the best run of an experiment, by its numbers."""
        return answers.render(answers.advice(self._ledger().advise(about)))

    def loop_report(self, experiment: str = "", noise: float | None = None, metric: str = "") -> str:
        """Say how many decisions to keep of a loop lie inside the noise, its best run and its cost."""
        about = (experiment,) if experiment else ()
        return answers.render(answers.loop(self._ledger().loop(*about, noise=noise, metric=metric or None)))

    def record_run(
        self,
        experiment: str,
        metrics: dict[str, float],
        params: dict[str, str | float | int | bool] | None = None,
        note: str = "",
        tags: list[str] | None = None,
        seconds: float | None = None,
    ) -> str:
        """Record a run that has ended: metrics by `split/name`, params, a note.

        It stays in this repository until somebody syncs.
        """
        ledger = Branch.open(self._folder)
        now = datetime.now(UTC)
        draft = Draft(
            id=new_id(now, secrets.token_bytes(4)),
            status="finished",
            experiment=experiment,
            started_at=now,
            ended_at=now,
            duration_seconds=seconds or 0.0,
            timed=seconds is not None,
            times="options",
            times_unknown={"started_at": "an agent recorded it after its end"},
            elsewhere=True,
        )
        given = Given(
            params=[f"{name}={value}" for name, value in (params or {}).items()],
            metrics=[f"{name}={value!r}" for name, value in metrics.items()],
            tags=[*(tags or []), "by-agent"],
            note=note or None,
        )
        made = record(ledger, read_given(given, draft), state_dir=ledger.repository.state_dir, strict=True)
        return answers.render({"id": made.record.id}, recorded=True)
