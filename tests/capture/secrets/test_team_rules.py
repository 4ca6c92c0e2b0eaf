"""What a team calls a secret of its own: shapes that run in linear time, names, and texts that are none."""

import pytest

from ledger.capture.secrets.redactor import Redactor
from ledger.capture.secrets.team_rules import NONE, OwnSecrets, wrong_secrets

SHAPES = {
    "acme_[a-z0-9]{8}": ("acme_0a1b2c3d", "acme_0a1b2c3"),
    "tok[0-9]{4,5}": ("tok12345", "tok123"),
    "abca{3}-[a-f]{2}": ("abcaaa-ff", "abcaaaa-ff"),
    "abcx?-[a-f]{2}": ("abc-ff", "abcy-ff"),
    r"key=\d{3}\.\w{2}": ("key=123.ab", "key=12.ab"),
}


@pytest.mark.parametrize("pattern", SHAPES)
def test_a_shape_finds_what_it_says_and_nothing_else(pattern: str) -> None:
    own = OwnSecrets(patterns={"acme-key": pattern})
    secret, harmless = SHAPES[pattern]
    assert list(wrong_secrets(own)) == []
    assert Redactor(own).text(f"see {secret}, please") == "see [redacted: acme-key], please"
    for kept in (harmless, f"{secret}9", f"9{secret}"):
        assert Redactor(own).text(f"see {kept}, please") == f"see {kept}, please"
    assert Redactor(NONE).text(f"see {secret}, please") == f"see {secret}, please"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("ab[a-z]{9}", "must begin with three plain characters"),
        ("[a-z]{9}", "must begin with three plain characters"),
        ("abc{3}", "must begin with three plain characters"),
        ("abc?d", "must begin with three plain characters"),
        ("acme_(a|b)", "are understood"),
        ("acme_.*", "are understood"),
        ("acme_[a-z]+", "are understood"),
        ("acme_[a-z]{513}", "repeated 512 times at most"),
        ("acme_[a-z]{9,3}", "repeated 512 times at most"),
        ("acme_[a-z]{1,9}[0-9]{1,9}", "only one class may have a number of times that varies"),
        ("acme_[z-a]", "it is not a valid pattern"),
        ("acme_" + "a" * 116, "longer than 120 characters"),
    ],
)
def test_a_shape_that_could_run_long_or_finds_everything_is_refused(pattern: str, why: str) -> None:
    (said,) = wrong_secrets(OwnSecrets(patterns={"acme-key": pattern}))
    assert said.startswith("secrets.patterns.acme-key: ")
    assert why in said


@pytest.mark.parametrize(
    "pattern", ["acme_[a-z]{512}", "acme_[a-z]{3}[0-9]{9}", "acme_[a-z]{3,3}[0-9]{1,9}", "acme_" + "a" * 115]
)
def test_a_shape_at_its_limits_is_taken(pattern: str) -> None:
    assert list(wrong_secrets(OwnSecrets(patterns={"acme-key": pattern}))) == []


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (OwnSecrets(patterns={"Acme": "acme_[a-z]{8}"}), "a kind must be lower-case letters"),
        (OwnSecrets(names=["ab"]), "secrets.names: a name must be 3 to 40"),
        (OwnSecrets(names=["a" * 41]), "secrets.names: a name must be 3 to 40"),
        (OwnSecrets(names=["a b c"]), "secrets.names: a name must be 3 to 40"),
        (OwnSecrets(allow=["a" * 5]), "secrets.allow: a text must be 6 to 480 characters long"),
        (OwnSecrets(allow=["a" * 481]), "secrets.allow: a text must be 6 to 480 characters long"),
        (OwnSecrets(names=[f"name-{number}" for number in range(51)]), "at most 50"),
        (OwnSecrets(allow=[f"text-{number}" for number in range(51)]), "at most 50"),
        (OwnSecrets(patterns={f"k{number}": "acme_[a-z]{8}" for number in range(51)}), "at most 50"),
    ],
)
def test_what_is_wrong_with_a_team_s_secrets_is_said(own: OwnSecrets, said: str) -> None:
    (found,) = wrong_secrets(own)
    assert said in found


def test_what_is_as_large_as_it_may_be_is_taken() -> None:
    names, texts = [f"name-{number}" for number in range(50)], ["a" * 6, "a" * 480]
    assert list(wrong_secrets(OwnSecrets(names=[*names[:48], "abc", "a" * 40], allow=texts))) == []


def test_values_under_a_team_s_names_are_secret_in_any_letter_case() -> None:
    own = OwnSecrets(names=["Kennwort"], allow=["ghp_0123456789abcdefghijklmnopqrstuvwxyz"])
    assert "swordfish" not in Redactor(own).text("kennwort: swordfish")
    assert "swordfish" not in Redactor(own).text("KENNWORT=swordfish")
    assert Redactor(own).text("ghp_0123456789abcdefghijklmnopqrstuvwxyz") == "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
