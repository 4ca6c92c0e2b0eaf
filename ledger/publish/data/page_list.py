"""Pages that are no runs, for the search box: experiments, datasets, leaderboards, milestones and overviews."""

from collections.abc import Sequence

import msgspec

from ledger.analysis.advice.inquiry import NO_INQUIRY
from ledger.analysis.advice.milestones import Milestones
from ledger.publish.pages import addresses
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import one_line

PAGES_PATH = "data/pages.js"

_TITLE, _TEXT = 120, 300
_OVERVIEWS = (
    (addresses.HOME, "Home", "best settings, what was learned, what waits for a review, what failed, activity"),
    (addresses.RUNS, "Runs", "table of all runs: sort, filter, columns, select, save as CSV"),
    (addresses.EXPERIMENTS, "Experiments", "list of all experiments"),
    (addresses.DATASETS, "Datasets", "validation sets, training data and production samples, with their history"),
    (addresses.BOARDS, "Leaderboards", "best settings of every metric on every dataset version"),
    (addresses.MILESTONES, "Milestones", "how far each model is on the way to a product"),
    (addresses.COSTS, "Costs", "money, GPU hours and idle share by week, experiment and author"),
    (addresses.MACHINES, "Machines", "hosts and GPUs: use, idle hours and their price"),
    (addresses.COMPARE, "Compare", "verdicts, differences and curves of runs side by side"),
    (addresses.list_page("people"), "People", "who ran what, and what it cost"),
    (addresses.list_page("tags"), "Tags", "every tag and its runs"),
    (addresses.list_page("models"), "Models", "every trained model: parameters, size, latency, headline"),
    (addresses.list_page("warnings"), "Warnings", "warnings and errors of logs that recur"),
    (addresses.list_page("reproducibility"), "Reproducibility", "which runs can be run again, and what others lack"),
)


Found = tuple[str, str, str]
"""Address, title and text of what a search finds."""


def listed_pages(atlas: Atlas, milestones: Milestones, *, overviews: bool = True) -> list[Found]:
    """Return every page that is no run and no handbook: those of the ledger, behind the overviews if they are asked."""
    pages = [*_OVERVIEWS] if overviews else []
    for name, runs in atlas.experiments.items():
        said = "".join(f" · {note.kind}: {note.text}" for note in atlas.inquiries.get(name, NO_INQUIRY).standing)
        pages.append((addresses.experiment_page(name), name, f"experiment · {_count(len(runs), 'run')}{said}"))
    for name, versions in atlas.datasets.items():
        reason = versions[-1].reason or ""
        told = f"{versions[-1].role} dataset · {', '.join(one.version for one in reversed(versions))} · {reason}"
        pages.append((addresses.dataset_page(name), name, told))
    for board in atlas.own_pages:
        settings = _count(len(atlas.ranked[board.group.id].places), "setting")
        pages.append((atlas.address_of(board.group), board.group.label, f"leaderboard · {settings}"))
    pages += [(addresses.MILESTONES, progress.model, "milestones of a model") for progress in milestones.models]
    return [(path, one_line(title, _TITLE), one_line(text, _TEXT)) for path, title, text in pages]


def render_pages(pages: Sequence[Found]) -> bytes:
    """Return pages as a script, for the search box."""
    return b'ledgerData("pages", ' + msgspec.json.encode(pages) + b");\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
