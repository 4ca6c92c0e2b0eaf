"""The table of what a document may claim, and the characters that nobody sees."""

import sys
import unicodedata

import msgspec
import pytest

from ledger.errors import LedgerError
from ledger.model.characters import escaped, is_plain_prose, is_plain_text, look_alikes, plain
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.claims.rules import RULES, claims_in, refuse_claims
from ledger.model.record import Record
from ledger.store.integrity.rules import RULES as NAMES
from tests.conftest import ROOT
from tests.samples import sample_ledger

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_character_that_unicode_calls_unseen_is_known() -> None:
    missed = [
        f"U+{point:04X}"
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in UNSEEN and is_plain_text(chr(point))
    ]
    assert missed == []


@pytest.mark.parametrize("text", ["\u3164", "\u115f", "\u034f", "\U000e0000", "\U000e0100", "\x7f", "\x9b", "\u202e"])
def test_what_is_not_seen_is_shown_as_an_escape(text: str) -> None:
    assert plain(text).isascii()
    assert not is_plain_prose(text)
    assert escaped(f'"{text}"').isascii()


def test_json_stays_what_it_was() -> None:
    import json

    for text in ("\x9b31m", "\u202e", "\U000e0041", "\x7f", "é"):
        assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("name", ["accuracy", "точность", "R²", "µm", "β1", "Δloss", "naïve", "損失", "\u03b1_mean"])
def test_names_in_one_alphabet_are_names(name: str) -> None:
    assert look_alikes(name) is None


@pytest.mark.parametrize("name", ["\u0430ccuracy", "l\u043ess", "\uff41cc", "\U0001d41a", "v\u0430l/acc", "B\u039fX"])
def test_letters_that_look_like_others_are_named(name: str) -> None:
    assert "U+" in str(look_alikes(name))


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
    with pytest.raises(LedgerError, match="seen"):
        refuse_claims(noted("a\u202eb"))
    mixed = noted("\u0430ccuracy")
    assert [claim.severity for claim in claims_in(mixed)] == ["warning"]
    refuse_claims(mixed)
