"""How far a living run is: its position, the number of steps or epochs in all, its speed, and the time that is left.

What a run states wins over what its params say, and that over what its log prints. Where the number is guessed, it
says from what; where the guess is refuted, because the run went past it, nothing is forecast.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from ledger.model.values import Document, ParamValue
from ledger.session.live.forecast import Forecast, forecast, recent_moves, speed
from ledger.session.live.log_position import LogPosition
from ledger.session.spool.events import Logged

Unit = Literal["step", "epoch"]

_STEPS = frozenset(
    (
        *("total_steps", "max_steps", "num_steps", "n_steps", "steps", "train_steps", "num_train_steps"),
        *("max_train_steps", "training_steps", "num_training_steps", "max_iters", "max_iter", "num_iters", "iters"),
        *("iterations", "num_iterations", "max_iterations", "total_iters", "train_iters"),
    )
)
"""Params that name the number of steps in all."""
_EPOCHS = frozenset(("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs", "total_epochs"))
"""Params that name the number of epochs in all."""
_BATCH = ("batch_size", "train_batch_size", "per_device_train_batch_size")


class RunProgress(Document, frozen=True, kw_only=True):
    """How far a run is."""

    step: int | None = None
    """Last step."""
    epoch: float | None = None
    """Last epoch."""
    total: float | None = None
    """Steps or epochs in all."""
    unit: Unit | None = None
    """What `total` counts."""
    total_from: str | None = None
    """Where it comes from: `stated`, `params.NAME`, or `log`; the last two are guesses."""
    done: float | None = None
    """Share that is done (0..1)."""
    steps_per_second: float | None = None
    """Steps in a second, in the recent past."""
    samples_per_second: float | None = None
    """Samples in a second: steps by the batch size of `samples_from`."""
    samples_from: str | None = None
    """Param that the batch size comes from."""
    left: Forecast | None = None
    """Time that is left."""
    unknown: str | None = None
    """Why no time that is left can be given."""


def read_progress(
    points: Sequence[Logged],
    params: Mapping[str, ParamValue],
    printed: LogPosition | None,
    *,
    stated: int | None,
    now: float,
) -> RunProgress:
    """Return how far a run is.

    Args:
        points: its newest points, in the order of their times.
        params: its params.
        printed: position that its log names.
        stated: number of steps in all that it states.
        now: seconds since its start.
    """
    steps = recent_moves([(point.seconds, float(point.step)) for point in points if point.step is not None])
    epochs = recent_moves([(point.seconds, point.epoch) for point in points if point.epoch is not None])
    rate = speed(steps)
    batch = next(((name, size) for name, size in _numbers(params) if name.rpartition(".")[2] in _BATCH), None)
    made = RunProgress(
        step=int(steps[-1][1]) if steps else None,
        epoch=epochs[-1][1] if epochs else None,
        steps_per_second=rate,
        samples_per_second=rate * batch[1] if rate is not None and batch else None,
        samples_from=batch[0] if rate is not None and batch else None,
    )
    found = _total(params, stated, by_steps=bool(steps), by_epochs=bool(epochs))
    if found is None:
        return _by_log(made, printed, now)
    total, unit, source = found
    moves = steps if unit == "step" else epochs
    made = replace(made, total=total, unit=unit, total_from=source)
    if moves[-1][1] > total:
        return replace(made, unknown=f"{unit} {moves[-1][1]:g} is past {source}, {total:g}")
    left = forecast(moves, total, now)
    return replace(
        made, done=max(0.0, moves[-1][1] / total), left=left, unknown=None if left else "too few points so far"
    )


def _total(
    params: Mapping[str, ParamValue], stated: int | None, *, by_steps: bool, by_epochs: bool
) -> tuple[float, Unit, str] | None:
    """Return how many steps or epochs there are in all, and where that comes from, for a run that counts them."""
    if stated is not None and by_steps:
        return stated, "step", "stated"
    units: tuple[tuple[bool, Unit, frozenset[str]], ...] = ((by_steps, "step", _STEPS), (by_epochs, "epoch", _EPOCHS))
    for counts, unit, names in units:
        for name, value in _numbers(params):
            if counts and name.rpartition(".")[2] in names:
                return value, unit, f"params.{name}"
    return None


def _numbers(params: Mapping[str, ParamValue]) -> list[tuple[str, float]]:
    """Return the params that are positive numbers; -1 says `no limit` in some frameworks."""
    return [
        (name, float(value))
        for name, value in params.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
    ]


def _by_log(made: RunProgress, printed: LogPosition | None, now: float) -> RunProgress:
    """Return the progress by what a log names: its line may be of the start or of the end of an epoch."""
    done = printed.done if printed is not None else None
    if printed is None or done is None:
        return replace(made, unknown="nothing says how many steps there are: ledger.run(total_steps=…)")
    least, most = done
    made = replace(
        made,
        step=made.step if made.step is not None or printed.epochs else printed.step,
        epoch=made.epoch if made.epoch is not None or printed.epoch is None else float(printed.epoch),
        total=float(printed.epochs or printed.steps or 0),
        unit="epoch" if printed.epochs else "step",
        total_from="log",
        done=least,
    )
    if most <= 0:
        return replace(made, unknown="too little is done so far")
    longest = now * (1 - least) / least if least > 0 else None
    shortest = now * (1 - most) / most
    middle = (least + most) / 2
    left = Forecast(
        seconds=now * (1 - middle) / middle,
        low=shortest if least != most else None,
        high=longest if least != most else None,
    )
    return replace(made, left=left)
