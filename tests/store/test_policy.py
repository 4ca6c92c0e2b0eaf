"""What a team agreed on."""

import pytest

from ledger.capture.prices import PRICES
from ledger.errors import InvalidDocument, LedgerError
from ledger.resources import shipped
from ledger.store.policy import Limits, Policy, Require, load_policy


def test_the_shipped_policy_is_all_defaults() -> None:
    assert load_policy((shipped("templates") / "policy.yaml").read_bytes()) == Policy()


def test_the_shipped_policy_works_when_uncommented() -> None:
    text = (shipped("templates") / "policy.yaml").read_text()
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ") and ":" in line]
    lines = [line for line in lines if not line[0].isupper()]
    policy = load_policy("\n".join(lines).encode())
    assert policy.directions == {"validation/score": "higher", "perplexity_gap": "lower"}
    assert policy.prices.currency == "EUR"
    assert policy.limits == Limits()
    assert policy.require.clean_code == "captured"
    assert policy.require.repeats_for_best == 3


def test_nothing_is_required_by_default() -> None:
    assert load_policy(b"directions: {score: higher}\n").require == Require()
    assert not any(getattr(Require(), name) for name in Require.__struct_fields__)


def test_a_star_that_is_no_alias_is_no_alias() -> None:
    assert load_policy(b"directions: {'a*b': higher}\n").directions == {"a*b": "higher"}


def test_directions_and_limits_are_taken() -> None:
    policy = load_policy(b"directions: {score: higher}\nlimits: {figure_bytes: 10}\n")
    assert policy.directions == {"score": "higher"}
    assert policy.limits.figure_bytes == 10
    assert policy.prices == PRICES


@pytest.mark.parametrize(
    "text",
    [
        b"- a\n",
        b"directions: {score: up}\n",
        b"limit: {}\n",
        b"limits: {patch_byte: 3}\n",
        b"a: [\n",
        b"prices: {currency: 3}\n",
        b"!!python/object/apply:os.system ['true']\n",
        b"x: \xff\n",
        b"prices: {a: &a [1], b: *a}\n",
        b"limits: {figure_bytes: " + b"9" * 5000 + b"}\n",
        b"directions: " + b"[" * 30_000,
        b"require: {boxes: [everything]}\n",
        b"require: {clean_code: perhaps}\n",
        b"require: {repeats_for_best: -1}\n",
    ],
)
def test_a_malformed_policy_is_refused_in_one_line_that_names_the_file(text: bytes) -> None:
    with pytest.raises(LedgerError, match=r"policy\.yaml") as caught:
        load_policy(text)
    assert "\n" not in str(caught.value)


def test_a_team_states_secrets_of_its_own_and_wrong_ones_are_refused_together() -> None:
    stated = load_policy(b'secrets: {patterns: {acme-key: "acme_[a-z0-9]{12}"}, names: [kennwort], allow: [example-1]}')
    assert stated.secrets.patterns == {"acme-key": "acme_[a-z0-9]{12}"}
    with pytest.raises(InvalidDocument) as error:
        load_policy(b'secrets: {patterns: {acme-key: "(a+)+"}, names: ["x y"], allow: [a]}')
    assert len(error.value.problems) == 3
