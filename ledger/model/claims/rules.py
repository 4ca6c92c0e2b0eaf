"""The table of rules on what a document may claim, asked where documents are made and wherever they arrive.

A rule looks at one document and at nothing beside it. What recording refuses, `ledger check`, a review, a server and
`ledger verify` refuse in the same words, since it is the same table.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ledger.errors import LedgerError
from ledger.model.claims import forms, measurements, naming
from ledger.model.claims.facts import Facts
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.values import Document

Weight = Literal["error", "warning"]
"""Whether a finding keeps an entry off the ledger or is only reported."""


class Claim(Document, frozen=True, kw_only=True):
    """One finding: a claim of a document that cannot be true, or is hard to believe."""

    rule: str
    """Name of the rule."""
    severity: Weight
    """Whether it keeps the document off the ledger."""
    field: str
    """Path of the field in the document."""
    message: str
    """What is wrong, in one line."""
    hint: str
    """How to fix it."""


class ClaimRule(NamedTuple):
    """One row of the table of rules."""

    name: str
    """Its name in findings; several rows may share one."""
    severity: Weight
    asks: str
    """One line on what it demands; the handbook's table is made of these."""
    hint: str
    """How to fix a finding."""
    find: Callable[[Facts], Iterator[tuple[str, str]]]
    """Yields the field and the message of each violation."""


_AGAIN = "record it again without it; what is already on the ledger can be retracted: ledger retract RUN --because TEXT"
_LOOK = "check it; if it is wrong, say so in a note or retract it"
_NAME = "a name is one line of 1 to 200 visible characters"

RULES: tuple[ClaimRule, ...] = (
    ClaimRule("claim", "error", "counts, sizes, energies and prices are not negative", _AGAIN, forms.negative),
    ClaimRule("claim", "error", "whole numbers fit 64 bits", _AGAIN, forms.too_large),
    ClaimRule(
        "claim", "error", f"times lie in the years {forms.FIRST_YEAR} to {forms.LAST_YEAR}", _AGAIN, forms.far_times
    ),
    ClaimRule("claim", "error", "times are in UTC", "write them in UTC: 2026-11-20T10:00:00Z", forms.other_zones),
    ClaimRule("claim", "error", "hashes and commits have the form that ledger writes", _AGAIN, forms.wrong_hashes),
    ClaimRule("claim", "error", "a currency is three capital letters (ISO 4217)", "such as EUR", forms.wrong_currency),
    ClaimRule(
        "claim",
        "error",
        "a row of prices holds on a day, for one of instance, GPU and partition; a PUE is at least 1",
        _AGAIN,
        forms.wrong_prices,
    ),
    ClaimRule(
        "claim",
        "error",
        "names and versions of datasets hold no `/`, `\\`, `@` or `..`",
        "ledger dataset add NAME PATH --version LABEL",
        forms.wrong_datasets,
    ),
    ClaimRule("claim", "error", "a run is not its own parent, baseline or child", _AGAIN, forms.own_relatives),
    ClaimRule("claim", "error", "what is a part is not more than the whole", _AGAIN, measurements.parts),
    ClaimRule(
        "claim", "error", "a measurement is stated once", "state one value for each metric", measurements.metrics_twice
    ),
    ClaimRule("claim", "error", "a figure or table is named once", _AGAIN, measurements.files_twice),
    ClaimRule(
        "claim",
        "error",
        "a metric is on the content that the dataset of its name had",
        _AGAIN,
        measurements.other_content,
    ),
    ClaimRule("plausible", "warning", "a metric is on a dataset that the run used", _LOOK, measurements.unused_data),
    ClaimRule(
        "plausible", "warning", "what is judged on is not what was trained on", _LOOK, measurements.judged_on_training
    ),
    ClaimRule("text", "error", "names are seen, not blank and not endless", _NAME, naming.wrong),
    ClaimRule("text", "error", f"a run has {MOST_TAGS:,} tags at most", "say the rest in a note", naming.too_many),
    ClaimRule("text", "warning", "no name mixes alphabets that look alike", "write it in one alphabet", naming.mixed),
    ClaimRule("text", "warning", "names are in Unicode's form C", "ledger record writes it so", naming.decomposed),
)
"""Every rule that one document can break by itself."""


OF_SINGLE_VALUES = frozenset(
    [
        *(forms.negative, forms.too_large, forms.far_times, forms.other_zones, forms.wrong_hashes),
        *(naming.wrong, naming.mixed, naming.decomposed),
    ]
)
"""Rules on single values; `soundness.py` can show from a document's bytes that it keeps them."""
_OF_MORE = tuple(rule for rule in RULES if rule.find not in OF_SINGLE_VALUES)


def claims_in(document: object, *, sound: bool = False) -> Iterator[Claim]:
    """Yield every claim of a document that cannot be true or is hard to believe; errors first within each rule.

    Args:
        document: which one.
        sound: whether its single values are known to keep the rules.
    """
    facts = Facts(document)
    for rule in _OF_MORE if sound else RULES:
        for field, message in rule.find(facts):
            yield Claim(rule=rule.name, severity=rule.severity, field=field, message=message, hint=rule.hint)


def refuse_claims(document: object) -> None:
    """Refuse a document that breaks a rule, before it is sent to a place that would refuse it.

    Raises:
        LedgerError: it breaks a rule; the message names the first finding, with its fix.
    """
    first = next((claim for claim in claims_in(document) if claim.severity == "error"), None)
    if first is not None:
        raise LedgerError(first.message, hint=first.hint)
