"""The link of a run, where it is a rank of a job that may have others on hosts without its folder."""

import os
from pathlib import Path
from typing import Protocol

from ledger.session.link.receiving import Receiving
from ledger.session.link.sending import Sending
from ledger.session.process.ranks import may_have_hosts
from ledger.session.spool.events import Start
from ledger.session.spool.job import belongs_to_job
from ledger.settings import LINK_VARIABLE


class RankLink(Protocol):
    """One end of the link; nothing of it raises into training, or waits longer than a few seconds."""

    def call(self) -> None:
        """At the end of rank 0: hear who lives, and what is on the way."""

    def finish(self) -> bool:
        """At the end of another rank: send the rest, and return whether rank 0 has all of it."""

    def close(self) -> None:
        """End the link; where the training is recorded, the ranks are told."""


def start_link(folder: Path, start: Start) -> RankLink | None:
    """Start the link of a run with this spool; none where all ranks are on one host, or it is the only one."""
    rank = start.rank
    if rank is None or rank.group is None or not rank.processes or start.per_rank:
        return None
    if LINK_VARIABLE not in os.environ and not may_have_hosts(rank, os.environ):
        return None
    if belongs_to_job(start):
        return Sending(folder, start)
    return Receiving(folder.parent.parent, start) if rank.rank == 0 else None
