"""Start and end of a run that are not observed: as stated, or from its log, or unknown."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from ledger.errors import UsageError
from ledger.model.values import Document

LONGEST_SECONDS = 10 * 365 * 86_400
"""Longest plausible duration, ten years; anything longer is a mistake."""

_NOBODY = {
    "started_at": "not given; --started sets it",
    "ended_at": "not given; --ended sets it",
    "duration_seconds": "not given; --duration sets it, as do --started and --ended",
}
_COUNTED = "counted back from the time of recording; --started sets it"

_LONGEST_SPAN = timedelta(days=60)
"""Longest plausible span between the first and last time in a log; beyond it, one is some other printed date."""
_READ_BYTES = 1 << 16
"""Bytes at each end of a log that are searched for times: 64 KiB."""
_MOMENT = re.compile(
    rb"(?<![0-9])(20[0-9]{2}-[01][0-9]-[0-3][0-9])[T ]([0-2][0-9]:[0-5][0-9]:[0-5][0-9])(?:[.,]([0-9]{1,6})[0-9]*)?"
    rb" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?(?![0-9])"
)


class Times(Document, frozen=True, kw_only=True):
    """Start, end and duration of a run."""

    started_at: datetime
    """Start, UTC; the moment of recording where it is unknown."""
    ended_at: datetime
    """End, UTC; the moment of recording where it is unknown."""
    duration_seconds: float | None = None
    """Seconds that it took; none where unknown."""
    source: Literal["clock", "options", "log"] = "options"
    """Where the times come from."""
    unknown: dict[str, str] = {}
    """Fields that are unknown, and why."""


def times_of(
    now: datetime, *, started: str | None, ended: str | None, duration: float | None, log: Path | None
) -> Times:
    """Return start and end of a run that has ended; stated times take precedence over those in its log.

    Args:
        now: time of recording.
        started: start as typed, ISO 8601; without a zone, local time.
        ended: end, the same.
        duration: seconds that it took.
        log: file of its log.

    Raises:
        UsageError: a time or the duration is invalid, or they contradict each other.
    """
    if duration is not None and not 0 <= duration <= LONGEST_SECONDS:
        raise UsageError(
            f"--duration must be a number of seconds, 0 or more: `{duration:g}`", hint="such as --duration 3600"
        )
    start, end = moment("--started", started), moment("--ended", ended)
    if start is None and end is None and duration is None:
        return _of_log(log, now)
    check_times(start, end, now)
    if start is not None and end is not None and duration is not None:
        span = (end - start).total_seconds()
        if abs(duration - span) > max(60.0, 0.01 * span):
            raise UsageError(
                f"--started to --ended is {span:g} s, but --duration is: `{duration:g}`",
                hint="leave one of --started, --ended and --duration out",
            )
    return _stated(start, end, None if duration is None else timedelta(seconds=duration), now)


def check_times(
    start: datetime | None, end: datetime | None, now: datetime, names: tuple[str, str] = ("--started", "--ended")
) -> None:
    """Check that stated times can be true.

    Args:
        start: stated start.
        end: stated end.
        now: the present; clocks of other machines may be ahead of it by a day.
        names: names of the two, for the message.

    Raises:
        UsageError: one is in the future, or the end is before the start.
    """
    if start is not None and end is not None and end < start:
        raise UsageError(f"{names[1]} is before {names[0]}: `{end}`", hint="times without a zone are this machine's")
    for said in (start, end):
        if said is not None and said > now + timedelta(days=1):
            raise UsageError(f"{names[0]} and {names[1]} must not be in the future: `{said}`")


def _stated(start: datetime | None, end: datetime | None, took: timedelta | None, now: datetime) -> Times:
    unknown: dict[str, str] = {}
    if start is None:
        back = end is None and took is not None
        unknown["started_at"] = _COUNTED if back else _NOBODY["started_at"]
        start = (end or now) - took if took is not None else end or now
        if took is not None and end is not None:
            del unknown["started_at"]
    elif took is None and end is not None:
        took = end - start
    if end is None and took is None:
        unknown |= {"ended_at": _NOBODY["ended_at"], "duration_seconds": _NOBODY["duration_seconds"]}
    elif took is None:
        unknown["duration_seconds"] = _NOBODY["duration_seconds"]
    return Times(
        started_at=start,
        ended_at=end or (start + took if took is not None else max(now, start)),
        duration_seconds=None if took is None else took.total_seconds(),
        unknown=unknown,
    )


def moment(name: str, said: "datetime | str | None") -> datetime | None:
    """Return a stated time in UTC; without a zone it is local time.

    Args:
        name: option or argument that states it, for the message.
        said: the time: ISO 8601, or a `datetime`.

    Raises:
        UsageError: it is no time.
    """
    if said is None:
        return None
    try:
        return (datetime.fromisoformat(said.strip()) if isinstance(said, str) else said).astimezone(UTC)
    except (ValueError, OverflowError, AttributeError, TypeError) as error:
        example = "--started 2026-11-20T09:30:00+01:00" if name.startswith("--") else '"2026-11-20T09:30:00+01:00"'
        raise UsageError(
            f"{name} must be a date and time in ISO 8601: `{ascii(str(said))[1:-1]}`",
            hint=f"such as {example.replace('--started', name)}",
        ) from error


def _of_log(log: Path | None, now: datetime) -> Times:
    """Return the first and the last time in a log, where they differ; else nothing is known."""
    moments = [found for found in _moments_in(log) if found[0] <= now + timedelta(days=1)] if log is not None else []
    if len(moments) > 1 and moments[-1][0] - moments[0][0] > _LONGEST_SPAN:
        first, last = (f"{moment:%Y-%m-%d}" for moment, _ in moments)
        apart = f"the log holds times from {first} to {last}, so some are not of this run; use --started and --ended"
        return Times(started_at=now, ended_at=now, unknown=dict.fromkeys(_NOBODY, apart))
    if len(moments) > 1 and moments[0][0] < moments[-1][0]:
        (start, zoned), (end, _) = moments[0], moments[-1]
        unknown = {} if zoned else {"zone": "the times in the log have no time zone; that of this machine was assumed"}
        took = (end - start).total_seconds()
        return Times(started_at=start, ended_at=end, duration_seconds=took, source="log", unknown=unknown)
    return Times(
        started_at=now,
        ended_at=now,
        unknown=_NOBODY,
    )


def _moments_in(log: Path) -> list[tuple[datetime, bool]]:
    """Return the first and the last time in a log, each with whether it has a zone."""
    try:
        with log.open("rb") as file:
            head = file.read(_READ_BYTES)
            size = file.seek(0, 2)
            file.seek(max(0, size - _READ_BYTES))
            tail = file.read()
    except OSError:
        return []
    first, last = _MOMENT.search(head), None
    for last in _MOMENT.finditer(tail):  # noqa: B007  # the last one is wanted
        pass
    return [moment for found in (first, last) if found is not None and (moment := _read_moment(found)) is not None]


def _read_moment(found: "re.Match[bytes]") -> tuple[datetime, bool] | None:
    day, time, fraction, zone = (part.decode() if part else "" for part in found.groups())
    zone = {"Z": "+00:00", "UTC": "+00:00"}.get(zone, zone)
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{f'.{fraction:0<6}' if fraction else ''}{zone}")
        return moment.astimezone(UTC), bool(zone)
    except (ValueError, OverflowError):
        return None
