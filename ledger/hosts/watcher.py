"""Watches the GPUs of this host, a look every ten seconds, and makes a document of each day."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.capture.machine.gpus.card import Card
from ledger.capture.machine.gpus.cards import Cards, open_cards
from ledger.capture.machine.gpus.nvml import is_instance
from ledger.capture.machine.gpus.watch import IDLE_BELOW
from ledger.capture.machine.holders import Owner, given_cards, owner_of, short_host
from ledger.errors import LedgerError
from ledger.hosts.day_log import HELD_BYTES, CardMinute, DayLog, Use, gpus_of, holders_of, merged, use_of
from ledger.model.hosts import NOBODY, OTHERS, HostDay
from ledger.model.values import Document
from ledger.recorder.statements.host_days import HostDays
from ledger.store.branch.branch import Branch

_LOG = logging.getLogger("ledger")
LOOK_SECONDS = 10.0
"""Seconds between two looks."""
_GIVEN_SECONDS = 60.0
_MINUTE_SECONDS = 60.0


class CardLook(Document, frozen=True, kw_only=True):
    """One look at one card."""

    activity: float | None
    """Share of it that worked (0..1): of its multiprocessors where it measures that, else of the time."""
    owners: dict[str, str | None]
    """Users that hold it, each with its job."""

    @property
    def use(self) -> Use:
        """How it is used, by this look alone."""
        return use_of([self.activity], held=bool(self.owners), below=IDLE_BELOW)

    def unnamed(self) -> "CardLook":
        """Return the same look without names of users and jobs."""
        return CardLook(activity=self.activity, owners={OTHERS: None} if self.owners else {})


class Watcher:
    """Adds up minutes, keeps them in a file while a day lasts, and appends a document at its end.

    Args:
        ledger: ledger that the documents are appended to.
        host: name of the host; by default that of this machine.
        names: whether users and jobs are named.
        every_seconds: seconds between two looks.
        now: the clock.
    """

    def __init__(
        self,
        ledger: Branch,
        host: str | None = None,
        *,
        names: bool = True,
        every_seconds: float = LOOK_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._machine = short_host()
        self._maker = HostDays(ledger)
        self._name = host or self._machine
        self.host = self._maker.name(self._name)
        self._every = every_seconds
        self._names = names
        self._now = now
        self._folder = ledger.repository.state_dir / "hosts"
        self._cards = Cards([])
        self._given: dict[int, Owner] = {}
        self._may_be_given = True
        self._unknown: dict[str, str] = {} if names else {"holders": "users are not named: --no-names"}
        self._given_at = -_GIVEN_SECONDS
        self._minute: datetime | None = None
        self._looks: list[list[CardLook]] = []
        self._log: DayLog | None = None
        self._ended: list[DayLog] = []
        self._started = f"{os.getpid()}-{time.time_ns()}"

    def open(self) -> int:
        """Find the cards, and return their number.

        Raises:
            LedgerError: the driver does not answer, or there is no GPU.
        """
        variables = {name: value for name, value in os.environ.items() if not name.endswith("_VISIBLE_DEVICES")}
        try:
            self._cards = open_cards(variables)
        except RuntimeError as error:
            raise LedgerError(str(error)) from error
        if self._cards.lost:
            self._unknown["lost"] = f"cards that did not answer from the start: {', '.join(self._cards.lost)}"
            _LOG.warning("cards that do not answer are not watched: %s", ", ".join(self._cards.lost))
        # SLURM numbers whole cards; with divided or lost ones the numbers are no places among ours.
        self._may_be_given = not (self._cards.lost or any(is_instance(card.gpu) for card in self._cards.cards))
        if not self._cards.cards:
            raise LedgerError("this machine has no GPU that could be watched", hint="ledger watch --from FILE")
        return len(self._cards.cards)

    def days(self, stopped: threading.Event) -> Iterator[int]:
        """Look at the cards until it is stopped; yield the number of documents whenever some were appended.

        What an earlier watcher left behind is appended first.

        Args:
            stopped: ends it; what was seen by then is appended.

        Raises:
            LedgerError: another watcher is at work for this host.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{self.host}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LedgerError(f"another `ledger watch` is at work for this host: `{self.host}`") from error
            yield from _some(self._append_left_behind())
            while not stopped.wait(self._every):
                self.look()
                yield from _some(self._append(self._ended))
                self._ended = []
            self._end_minute()
            yield from _some(self._append([*self._ended, *([self._log] if self._log is not None else [])]))
            self.close()

    def look(self) -> list[tuple[Card, CardLook]]:
        """Look at every card once; a minute and a day that have ended are written."""
        now = self._now()
        minute = now.replace(second=0, microsecond=0)
        if self._minute is not None and minute != self._minute:
            self._end_minute()
        if self._log is not None and self._log.day != f"{minute:%Y-%m-%d}":
            self._ended.append(self._log)
            self._log = None
        self._minute = minute
        if self._may_be_given and time.monotonic() - self._given_at >= _GIVEN_SECONDS:
            self._given, self._given_at = given_cards(self._machine), time.monotonic()
        looks = [self._look_at(card, place) for place, card in enumerate(self._cards.cards)]
        self._looks.append(looks)
        return list(zip(self._cards.cards, looks, strict=True))

    def close(self) -> None:
        """Let go of the cards."""
        self._cards.close()

    def _look_at(self, card: Card, place: int) -> CardLook:
        reading = card.read()
        owners: dict[str, str | None] = {}
        for pid in reading.processes or ():
            owner = owner_of(pid) or Owner(NOBODY)
            owners[owner.user] = owner.job
        if reading.processes is None and (reading.memory_used_bytes or 0) >= HELD_BYTES:
            owners[NOBODY] = None
            self._unknown["held"] = "by 512 MiB of memory in use: the driver names no processes"
        if place in self._given:  # an allocation holds a card without any process
            owner = self._given[place]
            owners[owner.user] = owners.get(owner.user) or owner.job
        activity = reading.utilisation if reading.sm_activity is None else reading.sm_activity
        return CardLook(activity=activity, owners=owners)

    def _end_minute(self) -> None:
        """Add the minute that has ended; one of which less than half was seen is none."""
        if self._minute is None or len(self._looks) < _MINUTE_SECONDS / self._every / 2:
            self._looks = []
            return
        if self._log is None:
            self._log = DayLog.at(self._name, self._minute)
        cards = [self._minute_of(card, place) for place, card in enumerate(self._cards.cards)]
        self._log.add(self._minute, cards)
        self._looks = []
        self._keep()

    def _minute_of(self, card: Card, place: int) -> CardMinute:
        looks = [each[place] for each in self._looks]
        owners = {user: job for look in looks for user, job in look.owners.items()}
        use = use_of([look.activity for look in looks], held=bool(owners), below=IDLE_BELOW)
        user, job = merged(owners) if owners else (NOBODY, None)
        return CardMinute(name=card.gpu.name, uuid=card.gpu.uuid, use=use, user=user, job=job)

    def _keep(self) -> None:
        """Keep the day in a file of this watcher, so that one that is killed loses a minute."""
        if self._log is None:
            return
        file = self._file(self._log)
        fresh = file.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(self._log))
            fresh.replace(file)
        except OSError as error:
            _LOG.warning("the minutes of this day are kept in memory only: %s", error)

    def _file(self, log: DayLog) -> Path:
        return self._folder / f"{self.host}-{log.day}-{self._started}.json"

    def _append_left_behind(self) -> int:
        """Append what earlier watchers left behind; each has a file of its own, which stays until it is appended."""
        appended = 0
        for file in sorted(self._folder.glob(f"{self.host}-????-??-??-*.json")):
            try:
                log = msgspec.json.decode(file.read_bytes(), type=DayLog)
            except (OSError, msgspec.DecodeError) as error:
                _LOG.warning("minutes that cannot be read are left where they are: `%s`: %s", file, error)
                continue
            appended += self._append([log], file)
        return appended

    def _append(self, logs: Sequence[DayLog], file: Path | None = None) -> int:
        """Append days, and return how many; what cannot be appended stays in its file for the next watcher."""
        appended = 0
        for log in logs:
            if not log.cards:
                continue
            try:
                self._maker.append([self._document(log)])
            except (LedgerError, OSError, ValueError) as error:
                _LOG.warning("the day %s is kept until the next start: %s", log.day, error)
                continue
            appended += 1
            _forget(file or self._file(log))
        return appended

    def _document(self, log: DayLog) -> HostDay:
        return self._maker.make(
            log.host,
            "watch",
            (log.first, log.last),
            log.watched,
            gpus_of(log),
            holders_of(log, names=self._names),
            self._unknown | log.left_out,
        )


def _some(number: int) -> Iterator[int]:
    if number:
        yield number


def _forget(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("a day that was recorded may be recorded again: `%s`: %s", file, error)
