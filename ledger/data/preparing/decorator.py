"""`@ledger.cached`: a preprocessing function that runs once for its code, params and data."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from ledger.data.preparing.cache import Cache, Prepared, key_of
from ledger.data.preparing.step_code import hash_function
from ledger.data.preparing.step_values import read_value, write_value
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError, UsageError
from ledger.hashing import hash_bytes
from ledger.model.datasets import Preparation, Source
from ledger.model.values import ParamValue

P = ParamSpec("P")
T = TypeVar("T")

OUT = "out"
"""Name of the parameter for the output folder."""


def cached(
    *,
    dataset: str | Path | Sequence[str | Path] = (),
    params: Mapping[str, ParamValue] | None = None,
    version: str = "",
    cache: Path | str | None = None,
) -> "Callable[[Callable[P, T]], Cached[P, T]]":
    """Run a preprocessing function once for its code, its params and the content of its data.

    The function either returns its result (numbers, text, lists, dicts, arrays of numpy, tensors of torch), or has
    a parameter `out`: an empty folder to write to, whose place in the cache is returned instead. Code of the
    project that it calls counts as its own; libraries do not.

    Example:
        >>> ledger.cached(dataset="data/raw", params={"size": 64})(resize_all)

    Args:
        dataset: file or folder, or several, that it reads; their content counts, not their path.
        params: values that its result depends on, beside its arguments.
        version: change it to make the function run again for a reason that its code does not show.
        cache: folder of the cache, instead of the default.

    Raises:
        LedgerError: (on the call) a dataset cannot be read, the result has no form without pickle, or the cache
            cannot be written to.
    """
    paths = [dataset] if isinstance(dataset, str | Path) else list(dataset)

    def decorate(function: Callable[P, T]) -> Cached[P, T]:
        return Cached(function, [str(path) for path in paths], dict(params or {}), version, cache)

    return decorate


class Cached(Generic[P, T]):
    """A function with cached results, made by `cached`.

    Args:
        function: function that makes the result.
        datasets: data that it reads.
        params: further values that its result depends on.
        version: version, changed by hand.
        cache: folder of the cache.
    """

    def __init__(
        self,
        function: Callable[P, T],
        datasets: Sequence[str],
        params: Mapping[str, ParamValue],
        version: str,
        cache: Path | str | None,
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._datasets = datasets
        self._params = params
        self._version = version
        self._cache = Cache(Path(cache) if cache is not None else None)
        self._writes = OUT in inspect.signature(function).parameters
        self.path: Path | None = None
        """Path of the last result, for `run.dataset(…)`; none before the first call."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result for these arguments, from the cache if it exists there."""
        prepared = self._prepared(args, kwargs)
        self.path = self._cache.content(prepared)
        if self._writes:
            return self.path  # type: ignore[return-value]  # the return value of a function with `out` is not used
        result: T = read_value(self.path)
        return result

    def _prepared(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Prepared:
        params = {**self._params, **self._arguments(args, kwargs)}
        sources = [
            Source(path=path, hash=build_manifest(path, cache=self._cache.hashes).hash) for path in self._datasets
        ]
        step = f"{self._function.__module__}.{self._function.__qualname__}"
        code = hash_function(self._function)
        if self._version:
            code = hash_bytes(f"{code} {self._version}".encode())
        preparation = Preparation(step=step, code=code, params=params, sources=sources, duration_seconds=0.0)
        run: Callable[..., Any] = self._function

        def make(folder: Path) -> None:
            if self._writes:
                run(*args, **{**kwargs, OUT: folder})
            else:
                write_value(run(*args, **kwargs), folder)

        return self._cache.prepare(key_of(step, code, params, sources), preparation, make)

    def _arguments(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, ParamValue]:
        """Return the arguments of a call by name; each must be a plain value, since it is part of the key."""
        if self._writes and (OUT in kwargs):
            raise UsageError("the cache chooses the folder to write to", hint=f"call it without `{OUT}`")
        signature = inspect.signature(self._function)
        bound = signature.bind(*args, **kwargs, **({OUT: ""} if self._writes else {}))
        bound.apply_defaults()
        found: dict[str, ParamValue] = {}
        for name, value in bound.arguments.items():
            if name == OUT and self._writes:
                continue
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                found |= {key: _plain(key, inner) for key, inner in value.items()}
            else:
                found[name] = _plain(name, list(value) if kind is inspect.Parameter.VAR_POSITIONAL else value)
        return found


def _plain(name: str, value: object) -> ParamValue:
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple) and all(
        item is None or isinstance(item, bool | int | float | str) for item in value
    ):
        return list(value)
    raise LedgerError(
        f"an argument of a cached step is not a plain value, so it cannot be part of the key: `{name}`",
        hint="pass the path of data with @ledger.cached(dataset=…)",
    )
