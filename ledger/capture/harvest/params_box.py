"""Params in what a training left: of trackers, of files, of the command line, and what its script declares."""

from pathlib import Path

from ledger.capture.harvest.arguments import read_arguments, read_defaults
from ledger.capture.harvest.known_files import ARGV, DEFAULTS
from ledger.capture.harvest.script_options import read_script_options
from ledger.capture.harvest.search import Search
from ledger.capture.inputs.config_files import read_mapping
from ledger.capture.inputs.params import flatten, read_params
from ledger.errors import LedgerError

_MODEL_CONFIG = frozenset({"architectures", "model_type", "transformers_version", "_class_name"})
"""Keys of a file that describes a model for those who load it."""
_TRAINER_PARAMS = ("num_train_epochs", "max_steps", "train_batch_size", "logging_steps", "eval_steps", "save_steps")
"""What the state of the Transformers Trainer says of its arguments."""


def find_params(search: Search) -> None:
    """Add the params of a training to a search."""
    for tracked in search.tracked():
        search.add_params(flatten(tracked.run.params), search.shown(tracked.place))
    for kind, files in [] if search.params else search.files("params"):
        newest = max(files, key=lambda file: file.written) if kind == "trainer" else None
        file = newest or search.only(kind, files)
        if file is not None and search.attempt(file.path, lambda path, kind=kind: _params_in(search, kind, path)):  # type: ignore[misc]  # mypy cannot infer the default
            break
    script = search.source.script
    declared = read_script_options(script) if script is not None else []
    if ARGV in search.formats:
        search.add_params(read_arguments(search.source.command, declared), ARGV)
    if DEFAULTS in search.formats and script is not None:
        search.add_params(read_defaults(declared), f"{DEFAULTS} in {script.name}")


def _params_in(search: Search, kind: str, path: Path) -> None:
    if kind == "trainer":
        state = read_mapping(path, "params")
        values = flatten({name: state[name] for name in _TRAINER_PARAMS if state.get(name) is not None})
    else:
        values = read_params(path)
        if _MODEL_CONFIG & values.keys():
            raise LedgerError("it describes the model for those who load it")
    search.add_params(values, search.shown(path))
