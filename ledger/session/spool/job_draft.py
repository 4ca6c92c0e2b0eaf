"""What the ranks of a job add to the draft of their run: their lives, their hosts, and what only they stated."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.model.boxes.machine import Gpu, Hardware, Node, RankLife, Usage
from ledger.model.values import counted, listed
from ledger.recorder.record.draft import CaptureProblem, Draft, Rank
from ledger.session.process.parts import Part
from ledger.session.run.steps import in_order
from ledger.session.spool.events import Ended, Start, Waited
from ledger.session.spool.job import is_running
from ledger.session.spool.joint_use import known_bytes
from ledger.session.spool.keeper import is_received
from ledger.session.spool.spool import last_sign_of_life, read_machine

_GOOD = {"finished", "pruned", None}
"""Ends of a rank that need no mention; none for one that was still running."""
_LOST = "the process ended without reporting how", "nothing more was heard of it over the link to rank 0"
"""Reasons of a life without an end: of a process on this host, and of one that was heard over a link."""


def first_rank(parts: Sequence[Part]) -> Rank | None:
    """Return rank 0 of the job whose ranks took part, where any of them states their number."""
    seen = [part.said_rank for part in parts if part.said_rank and part.said_rank.processes]
    return msgspec.structs.replace(seen[0], rank=0, local=None, devices=None) if seen else None


def with_statements(draft: Draft, others: Draft) -> Draft:
    """Return the draft of rank 0 with what only other ranks stated; where they contradict it, a problem says so."""
    keys = {(metric.key, metric.dataset): metric.number for metric in draft.metrics}
    differing = [name for name, value in others.params.items() if draft.params.get(name, value) != value]
    measured = [
        metric.key
        for metric in others.metrics
        if keys.get((metric.key, metric.dataset), metric.number) != metric.number
    ]
    steps = {step.name: step for step in draft.chain}
    differing += [f"step {step.name}" for step in others.chain if steps.get(step.name, step) != step]
    names = [*dict.fromkeys(measured), *differing]
    said = (
        [CaptureProblem(field="ranks", message=f"ranks disagree, so the values of rank 0 were kept: {listed(names)}")]
        if names
        else []
    )
    tables, figures = {table.name for table in draft.tables}, {figure.title for figure in draft.figures}
    uses = {(use.role, use.split, use.path, use.name, use.version) for use in draft.datasets}
    return msgspec.structs.replace(
        draft,
        params=others.params | draft.params,
        chain=in_order([*draft.chain, *(step for step in others.chain if step.name not in steps)]),
        metrics=[*draft.metrics, *(one for one in others.metrics if (one.key, one.dataset) not in keys)],
        headline=draft.headline or others.headline,
        model=draft.model or others.model,
        profile=draft.profile or others.profile,
        tags=list(dict.fromkeys([*draft.tags, *others.tags])),
        links=list(dict.fromkeys([*draft.links, *others.links])),
        datasets=[
            *draft.datasets,
            *(
                use
                for use in {
                    (use.role, use.split, use.path, use.name, use.version): use for use in others.datasets
                }.values()
                if (use.role, use.split, use.path, use.name, use.version) not in uses
            ),
        ],
        figures=[*draft.figures, *(figure for figure in others.figures if figure.title not in figures)],
        tables=[*draft.tables, *(table for table in others.tables if table.name not in tables)],
        problems=list(dict.fromkeys([*draft.problems, *others.problems, *said])),
        imported=draft.imported if others.imported is None else others.imported | (draft.imported or {}),
    )


def with_lives(draft: Draft, start: Start, folder: Path, parts: Sequence[Part]) -> Draft:
    """Return the draft with the life of each rank and with the hosts of the job, where the run had several processes.

    Args:
        draft: draft of the run.
        start: start of its spool.
        folder: its spool.
        parts: parts of its processes, by rank.
    """
    ranks = _by_rank(start, parts)
    if not any(number > 0 for number in ranks):
        alone = start.rank.processes if start.rank is not None else None
        if alone is None or alone == 1:
            return draft
        why = "they did not call `ledger.run()`, or ran on hosts without this folder"
        return msgspec.structs.replace(draft, ranks_unknown=f"no other of {alone} ranks left a trace here: {why}")
    lives = [_life(number, began, mine, folder) for number, (began, mine) in sorted(ranks.items())]
    bad = [life for life in lives if life.rank > 0 and life.status not in _GOOD]
    problems = list(draft.problems)
    if bad:
        named = listed([f"rank {life.rank} ({life.status}: {life.reason or 'no reason is known'})" for life in bad])
        problems.append(CaptureProblem(field="ranks", message=f"not every rank ended well: {named}"))
    here = [life.usage for life in lives if life.host == start.host and life.usage is not None]
    return msgspec.structs.replace(
        draft,
        usage=_together(draft.usage, here) if start.rank is not None else draft.usage,
        ranks=lives,
        nodes=_nodes(start, folder, lives, ranks),
        ranks_unknown=_unseen(draft, start, set(ranks)),
        problems=problems,
    )


_Ranks = dict[int, tuple[Start, list[Part]]]


def _by_rank(start: Start, parts: Sequence[Part]) -> _Ranks:
    ranks: _Ranks = {}
    for part in parts:
        if part.began is not None and part.said_rank is not None:
            ranks.setdefault(part.said_rank.rank, (part.began, []))[1].append(part)
        elif part.leads and start.rank is not None:
            ranks.setdefault(start.rank.rank, (start, []))[1].append(part)
    return ranks


def _life(number: int, began: Start, parts: Sequence[Part], folder: Path) -> RankLife:
    """Return one rank from its first to its last sign of life."""
    events = [event for part in parts for event in part.events]
    ends = [event for event in events if isinstance(event, Ended)]
    waits = [event.seconds for event in events if isinstance(event, Waited)]
    end = ends[-1] if ends else None
    usage = end.usage if end is not None else None
    if waits:
        usage = msgspec.structs.replace(
            usage or Usage(samples=0, interval_seconds=0.0), data_wait_seconds=round(waits[-1], 3)
        )
    places = {part.path.parent for part in parts} - {folder}
    running = end is None and any(is_running(place) for place in places)
    return RankLife(
        rank=number,
        host=began.host,
        started_at=began.started_at,
        last_seen_at=end.ended_at if end is not None else max(began.started_at, _last_sign(parts, places)),
        status=None if running else end.status if end is not None else "lost",
        reason=end.reason if end is not None else None if running else _LOST[any(map(is_received, places))],
        usage=usage,
    )


def _together(own: Usage | None, ranks: Sequence[Usage]) -> Usage | None:
    """Return the use of the host of rank 0 by all of its ranks: sums, since they ran at the same time."""
    if own is None or not ranks:
        return own
    shares = [one.cpu_fraction_mean for one in ranks if one.cpu_fraction_mean is not None]
    seconds = [one.cpu_seconds for one in ranks if one.cpu_seconds is not None]
    memory = [one.memory_peak_bytes for one in ranks if one.memory_peak_bytes is not None]
    return msgspec.structs.replace(
        own,
        cpu_seconds=round(sum(seconds), 3) if seconds else None,
        cpu_fraction_mean=min(1.0, round(sum(shares), 4)) if shares else None,
        memory_peak_bytes=sum(memory) if memory else None,
        disk_read_bytes=known_bytes([one.disk_read_bytes for one in ranks]),
        disk_written_bytes=known_bytes([one.disk_written_bytes for one in ranks]),
    )


def _last_sign(parts: Sequence[Part], places: set[Path]) -> datetime:
    signs = [last_sign_of_life(place) for place in places]
    written = [datetime.fromtimestamp(part.path.stat().st_mtime, tz=UTC) for part in parts]
    return max([*signs, *written])


def _nodes(start: Start, folder: Path, lives: Sequence[RankLife], ranks: _Ranks) -> list[Node]:
    return [
        _node(host, [life.rank for life in lives if life.host == host], start, folder, ranks)
        for host in dict.fromkeys(life.host for life in lives)
    ]


def _node(host: str, here: list[int], start: Start, folder: Path, ranks: _Ranks) -> Node:
    """Return one host: what a process on it saw of the machine, and how the GPUs of its processes were used."""
    places = [part.path.parent for number in here for part in ranks[number][1]]
    if host == start.host:
        places.insert(0, folder)
    seen = next((machine for place in places if (machine := read_machine(place)) is not None), None)
    machine = seen or Hardware()
    return Node(
        host=host,
        ranks=here,
        cpu=machine.cpu,
        cores=machine.cores,
        cores_limit=machine.cores_limit,
        memory_bytes=machine.memory_bytes,
        gpus=_gpus(here, ranks) or machine.gpus,
        unknown={} if seen is not None else {"all": "no process of this host looked at its machine"},
    )


def _gpus(here: Sequence[int], ranks: _Ranks) -> list[Gpu]:
    """Return the GPUs of a host: each once, where its processes see all of them, or each process its own."""
    found: dict[str | None, list[Gpu]] = {}
    for number in here:
        began, parts = ranks[number]
        devices = began.rank.devices if began.rank is not None else None
        ends = [event for part in parts for event in part.events if isinstance(event, Ended) and event.gpus]
        if ends:
            found.setdefault(devices, ends[-1].gpus)
    return [gpu for gpus in found.values() for gpu in gpus]


def _unseen(draft: Draft, start: Start, seen: set[int]) -> str | None:
    rank = start.rank or draft.rank
    processes = rank.processes if rank is not None else None
    missing = [str(number) for number in range(processes or 0) if number not in seen]
    if not missing:
        return None
    return f"nothing is known of {counted(len(missing), 'rank')}: {listed(missing)}"
