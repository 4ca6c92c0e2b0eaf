"""From a spool, living or dead, to the draft that the recorder turns into a record."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from ledger.analysis.curves import Point
from ledger.recorder.draft import Draft, FigureSource
from ledger.session.spool import (
    LOG,
    AnyEvent,
    Chosen,
    Drawn,
    Ended,
    Failed,
    Logged,
    Measured,
    Said,
    Start,
    Trained,
    Used,
    Warned,
    last_sign_of_life,
    read_captured,
    read_events,
    read_start,
)


def read_draft(folder: Path) -> Draft:
    """Return the draft of a spooled run; one that says nothing of its end is `lost`.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    start = read_start(folder)
    events = read_events(folder)
    draft = _with_events(_begun(start, folder), events)
    draft = _with_end(draft, start, events, folder)
    return msgspec.structs.replace(draft, captured=read_captured(folder))


def _begun(start: Start, folder: Path) -> Draft:
    return Draft(
        id=start.id,
        status="lost",
        experiment=start.experiment,
        started_at=start.started_at,
        ended_at=start.started_at,
        duration_seconds=0.0,
        command=start.command,
        folder=start.folder,
        parent=start.parent,
        baseline=start.baseline,
        tags=start.tags,
        note=start.note,
        seed=start.seed,
        links=start.links,
        params=start.params,
        param_sources=start.param_sources,
        log=str(folder / LOG) if (folder / LOG).exists() else None,
    )


def _with_events(draft: Draft, events: Iterable[AnyEvent]) -> Draft:
    metrics = {}
    headline, log, model, note, seed = draft.headline, draft.log, draft.model, draft.note, draft.seed
    params, tags, links = dict(draft.params), list(draft.tags), list(draft.links)
    datasets, figures, points, problems = list(draft.datasets), list(draft.figures), [], list(draft.problems)
    for event in events:
        match event:
            case Logged():
                values = {name: float(value) for name, value in event.values.items()}
                points.append(Point(step=event.step, epoch=event.epoch, seconds=event.seconds, values=values))
            case Measured():
                metrics[event.metric.key, event.metric.dataset_hash or event.metric.dataset, event.metric.step] = event.metric
                headline = event.metric.key if event.headline else headline
            case Used():
                datasets.append(event.dataset)
            case Chosen():
                params |= event.values
            case Drawn():
                figures.append(FigureSource(title=event.title, path=event.path))
            case Trained():
                model = event.model
            case Said():
                tags += event.tags
                links += event.links
                note = "\n\n".join(text for text in (note, event.note) if text) or None
                seed = event.seed if event.seed is not None else seed
                log = event.log or log
            case Failed():
                problems.append(event.problem)
            case Warned() | Ended():
                pass
    return msgspec.structs.replace(
        draft,
        metrics=list(metrics.values()),
        headline=headline,
        log=log,
        model=model,
        note=note,
        seed=_seed(seed, params),
        params=params,
        tags=list(dict.fromkeys(tags)),
        links=links,
        datasets=datasets,
        figures=figures,
        points=points,
        problems=problems,
    )


def _with_end(draft: Draft, start: Start, events: Iterable[AnyEvent], folder: Path) -> Draft:
    ends = [event for event in events if isinstance(event, Ended)]
    if ends:
        # The first failure is the truth; a leader's later "finished" does not undo it.
        end = next((event for event in ends if event.status != "finished"), ends[-1])
        last = max(ends, key=lambda event: event.seconds)
        return msgspec.structs.replace(
            draft,
            status=end.status,
            reason=end.reason,
            exit_code=end.exit_code,
            ended_at=last.ended_at,
            duration_seconds=last.seconds,
            usage=next((event.usage for event in ends if event.usage), None),
            gpus=next((event.gpus for event in ends if event.gpus), []),
        )
    ended_at = last_sign_of_life(folder)
    logged = [point.seconds or 0.0 for point in draft.points]
    seconds = max([(ended_at - start.started_at).total_seconds(), *logged, 0.0])
    warned = [event for event in events if isinstance(event, Warned)]
    return msgspec.structs.replace(
        draft,
        status=warned[-1].status if warned else "lost",
        reason=warned[-1].reason if warned else "the process was gone without a word",
        ended_at=max(ended_at, start.started_at),
        duration_seconds=seconds,
    )


def _seed(seed: int | None, params: Mapping[str, object]) -> int | None:
    """Take the seed from a param of that name when nobody named it."""
    found = params.get("seed", params.get("random_seed"))
    return found if seed is None and isinstance(found, int) and not isinstance(found, bool) else seed
