"""Pages about many runs at once: all runs, the list of leaderboards, compare and the glossary."""

from collections.abc import Sequence

from ledger.analysis.comparing.comparable import Leaderboard
from ledger.analysis.comparing.leaderboard import Place
from ledger.model.boxes.box import Box
from ledger.model.entries import StoredRun
from ledger.model.record import BOXES
from ledger.model.schema import field_docs
from ledger.model.values import Document
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page
from ledger.publish.pages.parts.run_tables import run_table
from ledger.publish.site.site_data import Atlas, board_name
from ledger.publish.site.templating import render

OTHERS_SHOWN = 5000
"""Most lines on the page of the leaderboards that have none of their own."""
TABLE_ROWS = 200
"""Rows of the table of all runs without scripts; with them it has every run."""


class BoardEntry(Document, frozen=True, kw_only=True):
    """A leaderboard with its page, for lists of leaderboards."""

    board: Leaderboard
    """The leaderboard."""
    path: str
    """Its page, or its line on the page of all others."""
    leader: Place | None = None
    """The setting with the best mean; none where that is unknown."""
    name: str = ""
    """Name of that setting."""
    leading: int = 0
    """Number of settings that may be the best."""

    @property
    def run_of_leader(self) -> StoredRun:
        """The best run of that setting."""
        name = self.leader.runs[0] if self.leader else ""
        return next(standing.run for standing in self.board.standings if standing.run.record.id == name)

    @property
    def anchor(self) -> str:
        """Name of its line on the page of all others."""
        return board_name(self.board.group)


def render_runs(atlas: Atlas) -> Page:
    """Return the table of all runs; without scripts it has the latest `TABLE_ROWS`."""
    table = run_table(atlas.runs, atlas, limit=TABLE_ROWS)
    return Page(
        kind="runs",
        path=addresses.RUNS,
        title="Runs",
        description=f"All {table.total} runs: sort, filter by text, status, experiment and tag, and choose columns",
        content=render("runs", table=table, names=atlas.names, depth=1),
    )


def render_boards(atlas: Atlas) -> Page:
    """Return the list of leaderboards, those of one metric together."""
    metrics: dict[str, list[BoardEntry]] = {}
    places = _board_entries(atlas.own_pages, atlas)
    for place in [*_in_use(places, atlas), *(place for place in places if place.board.group.dataset in atlas.retired)]:
        metrics.setdefault(place.board.group.key, []).append(place)
    for same in metrics.values():
        same.sort(key=lambda place: atlas.age_of(place.board.group), reverse=True)
    return Page(
        kind="boards",
        path=addresses.BOARDS,
        title="Leaderboards",
        description=f"{len(atlas.boards)} leaderboards: only values measured on the same data are ranked",
        content=render(
            "boards", metrics=metrics, retired=atlas.retired, others=len(atlas.listed), names=atlas.names, depth=1
        ),
    )


def render_other_boards(atlas: Atlas) -> Page:
    """Return the one page of the leaderboards that have none of their own: a line for each."""
    places = _board_entries(atlas.listed, atlas)
    return Page(
        kind="boards",
        path=addresses.OTHER_BOARDS,
        title="Other leaderboards",
        description=f"{len(places)} comparable groups with a line each",
        content=render("other_boards", places=places[:OTHERS_SHOWN], total=len(places), names=atlas.names, depth=1),
    )


def render_compare() -> Page:
    """Return the page on which scripts compare the runs that its address names."""
    return Page(
        kind="compare",
        path=addresses.COMPARE,
        title="Compare runs",
        description="Runs side by side: params that differ, metrics on the same data, learning curves",
        content=render("compare", depth=0),
    )


def render_glossary() -> Page:
    """Return what every field of every document means, from the docstrings of the types."""
    docs = field_docs()
    shared = set(docs["Box"])
    boxes = {name.capitalize() for name in BOXES}
    order = ["Record", *(name.capitalize() for name in BOXES)]
    order += [name for name in docs if name not in order and docs[name] and name != Box.__name__]
    types = [
        (name, {f: line for f, line in docs[name].items() if name not in boxes or f not in shared}) for name in order
    ]
    content = render("glossary", types=types, depth=1)
    contents = [(f"type-{name.lower()}", name) for name in order]
    return Page(
        kind="glossary",
        path=addresses.GLOSSARY,
        title="Glossary",
        description="Every word and every field of a record, in one line each",
        content=content,
        contents=[("words", "Words"), *contents],
    )


def _board_entries(boards: Sequence[Leaderboard], atlas: Atlas) -> list[BoardEntry]:
    return [
        BoardEntry(
            board=board,
            path=atlas.address_of(board.group),
            leader=leader,
            name=atlas.setting_names.get(leader.runs[0], leader.runs[0]) if leader else "",
            leading=atlas.ranked[board.group.id].leading,
        )
        for board in boards
        for leader in [atlas.leader_of(board.group)]
    ]


def _in_use(places: Sequence[BoardEntry], atlas: Atlas) -> list[BoardEntry]:
    return [place for place in places if place.board.group.dataset not in atlas.retired]
