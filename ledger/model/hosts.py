"""How the GPUs of a host were used on one day: which of them worked, which were held and did nothing, and by whom."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta

from ledger.model.record import Author
from ledger.model.values import Document, Moment

HOST_FORMAT = 1
HOURS = 24
MINUTES = 60
MOST_CARDS = 128
"""Most GPUs of one host."""
MOST_HOLDERS = 12
"""Most pairs of user and job that a document names; the others are one."""
OTHERS = "others"
"""Name of all users together that a document does not name."""
NOBODY = "unknown"
"""Name of the user of a GPU whose processes cannot be seen."""

HostSource = Literal["watch", "prometheus", "sacct", "demo"]
"""Source of a document: minutes that `ledger watch` saw, a dump of a Prometheus server, accounting of SLURM, or planted
in the demo."""
_RUN = re.compile(r"(\d{1,2})(?:\*(\d{1,2}))?")

Hours = Annotated[str, Meta(max_length=HOURS * 3, pattern=r"^\d{1,2}(\*\d{1,2})?( \d{1,2}(\*\d{1,2})?)*$")]
"""Minutes of each hour of a day, from 0 to 24 o'clock UTC; `60*8 12 0*15` is eight hours, twelve minutes, nothing."""


NOTHING = "0*24"
"""No minute of any hour."""


class GpuDay(Document, frozen=True, kw_only=True):
    """One GPU on one day; a minute in which it was watched and that stands in no list was free."""

    name: str
    """Product name."""
    uuid: str | None = None
    """Id of the card; none where the source names none."""
    busy: Hours = NOTHING
    """Minutes of each hour in which it worked."""
    held: Hours = NOTHING
    """Minutes in which a process or an allocation held it and less than 5 % of it worked."""
    unclear: Hours = NOTHING
    """Minutes in which it was held, and how much worked is not known."""
    missing: Hours = NOTHING
    """Minutes in which it did not answer, although the host was watched."""

    @property
    def uses(self) -> tuple[str, str, str, str]:
        """Its minutes by use: busy, held, unclear, missing."""
        return self.busy, self.held, self.unclear, self.missing


class Holder(Document, frozen=True, kw_only=True):
    """A user, and a job where there is one, that held GPUs."""

    user: str
    """Name of the user."""
    job: str | None = None
    """Job of the scheduler, by the control group of its processes."""
    gpu: str
    """Product name of the GPUs."""
    busy_minutes: int = 0
    """Minutes of GPUs that worked for it."""
    held_minutes: int = 0
    """Minutes of GPUs that it held idle."""
    unclear_minutes: int = 0
    """Minutes of GPUs that it held, and how much worked is not known."""

    @property
    def minutes(self) -> tuple[int, int, int]:
        """Its minutes by use: busy, held, unclear."""
        return self.busy_minutes, self.held_minutes, self.unclear_minutes


class HostDay(Document, frozen=True, kw_only=True):
    """How the GPUs of a host were used on one day, in UTC."""

    format: int
    """Format of this document."""
    id: str
    """Id of the document, shaped like a run id; its date is the day."""
    host: str
    """Name of the host, as it stands in paths."""
    source: HostSource
    """Source of it."""
    started_at: Moment
    """First minute that it is about, UTC."""
    ended_at: Moment
    """End of the last minute, UTC."""
    watched: Hours
    """Minutes of each hour in which the host was watched."""
    gpus: list[GpuDay]
    """Its GPUs."""
    holders: list[Holder] = []
    """Users and jobs that held GPUs, those that held most first."""
    unknown: dict[str, str] = {}
    """What is not known, and why."""
    author: Author
    """Who watched."""
    tool: str
    """Name and version of the tool that made the entry."""

    def __post_init__(self) -> None:
        """Refuse what no day can be: more minutes than it lasted, cards that are there twice, holders of no card."""
        watched = hours_of(self.watched)
        first, last = self.span
        for hour, minutes in enumerate(watched):
            lasted = min(last, MINUTES * (hour + 1)) - max(first, MINUTES * hour)
            if minutes > max(0, lasted):
                raise ValueError("more minutes of an hour were watched than it lasted from `started_at` to `ended_at`")
        if len(self.gpus) > MOST_CARDS or len(self.holders) > MOST_HOLDERS:
            raise ValueError(f"at most {MOST_CARDS} GPUs and {MOST_HOLDERS} holders")
        ids = [gpu.uuid for gpu in self.gpus if gpu.uuid is not None]
        if len(set(ids)) < len(ids):
            raise ValueError("a GPU is there twice")
        for gpu in self.gpus:
            parts = [hours_of(text) for text in gpu.uses]
            if any(sum(minutes) > whole for *minutes, whole in zip(*parts, watched, strict=True)):
                raise ValueError(f"a GPU has more minutes than its host was watched: `{ascii(gpu.name)[1:-1][:60]}`")
        self._check_holders()

    def _check_holders(self) -> None:
        for name in {holder.gpu for holder in self.holders}:
            cards = [gpu for gpu in self.gpus if gpu.name == name]
            held = [holder.minutes for holder in self.holders if holder.gpu == name]
            said = [sum(minutes[use] for minutes in held) for use in range(3)]
            used = [sum(sum(hours_of(gpu.uses[use])) for gpu in cards) for use in range(3)]
            if any(part > whole for part, whole in zip(said, used, strict=True)):
                raise ValueError(f"users held a GPU longer than it was held: `{ascii(name)[1:-1][:60]}`")

    @property
    def span(self) -> tuple[int, int]:
        """The first minute of the day that it is about, and the end of the last one.

        Raises:
            ValueError: they are not on the day that its id says.
        """
        day = datetime(int(self.id[:4]), int(self.id[4:6]), int(self.id[6:8]), tzinfo=UTC)
        first, last = ((moment - day).total_seconds() // MINUTES for moment in (self.started_at, self.ended_at))
        if not 0 <= first <= last <= MINUTES * HOURS:
            raise ValueError("it begins or ends on another day than its id says")
        return int(first), int(last)


def hours_of(text: str) -> list[int]:
    """Return the minutes of each hour in their short form.

    Raises:
        ValueError: these are not 24 numbers.
    """
    found: list[int] = []
    for word in text.split(" "):
        match = _RUN.fullmatch(word)
        if match is None or len(found) > HOURS:
            raise ValueError("24 numbers of minutes expected, such as `60*8 12 0*15`")
        found += [int(match[1])] * int(match[2] or 1)
    if len(found) != HOURS:
        raise ValueError(f"{HOURS} hours expected, and there are {len(found)}")
    return found


def hours_text(minutes: Sequence[int]) -> str:
    """Return the minutes of each hour in their short form: equal neighbours are written once."""
    if not any(minutes):
        return NOTHING  # this very object, which a document leaves out
    runs: list[list[int]] = []
    for number in minutes:
        if runs and runs[-1][0] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return " ".join(f"{number}*{times}" if times > 1 else str(number) for number, times in runs)
