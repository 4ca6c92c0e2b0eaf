"""The seven stages of a product, their requirements, and the evidence for them in the records of a model."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from ledger.analysis.advice.budget import Budget, amounts_of, spent_of
from ledger.analysis.judging.judgement import gather
from ledger.errors import UsageError
from ledger.formatting import number
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Case, DatasetVersion, StoredRun
from ledger.model.values import Document, counted

_SEEDS = 3
"""Fewest seeds of a setting: two values have a spread, but a poor one."""
_NAMED = 3
"""Most experiments that are named; the others are counted."""
_CONSIDERED = ("parameters", "duration_seconds", "cost")
"""What must be known about a model that is called simple and fast."""


class Stage(Document, frozen=True, kw_only=True):
    """One of the seven stages."""

    number: int
    """1 to 7."""
    slug: str
    """Short name, as typed."""
    name: str
    """Full name."""
    asks: str
    """Its requirement."""


STAGES = (
    Stage(
        number=1,
        slug="by-hand",
        name="by-hand examples",
        asks="Somebody worked out what right answers look like: cases, or a dataset version to judge by.",
    ),
    Stage(
        number=2,
        slug="glued",
        name="glued together",
        asks="One run goes from data to a measured answer, however bad the answer is.",
    ),
    Stage(
        number=3,
        slug="works",
        name="works on some data",
        asks="A finished run is measured on a known version of data that it was not trained on.",
    ),
    Stage(
        number=4,
        slug="measurable",
        name="measurable and inspectable",
        asks="One can see what it is judged on and where it fails: statistics, a second version or cases, curves.",
    ),
    Stage(
        number=5,
        slug="accurate",
        name="accurate and documented",
        asks="Its number is more than chance, its code can be restored, and what was learned is written down.",
    ),
    Stage(
        number=6,
        slug="simple",
        name="simple and fast",
        asks="What it takes is known, and within the budget that the team agreed on.",
    ),
    Stage(
        number=7,
        slug="domains",
        name="new domains",
        asks="It holds elsewhere too: it is measured on two datasets or more.",
    ),
)
"""The seven stages of a product, in order."""


class Check(Document, frozen=True, kw_only=True):
    """One requirement of a stage, and whether the records show it."""

    asks: str
    """The requirement."""
    holds: bool
    """Whether the records show it."""
    detail: str
    """What was found, or what is missing."""


def stage_named(text: str) -> Stage:
    """Return the stage with that number or short name.

    Raises:
        UsageError: there is no such stage; the hint names the seven.
    """
    wanted = text.strip().lower()
    for stage in STAGES:
        if wanted in {str(stage.number), stage.slug, stage.name}:
            return stage
    named = ", ".join(f"{stage.number} {stage.slug}" for stage in STAGES)
    raise UsageError(f"no such stage: `{ascii(text)[1:-1]}`", hint=f"one of {named}")


class Evidence:
    """The runs of one model, and what else on the ledger is evidence.

    Args:
        runs: runs of the model, oldest first, none of them retracted.
        versions: dataset version by content hash.
        cases: every case.
        budget: limits for the model.
        with_baseline: names of all experiments that have a baseline, in order.
    """

    def __init__(
        self,
        runs: Sequence[StoredRun],
        versions: Mapping[str, DatasetVersion],
        cases: Sequence[Case],
        budget: Budget,
        with_baseline: Sequence[str],
    ) -> None:
        self.runs = runs
        self.versions = versions
        self.cases = cases
        self.budget = budget
        self.with_baseline = with_baseline

    @cached_property
    def finished(self) -> list[StoredRun]:
        """Return the finished runs."""
        return [run for run in self.runs if run.record.status == "finished"]

    @cached_property
    def judged(self) -> list[tuple[StoredRun, Metric]]:
        """Return measurements of finished runs on known data that they were not trained on."""
        found = []
        for run in self.finished:
            trained_on = {use.hash for use in run.record.datasets.used if use.role == "train"}
            for metric in run.metrics():
                fair = metric.split != "train" and metric.dataset_hash not in trained_on
                if metric.dataset_hash and fair and math.isfinite(metric.number):
                    found.append((run, metric))
        return found

    @property
    def latest(self) -> StoredRun | None:
        """Return the newest run that was evaluated, else the newest."""
        return self.judged[-1][0] if self.judged else self.runs[-1] if self.runs else None

    @cached_property
    def datasets(self) -> set[str]:
        """Return the names of the datasets that its runs were evaluated on."""
        uses = [use for run in self.runs for use in run.record.datasets.used if use.role in {"validation", "test"}]
        uses += [use for run in self.runs for evaluation in run.evaluations for use in evaluation.datasets]
        return {name for name in (use.name for use in uses) if name} | {
            self.name_of(metric) for _, metric in self.judged
        }

    def name_of(self, metric: Metric) -> str:
        """Return the name of the dataset that a value was measured on."""
        version = self.versions.get(metric.dataset_hash or "")
        return (
            version.name if version else (metric.dataset or metric.dataset_hash or "").rpartition("@")[0] or "unnamed"
        )

    def label_of(self, metric: Metric) -> str:
        """Return the dataset version that a value was measured on, as shown to people."""
        version = self.versions.get(metric.dataset_hash or "")
        return version.label if version else metric.dataset or (metric.dataset_hash or "")[:19]


def _check(asks: str, seen: str | None, missing: str) -> Check:
    return Check(asks=asks, holds=seen is not None, detail=missing if seen is None else seen)


def _by_hand(evidence: Evidence, _: StoredRun | None) -> list[Check]:
    versions = [one for one in evidence.versions.values() if one.name in evidence.datasets]
    cases = [case for case in evidence.cases if case.dataset in evidence.datasets]
    seen = counted(len(cases), "case") if cases else versions[0].label if versions else None
    return [_check("answers worked out by hand", seen, "no case, and no dataset version to judge by: ledger case add")]


def _glued(evidence: Evidence, _: StoredRun | None) -> list[Check]:
    run = next((run for run in evidence.finished if run.metrics()), None)
    seen = f"run {run.record.id}" if run else None
    return [_check("a finished run with a metric", seen, "no run of it finished with a metric")]


def _works(evidence: Evidence, _: StoredRun | None) -> list[Check]:
    clean = [(run, metric) for run, metric in evidence.judged if not run.record.datasets.leaks]
    seen = shared = None
    for run, metric in (clean or evidence.judged)[-1:]:
        seen = f"{metric.key} {number(metric.number)} on {evidence.label_of(metric)}"
        shared = f"none was found in run {run.record.id}" if clean else None
    why = "its runs share content between training and judging" if evidence.judged else "nothing was measured yet"
    return [
        _check("measured on data that it was not trained on", seen, "no value on a known version of other data"),
        _check("nothing shared with what it was trained on", shared, why),
    ]


def _measurable(evidence: Evidence, _: StoredRun | None) -> list[Check]:
    hashes = {metric.dataset_hash for _, metric in evidence.judged}
    described = [one for one in evidence.versions.values() if one.hash in hashes and one.statistics is not None]
    labels = sorted({evidence.label_of(metric) for _, metric in evidence.judged})
    answered = any(evaluation.cases for run in evidence.runs for evaluation in run.evaluations)
    second = ", ".join(labels[:3]) if len(labels) > 1 else "cases were answered" if answered else None
    drawn = next((f"run {run.record.id}" for run in reversed(evidence.runs) if _is_inspectable(run)), None)
    return [
        _check("statistics of what it is judged on", described[0].label if described else None, "ledger dataset add"),
        _check("a second version, or cases", second, "measured on one version only: ledger reevaluate"),
        _check("something to look at", drawn, "no curve, figure or table: run.log"),
    ]


def _is_inspectable(run: StoredRun) -> bool:
    record = run.record
    return record.results.curves is not None or bool(record.results.figures or record.statistics.tables)


def _accurate(evidence: Evidence, subject: StoredRun | None) -> list[Check]:
    code = subject.record.code if subject else None
    kept = code is not None and code.commit and (code.dirty is False or (code.patch is not None and code.patch.exact))
    compared = any(run.record.baseline or any(n.kind == "baseline" for n in run.notes) for run in evidence.runs)
    written = any(run.record.note or any(note.kind == "comment" for note in run.notes) for run in evidence.runs)
    return [
        _check(f"{_SEEDS} seeds of one setting", _noise_seen(evidence), "repeat a setting with other seeds"),
        _check(
            "code that can be restored",
            f"{code.commit.removeprefix('git:')[:12]}" if code and code.commit and kept else None,
            "the code of its run is not known exactly",
        ),
        _check("something to compare with", "a baseline" if compared else None, _no_baseline(evidence)),
        _check("what was learned", "notes" if written else None, "no note yet: ledger note RUN TEXT"),
    ]


def _no_baseline(evidence: Evidence) -> str:
    """Return that there is no baseline, and which other experiments have one: theirs does not count here."""
    own = " and ".join(dict.fromkeys(run.record.experiment for run in evidence.runs))
    others = evidence.with_baseline
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    only = f"; those of {', '.join(others[:_NAMED])}{more} do not count here" if others else ""
    return f"{own or 'it'} has no baseline{only}: ledger baseline RUN"


def _noise_seen(evidence: Evidence) -> str | None:
    """Return the spread over seeds in the group with most of them; none where no setting has enough."""
    most, said = _SEEDS - 1, None
    for tried in gather(evidence.runs).values():
        split = tried.group.key.partition("/")[0]
        best = max((one.count for one in tried.settings), default=0)
        if split != "train" and best > most:
            total, freedom = tried.pooled
            most = best
            said = f"{best} seeds, noise width {number(math.sqrt(total / freedom), 3)} in {tried.group.key}"
    return said


def _simple(evidence: Evidence, subject: StoredRun | None) -> list[Check]:
    amounts = amounts_of(subject.record) if subject else {}
    unknown = [_plain(name) for name in _CONSIDERED if amounts.get(name) is None]
    known = ", ".join(
        f"{_plain(name)} {number(amount)}" for name in _CONSIDERED if (amount := amounts.get(name)) is not None
    )
    spent = spent_of(subject.record, evidence.budget) if subject else []
    beyond = [one.text for one in spent if one.over or one.amount is None]
    within = ", ".join(one.text for one in spent if one.amount is not None)
    return [
        _check("parameters, time and cost known", None if unknown else known, f"unknown: {', '.join(unknown)}"),
        _check(
            "within the budget",
            None if beyond else within or None,
            ", ".join(beyond) if beyond else "policy.yaml states no budget",
        ),
    ]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _domains(evidence: Evidence, _: StoredRun | None) -> list[Check]:
    names = sorted({evidence.name_of(metric) for _, metric in evidence.judged})
    seen = ", ".join(names[:5]) if len(names) > 1 else None
    return [_check("measured on two datasets", seen, f"measured on {names[0] if names else 'none'} only")]


CHECKS: dict[int, Callable[[Evidence, StoredRun | None], list[Check]]] = {
    1: _by_hand,
    2: _glued,
    3: _works,
    4: _measurable,
    5: _accurate,
    6: _simple,
    7: _domains,
}
"""Checks of each stage that the ledger itself can make."""
