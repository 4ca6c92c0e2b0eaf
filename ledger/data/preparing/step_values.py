"""Results of preprocessing as files, and back: without pickle, so that reading a cache executes nothing.

One `value.json` says how the result is built; arrays lie beside it, one `.npy` each.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILE = "value.json"


def write_value(value: object, folder: Path) -> None:
    """Write a result into a folder.

    Raises:
        LedgerError: part of it is neither plain, nor an array, nor a tensor.
    """
    arrays: list[NDArray[Any]] = []
    built = _built(value, arrays, "result")
    if arrays:
        import numpy as np

        for number, array in enumerate(arrays):
            np.save(folder / f"{number}.npy", array, allow_pickle=False)
    (folder / _FILE).write_text(json.dumps(built), encoding="utf-8")


def read_value(folder: Path) -> Any:  # noqa: ANN401  # whatever was written
    """Return the result in a folder; arrays are read into memory.

    Raises:
        LedgerError: the folder holds no result.
    """
    try:
        return _value(json.loads((folder / _FILE).read_text("utf-8")), folder)
    except Exception as error:  # damaged files make json, numpy and zipfile raise anything
        raise LedgerError(f"a prepared result cannot be read: `{folder}`", hint="ledger cache clean") from error


def _built(value: object, arrays: "list[NDArray[Any]]", where: str) -> object:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):  # before `float`: numpy's own is one, with more to it
        return _array(value, arrays, where)
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_built(item, arrays, f"{where}[{number}]") for number, item in enumerate(value)]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _built(item, arrays, f"{where}.{key}") for key, item in value.items()}}
    return _array(value, arrays, where)


def _array(value: object, arrays: "list[NDArray[Any]]", where: str) -> object:
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        try:
            arrays.append(value.detach().cpu().numpy())
        except (TypeError, RuntimeError):
            raise LedgerError(
                f"a cached result holds a tensor without a form in numpy: `{where}` is {value.dtype}, {value.layout}",
                hint="convert it: result.float(), result.to_dense()",
            ) from None
        return {"tensor": len(arrays) - 1}
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic) and value.dtype.kind in "biufcSU":
        arrays.append(numpy.asarray(value))
        return {"scalar" if isinstance(value, numpy.generic) else "array": len(arrays) - 1}
    raise LedgerError(
        f"a cached result holds a value that only pickle could store: `{where}` is a {type(value).__name__}",
        hint="return arrays, tensors, numbers, text, lists and dicts, or take a parameter `out` and write files",
    )


def _value(built: Any, folder: Path) -> Any:  # noqa: ANN401  # JSON, and what it stands for
    ((kind, said),) = built.items()
    if kind == "plain":
        return said
    if kind == "bytes":
        return bytes.fromhex(said)
    if kind in {"list", "tuple"}:
        items = [_value(item, folder) for item in said]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {key: _value(item, folder) for key, item in said.items()}
    import numpy as np

    with (folder / f"{int(said)}.npy").open("rb") as file:  # numpy leaves a damaged file open
        array = np.load(file, allow_pickle=False)
    if kind == "tensor":
        from importlib import import_module

        return import_module("torch").from_numpy(array)
    return array[()] if kind == "scalar" else array
