"""The evidence for a review, read from the ledger: a run's baseline, its peers, its code, its curves."""

from collections.abc import Mapping, Sequence

from ledger.analysis.advice.run_advice import advise, metric_of
from ledger.analysis.comparing.comparable import counts, group_of, why_uncounted
from ledger.analysis.comparing.compare import compare
from ledger.analysis.comparing.environment_difference import differences
from ledger.analysis.data.curves import Point, load_curves
from ledger.analysis.judging.judgement import (
    Judgement,
    Tried,
    best_other,
    gather,
    judge,
    shared_group,
)
from ledger.analysis.judging.review import RunReview, Word, drawn, metric_lines, warnings_of, word_of
from ledger.errors import LedgerError, UsageError
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import DatasetVersion, StoredRun
from ledger.model.paths import CURVES_FILE
from ledger.store.branch.branch import Branch
from ledger.store.branch.versions import read_version
from ledger.store.index.peers import read_baseline, read_peers
from ledger.store.index.selection import find_runs
from ledger.store.review.proposals import Proposed

_COMMITS = 6
"""Most commits of code that are listed."""
_CURVES = 4
"""Most learning curves that are drawn."""


def review_runs(ledger: Branch, proposed: Proposed) -> list[RunReview]:
    """Return the review of each run of a proposal, in order, as if the proposal had been merged.

    Raises:
        LedgerError: git cannot read the ledger.
        ModuleNotFoundError: scipy is not installed.
    """
    reading = _Reading(ledger, proposed)
    return [reading.review(run) for run in proposed.runs]


class _Reading:
    """Reads each thing once for all runs of a proposal."""

    def __init__(self, ledger: Branch, proposed: Proposed) -> None:
        self._ledger = ledger
        self._new = {run.record.id: run for run in proposed.runs}
        self._versions: dict[tuple[str, str], DatasetVersion | None] = {}
        experiments = {run.record.experiment for run in proposed.runs}
        self._baselines = {name: read_baseline(ledger, name) for name in sorted(experiments)}
        self._peers: dict[str, tuple[list[StoredRun], Mapping[GroupId, int]]] = {}

    def review(self, run: StoredRun) -> RunReview:
        baseline = self._baseline_of(run)
        headline = run.record.headline
        everyone, unread = self._peers_of(headline.key) if headline else ([], {})
        tried = gather(everyone)
        best = self._best_of(run, headline, tried, everyone)
        against = [(word, other) for word, other in (("baseline", baseline), ("best", best)) if other is not None]
        if len(against) > 1 and against[0][1].record.id == against[1][1].record.id:
            against = against[:1]
        (word, why, mend), judgement = self._judged(run, headline, [other for _, other in against], everyone, unread)
        others = [other for _, other in against]
        missing = {name: box.unknown.get("all", "") for name, box in run.record.boxes().items() if not box.known}
        return RunReview(
            run=run,
            word=word,
            why=why,
            mend=mend,
            against=[(name, other.record.id) for name, other in against],
            judgement=judgement,
            comparison=compare([*others, run]) if others else None,
            surroundings=differences([*others, run]) if others else [],
            metrics=metric_lines(run, others, tried),
            code=self._commits(others[0] if others else None, run),
            curves=self._curves(run),
            missing=missing,
            warnings=warnings_of(run),
            advice=advise(run, self._versions_of(run), name=metric_of(run), budget=self._ledger.policy.budget),
        )

    def _versions_of(self, run: StoredRun) -> dict[str, DatasetVersion]:
        """Return the dataset versions that a run used and the ledger knows, by content hash."""
        for use in run.record.datasets.used:
            label = (use.name or "", use.version or "")
            if all(label) and label not in self._versions:
                try:
                    self._versions[label] = read_version(self._ledger, *label)
                except LedgerError:
                    self._versions[label] = None  # damaged, or no valid name: `ledger check` reports it
        return {version.hash: version for version in self._versions.values() if version is not None}

    def _baseline_of(self, run: StoredRun) -> StoredRun | None:
        named = run.record.baseline
        found = self._new.get(named) if named else None
        if named and found is None:
            try:
                (found,) = find_runs(self._ledger, [named])
            except LedgerError:
                found = None  # `ledger check` reports that it names no run
        candidates = (found, self._baselines.get(run.record.experiment))
        usable = (one for one in candidates if one is not None and counts(one))
        return next((one for one in usable if one.record.id != run.record.id), None)

    def _peers_of(self, key: str) -> tuple[list[StoredRun], Mapping[GroupId, int]]:
        """Return the runs that were read for a metric, those of the proposal included, and the count of unread ones."""
        if key not in self._peers:
            ours = [run for run in self._new.values() if any(metric.key == key for metric in run.metrics())]
            baselines = [one for run in ours if (one := self._baseline_of(run)) is not None]
            peers = read_peers(self._ledger, [*ours, *baselines], key)
            runs = {run.record.id: run for run in (*peers.runs, *baselines, *ours)}
            self._peers[key] = [*runs.values()], peers.unread
        return self._peers[key]

    def _best_of(
        self, run: StoredRun, headline: Metric | None, tried: Mapping[GroupId, Tried], everyone: Sequence[StoredRun]
    ) -> StoredRun | None:
        group = tried.get(headline.group_id) if headline else None
        if group is None or group.direction is None:
            return None
        try:
            name = best_other(run.record.id, group)
        except UsageError:  # it is the only setting
            return None
        return next(other for other in everyone if other.record.id == name)

    def _judged(
        self,
        run: StoredRun,
        headline: Metric | None,
        others: Sequence[StoredRun],
        everyone: Sequence[StoredRun],
        unread: Mapping[GroupId, int],
    ) -> tuple[tuple[Word, str, str | None], Judgement | None]:
        """Return the verdict against the first run that it can be compared with."""
        if headline is None:
            return ("cannot tell", "it has no headline metric", None), None
        if not counts(run):
            return ("cannot tell", f"it {why_uncounted(run)}, and what did not finish is not ranked", None), None
        if not group_of(headline).known:
            name_it = "name it when recording: --dataset validation:NAME@VERSION=PATH"
            return ("not comparable", "its headline was measured on data without a name", name_it), None
        if not others:
            return ("cannot tell", "there is nothing to compare it with yet", None), None
        apart, mend = "", ""
        for other in others:
            try:
                named = shared_group(run, other, headline.key).id
                tried = gather(everyone, unread=unread.get(named, 0), only={named})[named]
                judgement = judge(run.record.id, other.record.id, tried)
            except UsageError as error:
                apart, mend = apart or error.message, mend or error.hint or ""
            else:
                return (word_of(judgement.verdict), judgement.verdict.why, None), judgement
        word: Word = "not comparable" if "cannot be compared" in apart or "no such metric" in apart else "cannot tell"
        return (word, apart, mend or None), None

    def _commits(self, other: StoredRun | None, run: StoredRun) -> list[str]:
        """Return the commits between the code of two runs, as far as this clone has them."""
        before = other.record.code.commit if other else None
        after = run.record.code.commit
        if not before or not after or before == after:
            return []
        names = [commit.removeprefix("git:") for commit in (before, after)]
        if any(self._ledger.repository.resolve(name) is None for name in names):
            return [f"{names[0][:10]} → {names[1][:10]} (not in this clone)"]
        options = ("--format=%h %s", f"--max-count={_COMMITS + 1}", "--no-show-signature")
        out = self._ledger.repository.git.output("log", *options, "--end-of-options", f"{names[0]}..{names[1]}", "--")
        lines = out.decode("utf-8", "replace").splitlines()
        return [*lines[:_COMMITS], "and more"] if len(lines) > _COMMITS else lines

    def _curves(self, run: StoredRun) -> dict[str, str]:
        blob, kept = run.files.get(CURVES_FILE), run.record.results.curves
        if blob is None or kept is None:
            return {}
        try:
            points: list[Point] = load_curves(self._ledger.read_blob(blob), f"{run.path}/{CURVES_FILE}")
        except LedgerError:
            return {}  # `ledger check` reports what is wrong with the file
        headline = run.record.headline
        wanted = [headline.key] if headline else []
        order = sorted(kept.series, key=lambda name: (name not in wanted, "loss" not in name, name))
        pictures = {name: drawn(points, name) for name in order[:_CURVES]}
        return {name: picture for name, picture in pictures.items() if picture}
