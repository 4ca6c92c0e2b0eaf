"""Under `ledger run --as tensorboard`, Python imports this at its start: writers of TensorBoard are the ledger's.

A package cannot be put before `torch.utils.tensorboard`, which is a part of torch; a finder can. The ledger is loaded
when a script asks for a writer, and a `sitecustomize` of the machine is run as always.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

PACKAGES = ("torch.utils.tensorboard", "tensorboardX")
WRITERS = frozenset(f"{package}{part}" for package in PACKAGES for part in ("", ".summary", ".writer"))


class WriterFinder(MetaPathFinder, Loader):
    """Finds the modules that have a `SummaryWriter`."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        """Return ours for them."""
        return spec_from_loader(fullname, self, is_package=fullname in PACKAGES) if fullname in WRITERS else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        """Return the module of the ledger."""
        try:
            from ledger.compat import tensorboard
        except ModuleNotFoundError as error:
            raise ImportError("`ledger run --as tensorboard` needs git-ledger in the Python of the command") from error
        return tensorboard

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing: it is loaded."""


def run_next() -> None:
    """Run the `sitecustomize` that Python would have found without this one."""
    here = str(Path(__file__).parent)
    spec = PathFinder.find_spec("sitecustomize", [folder for folder in sys.path if folder != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


sys.meta_path.insert(0, WriterFinder())
run_next()
