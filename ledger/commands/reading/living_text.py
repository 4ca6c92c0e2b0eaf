"""The lines that tell of a living run, for `ledger status` and `ledger show`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from ledger.analysis.query.fields import show_value
from ledger.capture.machine.gpus.use_now import GpuUse
from ledger.formatting import byte_size, duration, number, share
from ledger.model.values import plain
from ledger.session.live.living import Living
from ledger.session.live.progress import RunProgress

_SERIES = 8
"""Most series whose last values are shown; `--json` has all."""
_BAR = 24
"""Characters of the bar."""
_SILENT_SECONDS = 60.0
"""A run that has logged nothing for longer, and for long by its own measure, is said to be silent."""


def living_text(living: Living, now: datetime | None = None) -> str:
    """Return a living run as a few lines.

    Args:
        living: its state.
        now: the present; by default that of the clock.
    """
    title = f"{click.style(plain(living.experiment), bold=True)}  {living.id}"
    now = now or datetime.now(UTC)
    return "\n".join([title, *(f"  {line}" for line in _lines(living, now, _bar(living.progress)))])


def living_lines(living: Living) -> list[str]:
    """Return the lines of a living run for a page, which draws title, bar and colours itself."""
    return [click.unstyle(line) for line in _lines(living, datetime.now(UTC), "")]


def living_details(living: Living) -> Iterator[tuple[str, str]]:
    """Yield names and values of what `ledger show` tells beyond the state of a run."""
    yield "command", " ".join(living.command)
    yield "children", ", ".join(living.children)
    for name, value in living.params.items():
        yield f"param {name}", show_value(value)
    for name, value in living.metrics.items():
        yield name, number(value)


def _lines(living: Living, now: datetime, bar: str) -> Iterator[str]:
    progress = living.progress
    yield f"running for {duration(living.seconds)} on {plain(living.host)}, process {living.pid}"
    if where := _position(progress):
        yield bar + where
    yield _time_left(progress, now)
    if living.deadline is not None:
        yield _deadline(datetime.fromisoformat(living.deadline), progress, now)
    if (silent := living.silent_points_seconds) is not None and silent > _SILENT_SECONDS:
        yield click.style(f"last point {duration(silent)} ago", fg="yellow")
    if living.silence_seconds > _SILENT_SECONDS:
        yield click.style(f"last sign of life {duration(living.silence_seconds)} ago", fg="yellow")
    if living.last:
        values = [f"{plain(name)} {number(value)}" for name, value in living.last.items()]
        left_out = f", and {len(values) - _SERIES} more" if len(values) > _SERIES else ""
        yield ", ".join(values[:_SERIES]) + left_out
    if living.memory_bytes is not None:
        yield f"memory {byte_size(living.memory_bytes)}"
    yield from (f"GPU {place}: {_gpu(gpu)}" for place, gpu in enumerate(living.gpus))
    yield from _ranks(living)


def _bar(progress: RunProgress) -> str:
    if progress.done is None:
        return ""
    filled = round(_BAR * min(1.0, progress.done))
    return f"[{'#' * filled}{'-' * (_BAR - filled)}] "


def _position(progress: RunProgress) -> str:
    """Return how far it is, and how fast: `50 %, step 500 of 1000 (params.max_steps), 12 steps/s`."""
    said = [share(progress.done)] if progress.done is not None else []
    for unit, value in (("step", progress.step), ("epoch", progress.epoch)):
        if value is not None:
            total = f" of {number(progress.total)}" if progress.unit == unit and progress.total is not None else ""
            source = f" ({plain(progress.total_from or '')})" if total and progress.total_from != "stated" else ""
            said.append(f"{unit} {number(value)}{total}{source}")
    if progress.steps_per_second is not None:
        said.append(f"{number(progress.steps_per_second, 3)} steps/s")
    if progress.samples_per_second is not None:
        said.append(f"{number(progress.samples_per_second, 3)} samples/s (by {plain(progress.samples_from or '')})")
    return ", ".join(said)


def _time_left(progress: RunProgress, now: datetime) -> str:
    left = progress.left
    if left is None:
        return f"time left unknown: {plain(progress.unknown or '')}"
    until = _clock(now + timedelta(seconds=left.seconds), now)
    if left.low is None and left.high is None:
        why = "by its log alone" if progress.total_from == "log" else "too early to say how sure"
        return f"{duration(left.seconds)} left, until {until}; {why}"
    least = duration(left.low) if left.low is not None else "0 s"
    most = duration(left.high) if left.high is not None else "unknown"
    return f"{duration(left.seconds)} left ({least} to {most}), until {until}"


def _deadline(deadline: datetime, progress: RunProgress, now: datetime) -> str:
    """Return when the scheduler ends the job, and whether the run will be done by then."""
    remaining = (deadline - now).total_seconds()
    if remaining <= 0:
        return click.style(f"the job's time limit was {_clock(deadline, now)}", fg="red")
    said = f"the job's time limit is {_clock(deadline, now)}, in {duration(remaining)}"
    left = progress.left
    if left is None:
        return said
    low, high = left.low if left.low is not None else left.seconds, left.high if left.high is not None else left.seconds
    if high <= remaining:
        return f"{said}: done before"
    if low > remaining:
        return click.style(f"{said}: not done before", fg="red")
    return click.style(f"{said}: perhaps not done before", fg="yellow")


def _clock(time: datetime, now: datetime) -> str:
    """Return a moment in local time; with its date where it is not of today."""
    local, today = time.astimezone(), now.astimezone().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def _gpu(gpu: GpuUse) -> str:
    busy = "use unknown" if gpu.utilisation is None else f"{share(gpu.utilisation)} busy"
    used = "" if gpu.memory_used_bytes is None else f", {byte_size(gpu.memory_used_bytes)}"
    of = "" if gpu.memory_bytes is None or not used else f" of {byte_size(gpu.memory_bytes)}"
    return f"{plain(gpu.name)}, {busy}{used}{of}"


def _ranks(living: Living) -> Iterator[str]:
    """Yield how many other processes of the job live, and those that do not, or are far behind."""
    if not living.ranks:
        return
    alive = sum(rank.alive for rank in living.ranks)
    yield f"{alive + 1} of {len(living.ranks) + 1} ranks live"
    for rank in living.ranks:
        step = f", at step {rank.step}" if rank.step is not None else ""
        if not rank.alive:
            yield click.style(f"rank {rank.rank} on {plain(rank.host)} has ended{step}", fg="yellow")
        elif rank.silence_seconds > _SILENT_SECONDS:
            said = f"rank {rank.rank} on {plain(rank.host)} is silent for {duration(rank.silence_seconds)}{step}"
            yield click.style(said, fg="yellow")
