"""Figures of matplotlib that a notebook shows inline, kept as figures of the run on request.

Neither matplotlib nor IPython is imported here.
"""

import base64
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

_MOST = 50
"""Most inline figures of a run."""
_FIGURE = "<Figure size"
"""How matplotlib describes a figure in words, which pictures of others do not have."""


class InlineFigures:
    """The figures that a kernel shows between `start` and `stop`.

    Args:
        shell: IPython shell of a kernel.
        number: returns the number of the cell that is running.
        keep: stores a picture, PNG, under a title.
    """

    def __init__(self, shell: Any, number: Callable[[], int], keep: Callable[[bytes, str], None]) -> None:  # noqa: ANN401  # IPython's
        self._publisher = shell.display_pub
        self._result = shell.displayhook
        self._number = number
        self._keep = keep
        self._seen: set[bytes] = set()
        self._of_cell: dict[int, int] = {}

    def start(self) -> str | None:
        """Begin; return why that is not possible, if so."""
        if not hasattr(self._publisher, "register_hook"):
            return "this shell offers no way to see what it shows; a Jupyter kernel does"
        self._publisher.register_hook(self._look)
        with suppress(AttributeError):  # older versions of ipykernel: a figure as the value of a cell is not seen
            self._result.register_hook(self._look)
        return None

    def stop(self) -> None:
        """Keep the figures that the running cell has drawn and will show at its end, and stop."""
        with suppress(Exception):
            self._keep_open()
        for one in (self._publisher, self._result):
            with suppress(Exception):
                one.unregister_hook(self._look)

    def _keep_open(self) -> None:
        pyplot, tools = sys.modules.get("matplotlib.pyplot"), sys.modules.get("IPython.core.pylabtools")
        if pyplot is None or tools is None or "inline" not in pyplot.get_backend().lower():
            return
        helpers = sys.modules["matplotlib._pylab_helpers"]
        for manager in helpers.Gcf.get_all_fig_managers():
            figure = manager.canvas.figure
            # As the notebook will do it: the same picture, to the byte.
            data = tools.print_figure(figure, fmt="png") if figure.axes else None
            if data:
                self._store(data)

    def _look(self, message: Any) -> Any:  # noqa: ANN401  # a message of Jupyter
        with suppress(Exception):
            data = message["content"]["data"]
            picture = data.get("image/png")
            if picture and str(data.get("text/plain", "")).startswith(_FIGURE):
                self._store(base64.b64decode(picture) if isinstance(picture, str) else picture)
        return message

    def _store(self, data: bytes) -> None:
        key = sha256(data).digest()
        if key in self._seen or len(self._seen) >= _MOST:
            return
        self._seen.add(key)
        number = self._number()
        count = self._of_cell[number] = self._of_cell.get(number, 0) + 1
        self._keep(data, f"In [{number}]" + (f" {count}" if count > 1 else ""))
