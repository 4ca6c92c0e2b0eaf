"""Well-formed but implausible claims: reported, never refused."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from ledger.analysis.comparing.error_rate import is_share_by_name
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Case, Evaluation, Note, Redaction
from ledger.model.hosts import HostDay
from ledger.model.record import Record
from ledger.store.integrity.check.append_only import SKEW
from ledger.store.integrity.findings import Finding


def check_plausible(document: object, path: str, committed: datetime | None) -> Iterator[Finding]:
    """Yield the implausible claims of one document.

    Args:
        document: record, evaluation or note.
        path: its path.
        committed: time of its commit, where known.
    """
    for field, message in (*_of_times(document, committed), *_of_numbers(document)):
        yield Finding(rule="plausible", severity="warning", path=path, field=field, message=message, hint=_HINT)


_HINT = "look at it; where it is wrong, say so in a note or retract it"


def _of_times(document: object, committed: datetime | None) -> Iterator[tuple[str, str]]:
    stated = _stated(document)
    if stated is None:
        return
    said, identity = stated
    made = _time_of(identity)
    if made is None:
        yield "id", f"its id holds no valid time: `{identity}`"
        return
    if all(abs(made - moment) > SKEW for moment in said.values()):
        yield "id", f"its id says {made:%Y-%m-%d %H:%M}, and nothing in it happened then"
    if committed is not None and made > committed + SKEW:
        yield "id", f"its id is from the future: it was committed {committed:%Y-%m-%d}"
    for field, moment in said.items():
        # A record that says so is refused already, by `verify`, too.
        if committed is not None and field != "timing.recorded_at" and moment > committed + SKEW:
            yield field, f"{field} is from the future: it was committed {committed:%Y-%m-%d}"


def _stated(document: object) -> tuple[dict[str, datetime], str] | None:
    """Return the times in a document, and its id."""
    match document:
        case Record():
            timing = document.timing
            said = {
                "timing.started_at": timing.started_at,
                "timing.ended_at": timing.ended_at,
                "timing.recorded_at": timing.recorded_at,
            }
        case Evaluation():
            said = {"evaluated_at": document.evaluated_at}
        case Note():
            said = {"noted_at": document.noted_at}
        case Case():
            said = {"added_at": document.added_at}
        case HostDay():
            said = {"started_at": document.started_at, "ended_at": document.ended_at}
        case Redaction():
            said = {"redacted_at": document.redacted_at}
        case _:
            return None
    return {field: _utc(moment) for field, moment in said.items()}, document.id


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time_of(identity: str) -> datetime | None:
    day, dash, time = identity[:15].partition("-")
    if not (dash and len(day) == len("20261120") and len(time) == len("100000") and (day + time).isascii()):
        return None
    try:  # ten times as fast as `strptime`
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC) if (day + time).isdigit() else None
    except ValueError:
        return None


def _of_numbers(document: object) -> Iterator[tuple[str, str]]:
    if isinstance(document, Record):
        headline = document.headline
        if headline is not None and not math.isfinite(headline.number):
            yield "results.headline", f"the headline metric is {headline.value}: `{ascii(headline.key)[1:-1]}`"
        yield from _of_metrics(document.results.metrics, "results.metrics")
        if document.results.headline is not None and headline is None:
            yield (
                "results.headline",
                f"its headline is not one of its metrics: `{ascii(document.results.headline)[1:-1][:80]}`",
            )
    elif isinstance(document, Evaluation):
        yield from _of_metrics(document.metrics, "metrics")


def _of_metrics(metrics: Sequence[Metric], field: str) -> Iterator[tuple[str, str]]:
    for position, metric in enumerate(metrics):
        value = metric.value
        if isinstance(value, float) and 0 <= value <= 1:
            continue
        value = metric.number
        if math.isfinite(value) and is_share_by_name(metric.name):
            yield f"{field}[{position}].value", f"{ascii(metric.key)[1:-1]} is {value:g}, but must be between 0 and 1"


def check_repeated(new: Iterable[tuple[str, Record]], others: Iterable[tuple[str, Record]]) -> Iterator[Finding]:
    """Yield runs that duplicate another: with the same code, params, seed, metrics and start.

    Args:
        new: path and record of each proposed run.
        others: path and record of each existing run.
    """
    seen = {_key(record): path for path, record in others}
    for path, record in new:
        before = seen.setdefault(_key(record), path)
        if before != path:
            yield Finding(
                rule="plausible",
                severity="warning",
                path=path,
                message=f"all its metrics equal those of another run: `{before}`",
                hint="if it was recorded twice, retract one: ledger retract RUN --because TEXT",
            )


def _key(record: Record) -> bytes:
    metrics = [(metric.key, metric.value) for metric in record.results.metrics]
    code = record.code.tree or record.code.commit
    return msgspec.json.encode(
        (code, sorted(record.params.values.items()), record.seed, metrics, record.timing.started_at)
    )
