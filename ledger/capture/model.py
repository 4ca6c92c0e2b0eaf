"""The trained model: its file's hash and size, and how many parameters it has. Never loads it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from ledger.capture.safetensors_file import count_tensors, is_safetensors_start
from ledger.data.manifest import build_manifest
from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_file
from ledger.model.boxes import Model

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


class _Counted(NamedTuple):
    parameters: int
    trainable: int | None


class _Parameter(Protocol):
    requires_grad: bool

    def numel(self) -> int: ...


class _Module(Protocol):
    def parameters(self) -> Iterable[_Parameter]: ...


def capture_model(path: Path | None, module: object | None = None) -> Model:
    """Return what is known of a model: its file or folder, and its parameters from `module` when given.

    Args:
        path: file or folder the run left the model in; none when it was not kept.
        module: anything with `parameters()` as torch's modules have it.

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
    if start.startswith(b"PK\x03\x04"):
        from ledger.capture.torch_file import is_torch_file  # zipfile and pickletools cost 5 ms

        if is_torch_file(path):
            return "torch"
    if start[4:8] == b"TFL3":
        return "tflite"
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    return _SUFFIXES.get(path.suffix.lower())


def _from_module(module: object, unknown: dict[str, str]) -> _Counted | None:
    try:
        parameters = list(cast("_Module", module).parameters())  # checked by what follows
        counts = [(int(parameter.numel()), bool(parameter.requires_grad)) for parameter in parameters]
    except Exception as error:  # noqa: BLE001  # a foreign object must not harm the run
        unknown["parameters"] = f"the module does not list them: {type(error).__name__}"
        return None
    return _Counted(sum(count for count, _ in counts), sum(count for count, trained in counts if trained))


def _from_file(path: Path, kind: str | None, unknown: dict[str, str]) -> _Counted | None:
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file())
    try:
        if kind == "safetensors":
            return _Counted(sum(count_tensors(file) for file in files if _format(file) == kind), None)
        if kind == "torch":
            models = [file for file in files if _format(file) == kind]
            if len(models) == 1:
                from ledger.capture.torch_file import count_parameters

                return _Counted(*count_parameters(models[0]))
            unknown["parameters"] = "the folder holds several torch files"
            return None
    except (ValueError, OSError) as error:
        unknown["parameters"] = " ".join(str(error).split())[:200]
        return None
    unknown["parameters"] = (
        "they cannot be counted in this format; pass the module" if kind else "the format is unknown"
    )
    return None
