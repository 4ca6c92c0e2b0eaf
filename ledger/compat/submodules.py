"""Submodules of a tracker that is stood in for: each can be imported, and what it holds does nothing."""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

from ledger.compat.nothing import nothing


class SubmoduleFinder(MetaPathFinder, Loader):
    """Finds every submodule of one name.

    Args:
        package: name that is stood in for.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Return a module for whatever lies below the package."""
        if not fullname.startswith(f"{self._package}."):
            return None
        return spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module whose every name does nothing."""
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


class _Empty(ModuleType):
    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing(f"{self.__name__}.{name}")


def stand_in(name: str, module: ModuleType) -> None:
    """Let a name be a module of ours, with submodules."""
    module.__path__ = []
    sys.modules[name] = module
    sys.meta_path.insert(0, SubmoduleFinder(name))
