"""Trials in the storages of Optuna, a database or a journal, read without Optuna: each trial is a run.

Formats: `optuna/storages/_rdb/models.py` and `optuna/storages/journal/_storage.py` (https://github.com/optuna/optuna),
seen in 5.0. A param is a number beside its distribution; of a categorical one it is the place of the choice. A database
keeps local times without their zone, so that of this machine is assumed.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_database import StoreDatabase, id_batches, open_store_database, tables_of
from ledger.formats.stores.store_files import read_store_bytes
from ledger.formats.stores.store_values import (
    load_json,
    load_mapping,
    moment_in,
    number_of,
    status_of_open,
    step_of,
    text_of,
)
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import Status

_TABLES = {"studies", "trials", "trial_params"}
_STATES: dict[object, Status] = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
_JOURNAL_STATES = {0: "RUNNING", 1: "COMPLETE", 2: "PRUNED", 3: "FAIL", 4: "WAITING"}
_GOALS = {1: "lower", 2: "higher", "MINIMIZE": "lower", "MAXIMIZE": "higher"}
_SPECIAL = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}
_NAMES = "study:metric_names"
_ZONE = "the time zone of its times, which was taken from this machine"
_LONGEST_TAG = 100


@dataclass
class _Study:
    """A study so far."""

    name: str
    goals: list[str | None]
    label: str = ""
    """Its name in ids, distinct from that of a deleted study."""
    system: dict[str, object] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    trials: int = 0
    deleted: bool = False

    def metrics(self, count: int) -> list[str]:
        """Return the names of so many objectives."""
        given = self.system.get(_NAMES)
        names = [str(name) for name in given] if isinstance(given, list) else []
        return names if len(names) == count else ["value"] if count == 1 else [f"value_{n}" for n in range(count)]


@dataclass
class _Trial:
    """A trial so far."""

    study: _Study
    number: int
    state: object = "RUNNING"
    started: datetime | None = None
    ended: datetime | None = None
    params: dict[str, object] = field(default_factory=dict)
    values: list[float | None] = field(default_factory=list)
    points: list[tuple[int, float]] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state not in _STATES


def is_optuna_storage(path: Path) -> bool:
    """Return whether a file is a database or a journal of Optuna."""
    return _is_journal(path) or tables_of(path) >= _TABLES


def read_optuna_storage(path: Path) -> Iterator[ForeignRun]:
    """Yield the trials of all studies, as they were created; those that only wait are none.

    Raises:
        LedgerError: it is no storage of Optuna, or is damaged.
    """
    if _is_journal(path):
        trials: Iterable[_Trial] = _Journal(read_store_bytes(path.resolve())).trials
        yield from (_run(trial) for trial in trials if trial.state != "WAITING")
        return
    with open_store_database(path) as database:
        if not all(map(database.columns, _TABLES)):
            raise LedgerError(f"it is no storage of Optuna: `{path}`")
        yield from (_run(trial) for trial in _database_trials(database) if trial.state != "WAITING")


def _run(trial: _Trial) -> ForeignRun:
    study = trial.study
    names = study.metrics(len(trial.values) or len(study.goals) or 1)
    metrics = {name: value for name, value in zip(names, trial.values, strict=False) if value is not None}
    tags: list[str] = []
    losses = list(trial.losses)
    for name, value in {**study.attributes, **trial.attributes}.items():
        number = number_of(value) if not isinstance(value, str) else None
        text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else None
        if number is not None:
            metrics.setdefault(name, number)
        elif text is not None and len(text) <= _LONGEST_TAG:
            tags.append(f"{name}={text}")
        else:
            losses.append(f"attribute `{name}`")
    return ForeignRun(
        id=f"{study.label or study.name}/{trial.number}",
        experiment=study.name,
        status=_STATES.get(trial.state) or status_of_open(trial.started),
        started_at=trial.started,
        ended_at=trial.ended,
        params=trial.params,
        scalars=[Scalar(names[0], step, None, value) for step, value in trial.points],
        metrics=metrics,
        directions={name: goal for name, goal in zip(names, study.goals, strict=False) if goal},
        tags=tags,
        deleted=study.deleted,
        losses=losses,
    )


def _param(value: object, distribution: object) -> object:
    """Return the value of a param.

    Raises:
        LedgerError: its distribution does not know the value.
    """
    number = number_of(value)
    found = distribution if isinstance(distribution, dict) else load_mapping(str(distribution), "distribution")
    name, attributes = str(found.get("name")), found.get("attributes")
    if number is None or not isinstance(attributes, dict):
        raise LedgerError("its distribution is none")
    if name.startswith("Categorical"):
        choices, place = attributes.get("choices"), step_of(number)
        if not isinstance(choices, list) or place is None or not 0 <= place < len(choices):
            raise LedgerError("its distribution has no such choice")
        return choices[place]
    return int(number) if name.startswith("Int") and number.is_integer() else number


def _add_param(trial: _Trial, name: object, value: object, distribution: object) -> None:
    try:
        trial.params[str(name)] = _param(value, distribution)
    except LedgerError:
        trial.losses.append(f"param `{name}`, whose value is none of its distribution")


def _database_trials(database: StoreDatabase) -> Iterator[_Trial]:
    studies = {id_: _Study(str(name), []) for id_, name in database.rows("studies", ("study_id", "study_name"))}
    for id_, goal in database.rows("study_directions", ("study_id", "direction"), order="study_id objective"):
        if id_ in studies:
            studies[id_].goals.append(_GOALS.get(text_of(goal) or ""))
    for table, target in (("study_user_attributes", "attributes"), ("study_system_attributes", "system")):
        for id_, key, value in database.rows(table, ("study_id", "key", "value_json")):
            if id_ in studies:
                _add_json(getattr(studies[id_], target), key, value)
    columns = ("trial_id", "study_id", "number", "state", "datetime_start", "datetime_complete")
    rows = {row[0]: row for row in database.rows("trials", columns, order="trial_id") if row[1] in studies}
    for batch in id_batches(rows, database.counts("trial_params", "trial_id")):
        trials = {}
        for id_ in batch:
            _, study, number, state, start, end = rows[id_]
            trials[id_] = _Trial(
                studies[study], step_of(number) or 0, state, moment_in(start, local=True), moment_in(end, local=True),
                losses=[_ZONE],
            )  # fmt: skip
        _fill(database, trials)
        yield from trials.values()


def _fill(database: StoreDatabase, trials: Mapping[object, _Trial]) -> None:
    columns: tuple[str, ...] = ("trial_id", "param_name", "param_value", "distribution_json")
    for id_, name, value, distribution in database.rows_of("trial_params", columns, trials):
        _add_param(trials[id_], name, value, distribution)
    columns = ("trial_id", "value", "value_type")
    for id_, value, kind in database.rows_of("trial_values", columns, trials, "trial_id objective"):
        trials[id_].values.append(_SPECIAL.get(text_of(kind) or "", number_of(value)))
    columns = ("trial_id", "step", "intermediate_value", "intermediate_value_type")
    for id_, step, value, kind in database.rows_of("trial_intermediate_values", columns, trials):
        _add_point(trials[id_], step, _SPECIAL.get(text_of(kind) or "", number_of(value)))
    columns = ("trial_id", "key", "value_json")
    for id_, key, value in database.rows_of("trial_user_attributes", columns, trials):
        _add_json(trials[id_].attributes, key, value)


def _add_point(trial: _Trial, step: object, value: float | None) -> None:
    number = step_of(step)
    if number is None or value is None:
        trial.losses.append("an intermediate value without a number")
    else:
        trial.points.append((number, value))


def _add_json(values: dict[str, object], key: object, text: object) -> None:
    try:
        values[str(key)] = load_json(str(text), "attribute")
    except LedgerError:
        values[str(key)] = None


def _is_journal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 16)
        return first.startswith(b"{") and "op_code" in load_mapping(first, "line 1")
    except (OSError, LedgerError):
        return False


class _Journal:
    """The trials of a journal, whose lines are changes; ids are places, so nothing behind a broken line is certain.

    Args:
        data: its bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._studies: list[_Study] = []
        self.trials: list[_Trial] = []
        changes = (
            self._create_study, self._delete_study, self._set_study_attributes, self._set_study_system,
            self._create_trial, self._set_param, self._set_state, self._set_point, self._set_attributes,
        )  # fmt: skip
        lines = data.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                change = load_mapping(line, "line") if line else {}
                code = change.get("op_code")
                apply = changes[code] if isinstance(code, int) and 0 <= code < len(changes) else None
                if apply is not None:
                    apply(change)
            except (LedgerError, KeyError, IndexError, TypeError, ValueError, AttributeError):
                self._stop(number, is_last=number == len(lines))
                break

    def _stop(self, line: int, *, is_last: bool) -> None:
        why = "the end of the journal, which was not written whole" if is_last else f"the journal from line {line} on"
        for trial in self.trials:
            if trial.is_open or not is_last:
                trial.losses.append(why)

    def _create_study(self, change: dict[str, object]) -> None:
        name, goals = str(change["study_name"]), change["directions"]
        same = [study for study in self._studies if study.name == name]
        if not isinstance(goals, list):
            raise TypeError(goals)
        if all(study.deleted for study in same):  # else a worker joined the study
            label = f"{name}#{len(same) + 1}" if same else name
            self._studies.append(_Study(name, [_GOALS.get(goal) for goal in goals], label))

    def _study(self, change: dict[str, object]) -> _Study:
        place = change["study_id"]
        if not isinstance(place, int) or place < 0:
            raise ValueError(place)
        return self._studies[place]

    def _delete_study(self, change: dict[str, object]) -> None:
        self._study(change).deleted = True

    def _set_study_attributes(self, change: dict[str, object]) -> None:
        self._study(change).attributes |= _inner(change, "user_attr")

    def _set_study_system(self, change: dict[str, object]) -> None:
        self._study(change).system |= _inner(change, "system_attr")

    def _create_trial(self, change: dict[str, object]) -> None:
        study = self._study(change)
        if study.deleted:
            return
        trial = _Trial(study, study.trials)
        study.trials += 1
        self.trials.append(trial)
        self._change_state(trial, {"state": 0, **change})
        distributions = _inner(change, "distributions")
        for name, value in _inner(change, "params").items():
            _add_param(trial, name, value, distributions.get(name))
        for step, value in _inner(change, "intermediate_values").items():
            _add_point(trial, int(step), number_of(value))
        trial.attributes |= _inner(change, "user_attrs")
        if (value := number_of(change.get("value"))) is not None and not trial.values:
            trial.values = [value]

    def _trial(self, change: dict[str, object]) -> _Trial | None:
        """Return the trial of a change; none where it has ended, so that the change was refused."""
        place = change["trial_id"]
        if not isinstance(place, int) or place < 0:
            raise ValueError(place)
        trial = self.trials[place]
        return trial if trial.is_open else None

    def _set_param(self, change: dict[str, object]) -> None:
        if trial := self._trial(change):
            _add_param(trial, change["param_name"], change["param_value_internal"], change["distribution"])

    def _set_state(self, change: dict[str, object]) -> None:
        if trial := self._trial(change):
            self._change_state(trial, change)

    def _change_state(self, trial: _Trial, change: dict[str, object]) -> None:
        state = change["state"]
        trial.state = _JOURNAL_STATES.get(state) if isinstance(state, int) else None
        if isinstance(values := change.get("values"), list):
            trial.values = [number_of(value) for value in values]
        trial.started = moment_in(change.get("datetime_start"), local=True) or trial.started
        trial.ended = moment_in(change.get("datetime_complete"), local=True) or trial.ended

    def _set_point(self, change: dict[str, object]) -> None:
        if trial := self._trial(change):
            _add_point(trial, change["step"], number_of(change["intermediate_value"]))

    def _set_attributes(self, change: dict[str, object]) -> None:
        if trial := self._trial(change):
            trial.attributes |= _inner(change, "user_attr")


def _inner(change: dict[str, object], name: str) -> dict[str, object]:
    found = change.get(name)
    return found if isinstance(found, dict) else {}
