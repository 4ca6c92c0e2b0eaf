"""A run of another tracker as a draft: each value where the ledger keeps it, what is missing with its reason."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from ledger.analysis.data.curves import gather
from ledger.analysis.data.scalars import points_of
from ledger.capture.inputs.params import flatten
from ledger.capture.outputs.metrics import parse_key
from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.trackers.foreign_run import ForeignDataset, ForeignRun
from ledger.hashing import hash_bytes
from ledger.model.boxes.code import Code
from ledger.model.boxes.machine import Environment, Hardware
from ledger.model.boxes.outputs import Metric
from ledger.model.ids import new_id
from ledger.model.record import ImportOrigin
from ledger.model.values import DEFAULT_EXPERIMENT, LABEL_LENGTH, Role, check_label, plain
from ledger.recorder.message import TOOL
from ledger.recorder.record.draft import Captured, CaptureProblem, Dataset, Draft
from ledger.recorder.record.options import OTHER_ROLES, ROLES, seed_of

_LONGEST_NOTE = 10_000


def content_of(run: ForeignRun) -> str:
    """Return the hash of all that was read of a run."""
    return hash_bytes(msgspec.json.encode(run))


def foreign_draft(
    run: ForeignRun,
    *,
    tracker: str,
    store: str,
    now: datetime,
    experiment: str | None = None,
    entropy: bytes = b"",
    parents: Mapping[str, str] | None = None,
    commits: Mapping[str, str] | None = None,
) -> Draft:
    """Return the draft of a run of another tracker.

    Args:
        run: the run as it was read.
        tracker: kind of its store.
        store: name of its store.
        now: present moment, UTC.
        experiment: experiment that it belongs to here; that of the store by default.
        entropy: last part of its id here, four bytes; random by default.
        parents: ids here by ids there.
        commits: whole ids of the commits of this repository that runs name.
    """
    losses = list(run.losses)
    started = run.started_at or run.ended_at or now
    ended = max(run.ended_at or started, started)
    timed = run.started_at is not None and run.ended_at is not None
    params = flatten(run.params)
    origin = ImportOrigin(
        tracker=tracker,
        id=run.id[:LABEL_LENGTH],
        store=store,
        content=content_of(run),
        author=run.author,
        reader=TOOL,
        at=now,
    )
    metrics = list(_metrics(run, losses))
    begun = run.started_at.timestamp() if run.started_at else None
    points = list(points_of(_with_names(_curves_of(run), losses), begun))
    name = f"named {run.name}" if run.name else ""
    return Draft(
        id=new_id(started, entropy or secrets.token_bytes(4)),
        status=run.status,
        reason=_line(run.reason),
        experiment=experiment or _label(run.experiment) or DEFAULT_EXPERIMENT,
        started_at=started,
        ended_at=ended,
        duration_seconds=(ended - started).total_seconds(),
        timed=timed,
        times="store",
        times_unknown={} if run.started_at else {"started_at": f"the store of {tracker} does not say"},
        elsewhere=True,
        command=[plain(word) for word in run.command],
        params=params,
        seed=seed_of(None, params),
        metrics=metrics,
        curves=gather(points) if points else None,
        datasets=[_dataset(one, tracker) for one in run.datasets],
        tags=list(dict.fromkeys(label for tag in run.tags if (label := _label(tag)))),
        note="\n\n".join(part for part in (name, (run.note or "")[:_LONGEST_NOTE]) if part) or None,
        parent=(parents or {}).get(run.parent) if run.parent else None,
        captured=_captured(run, tracker, commits or {}),
        problems=[CaptureProblem(field="metrics.import", message="; ".join(losses[:5]))] if losses else [],
        origin=msgspec.structs.replace(origin, losses=[plain(loss) for loss in losses]),
    )


def _metrics(run: ForeignRun, losses: list[str]) -> Iterator[Metric]:
    for name, value in run.metrics.items():
        try:
            made = parse_key(name, value)
        except LedgerError as error:
            losses.append(f"metric {plain(name)[:80]}: {error.message}")
            continue
        direction = run.directions.get(name)
        yield msgspec.structs.replace(made, direction=direction) if direction in {"higher", "lower"} else made


def _curves_of(run: ForeignRun) -> Iterator[Scalar]:
    """Yield the points of the series; a final value that was logged once is a metric and no curve."""
    times = Counter(scalar.tag for scalar in run.scalars if scalar.tag in run.metrics)
    return (scalar for scalar in run.scalars if times[scalar.tag] != 1)


def _with_names(scalars: Iterable[Scalar], losses: list[str]) -> Iterator[Scalar]:
    """Yield the scalars whose series have a name that a record can hold."""
    known: dict[str, bool] = {}
    for scalar in scalars:
        if scalar.tag not in known:
            known[scalar.tag] = _label(scalar.tag) == scalar.tag
            losses += [] if known[scalar.tag] else [f"a series whose name cannot be kept: {ascii(scalar.tag)[1:81]}"]
        if known[scalar.tag]:
            yield scalar


def _dataset(data: ForeignDataset, tracker: str) -> Dataset:
    label = plain(data.name)[:LABEL_LENGTH]
    digest = f" ({data.digest})" if data.digest else ""
    return Dataset(
        role=_role(data.context),
        path=f"{label}{digest}",
        unknown=f"{tracker} knows it by name and digest only; measure it again to rank it: ledger evaluate",
    )


def _role(context: str | None) -> Role:
    word = (context or "").lower()
    found: Sequence[Role] = [role for role in ROLES if role == word]
    return found[0] if found else OTHER_ROLES.get(word, "train")


def _captured(run: ForeignRun, tracker: str, commits: Mapping[str, str]) -> Captured:
    said = f"imported from {tracker}, which does not say"
    unknown = {"all": said}
    code = Code(unknown=unknown)
    if run.commit:
        whole = commits.get(run.commit)
        missing = {} if whole else {"commit": f"`{plain(run.commit)[:64]}` is not in this repository"}
        rest = {"dirty": f"{said} whether there were uncommitted changes", "tree": said}
        rest |= dict.fromkeys(("branch", "remote", "pushed"), said)
        # Runs that name one commit are of one code, whether or not it is here.
        identity = None if whole else hash_bytes(f"commit {run.commit}".encode())
        code = Code(commit=f"git:{whole}" if whole else None, identity=identity, unknown={**missing, **rest})
    return Captured(
        code=code,
        patch=b"",
        hardware=Hardware(unknown=unknown),
        environment=Environment(unknown=unknown),
        environment_file=None,
    )


def _label(text: str | None) -> str | None:
    """Return a text as a name that a record can hold; none where it has none."""
    try:
        return check_label("name", text) if text else None
    except LedgerError:
        cut = plain(" ".join((text or "").split()))[:LABEL_LENGTH].strip()
        return cut or None


def _line(text: str | None) -> str | None:
    return plain(" ".join(text.split()))[:500] if text else None


def moment_text(moment: datetime | None) -> str:
    """Return a time for a table; `unknown` where there is none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else "unknown"
