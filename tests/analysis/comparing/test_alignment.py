"""Offline and online metrics: what is planted is found, intervals hold what they promise, thin evidence is silent."""

import msgspec
import numpy as np
import pytest
from scipy.stats import spearmanr

from ledger.analysis.comparing.alignment import align, rank_interval
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import StoredRun
from ledger.model.values import number
from tests.samples import sample_ledger

WEEK = "2026-11-01/2026-11-07"


def run(at: int, *metrics: Metric) -> StoredRun:
    base = sample_ledger()[0].runs[0]
    record = msgspec.structs.replace(base.record, id=f"20261120-194812-{at:06d}", results=Results(metrics=[*metrics]))
    return msgspec.structs.replace(base, record=record, evaluations=(), notes=())


def offline(value: float, version: str = "v1", direction: str = "higher") -> Metric:
    return Metric(
        name="accuracy", split="validation", value=number(value), dataset=f"d@{version}", dataset_hash=version,
        direction=direction,  # type: ignore[arg-type]  # one of the two
    )  # fmt: skip


def online(value: float, period: str = WEEK, direction: str | None = "higher") -> Metric:
    return Metric(
        name="clicks", split="online", value=number(value), dataset=f"production {period}", dataset_hash=period,
        period=period, direction=direction,  # type: ignore[arg-type]  # one of the two
    )  # fmt: skip


def pairs(count: int, *, turned: bool = False) -> list[StoredRun]:
    return [run(at, offline(at / 10), online((-at if turned else at) / 100)) for at in range(count)]


KEYS = ("validation/accuracy", "online/clicks")


def test_metrics_that_rise_together_agree_and_those_that_part_contradict() -> None:
    (together,) = align(pairs(8), *KEYS)
    assert (together.correlation, together.answer) == (1.0, "they agree")
    (apart,) = align(pairs(8, turned=True), *KEYS)
    assert (apart.correlation, apart.answer) == (-1.0, "they contradict each other")
    losses = [run(at, offline(at / 10, direction="lower"), online(at / 100)) for at in range(8)]
    (turned,) = align(losses, *KEYS)
    assert turned.correlation == -1.0, "a higher loss and more clicks are no agreement"


def test_versions_and_periods_are_never_thrown_together() -> None:
    old = pairs(5)
    new = [run(100 + at, offline(at / 10, "v2"), online(at / 100, "2026-11-08/2026-11-14")) for at in range(6)]
    found = align([*old, *new], *KEYS)
    assert [(one.offline.dataset, one.online.dataset_hash, len(one.pairs)) for one in found] == [
        ("d@v2", "2026-11-08/2026-11-14", 6), ("d@v1", WEEK, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (pairs(4), "not enough runs"),
        ([*pairs(4), run(9, offline(float("nan")), online(0.1))], "not enough runs"),
        ([run(at, offline(0.5), online(at)) for at in range(6)], "the same"),
        ([run(at, offline(at), online(at, direction=None)) for at in range(6)], "no direction is recorded"),
    ],
)
def test_thin_evidence_gives_no_number(runs: list[StoredRun], why: str) -> None:
    (found,) = align(runs, *KEYS)
    assert found.interval is None
    assert why in found.answer


def test_the_interval_holds_what_it_promises() -> None:
    rng = np.random.default_rng(5)
    planted, count, inside = 0.6, 20, 0
    truth = 6 / np.pi * np.arcsin(planted / 2)  # Spearman's correlation of a bivariate normal law (Pearson 1907)
    for _ in range(1_000):
        x = rng.normal(size=count)
        y = planted * x + np.sqrt(1 - planted**2) * rng.normal(size=count)
        low, high = rank_interval(float(spearmanr(x, y).statistic), count)
        inside += low <= truth <= high
    assert 0.925 <= inside / 1_000 <= 0.975


def test_perfect_agreement_of_few_is_no_certainty() -> None:
    low, high = rank_interval(1.0, 5)
    assert high == 1.0
    assert low < 0.2
