"""What all adapters share: the run that one writes to, and that nothing it does is raised into a training."""

import atexit
import functools
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from ledger.model.directions import known_direction
from ledger.model.values import Direction, Status
from ledger.session.run.open_runs import open_runs
from ledger.session.run.run import Run
from ledger.session.run.run import run as begin

P = ParamSpec("P")
R = TypeVar("R")

_LOG = logging.getLogger("ledger")
_UNFINISHED = "the training did not reach its end"
_OF_ADAPTERS: "WeakKeyDictionary[Run, AdapterRun]" = WeakKeyDictionary()
"""Runs that adapters have begun for one training, which no other training joins."""


class AdapterRun:
    """The run that an adapter writes to: the one around the training, or one of its own.

    A run of its own stays open when the training is over, for the evaluation that follows. It ends with the next
    training, with `finish`, or with the process.

    Args:
        options: arguments of `ledger.run()`, for a run of its own.
        conclude: called before a run of its own ends, to add what is known only then.
        around: whether trainings inside it, of other adapters, are part of this run.
    """

    def __init__(
        self, options: Mapping[str, Any], conclude: Callable[[], object] = lambda: None, *, around: bool = False
    ) -> None:
        self.options = dict(options)
        """Arguments of `ledger.run()`."""
        self.conclude = conclude
        """Adds what is known only at the end."""
        self._around = around
        self._stated: dict[str, float] = {}
        self._told: set[str] = set()
        self.settled = False
        """Whether the training has reached its end."""
        self.own = False
        """Whether the run was made for this training."""
        self.run: Run | None = None
        """The run; none before the training has begun."""

    def __reduce__(self) -> "tuple[Any, ...]":
        """Travel without the run: a callback that is copied with its trainer begins another one."""
        return AdapterRun, (self.options,)

    def begin(self, params: Mapping[str, object] | None = None, **options: Any) -> Run | None:  # noqa: ANN401  # of ledger.run
        """Return the run for a training that begins: the one that is open around it, or a new one; never raises."""
        try:
            return self._begin(params or {}, options | self.options)
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on
            self.warn("no run was begun", error)
            return None

    def _begin(self, params: Mapping[str, object], options: dict[str, Any]) -> Run:
        self.finish()
        if (outer := surrounding_run()) is not None:
            outer.params(params)
            return self._hold(outer, own=False)
        for one in open_runs():
            if _OF_ADAPTERS[one].settled:
                _OF_ADAPTERS[one].finish()
        given = options.pop("params", None) or {}
        run = self._hold(begin(params={**params, **given}, **options), own=True)
        if not self._around:
            _OF_ADAPTERS[run] = self
        atexit.register(self._at_exit)
        return run

    def _hold(self, run: Run, *, own: bool) -> Run:
        self.run, self.own, self.settled = run, own, False
        self._stated = {}
        return run

    def state(self, values: Mapping[str, float], rule: str, monitored: Mapping[str, Direction] | None = None) -> None:
        """State final values, by a named rule, of which it is known which are better.

        Args:
            values: values by name; one that has not changed since it was stated is left out.
            rule: rule that chose these values among all that were logged.
            monitored: direction of what the training itself watches.
        """
        for name, value in values.items() if self.run is not None else ():
            direction = (monitored or {}).get(name) or known_direction(name.rpartition("/")[2])
            if self.run is not None and direction is not None and self._stated.get(name) != value:
                self._stated[name] = value
                self.run.metric(name, value, direction=direction, evaluator=rule)

    def settle(self) -> None:
        """Note that the training has reached its end."""
        self.settled = True

    def finish(self, status: Status | None = None, reason: str | None = None) -> None:
        """End a run of its own; one that never reached the end of its training failed, unless something else is said.

        A second call does nothing, and a run that was there before the training is left as it is.
        """
        self._add_last()
        run, self.run = self.run, None
        if run is None or not self.own:
            return
        atexit.unregister(self._at_exit)
        if status is None and self.settled:
            status = "finished"
        elif status is None and sys.exc_info()[1] is None:
            status, reason = "failed", _UNFINISHED
        run.finish(status, reason)  # without a status, that of the exception being handled

    def _add_last(self) -> None:
        try:
            self.conclude()
        except Exception as error:  # noqa: BLE001  # whatever it is, the run ends
            self.warn("the last of the training", error)

    def _at_exit(self) -> None:
        """End a run whose training raised what the script caught; the run itself knows of all other ends."""
        if self.settled or getattr(sys, "last_value", None) is not None:
            self._add_last()
        else:
            self.finish()

    def warn(self, where: str, error: object) -> None:
        """Warn of a failure, once for each place."""
        if where not in self._told:
            self._told.add(where)
            _LOG.warning("%s: %s; the training goes on, and its record lacks this", where, error)


def surrounding_run() -> Run | None:
    """Return the open run that trainings are part of; none where there are only those of other trainings."""
    return next((run for run in open_runs() if run not in _OF_ADAPTERS), None)


def harmless(hook: Callable[P, R]) -> Callable[P, R | None]:
    """Turn what a hook of an adapter raises into one warning: no training fails for its record.

    The adapter is the first argument, and has its run in `ledger`.
    """

    @functools.wraps(hook)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return hook(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on
            adapter: Any = args[0]  # of whatever class its framework asks for
            adapter.ledger.warn(f"{type(adapter).__name__}.{hook.__name__}", error)
            return None

    return guarded
