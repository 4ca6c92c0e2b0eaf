"""The page of one leaderboard: settings with mean and spread, the possible best marked, and unranked runs."""

from collections.abc import Sequence

from markupsafe import Markup

from ledger.analysis.comparing.comparable import Leaderboard
from ledger.analysis.comparing.leaderboard import Place, SettingBoard, mean_interval, mean_noise
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.comparing.settings import is_seed
from ledger.analysis.query.order_warnings import measure_command
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.charts.forest_cells import Cell, Forest, render_forest
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.alignment_view import alignment_views, render_periods
from ledger.publish.pages.parts.trade_off_view import trade_off_views
from ledger.publish.site.site_data import Atlas, board_name, board_path
from ledger.publish.site.templating import render
from ledger.publish.text import param_text

BOARD_ROWS = 200
"""Most settings on the page."""
_RUNS_LINKED = 12
"""Most runs of a setting that are linked; the rest is counted."""
_PARTS = " \N{MIDDLE DOT} "
"""What stands between the parts of a name."""
_PARAMS_SHOWN = 8
"""Most params that distinguish the settings of a board."""


class Row(Document, frozen=True, kw_only=True):
    """One setting as shown on the page."""

    place: Place
    """The setting."""
    run: StoredRun
    """Its best run, which represents it."""
    name: str
    """What tells it apart within its experiment; empty where nothing does."""
    params: tuple[tuple[str, str], ...]
    """Params that distinguish it from the other settings shown, as typed, the most telling first."""
    linked: tuple[tuple[str, str], ...]
    """Runs that are linked, each with what its name says beside the setting's, else its short id."""
    statuses: tuple[str, ...]
    """How its runs ended, each status once."""


def render_board(board: Leaderboard, atlas: Atlas) -> Page:
    """Return the page of one leaderboard, with links to boards that are not comparable with it."""
    group = board.group
    ranked = atlas.ranked[group.id]
    forest, cells, halves = _forest(board, ranked)
    siblings = [one for one in atlas.boards if one.group.key == group.key and one.group != group]
    here = {standing.run.record.id for standing in board.standings}
    rows = _rows(ranked, atlas)
    retired = atlas.retired.get(board.group.dataset)
    content = render(
        "board",
        names=atlas.names,
        board=ranked,
        rows=rows,
        all_finished=all(row.statuses == ("finished",) for row in rows),
        forest=forest,
        cells=cells,
        table=_as_table(ranked),
        duel=_duel(ranked),
        retired=retired.text if retired else None,
        remedy=None if retired else measure_command([board.group.dataset]),
        halves=halves,
        siblings=[(other, atlas.address_of(other.group)) for other in siblings],
        unmeasured=len({standing.run.record.id for other in siblings for standing in other.standings} - here),
        trades=trade_off_views(ranked, atlas),
        alignments=alignment_views(board, atlas, depth=1),
        periods=render_periods(board, depth=1),
        online=any(standing.metric.period for standing in board.standings),
        markup=markup,
        depth=1,
    )
    return Page(
        kind="board",
        path=board_path(board.group),
        title=f"Leaderboard: {board.group.label}",
        description=f"{len(ranked.places)} settings of {ranked.runs} runs by {board.group.label}",
        content=content,
    )


def _rows(board: SettingBoard, atlas: Atlas) -> list[Row]:
    shown = board.places[:BOARD_ROWS]
    runs = [atlas.by_id[place.runs[0]] for place in shown]
    told = [name for name in rank_params(runs) if not is_seed(name)][:_PARAMS_SHOWN]
    return [
        Row(
            place=place,
            run=run,
            name=atlas.setting_names.get(run.record.id, ""),
            params=_param_pairs(run, told),
            linked=tuple((one, _beside(one, atlas)) for one in place.runs[:_RUNS_LINKED]),
            statuses=tuple(dict.fromkeys(atlas.by_id[one].record.status for one in place.runs)),
        )
        for place, run in zip(shown, runs, strict=True)
    ]


def _beside(run: str, atlas: Atlas) -> str:
    """Return what tells a run apart from the others of its setting."""
    shared = atlas.setting_names.get(run, "").split(_PARTS)
    return _PARTS.join(part for part in atlas.names.get(run, "").split(_PARTS) if part not in shared) or run[-6:]


def _param_pairs(run: StoredRun, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    values = run.record.params.values
    return tuple((name, param_text(values[name])) for name in names if name in values)


def _forest(
    board: Leaderboard, ranked: SettingBoard
) -> tuple[Forest | None, dict[str, Markup], dict[str, float | None]]:
    """Return the settings shown on one scale; by the first run of each its picture, and half of its interval."""
    if not ranked.group.known:
        return None, {}, {}
    values = {standing.run.record.id: standing.metric.number for standing in board.standings}
    try:
        _, reach = mean_noise(ranked)
    except ModuleNotFoundError:  # scipy is part of the extra; without it there are no intervals
        reach = None
    cells = {
        place.runs[0]: Cell(
            values=[values[run] for run in place.runs[: place.spread.count]],
            mean=place.spread.mean,
            interval=None if reach is None else mean_interval(place.spread, reach),
            leading=place.leading,
        )
        for place in ranked.places[:BOARD_ROWS]
        if place.spread is not None
    }
    halves = {run: cell.interval[1] - cell.mean if cell.interval else None for run, cell in cells.items()}
    forest = render_forest(list(cells.values()), higher=ranked.direction != "lower")
    if forest is None:
        return None, {}, halves
    return forest, {run: markup(cell) for run, cell in zip(cells, forest.cells, strict=True)}, halves


def _duel(board: SettingBoard) -> str | None:
    """Return the address that sets the best setting against the second, which is the reference; none without two."""
    if board.refused is not None or len(board.places) < 2 or board.places[1].rank is None:  # noqa: PLR2004
        return None
    best, second = (place.runs[0] for place in board.places[:2])
    return f"{addresses.link(addresses.COMPARE, 1)}#runs={second},{best}"


def _as_table(board: SettingBoard) -> str:
    """Return the address of the table of runs that shows all settings of a board, best first."""
    column = f"m.{board_name(board.group)}"
    order = column if board.direction == "lower" else f"-{column}"
    return f"{addresses.link(addresses.RUNS, 1)}#group=setting&sort={order}&cols={column},experiment,author,started"
