"""Days of hosts for tests: written as documents, minute by minute or hour by hour."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ledger.hosts.day_log import CardMinute, DayLog, Use, gpus_of, holders_of
from ledger.model.hosts import HostDay, HostSource
from ledger.recorder.statements.host_days import HostDays
from ledger.store.branch.branch import Branch

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def log_of(host: str, uses: Sequence[Sequence[Use]], *, start: datetime = DAY, gpu: str = "NVIDIA H100") -> DayLog:
    """Return a log in which each card was used for an hour as its list says; whoever holds one is ada."""
    log = DayLog.at(host, start)
    for hour in range(len(uses[0])):
        moment = start + timedelta(hours=hour)
        cards = [
            CardMinute(name=gpu, uuid=f"GPU-{place}", use=of[hour], user="ada", job="slurm 7")
            for place, of in enumerate(uses)
        ]
        log.add(moment, cards, minutes=60)
    return log


def document_of(ledger: Branch, log: DayLog, source: HostSource = "watch") -> HostDay:
    between = (log.first, log.last)
    return HostDays(ledger).make(log.host, source, between, log.watched, gpus_of(log), holders_of(log))


def plant(ledger: Branch, *logs: DayLog, source: HostSource = "watch") -> list[HostDay]:
    days = [document_of(ledger, log, source) for log in logs]
    HostDays(ledger).append(days)
    return days
