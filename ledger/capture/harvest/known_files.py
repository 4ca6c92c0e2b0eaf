"""The files that frameworks and people leave, by name: what each kind can tell, and which kinds are asked for."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.capture.harvest.left_files import LeftFile
from ledger.errors import UsageError
from ledger.model.values import plain

ARGV, DEFAULTS, LOG, MODEL = "argv", "argparse", "log", "model"
"""Sources that are no files of results: the command line, declared defaults, the log; and the file of the model."""


class KnownFile(NamedTuple):
    """A kind of file that trainings leave."""

    format: str
    """Name of the kind, as people choose it."""
    box: str
    """Box that it fills: `params`, `curves`, `metrics` or `model`; `tracker` for several."""
    name: str
    """Regular expression of its file name."""
    folder: str = ""
    """Regular expression of the name of its folder; any by default."""

    def matches(self, file: LeftFile) -> bool:
        """Return whether a file is of this kind."""
        inside = not self.folder or re.fullmatch(self.folder, file.path.parent.name) is not None
        return inside and re.fullmatch(self.name, file.path.name) is not None


KNOWN_FILES = (
    KnownFile("wandb", "tracker", r"run-[^/]+\.wandb"),
    KnownFile("dvclive", "tracker", r"(?:metrics|params)\.(?:json|yaml)", r"dvclive"),
    KnownFile("hydra", "params", r"config\.yaml", r"\.hydra"),
    KnownFile("lightning", "params", r"hparams\.yaml"),
    KnownFile("trainer", "params", r"trainer_state\.json"),
    KnownFile("config", "params", r"(?:args|opt|options|config|params|hparams|hyperparameters)\.(?:ya?ml|json|toml)"),
    KnownFile("tfevents", "curves", r".*\btfevents\b.*"),
    KnownFile("lightning", "curves", r"metrics\.csv", r"version_\d+"),
    KnownFile("trainer", "curves", r"trainer_state\.json"),
    KnownFile("csv", "curves", r".*\.(?:csv|tsv)"),
    KnownFile("jsonl", "curves", r".*\.(?:jsonl|ndjson)"),
    KnownFile("results", "metrics", r"(?:(?:all|eval|test|val|validation|final)_)?(?:results|metrics|scores)\.json"),
    KnownFile("results", "metrics", r"results_\d{4}-.*\.json"),
    KnownFile(
        MODEL,
        "model",
        r".*\.(?:pt|pth|ckpt|safetensors|onnx|keras|h5|hdf5|gguf|ubj|tflite|joblib)|pytorch_model.*\.bin|model.*\.pkl",
    ),
)
"""Every kind, of each box the most telling first."""

NAMES = re.compile("|".join(f"(?:{known.name})" for known in KNOWN_FILES))
"""Names of files that are worth a look."""

FORMATS = tuple(dict.fromkeys([ARGV, DEFAULTS, *(known.format for known in KNOWN_FILES), LOG]))
"""Every source that can be chosen."""


def check_formats(text: str) -> frozenset[str]:
    """Return the sources that a choice means: `auto` all of them, `off` none, else those that it lists.

    Raises:
        UsageError: there is no such source.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words in (["auto"], ["off"]):
        return frozenset(FORMATS if words == ["auto"] else ())
    wrong = [word for word in words if word not in FORMATS]
    if wrong or not words:
        raise UsageError(f"nothing is found in: `{plain(text)}`", hint=f"auto, off, or some of {', '.join(FORMATS)}")
    return frozenset(words)


def files_of(box: str, files: Iterable[LeftFile], formats: frozenset[str]) -> list[tuple[str, list[LeftFile]]]:
    """Return the files that can fill a box by kind, the most telling kind first; each file counts once."""
    trackers = [known for known in KNOWN_FILES if known.box == "tracker"]
    rest = [file for file in files if box == "tracker" or not any(known.matches(file) for known in trackers)]
    found: list[tuple[str, list[LeftFile]]] = []
    for known in KNOWN_FILES:
        if known.box != box:
            continue
        mine: Sequence[LeftFile] = [file for file in rest if known.matches(file)]
        rest = [file for file in rest if file not in mine]
        if mine and known.format in formats:
            found.append((known.format, list(mine)))
    return found
