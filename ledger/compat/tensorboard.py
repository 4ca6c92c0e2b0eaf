"""TensorBoard's `SummaryWriter`, which writes to the ledger: `from ledger.compat.tensorboard import SummaryWriter`.

Writers that are open at once write to one run, as `train` and `val` do; it ends when the last of them is closed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from ledger.compat.media import Histogram, Image
from ledger.compat.nothing import nothing, say_once
from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import LatePoints
from ledger.session.run.run import Run

__all__ = ["FileWriter", "SummaryWriter", "hparams"]

_MOST_PICTURES = 50
"""Most pictures of a writer: a record is no album."""


_SPLITS = {"train", "training", "val", "valid", "validation", "test", "eval"}
_WRITERS: "WeakKeyDictionary[Run, list[SummaryWriter]]" = WeakKeyDictionary()
"""The writers of each run."""


class SummaryWriter:
    """Writer whose scalars are curves of a run, whose hyperparameters are params, and whose figures are kept.

    Args:
        log_dir: folder of TensorBoard; nothing is written there.
        comment: end of the folder's name, where none is given.
        options: what else TensorBoard takes.
    """

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, comment: str = "", **options: object) -> None:
        self.log_dir = str(log_dir or options.get("logdir") or f"runs/run{comment}")
        split = Path(self.log_dir).name
        self._prefix = f"{split}/" if split in _SPLITS else ""
        self.ledger = AdapterRun({}, self._conclude, around=True)
        run = self.ledger.begin()
        self.ledger.settle()  # nobody is told when the training is over
        self._points = LatePoints(run) if run is not None else None
        if run is not None:
            _WRITERS.setdefault(run, []).append(self)
        self._histograms: dict[str, Histogram] = {}
        self._pictures = 0

    @harmless
    def add_scalar(
        self, tag: str, scalar_value: object, global_step: int | None = None, *_: object, **__: object
    ) -> None:
        """Log a point of one curve."""
        self._log({tag: scalar_value}, global_step)

    @harmless
    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, object], global_step: int | None = None, *_: object
    ) -> None:
        """Log a point of several curves, `main/name` each."""
        self._log({f"{main_tag}/{name}": value for name, value in tag_scalar_dict.items()}, global_step)

    def _log(self, values: dict[str, Any], step: int | None) -> None:
        if self._points is not None:
            self._points.log({f"{self._prefix}{name}": value for name, value in values.items()}, step=step)

    @harmless
    def add_hparams(
        self, hparam_dict: Mapping[str, Any], metric_dict: Mapping[str, Any], *_: object, **__: object
    ) -> None:
        """Take hyperparameters as params, and their metrics as metrics."""
        if (run := self.ledger.run) is None:
            return
        run.params(hparam_dict)
        for name, value in metric_dict.items():
            run.metric(name.removeprefix("hparam/"), getattr(value, "item", lambda value=value: value)())

    @harmless
    def add_summary(self, summary: object, *_: object) -> None:
        """Take what `hparams` made as params; other summaries are made by methods of the writer."""
        if isinstance(summary, Mapping) and self.ledger.run is not None:
            self.ledger.run.params(summary)

    def _get_file_writer(self) -> Self:
        return self

    @harmless
    def add_figure(self, tag: str, figure: Any, global_step: int | None = None, *_: object, **__: object) -> None:  # noqa: ANN401
        """Keep a figure of matplotlib, or each of a list."""
        for number, one in enumerate(figure if isinstance(figure, list) else [figure]):
            self._picture(f"{tag} {number}" if isinstance(figure, list) else tag, one, global_step)

    @harmless
    def add_image(self, tag: str, img_tensor: object, global_step: int | None = None, *_: object, **__: object) -> None:
        """Keep a picture: an array or tensor of pixels, channels first or last."""
        self._picture(tag, img_tensor, global_step)

    def _picture(self, tag: str, picture: object, step: int | None) -> None:
        self._pictures += 1
        if self._pictures > _MOST_PICTURES:
            say_once("SummaryWriter.add_image", f"keeps {_MOST_PICTURES} pictures of a run")
        elif self.ledger.run is not None:
            self.ledger.run.figure(Image(picture).drawable(), tag if step is None else f"{tag} {step}")

    @harmless
    def add_histogram(self, tag: str, values: object, *_: object, **__: object) -> None:
        """Keep the last histogram of a name as a table."""
        self._histograms[tag] = Histogram(values)

    @harmless
    def add_text(self, tag: str, text_string: str, *_: object, **__: object) -> None:
        """Add a note."""
        if self.ledger.run is not None:
            self.ledger.run.note(f"{tag}: {text_string}")

    @harmless
    def flush(self) -> None:
        """Log what a GPU was still computing."""
        if self._points is not None:
            self._points.flush()

    @harmless
    def close(self) -> None:
        """End the run if no other writer has it, and if it was not there before."""
        if (run := self.ledger.run) is None or self._points is None:
            return
        self._conclude()
        self._points = None
        writers = _WRITERS.get(run, [self])
        if all(one._points is None for one in writers):  # noqa: SLF001  # its own kind
            for one in writers:
                one.ledger.finish()

    def _conclude(self) -> None:
        if (run := self.ledger.run) is None or self._points is None:
            return
        self._points.flush()
        for tag, histogram in self._histograms.items():
            run.table(tag, histogram.cells(), columns=["from", "to", "count"])

    def get_logdir(self) -> str:
        """Return the folder that TensorBoard would write to."""
        return self.log_dir

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for one in _WRITERS.get(self.ledger.run, []) if self.ledger.run is not None and error is not None else []:
            one.ledger.settled = False  # the exception being handled is the end
        self.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # add_graph, add_audio, add_embedding and the like
        if name.startswith("add_"):
            return nothing(f"SummaryWriter.{name}")
        raise AttributeError(f"`SummaryWriter.{name}` has no counterpart in ledger.compat.tensorboard")


FileWriter = SummaryWriter


def hparams(hparam_dict: Mapping[str, Any], *_: object) -> tuple[Mapping[str, Any], None, None]:
    """Return hyperparameters for `add_summary`, as Lightning asks for them."""
    return hparam_dict, None, None
