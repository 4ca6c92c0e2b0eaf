"""The experiment ledger for deep learning that needs no server.

Importing this package costs next to nothing: every public name is loaded when it is first used.
"""

TYPE_CHECKING = False
"""As in `typing`, whose import takes as long as all that `ledger list` does; type checkers know the name."""

__version__ = "0.1.0"

_PUBLIC = {
    "Dataset": "ledger.recorder",
    "LedgerError": "ledger.errors",
    "Ledger": "ledger.api.ledger",
    "Run": "ledger.session.run.run",
    "cached": "ledger.data.preparing.decorator",
    "evaluate": "ledger.recorder",
    "explore": "ledger.api.explore",
    "batches": "ledger.serve.opening",
    "run": "ledger.session.run.run",
    "shapes": "ledger.session.run.model_methods",
}

__all__ = [
    "Dataset",
    "Ledger",
    "LedgerError",
    "Run",
    "__version__",
    "batches",
    "cached",
    "evaluate",
    "explore",
    "run",
    "shapes",
]

if TYPE_CHECKING:
    from ledger.api.explore import explore as explore
    from ledger.api.ledger import Ledger as Ledger
    from ledger.data.preparing.decorator import cached as cached
    from ledger.errors import LedgerError as LedgerError
    from ledger.recorder import Dataset as Dataset
    from ledger.recorder import evaluate as evaluate
    from ledger.serve.opening import batches as batches
    from ledger.session.run.model_methods import shapes as shapes
    from ledger.session.run.run import Run as Run
    from ledger.session.run.run import run as run


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module `ledger` has no attribute `{name}`")
    from importlib import import_module

    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: object) -> None:
    """Load the magics `%ledger` and `%%ledger_run`, and watch the cells of a notebook: `%load_ext ledger`."""
    from importlib import import_module

    import_module("ledger.magics").load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Remove the magics: `%unload_ext ledger`."""
    from importlib import import_module

    import_module("ledger.magics").unload(shell)


def __dir__() -> list[str]:
    return sorted(__all__)
