"""The trained model: hash and size of its file, and its number of parameters. Never loads it."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError, NotFound
from ledger.formats.safetensors_file import is_safetensors_start, read_tensors
from ledger.formats.state_dict import Tensor, parameters_in, total
from ledger.hashing import hash_file
from ledger.model.boxes.outputs import Model

_MAGIC = (
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"GGUF", "gguf"),
    (b"\x93NUMPY", "numpy"),
    (b"\x1f\x8b", "gzip"),
)
_SUFFIXES = {
    ".onnx": "onnx",
    ".pb": "tensorflow",
    ".keras": "keras",
    ".h5": "hdf5",
    ".npz": "numpy",
    ".tflite": "tflite",
    ".mlmodel": "coreml",
    ".joblib": "joblib",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".ubj": "xgboost",
}
_START = 64
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.")
"""How Transformers numbers the files of one model: `model-00001-of-00003.safetensors`."""
_BESIDE = re.compile(r"optim|sched|scaler|rng|random_states|training_args|trainer_state", re.IGNORECASE)
"""Names of files that trainers write beside the model."""
_INDEX_LIMIT = 50_000_000
_NOT_COUNTED = {
    "keras": "its weights are in HDF5, which is not read; pass the model: run.model(path, model)",
    "hdf5": "HDF5 is not read; pass the model: run.model(path, model)",
}


class _Counted(NamedTuple):
    parameters: int
    trainable: int | None


class _Parameter(Protocol):
    requires_grad: bool

    def numel(self) -> int: ...


class _Module(Protocol):
    def parameters(self) -> Iterable[_Parameter]: ...


def capture_model(path: Path | None, module: object | None = None) -> Model:
    """Return the model box: file or folder, and the parameters of `module` when given.

    Args:
        path: file or folder of the model; none when it was not stored.
        module: any object with `parameters()` like that of torch modules.

    Raises:
        NotFound: there is nothing at `path`.
        LedgerError: it cannot be read, or is an empty folder.
    """
    unknown: dict[str, str] = {}
    counted = _from_module(module, unknown) if module is not None else None
    if path is None:
        unknown["hash"] = "no model file was given"
        return _model(counted, unknown)
    try:
        size, content, kind = _file(path) if path.is_file() else _folder(path)
    except FileNotFoundError:
        raise NotFound(f"there is no model at: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the model cannot be read ({(error.strerror or str(error)).lower()}): `{path}`") from None
    if counted is None:
        counted = _from_file(path, kind, unknown)
    known = _model(counted, unknown)
    return Model(
        path=str(path),
        hash=content,
        bytes=size,
        format=kind,
        parameters=known.parameters,
        trainable=known.trainable,
        unknown=known.unknown | ({} if kind else {"format": "neither content nor suffix is known"}),
    )


def is_beside_model(name: str) -> bool:
    """Return whether a file of that name is what trainers write beside a model, such as the state of an optimizer."""
    return _BESIDE.search(name) is not None


def _model(counted: _Counted | None, unknown: dict[str, str]) -> Model:
    if counted is None:
        return Model(unknown=unknown)
    if counted.trainable is None:
        unknown["trainable"] = "the file does not say which parameters are trained"
    return Model(parameters=counted.parameters, trainable=counted.trainable, unknown=unknown)


def _file(path: Path) -> tuple[int, str, str | None]:
    return path.stat().st_size, hash_file(path), _format(path)


def _folder(path: Path) -> tuple[int, str, str | None]:
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        manifest = build_manifest(path)
    except LedgerError as error:
        raise LedgerError(error.message.replace("dataset", "model"), hint=error.hint) from None
    names = {line.path for line in manifest.lines}
    if "saved_model.pb" in names:
        return manifest.bytes, manifest.hash, "tensorflow"
    kinds = {found for name in names if "/" not in name and (found := _format(path / name)) is not None}
    weights = next((kind for kind in ("safetensors", "torch", "onnx", "gguf") if kind in kinds), None)
    return manifest.bytes, manifest.hash, weights


def _format(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(_START)
    if is_safetensors_start(start):
        return "safetensors"
    if start.startswith((b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc")):
        from ledger.formats.torch_file import is_torch_file  # zipfile and pickletools cost 5 ms

        if is_torch_file(path):
            return "torch"
    if start[4:8] == b"TFL3":
        return "tflite"
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    return _SUFFIXES.get(path.suffix.lower())


def _from_module(module: object, unknown: dict[str, str]) -> _Counted | None:
    """Count `parameters()` of torch modules, or `weights` and `trainable_weights` of Keras models."""
    try:
        if not hasattr(module, "parameters") and hasattr(module, "trainable_weights"):
            return _from_keras(module)
        parameters = list(cast("_Module", module).parameters())  # checked by what follows
        counts = [(int(parameter.numel()), bool(parameter.requires_grad)) for parameter in parameters]
    except Exception as error:  # noqa: BLE001  # a foreign object must not harm the run
        unknown["parameters"] = f"the module does not list them: {type(error).__name__}"
        return None
    return _Counted(sum(count for count, _ in counts), sum(count for count, trained in counts if trained))


def _from_keras(module: object) -> _Counted:
    def count(name: str) -> int:
        return sum(math.prod(int(side) for side in weight.shape) for weight in getattr(module, name))

    return _Counted(count("weights"), count("trainable_weights"))


def _from_file(path: Path, kind: str | None, unknown: dict[str, str]) -> _Counted | None:
    try:
        files = [path] if path.is_file() else _files_of_model(path, kind)
        if path.is_file() and _SHARD.search(path.name):
            raise ValueError("it is one part of several; name the folder")  # noqa: TRY301  # reported like all others
        if kind == "safetensors":
            return _Counted(_in_safetensors(files), None)
        if kind == "torch":
            from ledger.formats.torch_file import count_parameters

            return _of_parts([count_parameters(file) for file in files], files)
        if kind == "onnx":
            from ledger.formats.onnx_file import count_initializers

            if len(files) == 1:
                return _Counted(count_initializers(files[0]), None)
            raise ValueError("the folder holds several ONNX files")  # noqa: TRY301  # the same
    except (ValueError, OSError) as error:
        unknown["parameters"] = " ".join(str(error).split())[:200]
        return None
    otherwise = "they cannot be counted in this format; pass the module" if kind else "the format is unknown"
    unknown["parameters"] = _NOT_COUNTED.get(kind or "", otherwise)
    return None


def _files_of_model(folder: Path, kind: str | None) -> list[Path]:
    """Return the files of a folder that hold the model: those in its index, else the only one.

    Raises:
        ValueError: they cannot be determined.
    """
    suffix = {"safetensors": ".safetensors.index.json", "torch": ".bin.index.json"}.get(kind or "")
    indexes = sorted(file for file in folder.iterdir() if suffix and file.name.endswith(suffix))
    if len(indexes) > 1:
        raise ValueError("the folder holds several indexes of parts")
    if indexes:
        return _parts_of(indexes[0])
    files = sorted(file for file in folder.iterdir() if file.is_file() and _format(file) == kind)
    files = [file for file in files if not is_beside_model(file.name)] or files
    shards = [file for file in files if _SHARD.search(file.name)]
    whole = [file for file in files if file not in shards]
    if shards and whole:
        raise ValueError(f"the folder holds a model in parts and another beside it: {whole[0].name}")
    if kind == "torch" and len(whole) > 1:
        named = [file for file in whole if file.stem in {"pytorch_model", "model", "adapter_model"}]
        if len(named) != 1:
            raise ValueError("the folder holds several torch files")
        return named
    return files


def _parts_of(index: Path) -> list[Path]:
    """Return the files in an index of Transformers, which maps each tensor to its file."""
    import json

    with index.open("rb") as file:
        names = json.loads(file.read(_INDEX_LIMIT)).get("weight_map", {})
    if not isinstance(names, dict) or not all(isinstance(name, str) and "/" not in name for name in names.values()):
        raise ValueError(f"the index is damaged: {index.name}")
    files = [index.parent / name for name in sorted(set(names.values()))]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"a part that the index names is missing: {missing[0]}")
    return files


def _in_safetensors(files: Sequence[Path]) -> int:
    tensors: dict[str, Tensor] = {}
    for file in files:
        found = read_tensors(file)
        if both := tensors.keys() & found.keys():
            raise ValueError(f"two files hold a tensor of the same name: {min(both)}")
        tensors |= found
    return total(parameters_in(tensors))


def _of_parts(counts: Sequence[tuple[int, int | None]], files: Sequence[Path]) -> _Counted:
    """Return the sum over the files of one model.

    Raises:
        ValueError: two of them have a tensor with the same name.
    """
    if len(counts) == 1:
        return _Counted(*counts[0])
    from ledger.formats.torch_file import names_in

    seen: set[str] = set()
    for file in files:
        names = names_in(file)
        if both := seen & names:
            raise ValueError(f"two files hold a tensor of the same name: {min(both)}")
        seen |= names
    return _Counted(sum(count for count, _ in counts), None)
