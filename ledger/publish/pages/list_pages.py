"""Lists of what runs share: people, tags, models, warnings of logs, and what keeps runs from being run again."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from ledger.analysis.advice.rerun import Effect, Lack, lacks_of
from ledger.analysis.advice.weekly_cost import main_currency
from ledger.formatting import byte_size, latency, minute
from ledger.model.entries import StoredRun
from ledger.model.values import Document, counted
from ledger.publish.pages import addresses
from ledger.publish.pages.page import Page
from ledger.publish.pages.run_page import SECTIONS
from ledger.publish.site.site_data import Atlas
from ledger.publish.site.templating import render
from ledger.publish.text import money, one_line, short_hash, short_number

ROWS = 500
"""Most rows of a list."""
_TEXT = 160
_NAMED = 3
"""Most runs that are linked in a row; the others are counted."""

_EFFECTS: dict[Effect, str] = {
    "blocks": "cannot be run again",
    "elsewhere": "can be where it ran, and perhaps nowhere else",
    "differs": "may come out another",
}


class ListCell(Document, frozen=True, kw_only=True):
    """One cell: a text, and where it leads."""

    text: str
    """What it says."""
    url: str = ""
    """Address that it leads to, relative to the list."""
    more: str = ""
    """What is said beside it."""
    runs: tuple[str, ...] = ()
    """Runs that are linked, in place of a text."""


class HeatRow(Document, frozen=True, kw_only=True):
    """The ten boxes of the runs of one experiment."""

    experiment: str
    """Its name."""
    runs: int
    """How many runs it has."""
    boxes: list[tuple[float, float]]
    """Shares of its runs, 0 to 1, that know all of a box, and that know all or a part, in the order of the boxes."""


class ListPage(Document, frozen=True, kw_only=True):
    """A list with its heading."""

    name: str
    """Name in its address."""
    title: str
    """Its title."""
    lead: str
    """One sentence on what it has."""
    columns: tuple[str, ...]
    """Headings; those that begin with `>` are of numbers."""
    rows: list[list[ListCell]]
    """A cell for each column."""
    empty: str
    """What is said where there is no row."""
    others: str = ""
    """Address of what has the rows that are not shown, relative to the list; empty for none."""
    heat: Sequence[HeatRow] = ()
    """How much of the ten boxes is known, by experiment."""


def render_lists(atlas: Atlas) -> Iterator[Page]:
    """Yield every list, and the page that leads to them."""
    lists = [make(atlas) for make in (_people, _tags, _models, _warnings, _rerun)]
    yield _page(
        addresses.LISTS, "More", render("lists", lists=lists, depth=1), "people, tags, models, warnings, reruns"
    )
    for one in lists:
        content = render("list", one=one, rows=one.rows[:ROWS], sections=SECTIONS, names=atlas.names, depth=1)
        yield _page(addresses.list_page(one.name), one.title, content, one.lead)


def _page(path: str, title: str, content: str, description: str) -> Page:
    return Page(kind="list", path=path, title=title, description=one_line(description, _TEXT), content=content)


def _table(**words: str) -> str:
    """Return the address of the table of runs with these filters."""
    filters = "&".join(f"{name}={quote(word, safe='')}" for name, word in words.items())
    return f"{addresses.link(addresses.RUNS, 1)}#{filters}"


def _run(run: StoredRun) -> ListCell:
    return ListCell(text="", runs=(run.record.id,))


def _when(run: StoredRun) -> ListCell:
    return ListCell(text=minute(run.record.timing.started_at))


def _grouped(runs: Sequence[StoredRun], names: Callable[[StoredRun], Sequence[str]]) -> dict[str, list[StoredRun]]:
    found: dict[str, list[StoredRun]] = {}
    for run in runs:
        for name in names(run):
            found.setdefault(name, []).append(run)
    return found


def _people(atlas: Atlas) -> ListPage:
    currency = main_currency(atlas.runs)
    people = _grouped(atlas.runs, lambda run: [run.record.author.name])
    rows = []
    for name, runs in sorted(people.items(), key=lambda one: (-len(one[1]), one[0])):
        costs = [run.record.cost.amount for run in runs if run.record.cost.currency == currency]
        known = [cost for cost in costs if cost is not None]
        unknown = len(runs) - len(known)
        finished = sum(run.record.status == "finished" for run in runs)
        rows.append(
            [
                ListCell(text=name, url=_table(author=name)),
                ListCell(text=short_number(len(runs)), more=f"{finished} finished"),
                ListCell(text=short_number(len({run.record.experiment for run in runs}))),
                ListCell(
                    text=money(sum(known), currency) if known else "unknown",
                    more=f"{counted(unknown, 'run')} without one" if unknown and known else "",
                ),
                _run(runs[-1]),
                _when(runs[-1]),
            ]
        )
    return ListPage(
        name="people",
        title="People",
        lead="Who ran what: runs, experiments, cost, and the latest run of each person.",
        columns=("Person", ">Runs", ">Experiments", ">Cost", "Latest run", "Started (UTC)"),
        rows=rows,
        empty="No run is on the ledger yet.",
    )


def _tags(atlas: Atlas) -> ListPage:
    tags = _grouped(atlas.runs, lambda run: run.tags)
    rows = [
        [
            ListCell(text=tag, url=_table(tag=tag)),
            ListCell(text=short_number(len(runs))),
            ListCell(text=", ".join(list(dict.fromkeys(run.record.experiment for run in reversed(runs)))[:_NAMED])),
            _run(runs[-1]),
            _when(runs[-1]),
        ]
        for tag, runs in sorted(tags.items(), key=lambda one: (-len(one[1]), one[0]))
    ]
    return ListPage(
        name="tags",
        title="Tags",
        lead="Every tag as it is now: the runs that have it, in which experiments.",
        columns=("Tag", ">Runs", "Experiments", "Latest run", "Started (UTC)"),
        rows=rows,
        empty="No run has a tag: ledger tag RUN TAG",
    )


def _models(atlas: Atlas) -> ListPage:
    having = [run for run in reversed(atlas.runs) if run.record.model.hash or run.record.model.parameters is not None]
    return ListPage(
        name="models",
        title="Models",
        lead="Every trained model, the newest first: its size, its speed and its headline.",
        columns=(
            "Run",
            "Experiment",
            ">Parameters",
            ">File",
            ">Latency, median",
            "Content",
            ">Headline",
            "Measured on",
        ),
        rows=[_model(run) for run in having[: ROWS + 1]] + [[] for _ in having[ROWS + 1 :]],
        empty="No run kept a model.",
        others=addresses.link(addresses.RUNS, 1),
    )


def _model(run: StoredRun) -> list[ListCell]:
    model, headline = run.record.model, run.record.headline
    return [
        _run(run),
        ListCell(text=run.record.experiment, url=addresses.link(addresses.experiment_page(run.record.experiment), 1)),
        ListCell(text=short_number(model.parameters) if model.parameters is not None else "unknown"),
        ListCell(text=byte_size(model.bytes) if model.bytes is not None else "unknown"),
        ListCell(text=latency(model.latency_seconds) if model.latency_seconds is not None else "not measured"),
        ListCell(text=short_hash(model.hash) if model.hash else "no file"),
        ListCell(text=short_number(headline.value) if headline else "none", more=headline.key if headline else ""),
        ListCell(text=(headline.dataset or "unknown data") if headline else ""),
    ]


def _warnings(atlas: Atlas) -> ListPage:
    found: dict[tuple[str, str], list[tuple[StoredRun, int]]] = {}
    for run in atlas.runs:
        for kind, lines in (("error", run.record.logs.errors), ("warning", run.record.logs.warnings)):
            for text, count in lines.items():
                found.setdefault((kind, text), []).append((run, count))
    rows = [
        [
            ListCell(text=text),
            ListCell(text=kind),
            ListCell(text=short_number(len(runs)), more="run" if len(runs) == 1 else "runs"),
            ListCell(text=short_number(sum(count for _, count in runs))),
            _run(runs[-1][0]),
            _when(runs[-1][0]),
        ]
        for (kind, text), runs in sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    ]
    return ListPage(
        name="warnings",
        title="Warnings",
        lead="Warnings and errors of all logs, those that most runs share first: what recurs is worth mending once.",
        columns=("Line", "Kind", ">Seen in", ">Times", "Latest run", "Started (UTC)"),
        rows=rows,
        empty="No log has a warning or an error.",
    )


def _rerun(atlas: Atlas) -> ListPage:
    lacking = {run.record.id: lacks_of(run.record) for run in atlas.runs}
    ready = sum(not any(lack.effect == "blocks" for lack in lacks) for lacks in lacking.values())
    reasons: dict[Lack, list[str]] = {}
    for run, lacks in lacking.items():
        for lack in lacks:
            reasons.setdefault(lack, []).append(run)
    boxes = Counter(lack.box for lacks in lacking.values() for lack in lacks if lack.effect == "blocks")
    worst = f" Most lack something of {boxes.most_common(1)[0][0]}." if boxes else ""
    rows = [
        [
            ListCell(text=lack.what),
            ListCell(text=lack.box),
            ListCell(text=_EFFECTS[lack.effect]),
            ListCell(text=short_number(len(runs))),
            ListCell(text="", runs=tuple(reversed(runs[-_NAMED:])), more=_others(len(runs))),
        ]
        for lack, runs in sorted(
            reasons.items(), key=lambda one: ([*_EFFECTS].index(one[0].effect), -len(one[1]), one[0].what)
        )
    ]
    worst_first = [*_EFFECTS.values()]
    rows.sort(key=lambda cells: worst_first.index(cells[2].text))  # stable: within, those of most runs stay first
    total = f"{short_number(len(lacking))} {'record' if len(lacking) == 1 else 'records'}"
    told = f"{short_number(ready)} of {total} have what it takes to run the training again"
    return ListPage(
        name="reproducibility",
        title="Reproducibility",
        lead=f"{told}, as far as a record can say.{worst}",
        columns=("What the record lacks", "Box", "So the run", ">Runs", "Such as"),
        rows=rows,
        empty="No record lacks anything that running it again needs.",
        heat=_heat(atlas),
    )


def _heat(atlas: Atlas) -> list[HeatRow]:
    rows = []
    for name, runs in atlas.experiments.items():
        boxes = [[getattr(run.record, box) for run in runs] for box, _ in SECTIONS]
        shares = [
            (sum(not box.unknown for box in same) / len(runs), sum(box.known for box in same) / len(runs))
            for same in boxes
        ]
        rows.append(HeatRow(experiment=name, runs=len(runs), boxes=shares))
    return rows[:ROWS]


def _others(count: int) -> str:
    return f"and {count - _NAMED} more" if count > _NAMED else ""
