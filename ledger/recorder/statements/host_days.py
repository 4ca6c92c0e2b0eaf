"""Days of hosts as entries: made from what was watched or read, and appended, many in one commit."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.document import dump
from ledger.model.hosts import HOST_FORMAT, GpuDay, Holder, HostDay, HostSource, hours_text
from ledger.model.ids import new_id
from ledger.model.values import counted, slug
from ledger.recorder.message import TOOL, host_message
from ledger.recorder.record.redaction import redact_document, redactor_for
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry

_MOST_FILES = 1_000
"""Most documents of one commit."""


class HostDays:
    """Makes days of hosts as documents of one ledger, and appends them.

    Args:
        ledger: the ledger.

    Raises:
        LedgerError: the policy is damaged.
    """

    def __init__(self, ledger: Branch) -> None:
        self._ledger = ledger
        self._author = ledger.author()
        self._redactor = redactor_for(ledger)
        self._unnamed = ledger.policy.privacy.host

    def make(
        self,
        host: str,
        source: HostSource,
        between: tuple[datetime, datetime],
        watched: Sequence[int],
        gpus: Sequence[GpuDay],
        holders: Sequence[Holder],
        unknown: Mapping[str, str] | None = None,
    ) -> HostDay:
        """Return the document of one day of a host.

        Args:
            host: name of the host; where the policy leaves hosts out, it becomes a hash.
            source: where the minutes come from.
            between: start of the first and of the last minute, UTC, on one day.
            watched: minutes of each hour in which the host was watched.
            gpus: its GPUs; where the policy leaves hosts out, without their ids, which name the host as well.
            holders: who held them.
            unknown: what is not known, and why.
        """
        first, last = between
        day = HostDay(
            format=HOST_FORMAT,
            id=new_id(first, os.urandom(4)),
            host=self.name(host),
            source=source,
            started_at=first,
            ended_at=last + timedelta(minutes=1),
            watched=hours_text(watched),
            gpus=[msgspec.structs.replace(gpu, uuid=None) for gpu in gpus] if self._unnamed else list(gpus),
            holders=list(holders),
            unknown=dict(unknown or {}),
            author=self._author,
            tool=TOOL,
        )
        return redact_document(day, self._redactor)

    def name(self, host: str) -> str:
        """Return the name of a host as it stands in paths: two names that differ stay two."""
        digits = hash_bytes(host.encode("utf-8", "surrogateescape")).rpartition(":")[2][:8]
        if self._unnamed:
            return f"host-{digits}"
        return host.lower() if slug(host) == host.lower() else f"{slug(host)[:70]}-{digits}"

    def append(self, days: Sequence[HostDay]) -> int:
        """Append days, up to 1,000 in a commit, and return how many there were.

        Raises:
            LedgerError: git cannot write.
        """
        for start in range(0, len(days), _MOST_FILES):
            some = days[start : start + _MOST_FILES]
            files = {paths.host_path(day.host, day.id): dump(day) for day in some}
            message = self._redactor.text(host_message(some[0], next(iter(files))))
            if len(some) > 1:
                subject, rest = message.split("\n", 1)
                message = f"{counted(len(some), 'day')} of hosts, first: {subject}\n{rest}"
            now = datetime.now(UTC)
            self._ledger.append(Entry(id=some[0].id, files=files, message=message, author=some[0].author, made_at=now))
        return len(days)


def unknown_days(ledger: Branch, days: Sequence[HostDay]) -> list[HostDay]:
    """Return the days that the ledger has no equal document of: the same host, source and minutes.

    Raises:
        LedgerError: git cannot read the branch.
    """
    tip = ledger.tip()
    if tip is None or not days:
        return list(days)
    folders = {_folder(day) for day in days}
    files = [file for file in ledger.repository.read_tree(tip, [paths.HOSTS]) if file.path.endswith(".json")]
    asked = [file.blob for file in files if file.path.rpartition("/")[0] in folders]
    known = {_minutes_of(data) for data in ledger.repository.read_objects(asked) if data is not None}
    return [day for day in days if _minutes_of(dump(day)) not in known]


def _folder(day: HostDay) -> str:
    return paths.host_path(day.host, day.id).rpartition("/")[0]


def _minutes_of(data: bytes) -> bytes:
    """Return what two documents of the same minutes have in common, whoever made them."""
    try:
        said = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return data
    return b" ".join(bytes(value) for name, value in said.items() if name not in {"id", "author", "tool"})
