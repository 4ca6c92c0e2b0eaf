"""The data of the table, the search and the compare page in parts, so that one more run changes one of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from ledger.model.entries import StoredRun
from ledger.publish.data.comparison_data import COMPARISON_PATH, render_comparison_data, render_facts
from ledger.publish.data.query_numbers import render_numbers
from ledger.publish.data.search_columns import TablePart
from ledger.publish.data.search_data import PATH, render_head, render_part
from ledger.publish.pages import addresses
from ledger.publish.site.placing import Unit, finished
from ledger.publish.site.renderer import key_of
from ledger.publish.site.site_data import Atlas

PART = 2500
"""Runs in a part: 750 KB as text and 200 KB compressed, which a browser reads and searches in an instant."""


def table_units(atlas: Atlas, marks: Mapping[str, str], renderer: str) -> Iterator[Unit]:
    """Yield the parts, what they have in common, and what verdicts are based on.

    Args:
        atlas: the whole ledger.
        marks: run to the hash of everything on the ledger about it.
        renderer: key of all that renders pages.
    """
    parts = []
    for number, start in enumerate(range(0, len(atlas.runs), PART)):
        runs = atlas.runs[start : start + PART]  # oldest first: a later run changes none that is full
        ids = [run.record.id for run in runs]
        told = [(marks[one], atlas.names[one], atlas.settings[one], one in atlas.ranks) for one in ids]
        key = key_of(renderer, told)
        name = f"{number}-{key.partition(':')[2][:8]}"
        parts.append(TablePart(name=name, rows=len(runs)))
        yield Unit(name=f"data/table/{number}", key=key, render=partial(_part_files, name, runs[::-1], atlas))
    yield finished(PATH, {PATH: render_head(atlas, parts[::-1])})
    yield Unit(
        name=COMPARISON_PATH,
        key=key_of(renderer, list(marks.values()), list(atlas.settings.values())),
        render=lambda: {COMPARISON_PATH: render_comparison_data(atlas)},
    )


def _part_files(name: str, runs: Sequence[StoredRun], atlas: Atlas) -> dict[str, bytes]:
    made: dict[str, Callable[[], bytes]] = {
        "table": lambda: render_part(name, runs, atlas, addresses.experiment_page),
        "numbers": lambda: render_numbers(name, runs),
        "facts": lambda: render_facts(name, runs),
    }
    return {f"data/{kind}/{name}.js": render() for kind, render in made.items()}
