"""Costs that are not in a record: what more runs would cost, and what runs would cost at today's prices."""

from statistics import mean

from ledger.analysis.judging.prediction import predict_sum
from ledger.analysis.query.language import Query, parse_query
from ledger.capture.machine.pricing.cost import GPUS_UNKNOWN, capture_cost
from ledger.errors import LedgerError, NotFound
from ledger.model.boxes.cost import PriceRow
from ledger.model.values import Document
from ledger.recorder.record.boxes import unknown_machine
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import select_runs


class CostEstimate(Document, frozen=True, kw_only=True):
    """What more runs of an experiment would cost."""

    experiment: str
    """The experiment."""
    runs: int
    """How many runs."""
    based_on: int
    """Number of finished runs of known cost that it is based on."""
    amount: float
    """Expected cost of all of them."""
    currency: str
    """Its currency."""
    low: float | None = None
    """Lower end of the 95 % prediction interval; none with fewer than three runs."""
    high: float | None = None
    """Upper end."""
    seconds: float | None = None
    """Expected time of all of them, one after the other."""


class Recosted(Document, frozen=True, kw_only=True):
    """A run at the prices of its time and of today."""

    run: str
    """The run."""
    before: float | None
    """Its cost as recorded."""
    before_currency: str | None
    """Currency of that."""
    now: float | None
    """Its cost by today's catalogue."""
    now_currency: str | None
    """Currency of that."""
    row: PriceRow | None = None
    """Row of today's policy that the cost comes from, the one that held when the run began."""
    why: str = "unknown"
    """Why there is no cost by today's catalogue."""


def estimate_cost(ledger: Branch, experiment: str, runs: int) -> CostEstimate:
    """Return what more runs would cost, by the mean of those that finished.

    Raises:
        NotFound: no finished run of that experiment has a known cost.
        LedgerError: their costs are in different currencies.
        ModuleNotFoundError: scipy is not installed.
    """
    found = select_runs(ledger, parse_query(f"experiment = {experiment!r} and status = finished")).runs
    known = [run.record for run in found if run.record.cost.amount is not None]
    currencies = {record.cost.currency for record in known}
    if not known:
        raise NotFound(f"no finished run of this experiment has a known cost: `{experiment}`", hint="ledger cost")
    if len(currencies) > 1:
        raise LedgerError(f"runs of this experiment have costs in several currencies: `{experiment}`")
    amounts = [record.cost.amount or 0.0 for record in known]
    times = [record.timing.took for record in known if record.timing.took]
    reach = predict_sum(amounts, runs)
    return CostEstimate(
        experiment=experiment,
        runs=runs,
        based_on=len(amounts),
        amount=mean(amounts) * runs,
        currency=currencies.pop() or "",
        low=max(0.0, reach[0]) if reach else None,
        high=reach[1] if reach else None,
        seconds=mean(times) * runs if times else None,
    )


def recost(ledger: Branch, query: Query | None = None) -> list[Recosted]:
    """Return runs at the prices of their time and of today's policy, newest first; nothing is written.

    Rows of the policy are chosen by the start of each run.

    Raises:
        UsageError: nothing has a name in the query, or several have.
        LedgerError: git cannot read the branch, or the policy is damaged.
    """
    policy = ledger.policy
    found: list[Recosted] = []
    for run in select_runs(ledger, query).runs:
        record = run.record
        took = record.timing.took
        started = None if "started_at" in record.timing.unknown else record.timing.started_at.date()
        now = capture_cost(record.hardware, took, policy.prices, started=started) if took is not None else None
        why = now.unknown.get("amount", "unknown") if now is not None else "its duration is unknown"
        if record.imported is not None and why == GPUS_UNKNOWN:
            why = unknown_machine(record.imported)
        found.append(
            Recosted(
                run=record.id,
                before=record.cost.amount,
                before_currency=record.cost.currency,
                now=now.amount if now else None,
                now_currency=now.currency if now else None,
                row=now.row if now else None,
                why=why,
            )
        )
    return found
