"""The hash of a preprocessing step's code: its own, and that of the project's code it calls.

Libraries are not part of it: new versions of them seldom change results. A step that
must run again for another reason states a version of its own.
"""

import ast
import inspect
import json
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes, hash_listing

_LIBRARIES = tuple({str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "purelib", "platlib")})
_OWN = str(Path(__file__).resolve().parents[1])
"""This package: a newer version of it must not make every step run again."""


def hash_function(function: Callable[..., object]) -> str:
    """Return the hash of a function's source, with every function and class of the project that it uses, recursively.

    A module of the project that it names counts as a whole. Constants that it names count by their value, where
    JSON has a form for it.

    Raises:
        LedgerError: its source cannot be read, as in an interactive session.
    """
    seen: dict[str, str] = {}
    waiting: list[object] = [inspect.unwrap(function)]
    while waiting:
        one = waiting.pop()
        name = f"{getattr(one, '__module__', '')}.{getattr(one, '__qualname__', getattr(one, '__name__', ''))}"
        if name in seen:
            continue
        seen[name] = _source_of(one)
        for called, value in _names_used(one):
            if isinstance(value, ModuleType):
                seen.setdefault(value.__name__, _file_hash(value))
            elif callable(value) and hasattr(value, "__qualname__"):
                waiting.append(inspect.unwrap(value))
            else:
                seen.setdefault(f"{name}:{called}", _constant(value))
    return hash_listing(f"{name} {content}" for name, content in sorted(seen.items()))


def _source_of(one: object) -> str:
    try:
        return hash_bytes(inspect.getsource(one).encode())  # type: ignore[arg-type]  # a function or class, as `is_ours` found
    except (OSError, TypeError) as error:
        named = getattr(one, "__name__", repr(one))
        raise LedgerError(f"the source of this step cannot be read: `{named}`", hint="define it in a file") from error


def _names_used(one: object) -> Iterator[tuple[str, object]]:
    """Yield the project's functions, classes and modules, and the constants, that code uses."""
    for function in _functions_of(one):
        closed = dict(zip(function.__code__.co_freevars, map(_cell_value, function.__closure__ or ()), strict=True))
        for name in sorted(_names_in(function.__code__)):
            value = closed.get(name, function.__globals__.get(name, _NOTHING))
            if value is not _NOTHING and is_ours(value):
                yield name, value
    if isinstance(one, type):
        yield from ((base.__name__, base) for base in one.__bases__ if is_ours(base))


_NOTHING = object()


def _functions_of(one: object) -> Iterator[FunctionType]:
    """Yield a function, or those of a class: methods, those of the class itself, and properties."""
    for value in vars(one).values() if isinstance(one, type) else (one,):
        held: tuple[object, ...] = (value,)
        if isinstance(value, staticmethod | classmethod):
            held = (value.__func__,)
        elif isinstance(value, property):
            held = (value.fget, value.fset, value.fdel)
        elif isinstance(value, cached_property):
            held = (value.func,)
        for function in held:
            plain = inspect.unwrap(function) if isinstance(function, FunctionType) else None
            if isinstance(plain, FunctionType):
                yield plain


def _cell_value(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing was assigned to the name yet
        return _NOTHING


def _names_in(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names, *code.co_freevars}.union(*(_names_in(part) for part in inner))


def is_ours(value: object) -> bool:
    """Return whether a value is part of the project: its code, or a constant of it."""
    if isinstance(value, ModuleType) or callable(value):
        file = getattr(sys.modules.get(getattr(value, "__module__", "") or ""), "__file__", None)
        if file is None and getattr(value, "__module__", None) == "__main__":
            return True  # the cells of a notebook, whose main module has no file
        file = getattr(value, "__file__", None) if isinstance(value, ModuleType) else file
        where = str(Path(file).resolve()) if file else ""
        return bool(where) and not where.startswith((*_LIBRARIES, _OWN))
    return isinstance(value, str | int | float | bool | list | tuple | dict | type(None))


def _constant(value: object) -> str:
    try:
        return hash_bytes(json.dumps(value, sort_keys=True).encode())
    except (TypeError, ValueError):
        return "no constant"


def _file_hash(module: ModuleType) -> str:
    try:
        return hash_bytes(Path(module.__file__ or "").read_bytes())
    except OSError:
        return "no file"


def hash_scripts(files: list[Path], folder: Path) -> str:
    """Return the hash of scripts and, for Python, of the modules beside them that they import, recursively.

    Args:
        files: scripts and other files that a command names.
        folder: folder of the project; imports are searched for there and beside each script.

    Raises:
        LedgerError: one cannot be read.
    """
    seen: dict[Path, str] = {}
    waiting = [file.resolve() for file in files]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        try:
            content = file.read_bytes()
        except OSError as error:
            raise LedgerError(f"the code of the step cannot be read: `{file}`") from error
        seen[file] = hash_bytes(content)
        if file.suffix == ".py":
            for name, level in _imports(content):
                above = file.parents[level - 1 : level] if level else (file.parent, folder.resolve())
                waiting += _candidate_files(name, above)
    names = {
        file: file.name if not file.is_relative_to(folder.resolve()) else str(file.relative_to(folder.resolve()))
        for file in seen
    }
    return hash_listing(sorted(f"{names[file]} {content}" for file, content in seen.items()))


def _imports(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield each module that is imported, and how many folders up it is searched for; 0 for one without dots."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return  # Python will report it when it runs
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" if node.module else alias.name for alias in node.names]
            yield from ((name, node.level) for name in names)


def _candidate_files(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    parts = name.split(".")
    for folder in folders:
        for depth in range(1, len(parts) + 1):
            base = folder.joinpath(*parts[:depth])
            yield from (file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file())
