"""Every kind of secret is found by its example and not by its look-alike; harmless text stays as it is."""

import pytest

from ledger.capture.secrets.redactor import Redactor, find_secrets
from ledger.capture.secrets.rules import RULES
from tests.capture.secrets.examples import KINDS
from tests.capture.secrets.harmless import HARMLESS
from tests.capture.secrets.texts import drawn, made
from tests.conftest import ROOT

AROUND = ("{}", "loaded {} from there", "['{}']", "a\n+{}\nb")


def test_at_least_150_kinds_have_an_example() -> None:
    known = {kind for kind, _, _ in KINDS}
    assert len(known) >= 150
    assert {rule.kind for rule in RULES} == known


@pytest.mark.parametrize(("kind", "example"), [(kind, example) for kind, example, _ in KINDS])
def test_the_example_of_a_kind_is_found(kind: str, example: str) -> None:
    for seed in range(5):
        text, secret = made(example, seed), max(drawn(example, seed), key=len)
        for around in AROUND:
            redactor = Redactor()
            redacted = redactor.text(around.format(text))
            assert secret not in redacted, text
            assert kind in redactor.counts, redactor.counts
            assert find_secrets(redacted.encode()) == {}


@pytest.mark.parametrize("harmless", [harmless for _, _, harmless in KINDS])
def test_the_look_alike_of_a_kind_is_left_alone(harmless: str) -> None:
    text = made(harmless)
    assert Redactor().text(text) == text


def test_at_most_one_of_51_harmless_texts_is_changed() -> None:
    assert len(HARMLESS) >= 150
    changed = [text for text in HARMLESS if Redactor().text(text) != text]
    assert len(changed) * 51 <= len(HARMLESS), changed


def test_the_handbook_lists_every_kind() -> None:
    page = (ROOT / "site" / "docs" / "handbook" / "secrets.md").read_text("utf-8")
    kinds = {rule.kind for rule in RULES}
    assert not {kind for kind in kinds if f"`{kind}`" not in page}
    assert f"\n{len(kinds)} kinds are known" in page
