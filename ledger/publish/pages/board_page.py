"""The page of one leaderboard: settings with mean and spread, the possible best marked, and unranked runs."""

from collections.abc import Sequence

from ledger.analysis.comparing.comparable import Leaderboard
from ledger.analysis.comparing.leaderboard import Place, SettingBoard
from ledger.analysis.comparing.param_ranking import rank_params
from ledger.analysis.comparing.settings import is_seed
from ledger.analysis.query.order_warnings import measure_command
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.pages.page import Page, markup
from ledger.publish.pages.parts.alignment_view import alignment_views, render_periods
from ledger.publish.site.site_data import Atlas, board_path
from ledger.publish.site.templating import render
from ledger.publish.text import param_text

BOARD_ROWS = 200
"""Most settings on the page."""
_RUNS_LINKED = 5
"""Most runs of a setting that are linked; the rest is counted."""
_PARAMS_SHOWN = 8
"""Most params that distinguish the settings of a board."""


class Row(Document, frozen=True, kw_only=True):
    """One setting as shown on the page."""

    place: Place
    """The setting."""
    run: StoredRun
    """Its best run, which represents it."""
    params: tuple[tuple[str, str], ...]
    """Params that distinguish it from the other settings shown, as typed."""
    linked: tuple[str, ...]
    """Runs that are linked."""
    statuses: tuple[str, ...]
    """How its runs ended, each status once."""


def render_board(board: Leaderboard, atlas: Atlas) -> Page:
    """Return the page of one leaderboard, with links to boards that are not comparable with it."""
    group = board.group
    ranked = atlas.ranked[group.id]
    retired = atlas.retired.get(board.group.dataset)
    content = render(
        "board",
        names=atlas.names,
        board=ranked,
        rows=_rows(ranked, atlas),
        scale=_scale(ranked),
        retired=retired.text if retired else None,
        remedy=None if retired else measure_command([board.group.dataset]),
        siblings=[
            (other, atlas.address_of(other.group))
            for other in atlas.boards
            if other.group.key == board.group.key and other.group != board.group
        ],
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
            params=_param_pairs(run, told),
            linked=place.runs[:_RUNS_LINKED],
            statuses=tuple(dict.fromkeys(atlas.by_id[one].record.status for one in place.runs)),
        )
        for place, run in zip(shown, runs, strict=True)
    ]


def _param_pairs(run: StoredRun, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    values = run.record.params.values
    return tuple((name, param_text(values[name])) for name in names if name in values)


class ValueScale(Document, frozen=True, kw_only=True):
    """The scale from the worst (0) to the best (100) value of a board."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    turned: bool
    """Whether smaller values are better."""

    def place(self, value: float) -> float:
        """Return the position of a value."""
        share = 97 * (value / self.width - self.low / self.width)
        return 3 + (97 - share if self.turned else share)

    @property
    def width(self) -> float:
        """Distance from the smallest to the largest value; infinite where no float holds it."""
        return self.high - self.low


def _scale(board: SettingBoard) -> ValueScale | None:
    spreads = [place.spread for place in board.places if place.spread is not None]
    if not spreads:
        return None
    low, high = min(spread.low for spread in spreads), max(spread.high for spread in spreads)
    scale = ValueScale(low=low, high=high, turned=board.direction == "lower")
    return scale if 0 < scale.width < float("inf") else None
