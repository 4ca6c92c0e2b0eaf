"""Data about the rest of the ledger that pages need, gathered once per build."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from ledger.analysis.advice.inquiry import Inquiry, inquiries_of
from ledger.analysis.comparing.comparable import Group, Leaderboard, counts, leaderboards
from ledger.analysis.comparing.leaderboard import Place as SettingPlace
from ledger.analysis.comparing.leaderboard import Score, SettingBoard, latest_metrics, setting_board, short_key
from ledger.analysis.comparing.ranks import encode_trace, split_ranks, trace_of
from ledger.analysis.comparing.run_names import run_names
from ledger.formatting import utc
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import Case, Contents, DatasetVersion, LogEntry, Note, Problem, StoredRun
from ledger.model.ids import is_id
from ledger.model.values import Document
from ledger.publish.pages import addresses
from ledger.store.branch.policy import SPLITS, SitePolicy

SHARED_PAGES = 200
"""Most leaderboards with a page of their own because several runs share them; headlines always have one."""
WITH_DOCUMENTS = 2000
"""Newest runs that pages offer as RO-Crate, CycloneDX and PROV too: 20 KB each, and `ledger export` makes all."""
OLDER_TOGETHER = 64
"""Pages of older runs in one file: of 30 KB each and much alike, they are 2 KB each when compressed together."""


class Measurement(Document, frozen=True, kw_only=True):
    """One value with the time it was measured."""

    run: StoredRun
    """Run whose model was measured."""
    metric: Metric
    """The value."""
    at: datetime
    """When it was measured, UTC."""


class Atlas(Document, frozen=True, kw_only=True):
    """The whole ledger in the form that pages need."""

    runs: tuple[StoredRun, ...]
    """Every run with a page, oldest first."""
    by_id: Mapping[str, StoredRun]
    """The same by id."""
    experiments: Mapping[str, tuple[StoredRun, ...]]
    """Experiment to its runs, oldest first; the experiment with the latest run first."""
    neighbours: Mapping[str, tuple[str | None, str | None]]
    """Run to the previous and the next run of its experiment."""
    boards: tuple[Leaderboard, ...]
    """The leaderboard of each comparable group."""
    datasets: Mapping[str, tuple[DatasetVersion, ...]]
    """Dataset name to its versions, oldest first."""
    measurements: Mapping[str, tuple[Measurement, ...]]
    """Content hash of a dataset version to what was measured on it, oldest first; of runs that count."""
    log: tuple[LogEntry, ...]
    """Commits of the ledger branch, newest first."""
    problems: tuple[Problem, ...]
    """What could not be read or shown."""
    repository_url: str | None
    """Where the code is shown, for links to commits."""
    cases: Mapping[str, tuple[Case, ...]] = {}
    """Dataset name to its cases and overrides, oldest first."""
    retired: Mapping[str, Note] = {}
    """Note that retired each dataset version (`name@version`)."""
    pictures: Mapping[str, str] = {}
    """Pictures of dataset versions: path on the branch to blob id."""
    baselines: Mapping[str, str] = {}
    """Experiment to the run it is compared with."""
    ranked: Mapping[GroupId, SettingBoard] = {}
    """Comparable group to its settings, ranked; one for each of `boards`."""
    addresses: Mapping[GroupId, str] = {}
    """Path of each comparable group's board: a page of its own, or a line on the page of all others."""
    settings: Mapping[str, int] = {}
    """Run to the number of its setting: repeats have the same."""
    repeats: Mapping[int, Sequence[str]] = {}
    """Number of each setting to its runs that count, oldest first; of ranks of one training to one of them."""
    ranks: frozenset[str] = frozenset()
    """Runs that are other ranks of a training that is counted already."""
    added: Mapping[str, float] = {}
    """Content hash of each dataset version to when it was added, in seconds since 1970; of several the latest."""
    splits: Mapping[str, str] = {}
    """Other names of splits, in lower case, and what they stand for."""
    names: Mapping[str, str] = {}
    """Run to its name: what tells it apart from the others of its experiment."""
    setting_names: Mapping[str, str] = {}
    """Run to the part of its name that its repeats share."""
    older: int = 0
    """Number of the oldest of `runs` that have no page of their own."""
    bare: int = 0
    """Number of the oldest of `runs` whose pages offer no documents for machines."""
    inquiries: Mapping[str, Inquiry] = {}
    """Experiment to what people said that it asks, expects and showed; of those about which anybody did."""

    @property
    def last_day(self) -> date:
        """Return the day of the last entry, else of the last run: pages of an unchanged ledger follow no clock."""
        if self.log:
            return utc(self.log[0].time).date()
        return max((utc(run.record.timing.started_at).date() for run in self.runs), default=date(1970, 1, 1))

    def has_documents(self, run: StoredRun) -> bool:
        """Return whether the page of a run offers it in formats for machines."""
        return not self.bare or run.record.id >= self.runs[self.bare].record.id

    def is_older(self, run_id: str | None) -> bool:
        """Return whether a run has no page of its own: ids sort by time, and the oldest have none."""
        return run_id is not None and self.older > 0 and run_id < self.runs[self.older].record.id

    def address_of(self, group: Group) -> str:
        """Return the path of a group's leaderboard; empty where no run in it counts."""
        return self.addresses.get(group.id, "")

    def age_of(self, group: Group) -> float:
        """Return when the data of a group was added, in seconds since 1970; less than any where none knows it.

        The content decides, not the name that runs gave it. A retired version counts as unknown.
        """
        if group.dataset in self.retired or not group.known:
            return -math.inf
        return self.added.get(group.dataset_hash or "", -math.inf)

    def is_training(self, group: Group) -> bool:
        """Return whether a group was measured on what models were trained on, which is no result."""
        split, slash, _ = group.key.partition("/")
        return bool(slash) and self.splits.get(split.lower(), split.lower()) == "train"

    def leader_of(self, group: Group) -> SettingPlace | None:
        """Return the setting with the best mean in a group; none where that is unknown."""
        board = self.ranked.get(group.id)
        return next((place for place in board.places if place.rank == 1), None) if board else None

    @property
    def own_pages(self) -> tuple[Leaderboard, ...]:
        """Return the leaderboards with a page of their own."""
        return tuple(board for board in self.boards if "#" not in self.address_of(board.group))

    @property
    def listed(self) -> tuple[Leaderboard, ...]:
        """Return the leaderboards that are lines on the page of all others."""
        return tuple(board for board in self.boards if "#" in self.address_of(board.group))

    def reference_of(self, run: StoredRun) -> tuple[str, str] | None:
        """Return the reference of a run, and why it is that: its own baseline, its experiment's, or its parent."""
        record = run.record
        common = self.baselines.get(record.experiment)
        if record.baseline or (common and common != record.id):
            return record.baseline or common or "", "baseline"
        return (record.parent, "parent") if record.parent else None


def survey(
    contents: Contents,
    log: Iterable[LogEntry],
    repository_url: str | None,
    splits: Mapping[str, str] = SPLITS,
    run_pages: int = SitePolicy().run_pages,
) -> Atlas:
    """Return the atlas of a ledger; runs whose ids cannot name a page are left out and reported.

    Args:
        contents: the whole ledger.
        log: commits of the ledger branch, newest first.
        repository_url: where the code is shown; only addresses that browsers may follow are kept.
        splits: other names of splits.
        run_pages: number of newest runs with a page of their own, at least.
    """
    runs, problems = _presentable(contents)
    experiments: dict[str, list[StoredRun]] = {}
    for run in reversed(runs):
        experiments.setdefault(run.record.experiment, []).append(run)
    by_experiment = {name: tuple(reversed(members)) for name, members in experiments.items()}
    datasets: dict[str, list[DatasetVersion]] = {}
    for version in contents.datasets:
        datasets.setdefault(version.name, []).append(version)
    boards = tuple(leaderboards(runs))
    keys = {run.record.id: short_key(run) for run in runs}
    numbers: dict[str, int] = {}
    settings = {name: numbers.setdefault(key, len(numbers)) for name, key in keys.items()}
    repeats, ranks = _repeats(runs, settings)
    names = {run: name for title, members in by_experiment.items() for run, name in run_names(title, members).items()}
    return Atlas(
        runs=runs,
        older=_oldest(len(runs), run_pages),
        bare=_oldest(len(runs), min(run_pages, WITH_DOCUMENTS)),
        by_id={run.record.id: run for run in runs},
        experiments=by_experiment,
        neighbours=_neighbours(by_experiment),
        boards=boards,
        ranked=_ranked(runs, boards, keys),
        addresses=_addresses(runs, boards),
        settings=settings,
        repeats=repeats,
        ranks=ranks,
        added={one.hash: utc(one.added_at).timestamp() for one in sorted(contents.datasets, key=_added)},
        splits=splits,
        names={run: name.text for run, name in names.items()},
        setting_names={run: name.setting for run, name in names.items()},
        datasets={
            name: tuple(sorted(versions, key=lambda version: (utc(version.added_at), version.version)))
            for name, versions in sorted(datasets.items())
        },
        measurements=_measurements(filter(counts, runs)),
        log=tuple(log),
        problems=(*contents.problems, *problems),
        cases=_by_dataset(contents.cases),
        retired={note.dataset: note for note in contents.said if note.kind == "retirement" and note.dataset},
        pictures=contents.pictures,
        inquiries=inquiries_of(contents.said),
        baselines={name: run.record.id for name, run in contents.baselines().items()},
        repository_url=_web_address(repository_url),
    )


def _web_address(url: str | None) -> str | None:
    """Return the address without a trailing slash when browsers may follow it, else none."""
    return url.rstrip("/") if url and url.startswith(("https://", "http://")) else None


def _oldest(runs: int, newest: int) -> int:
    """Return how many runs are older than the newest so many; it grows in steps, each of which changes pages."""
    return max(0, runs - newest) // OLDER_TOGETHER * OLDER_TOGETHER


def _added(version: DatasetVersion) -> datetime:
    return utc(version.added_at)


def _repeats(
    runs: Iterable[StoredRun], settings: Mapping[str, int]
) -> tuple[dict[int, tuple[str, ...]], frozenset[str]]:
    """Return the runs of each setting that count, and the other ranks among them."""
    members: dict[int, list[StoredRun]] = {}
    for run in filter(counts, runs):
        members.setdefault(settings[run.record.id], []).append(run)
    split = {number: split_ranks(same) for number, same in members.items()}
    return (
        {number: tuple(run.record.id for run in counted) for number, (counted, _) in split.items()},
        frozenset(run.record.id for _, others in split.values() for run in others),
    )


def _by_dataset(cases: Iterable[Case]) -> dict[str, tuple[Case, ...]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.dataset, []).append(case)
    return {name: tuple(members) for name, members in found.items()}


def board_path(group: Group) -> str:
    """Return the page of a comparable group's leaderboard, whatever its runs call the dataset version."""
    return addresses.board_page(group.key, f"{group.key}\0{group.dataset_hash}\0{group.evaluator}")


def board_path_of(metric: Metric, atlas: Atlas) -> str:
    """Return the path of a value's leaderboard; empty where there is none, or where it is not ranked."""
    return atlas.addresses.get(metric.group_id, "") if metric.dataset_hash else ""


def board_name(group: Group) -> str:
    """Return a short, permanent name of a comparable group for URLs."""
    return board_path(group).rpartition("/")[2].removesuffix(".html")


def _addresses(runs: Iterable[StoredRun], boards: Sequence[Leaderboard]) -> dict[GroupId, str]:
    """Return the path of each leaderboard.

    Its own page has what is the headline of a run, and what several runs share, the most shared first and so many.
    """
    headlines = {headline.group_id for run in runs if (headline := run.record.headline) is not None}
    told = {board.group.id: board for board in boards}
    shared = [identity for identity, board in told.items() if len(board.standings) > 1 and identity not in headlines]
    shared.sort(key=lambda identity: -len(told[identity].standings))
    own = {*headlines, *shared[:SHARED_PAGES]}
    return {
        identity: board_path(board.group) if identity in own else f"{addresses.OTHER_BOARDS}#{board_name(board.group)}"
        for identity, board in told.items()
    }


def _ranked(
    runs: Iterable[StoredRun], boards: Sequence[Leaderboard], keys: Mapping[str, str]
) -> dict[GroupId, SettingBoard]:
    traces = {run.record.id: encode_trace(trace_of(run)) for run in runs}
    withdrawn: dict[GroupId, list[Score]] = {}
    for run in runs:
        if not counts(run):
            for identity, metric in latest_metrics(run).items():
                score = Score(run=run.record.id, setting="", value=metric.number, unranked=run.unranked or "")
                withdrawn.setdefault(identity, []).append(score)
    found = {}
    for board in boards:
        identity = board.group.id
        scores = [
            Score(run=name, setting=keys[name], value=standing.metric.number, trace=traces[name])
            for standing in board.standings
            for name in [standing.run.record.id]
        ]
        found[identity] = setting_board(board.group, board.direction, [*scores, *withdrawn.get(identity, ())])
    return found


def board_paths_of(run: StoredRun, atlas: Atlas) -> list[str]:
    """Return the page of the leaderboard of each value of a run, in their order."""
    measured = [run.record.results.metrics, *(evaluation.metrics for evaluation in run.evaluations)]
    return [board_path_of(metric, atlas) for metrics in measured for metric in metrics]


def _presentable(contents: Contents) -> tuple[tuple[StoredRun, ...], list[Problem]]:
    runs: dict[str, StoredRun] = {}
    problems = []
    for run in contents.runs:
        run_id = run.record.id
        if not is_id(run_id):
            problems.append(
                Problem(path=run.path, message=f"not shown: its id is not well-formed: `{ascii(run_id)[1:-1]}`")
            )
        elif run_id in runs:
            problems.append(Problem(path=run.path, message=f"not shown: another record has the same id: `{run_id}`"))
        else:
            runs[run_id] = run
    return tuple(sorted(runs.values(), key=lambda run: run.record.id)), problems


def _neighbours(experiments: Mapping[str, tuple[StoredRun, ...]]) -> dict[str, tuple[str | None, str | None]]:
    found: dict[str, tuple[str | None, str | None]] = {}
    for runs in experiments.values():
        ids: list[str | None] = [None, *(run.record.id for run in runs), None]
        for before, at, after in zip(ids, ids[1:], ids[2:], strict=False):
            found[at or ""] = (before, after)
    return found


def _measurements(runs: Iterable[StoredRun]) -> dict[str, tuple[Measurement, ...]]:
    found: dict[str, list[Measurement]] = {}
    for run in runs:
        for metric in run.record.results.metrics:
            if metric.dataset_hash:
                measured = Measurement(run=run, metric=metric, at=utc(run.record.timing.ended_at))
                found.setdefault(metric.dataset_hash, []).append(measured)
        for evaluation in run.evaluations:
            for metric in evaluation.metrics:
                if metric.dataset_hash:
                    measured = Measurement(run=run, metric=metric, at=utc(evaluation.evaluated_at))
                    found.setdefault(metric.dataset_hash, []).append(measured)
    return {
        dataset_hash: tuple(sorted(members, key=lambda member: (member.at, member.run.record.id)))
        for dataset_hash, members in found.items()
    }
