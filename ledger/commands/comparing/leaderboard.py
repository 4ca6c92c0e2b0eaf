"""`ledger leaderboard`: the best settings, on each dataset version by itself."""

from collections.abc import Mapping, Sequence

import click
import msgspec

from ledger.analysis.comparing.leaderboard import Place, SettingBoard
from ledger.analysis.comparing.settings import is_seed
from ledger.analysis.query.fields import params_that_differ, show_value
from ledger.analysis.query.order_warnings import measure_command
from ledger.commands.comparing.include_option import include_option
from ledger.commands.output import say, write_csv, write_json, write_table
from ledger.commands.selection import query_of, say_warnings
from ledger.commands.workplace import open_ledger
from ledger.formatting import measured, number
from ledger.model.entries import Note, StoredRun
from ledger.model.values import WITHDRAWN, Document, ParamValue, counted
from ledger.store.branch.branch import Branch
from ledger.store.branch.versions import read_retirements
from ledger.store.index.leaderboards import boards_on, read_standings
from ledger.store.index.selection import find_runs
from ledger.store.review.code_difference import why_no_repeats

_SHOWN = 20
"""Number of settings shown of each board by default."""
_BOARDS = 10
"""Number of boards shown when no dataset version is given."""
_WITHDRAWN = 5
"""Most runs of a kind that are named below a board."""
_LOOKED_AT = 5
"""Most settings that are checked for differences in code alone."""


class _Shown(Document, frozen=True, kw_only=True):
    """One board with the params of the settings that are shown."""

    board: SettingBoard
    """The board, limited to the settings shown."""
    settings: int
    """Number of all settings."""
    params: list[dict[str, ParamValue]]
    """For each setting shown, the params that distinguish the settings shown."""
    retired: str | None
    """Why its dataset version was retired."""
    apart: str | None = None
    """Why two of the settings shown are separate: they differ in code alone."""


@click.command("leaderboard")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("-m", "--metric", metavar="SPLIT/NAME", help="Metric to rank by. Default: the most frequent headline.")
@click.option("--on", metavar="NAME@VERSION", help="Only this dataset version; for a name alone, each of its versions.")
@include_option
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 10**9),
    default=_SHOWN,
    show_default=True,
    help="Number of settings to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def leaderboard_command(
    filters: tuple[str, ...],
    metric: str | None,
    on: str | None,
    include: frozenset[str],
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show the best settings, one board for each dataset version and evaluator.

    Runs that differ by seed only are one setting: its mean, standard deviation and n. Settings with equal means share a
    rank. A star marks those that may be the best: their difference from the top is within the noise, corrected for the
    number of settings. Runs that did not finish are named below the board and not ranked, unless --include or a
    FILTER names their status. A FILTER is a query, as in ledger list.

    Example: ledger leaderboard --metric validation/accuracy --on digits@v2
    """
    ledger = open_ledger()
    standings = read_standings(ledger, metric, query_of(filters), include)
    for problem in standings.problems:
        say(f"warning: {problem.path}: {problem.message}")
    say_warnings(standings.warnings)
    if not standings.key:
        say("no run here has a headline metric; next: ledger leaderboard --metric SPLIT/NAME")
    boards = boards_on(standings, on) if standings.key else []
    retired = read_retirements(ledger)
    boards.sort(key=lambda board: board.group.dataset in retired)  # a stable sort: those in use keep their order
    chosen = boards if on else boards[:_BOARDS]
    shown = [_show(ledger, board, limit, retired) for board in chosen]
    if as_json:
        write_json(shown)
    elif as_csv:
        write_csv(*_flat(shown))
    else:
        for index, one in enumerate(shown):
            _write(one, first=index == 0)
    if len(boards) > 1:
        _print_other_boards(standings.key, boards, len(chosen), retired)


def _show(ledger: Branch, board: SettingBoard, limit: int, retired: Mapping[str, Note]) -> _Shown:
    places = board.places[:limit]
    runs: list[StoredRun] = find_runs(ledger, [place.runs[0] for place in places]) if places else []
    told = [name for name in params_that_differ(runs) if not is_seed(name)]
    note = retired.get(board.group.dataset)
    return _Shown(
        board=msgspec.structs.replace(board, places=places),
        settings=len(board.places),
        params=[
            {name: run.record.params.values[name] for name in told if name in run.record.params.values} for run in runs
        ],
        retired=note.text if note else None,
        apart=next((why for run in runs[:_LOOKED_AT] if (why := why_no_repeats(ledger, run, runs))), None),
    )


def _cells(place: Place, params: Mapping[str, ParamValue]) -> list[str]:
    spread = place.spread
    rank = "" if place.rank is None else f"{place.rank}{'=' if place.tied else ''}"
    return [
        rank,
        "*" if place.leading else "",
        *(("", "") if spread is None else measured(spread.mean, place.deviation)),
        str(spread.count if spread else 0),
        place.runs[0] if len(place.runs) == 1 else f"{place.runs[0]} +{len(place.runs) - 1}",
        ", ".join(f"{name}={show_value(value)}" for name, value in params.items()),
    ]


_HEADER = ["rank", "best", "mean", "deviation", "n", "run", "setting"]


def _write(shown: _Shown, *, first: bool) -> None:
    board = shown.board
    if not first:
        say("")
    retired = f" (retired: {shown.retired})" if shown.retired is not None else ""
    better = f", {board.direction} is better" if board.direction else ""
    settings = counted(shown.settings, "setting")
    say(f"{board.group.label}{retired}{better}: {settings} of {counted(board.runs, 'run')}")
    rows = [_cells(place, params) for place, params in zip(board.places, shown.params, strict=True)]
    if rows:
        write_table(_HEADER, rows, needed=6)
    if board.refused:
        say(f"not ranked: {board.refused}")
    elif board.unmarked and rows:
        say(f"none marked as best: {board.unmarked}")
    elif board.noise is not None:
        say(f"* may be the best, at 95 %; noise between runs of one setting: {number(board.noise, 2)}")
    if shown.apart:
        say(f"note: {shown.apart}")
    _print_unranked(board)


def _print_unranked(board: SettingBoard) -> None:
    """Print the runs that are not on a board, by reason."""
    retracted = [one.run for one in board.withdrawn if one.why == "retracted"]
    continued = [one.run for one in board.withdrawn if one.why == "continued"]
    unfinished = [one for one in board.withdrawn if one.why not in WITHDRAWN]
    if retracted:
        say(f"retracted, so not ranked: {_name_list(retracted)}")
    if continued:
        say(f"continued by another run, so not ranked: {_name_list(continued)}")
    if unfinished:
        ways = ",".join(sorted({one.why for one in unfinished}))
        say(f"did not finish, so not ranked: {_name_list([f'{one.run} ({one.why})' for one in unfinished])}")
        say(f"hint: to rank them as well: --include {ways}")
    if board.outside:
        said = "outside the range of the other values, so not ranked"
        say(f"{said}: {_name_list([f'{one.run} ({number(float(one.value))})' for one in board.outside])}")
    if board.ranks:
        say(f"ranks of the same training run, so counted once: {_name_list(board.ranks)}")


def _name_list(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _WITHDRAWN} more" if len(parts) > _WITHDRAWN else ""
    return f"{', '.join(parts[:_WITHDRAWN])}{more}"


def _flat(shown: Sequence[_Shown]) -> tuple[list[str], list[list[str]]]:
    """Return one table of all boards, in which each row states what its values are comparable with."""
    header = ["metric", "dataset", "dataset_hash", "evaluator", "retired", "direction", *_HEADER[:5], "runs", "setting"]
    rows = []
    for one in shown:
        group, retired = one.board.group, "" if one.retired is None else "retired"
        same = [group.key, group.dataset, group.dataset_hash, group.evaluator, retired, one.board.direction or ""]
        for place, params in zip(one.board.places, one.params, strict=True):
            rank, star, _, _, count, _, setting = _cells(place, params)
            mean = "" if place.spread is None else repr(place.spread.mean)
            deviation = "" if place.deviation is None else repr(place.deviation)
            rows.append([*same, rank, star, mean, deviation, count, " ".join(place.runs), setting])
    return header, rows


def _print_other_boards(key: str, boards: Sequence[SettingBoard], shown: int, retired: Mapping[str, Note]) -> None:
    in_use = (board.group.dataset for board in boards if board.group.known and board.group.dataset not in retired)
    more = f" ({shown} are shown; name one with --on)" if shown < len(boards) else ""
    say(f"{key} was measured in {len(boards)} ways that cannot be compared{more}")
    if remedy := measure_command(in_use):
        say(f"hint: to compare them: {remedy}")
