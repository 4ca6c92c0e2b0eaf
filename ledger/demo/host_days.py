"""Days of hosts for the demo, made up and marked as planted: a lab of three machines over two weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ledger.hosts.day_log import CardMinute, DayLog, Use, gpus_of, holders_of
from ledger.model.hosts import HOURS, MINUTES
from ledger.recorder.statements.host_days import HostDays
from ledger.store.branch.branch import Branch

_DAYS = 14
_LAB = (
    ("gpu01", "NVIDIA H100 80GB HBM3", 8),
    ("gpu02", "NVIDIA A100-SXM4-80GB", 4),
    ("workstation", "NVIDIA RTX 4090", 2),
)
_EVENING, _MORNING, _NIGHT_JOB = 19, 8, 22
_WEEKEND = 5
_RESERVED = 5
"""Cards of the first machine that an interactive session keeps all day, from this number on."""


def plant_host_days(ledger: Branch, today: datetime) -> int:
    """Append two weeks of three machines up to yesterday, and return the number of documents.

    Raises:
        LedgerError: git cannot write.
    """
    midnight = today.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    maker = HostDays(ledger)
    days = []
    for back in range(_DAYS, 0, -1):
        for host, gpu, cards in _LAB:
            log = _day(host, gpu, cards, midnight - timedelta(days=back))
            between = (log.first, log.last)
            made_up = {"all": "planted for the demo: no such machine was watched"}
            days.append(maker.make(host, "demo", between, log.watched, gpus_of(log), holders_of(log), made_up))
    return maker.append(days)


def _day(host: str, gpu: str, cards: int, start: datetime) -> DayLog:
    log = DayLog.at(host, start)
    for hour in range(HOURS):
        moment = start + timedelta(hours=hour)
        if host == "gpu02" and start.day % 9 == 0 and hour < _MORNING:
            continue  # the watcher was off
        log.add(moment, list(_cards(host, gpu, cards, moment)), minutes=MINUTES)
    return log


def _cards(host: str, gpu: str, cards: int, moment: datetime) -> Iterator[CardMinute]:
    for place in range(cards):
        use, user, job = _use(host, place, moment)
        uuid = f"GPU-demo-{host}-{place}"
        yield CardMinute(name=gpu, uuid=uuid, use=use, user=user, job=job)


def _use(host: str, place: int, moment: datetime) -> tuple[Use, str, str | None]:
    at_work = _MORNING <= moment.hour < _EVENING and moment.weekday() < _WEEKEND
    if host == "gpu01" and place >= _RESERVED:  # a session that is kept over night and over the weekend
        return ("busy" if at_work and moment.hour % 3 else "held"), "grace", f"slurm {4100 + moment.day}"
    if host == "gpu01":
        trains = moment.hour >= _NIGHT_JOB or moment.hour < _MORNING or (moment.day + place) % 3 > 0
        return ("busy" if trains else "free"), "ada", f"slurm {4200 + moment.day}"
    if host == "gpu02":
        held = at_work or (moment.weekday() < _WEEKEND and moment.hour >= _EVENING)
        return ("busy" if at_work else "held" if held else "free"), "linus", None
    return ("busy" if at_work and place == 0 else "free"), "alan", None
