"""What a training left, box by box: params, curves, final values, the model, each with its source.

Of each box only the most telling source counts: two sources of one training say the same, and what differs would be
joined to something that nobody measured. Where a source may be of several trainings, it is left out and named.
"""

from collections.abc import Callable, Iterable

from ledger.capture.harvest.curves_box import find_curves
from ledger.capture.harvest.params_box import find_params
from ledger.capture.harvest.results_box import find_metrics, find_model
from ledger.capture.harvest.search import Findings, Search, TrainingPlace


def find(source: TrainingPlace, formats: frozenset[str], wanted: Iterable[str]) -> Findings:
    """Return what a training left in some of its boxes; never raises.

    Args:
        source: where it ran, and when.
        formats: kinds of sources that count.
        wanted: boxes to fill: `params`, `curves`, `metrics`, `model`.
    """
    search = Search(source, formats)
    for box, look in _LOOKS.items():
        if box in wanted:
            search.box = box
            try:
                look(search)
            except Exception as error:  # noqa: BLE001  # foreign files may hold anything; the other boxes are filled
                search.note(f"what the training left was not read: {type(error).__name__}")
    return search.findings()


_LOOKS: dict[str, Callable[[Search], None]] = {
    "params": find_params,
    "curves": find_curves,
    "metrics": find_metrics,
    "model": find_model,
}
"""What fills each box."""
