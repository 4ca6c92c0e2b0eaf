"""The methods of a run for its model: the trained file, and what a forward pass of it does and costs.

torch is loaded only where a model of torch is looked at.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.capture.outputs.model import capture_model
from ledger.errors import LedgerError
from ledger.session.run.open_runs import open_runs
from ledger.session.run.table_methods import Tabling
from ledger.session.spool.events import ProfileEvent, Trained

if TYPE_CHECKING:
    from ledger.capture.outputs.shape_trace import ShapeTrace


class Modelling(Tabling):
    """The methods for the model, which `Run` inherits."""

    def model(self, path: str | Path | None = None, module: object | None = None) -> None:
        """Record the trained model: its file or folder, and the module whose parameters are counted.

        Example:
            >>> run.model("model.pt", net)
        """
        if self._life.silent:
            return
        with self._life.harmless("model"):
            self._life.say(Trained(model=capture_model(Path(path) if path is not None else None, module)))

    def profile(self, model: Any, /, *inputs: object, **named: object) -> None:  # noqa: ANN401  # a module of torch
        """Record what a forward pass of a torch model does and costs: its layers, FLOPs, latency and memory.

        The passes run on a copy, so the model, its mode, buffers, gradients and random numbers stay as they are. FLOPs
        are those of matrix products, convolutions and attention. Latency is measured for 2 seconds at most after
        warm-up, on the device of the model, in eval mode, without gradients and uncompiled. On CUDA, torch's peak
        statistics are reset.

        Example:
            >>> run.profile(net, torch.zeros(1, 3, 224, 224))

        Args:
            model: the model.
            *inputs: what it is called with.
            **named: what it is called with by name.
        """
        if self._life.silent:
            return
        with self._life.harmless("model.profile"):
            from ledger.capture.outputs.forward_cost import forward_cost
            from ledger.capture.outputs.shape_trace import trace_shapes

            trace = trace_shapes(model, inputs, named)
            self._keep_layers(trace)
            self._life.say(ProfileEvent(model=forward_cost(model, inputs, named, trace)))

    def _keep_layers(self, trace: "ShapeTrace") -> None:
        """Store a shape trace as a table; a later one of a model of the same class replaces it."""
        with self._life.harmless("model.layers"):
            from ledger.capture.outputs.shape_trace import layer_cells

            if trace.layers:
                cells = layer_cells(trace)
                self.table(f"layers of {trace.layers[0].kind}", cells.rows, kind="layers", columns=cells.columns)
            if trace.failing and not self._life.silent:
                self._life.warn(f"the traced pass failed: {trace.failure or trace.failing}: {trace.error}")


def shapes(model: Any, /, *inputs: object, **named: object) -> "ShapeTrace":  # noqa: ANN401  # a module of torch
    """Return the shapes that each layer of a torch model is given and returns in one forward pass; print it to read it.

    The pass runs on a copy, on the meta device where possible, so the model, its mode, buffers, gradients and random
    numbers stay as they are. Where it fails, the trace names the layer and the shapes that met in it. Inside of a run
    the trace becomes a table of the run.

    Example:
        >>> print(ledger.shapes(net, torch.zeros(1, 3, 224, 224)))

    Args:
        model: the model.
        *inputs: what it is called with.
        **named: what it is called with by name.

    Raises:
        LedgerError: it is no torch module, or torch is not installed.
    """
    try:
        from ledger.capture.outputs.shape_trace import trace_shapes
    except ImportError as error:
        raise LedgerError(f"a shape trace needs torch: {error}", hint="pip install 'git-ledger[torch]'") from error
    trace = trace_shapes(model, inputs, named)
    for run in open_runs()[:1]:
        run._keep_layers(trace)  # noqa: SLF001  # a method of the class above
    return trace
