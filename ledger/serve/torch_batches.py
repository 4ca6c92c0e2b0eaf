"""Batches as tensors of torch, and as one of its datasets: for `DataLoader(batches, batch_size=None)` and trainers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError
from ledger.serve.batches import Batches

if TYPE_CHECKING:
    from ledger.data.sources.source import Arrays


def torch_class() -> type[Batches]:
    """Return the class of batches that are an `IterableDataset` of torch, and hold tensors.

    Raises:
        LedgerError: torch is not installed.
    """
    try:
        torch = import_module("torch")
    except ModuleNotFoundError:
        raise LedgerError("as_torch needs a package: `torch`", hint="pip install torch") from None
    pinned = torch.cuda.is_available()

    class TorchBatches(Batches, torch.utils.data.IterableDataset):  # type: ignore[misc, name-defined]  # found at run time
        """Batches of tensors; words stay a list."""

        def __reduce__(self) -> tuple[Any, ...]:
            """Hand the batches to a worker of a spawned process: this class has no name to be found by there."""
            _, made, state = super().__reduce__()
            return _handed_over, made, state

        def _handed(self, arrays: "Arrays") -> dict[str, Any]:
            values: dict[str, Any] = {}
            for name, array in arrays.items():
                if array.dtype.kind in "US":
                    values[name] = array.tolist()
                    continue
                tensor = torch.from_numpy(array)
                values[name] = tensor.pin_memory() if pinned else tensor
            return values

    return TorchBatches


def _handed_over(*made: Any) -> Batches:  # noqa: ANN401  # what `Batches` is made of
    return torch_class()(*made)
