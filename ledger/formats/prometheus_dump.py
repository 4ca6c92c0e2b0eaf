"""The answer of a Prometheus server to a range query, with the metrics of NVIDIA's DCGM exporter: bytes to series.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries, and the default counters of
dcgm-exporter: `DCGM_FI_DEV_GPU_UTIL` in percent, `DCGM_FI_PROF_SM_ACTIVE` and `DCGM_FI_PROF_GR_ENGINE_ACTIVE` from 0 to
1, `DCGM_FI_DEV_FB_USED` in MiB.
"""

import math
from typing import Any, NamedTuple

import msgspec

from ledger.errors import InvalidDocument

_ACTIVITIES = {
    "DCGM_FI_PROF_SM_ACTIVE": 1.0,
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0,
    "DCGM_FI_DEV_GPU_UTIL": 100.0,
}
"""Metrics that say how much of a card works, the best first, with what stands for the whole card."""
MEMORY = "DCGM_FI_DEV_FB_USED"
QUERY = f'{{__name__=~"{"|".join((*_ACTIVITIES, MEMORY))}"}}'
"""Query whose answer holds all that is read."""
_USERS, _JOBS = ("user", "hpc_user", "exported_user"), ("hpc_job", "slurm_job", "jobid", "exported_pod")
_POD = "pod"
"""Pod that holds a card; where there are labels `exported_…` beside it, it is the one of the exporter itself."""
_FIRST, _LAST = 631152000.0, 7258118400.0
"""Seconds of 1990 and 2200."""
_LONGEST = 100


class CardSeries(NamedTuple):
    """One series of one card."""

    host: str
    uuid: str
    name: str
    user: str | None
    job: str | None
    rank: int | None
    """Place of its metric among those that say how much of a card works, the best first; none for its memory."""
    points: list[tuple[float, float]]
    """Seconds since 1970, and the share of the card that works, or its memory in MiB; in the order of time."""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815  # the name in the format
    result: list[_Series]


class _Answer(msgspec.Struct):
    status: str
    data: _Data


def read_prometheus(data: bytes, source: str) -> list[CardSeries]:
    """Return the series of GPUs in the answer to a range query.

    Args:
        data: JSON, as `/api/v1/query_range` returns it.
        source: where it is, for messages.

    Raises:
        InvalidDocument: it is no such answer, or holds no metric of GPUs.
    """
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocument(source, [f"not the answer of a Prometheus server: {error}"], hint=QUERY) from error
    if answer.status != "success" or answer.data.resultType != "matrix":
        problem = f"`{answer.status[:20]}`, `{answer.data.resultType[:20]}`; the answer to a range query is a matrix"
        raise InvalidDocument(source, [problem], hint="/api/v1/query_range?query=…&step=60")
    labels = {label for series in answer.data.result for label in series.metric}
    jobs = _JOBS if any(label.startswith("exported_") for label in labels) else (*_JOBS, _POD)
    found = [one for series in answer.data.result if (one := _of(series, jobs)) is not None]
    if not found:
        raise InvalidDocument(source, ["no metric of GPUs, such as `DCGM_FI_DEV_GPU_UTIL`"], hint=QUERY)
    return found


def _of(series: _Series, jobs: tuple[str, ...]) -> CardSeries | None:
    said: dict[str, Any] = series.metric
    name = said.get("__name__", "")
    if name not in _ACTIVITIES and name != MEMORY:
        return None
    whole = _ACTIVITIES.get(name, 1.0)
    points = [
        (at, value / whole)
        for at, text in series.values
        if _FIRST < at < _LAST and (value := _number(text)) is not None
    ]
    card = _first(said, ("UUID", "uuid")) or f"gpu {said.get('gpu', '0')[:_LONGEST]}"
    instance = said.get("GPU_I_ID", "")[:_LONGEST]  # of a divided card, whose instances share its id
    return CardSeries(
        host=_host(_first(said, ("Hostname", "hostname", "node", "instance")) or "unknown"),
        uuid=f"{card}/{instance}" if instance else card,
        name=_first(said, ("modelName", "model")) or "GPU",
        user=_first(said, _USERS),
        job=_first(said, jobs),
        rank=list(_ACTIVITIES).index(name) if name in _ACTIVITIES else None,
        points=sorted(points),
    )


def _host(text: str) -> str:
    """Return a host without its port: `gpu01:9400`, `[fe80::1]:9400`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _first(said: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((said[name][:_LONGEST] for name in names if said.get(name)), None)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
