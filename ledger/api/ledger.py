"""The public `Ledger`: a Python API in which each method gives the same answer as the command of that name."""

from collections.abc import Collection, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ledger.errors import LedgerError
from ledger.model.entries import DatasetVersion, LogEntry, Problem, StoredRun
from ledger.model.values import Direction, Document, counted, plain
from ledger.store.branch.branch import Branch

if TYPE_CHECKING:
    import pandas as pd

    from ledger.analysis.comparing.compare import Comparison
    from ledger.analysis.comparing.leaderboard import SettingBoard
    from ledger.analysis.judging.loop import LoopReport
    from ledger.analysis.weak.weak_points import WeakPoints
    from ledger.api.advise import AdviceReport
    from ledger.api.judge import JudgedRun

_SHOWN = 20
"""Number of runs that a notebook shows of the ledger."""


class Experiment(Document, frozen=True, kw_only=True):
    """A named group of runs."""

    name: str
    """Name of the experiment."""
    runs: int
    """Number of runs."""
    latest: str
    """Id of its newest run."""


class Runs(Sequence[StoredRun]):
    """The runs of a query, in order.

    Args:
        runs: the runs.
        warnings: why part of the order, or of the filter, is meaningless.
        problems: what on the ledger could not be read.
    """

    def __init__(
        self, runs: Sequence[StoredRun], warnings: Sequence[str] = (), problems: Sequence[Problem] = ()
    ) -> None:
        self._runs = tuple(runs)
        self.warnings = tuple(warnings)
        """Why part of the order, or of the filter, is meaningless."""
        self.problems = tuple(problems)
        """What on the ledger could not be read."""

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> StoredRun: ...
    @overload
    def __getitem__(self, index: slice) -> "Runs": ...
    def __getitem__(self, index: int | slice) -> "StoredRun | Runs":
        if isinstance(index, slice):
            return Runs(self._runs[index], self.warnings, self.problems)
        return self._runs[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Runs) and self._runs == other._runs

    __hash__ = None  # type: ignore[assignment]  # a list of values, as a list is

    def to_pandas(self) -> "pd.DataFrame":
        """Return them as a data frame, one row per run, with the columns of `ledger export`.

        Raises:
            UsageError: pandas is not installed.
        """
        from ledger.store.index.export import frame_of

        return frame_of(self._runs)

    def __repr__(self) -> str:
        shown = ", ".join(run.record.id for run in self._runs[:3])
        return f"<{counted(len(self), 'run')}{': ' if shown else ''}{shown}{', …' if len(self) > 3 else ''}>"  # noqa: PLR2004  # as above

    def _repr_html_(self) -> str:
        from ledger.analysis.query.row import line_of
        from ledger.analysis.query.table import runs_table

        header, rows = runs_table([line_of(run) for run in self._runs])
        return _html_table(header, rows)


class Ledger:
    """The ledger of a repository, opened with `ledger.Ledger.open()`.

    Example:
        >>> runs = ledger.Ledger.open().runs("lr < 0.1", sort="validation/accuracy", limit=10)

    Args:
        branch: the branch that holds it.
    """

    def __init__(self, branch: Branch) -> None:
        self._branch = branch

    @classmethod
    def open(cls, folder: Path | str = ".", branch: str | None = None) -> "Ledger":
        """Open the ledger of the repository that contains `folder`; its branch need not exist yet.

        Args:
            folder: any folder of the repository.
            branch: name of its branch; by default the setting `ledger.branch` of the repository, else `ledger`.

        Raises:
            NotFound: there is no repository.
            LedgerError: git refuses it.
        """
        return cls(Branch.open(folder, branch))

    def runs(
        self, query: str = "", *, sort: str | None = None, reverse: bool = False, limit: int | None = None
    ) -> Runs:
        """Return the runs that match a query, newest first, or sorted by a field, as `ledger list` shows them.

        Example:
            >>> ledger.Ledger.open().runs("status = finished and lr < 0.1", sort="validation/accuracy")

        Args:
            query: in the language of `ledger list`; all runs when empty.
            sort: field to sort by, best first where it is a metric.
            reverse: turn the order round.
            limit: return at most so many.

        Raises:
            UsageError: the query cannot be read, or nothing has a name in it, or several have.
            LedgerError: git cannot read the branch.
        """
        from ledger.analysis.query.language import parse_query
        from ledger.store.index.selection import select_runs

        asked = parse_query(query) if query.strip() else None
        found = select_runs(self._branch, asked, sort=sort, reverse=reverse, limit=limit)
        return Runs(found.runs, found.warnings, found.problems)

    def run(self, short: str) -> StoredRun:
        """Return one run by its id, or a part of it, as `ledger show` shows it.

        Example:
            >>> ledger.Ledger.open().run("x7k2qf").record.results.metrics

        Raises:
            NotFound: no run has it.
            UsageError: several have it.
            LedgerError: git cannot read the branch.
        """
        from ledger.store.index.selection import find_runs

        return find_runs(self._branch, [short])[0]

    def experiments(self) -> list[Experiment]:
        """Return the experiments, the one with the newest run first.

        Example:
            >>> [experiment.name for experiment in ledger.Ledger.open().experiments()]

        Raises:
            LedgerError: git cannot read the branch.
        """
        found: dict[str, list[str]] = {}
        for run in self.runs():
            found.setdefault(run.record.experiment, []).append(run.record.id)
        return [Experiment(name=name, runs=len(runs), latest=runs[0]) for name, runs in found.items()]

    def datasets(self) -> list[DatasetVersion]:
        """Return every dataset version, oldest first, as `ledger dataset list` shows them.

        Example:
            >>> [version.label for version in ledger.Ledger.open().datasets()]

        Raises:
            LedgerError: git cannot read the branch.
        """
        return list(self._branch.contents().datasets)

    def dataset(self, label: str) -> DatasetVersion:
        """Return the dataset version `name@version`; for a name alone, the latest version in use.

        Example:
            >>> ledger.Ledger.open().dataset("digits@v2").hash

        Raises:
            NotFound: there is none.
            LedgerError: git cannot read the branch.
        """
        from ledger.analysis.data.versions import find_version

        return find_version(self._branch.contents(), label)

    def leaderboard(
        self,
        metric: str | None = None,
        query: str = "",
        *,
        on: str | None = None,
        include: Collection[str] = (),
    ) -> "list[SettingBoard]":
        """Return the leaderboards of a metric, one for each dataset version and evaluator: `ledger leaderboard`.

        Example:
            >>> ledger.Ledger.open().leaderboard("validation/accuracy", on="digits@v2")[0].places

        Args:
            metric: `split/name`; that of most runs when none.
            query: which runs; all when empty.
            on: only on this dataset version; of a name alone, on each of its versions.
            include: statuses that count beside `finished`.

        Raises:
            NotFound: no run has the metric, or it was not measured there.
            UsageError: the query cannot be read.
            LedgerError: git cannot read the branch.
        """
        from ledger.analysis.query.language import parse_query
        from ledger.store.index.leaderboards import boards_on, read_standings

        asked = parse_query(query) if query.strip() else None
        return boards_on(read_standings(self._branch, metric, asked, include), on)

    def compare(self, *runs: str) -> "Comparison":
        """Return runs side by side, or one beside its baseline: `ledger compare`.

        Example:
            >>> [row.key for row in ledger.Ledger.open().compare("x7k2qf", "a1b2c3").metrics]

        Args:
            runs: their ids, or enough of each.

        Raises:
            NotFound: no run has such an id.
            UsageError: it is one run, and its experiment has no baseline.
            LedgerError: git cannot read the branch.
        """
        from ledger.analysis.comparing.compare import compare
        from ledger.api.compare import find_compared

        return compare(find_compared(self._branch, runs))

    def judge(
        self,
        run: str,
        against: str = "baseline",
        *,
        metrics: Sequence[str] = (),
        min_effect: float | None = None,
        trials: int | None = None,
        direction: Direction | None = None,
        include: Collection[str] = (),
    ) -> "JudgedRun":
        """Return whether a run is better than another by more than chance: `ledger judge`.

        Example:
            >>> ledger.Ledger.open().judge("x7k2qf", "best", min_effect=0.002).answer

        Args:
            run: its id, or enough of it.
            against: another run, `best` or `baseline`.
            metrics: `split/name` of each; the headline of the run when none.
            min_effect: smallest improvement worth having, in the unit of the metric; the noise width when none.
            trials: settings that it was chosen from; all that were tried when none.
            direction: which values are better, where nobody said.
            include: statuses that count beside `finished`.

        Raises:
            NotFound: no run has such an id.
            UsageError: nothing can be judged: a run did not finish or was retracted, or there is no baseline.
            LedgerError: git cannot read the branch.
            ModuleNotFoundError: scipy is not installed.
        """
        from ledger.api.judge import judge_run

        return judge_run(
            self._branch,
            run,
            against,
            metrics=metrics,
            min_effect=min_effect,
            trials=trials,
            direction=direction,
            include=include,
        )

    def loop(
        self,
        *about: str,
        since: str | None = None,
        metric: str | None = None,
        direction: Direction | None = None,
        noise: float | None = None,
    ) -> "LoopReport":
        """Return how many of a loop's decisions to keep lie inside the noise: `ledger loop report`.

        Example:
            >>> ledger.Ledger.open().loop("nightly", noise=0.003).inside

        Args:
            about: names of experiments, or queries; all runs when none.
            since: only runs that started then or later, such as `2026-11-20`.
            metric: `split/name` that it improves; that of most headlines when none.
            direction: which values are better, where nobody said.
            noise: standard deviation between repeats; that of its own repeats when none.

        Raises:
            NotFound: no such run is on the ledger, or none has a metric.
            UsageError: a query cannot be read, or it is not recorded which values are better.
            LedgerError: git cannot read the branch.
            ModuleNotFoundError: scipy is not installed.
        """
        from ledger.api.loop import report_loop

        return report_loop(self._branch, about, since=since, metric=metric, direction=direction, noise=noise)

    def advise(self, about: str, *, metric: str | None = None, target: float | None = None) -> "AdviceReport":
        """Return what to try after a run, or after the best run of an experiment: `ledger advise`.

        Example:
            >>> [advice.say for advice in ledger.Ledger.open().advise("x7k2qf", target=0.99).advice]

        Args:
            about: id of a run, or enough of it; else the name of an experiment.
            metric: a part of right or wrong answers; that of the headline when none.
            target: what people, or the product in use, reach in it: 0 to 1.

        Raises:
            NotFound: no run and no experiment has this name.
            UsageError: several runs have it, or no run of the experiment can be called its best.
            LedgerError: git cannot read the branch.
        """
        from ledger.api.advise import advise_about

        return advise_about(self._branch, self._branch.contents(), about, metric=metric, target=target)

    def weak(self, run: str, against: str | None = None, *, metric: str | None = None, most: int = 5) -> "WeakPoints":
        """Return where the model of a run is weak, and what to change next: `ledger weak`.

        Example:
            >>> [one.name for one in ledger.Ledger.open().weak("x7k2qf").slices]

        Args:
            run: its id, or enough of it.
            against: another run, `baseline`, `parent` or `best`; the first of these three that there is when none.
            metric: `split/name`; the headline when none, if the run kept tables of it.
            most: most entries of each list.

        Raises:
            NotFound: no run has such an id, or it kept no tables of single predictions.
            UsageError: there is no such run to compare with.
            LedgerError: git cannot read the branch.
        """
        from ledger.api.weak import weak_points_of_id

        return weak_points_of_id(self._branch, run, against, metric=metric, most=most)

    def to_pandas(self, query: str = "") -> "pd.DataFrame":
        """Return the runs that match a query as a data frame, oldest first, with the columns of `ledger export`.

        Example:
            >>> ledger.Ledger.open().to_pandas("status = finished").groupby("experiment").size()

        Raises:
            UsageError: pandas is not installed, or the query cannot be read.
            LedgerError: git cannot read the branch.
        """
        return self.runs(query, reverse=True).to_pandas()

    def log(self, limit: int | None = None) -> Iterator[LogEntry]:
        """Yield the commits of the ledger, newest first: `ledger log`.

        Example:
            >>> [entry.subject for entry in ledger.Ledger.open().log(10)]

        Raises:
            LedgerError: the history is damaged.
        """
        return self._branch.log(limit)

    def __repr__(self) -> str:
        place = self._branch.repository.worktree or self._branch.repository.git_dir
        return f"<Ledger {plain(self._branch.branch)} of {plain(str(place))}>"

    def _repr_html_(self) -> str:
        """Return the newest runs as HTML, for notebooks."""
        try:
            runs = self.runs(limit=_SHOWN)
        except LedgerError as error:
            return f"<p>{escape(repr(self))}: {escape(plain(error.message))}</p>"
        said = f"<p>{escape(repr(self))}: its newest {counted(len(runs), 'run')}</p>" if runs else ""
        return f"{said}{runs._repr_html_()}" if runs else f"<p>{escape(repr(self))}: no run is on it yet</p>"


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(plain(name))}</th>" for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(plain(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
