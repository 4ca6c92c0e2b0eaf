"""The table of what a document may claim."""

import msgspec
import pytest

from ledger.errors import LedgerError
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.claims.rules import RULES, claims_in, refuse_claims
from ledger.model.record import Record
from ledger.store.integrity.rules import RULES as NAMES
from tests.conftest import ROOT
from tests.samples import sample_ledger


def test_the_handbook_has_every_rule() -> None:
    page = (ROOT / "site/docs/handbook/checking.md").read_text("utf-8")
    for rule in RULES:
        weight = {"error": "refused", "warning": "told"}[rule.severity]
        assert f"| `{rule.name}` | {rule.asks} | {weight} |" in page
    for name in NAMES:
        assert f"| `{name}` |" in page
    assert {rule.name for rule in RULES} <= NAMES.keys()
    assert all(rule.hint for rule in RULES)


def noted(text: str, tags: int = 0) -> Record:
    record = sample_ledger()[0].runs[0].record
    return msgspec.structs.replace(record, tags=[f"{text}{number}" for number in range(tags)] or [text])


def test_a_document_is_looked_at_whole_unless_its_values_are_known_to_be_sound() -> None:
    hidden = noted("a\u202eb")
    assert [claim.rule for claim in claims_in(hidden)] == ["text"]
    assert list(claims_in(hidden, sound=True)) == []
    assert [claim.rule for claim in claims_in(noted("t", MOST_TAGS + 1), sound=True)] == ["text"]


def test_what_is_an_error_is_refused_and_what_is_a_warning_is_not() -> None:
    with pytest.raises(LedgerError, match="invisible characters"):
        refuse_claims(noted("a\u202eb"))
    mixed = noted("\u0430ccuracy")
    assert [claim.severity for claim in claims_in(mixed)] == ["warning"]
    refuse_claims(mixed)
