"""What a team agreed on."""

import pytest

from ledger.capture.machine.pricing.prices import PRICES
from ledger.errors import InvalidDocument, LedgerError
from ledger.resources import shipped
from ledger.store.branch.policy import Limits, Policy, Require, load_policy


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


def test_signers_are_lines_of_an_allowed_signers_file() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb2l1m0aaaaaaaa comment"
    text = f'signatures:\n  signers: |\n    # the team\n    ada@example.com,b@c.d namespaces="ledger" {key}\n'
    assert key in load_policy(text.encode()).signatures.signers


def test_a_bomb_of_aliases_is_refused_before_it_is_built() -> None:
    levels = "\n".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 400))
    with pytest.raises(LedgerError, match="alias"):
        load_policy(f"prices:\n  a0: &a0 [1]\n{levels}\n".encode())


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
        b"limits: {record_bytes: 0}\n",
        b"limits: {patch_bytes: -1}\n",
        b"limits: {curve_points: 0}\n",
        b"limits: {metrics: 99999999999}\n",
        b"limits: {log_bytes: 9223372036854775807}\n",
        b"limits: {entry_bytes: .inf}\n",
        b"signatures: {signers: trust me}\n",
        b"signatures: {signers: ada@example.com ssh-ed25519}\n",
        b"signatures: {signers: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb2l1m0aaaaaaaa'}\n",
        b"signatures: {signers: 'ada@example.com -----BEGIN OPENSSH PRIVATE KEY-----'}\n",
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


def test_rows_energy_and_budgets_are_read_with_days_as_yaml_has_them() -> None:
    text = b"""
prices:
  name: ours
  currency: EUR
  rows:
    - {gpu: H100, kind: on-demand, price_per_hour: 3.5, from: 2026-01-01, to: "2026-06-30", source: list}
    - {gpu: H100, kind: owned, owned: {price: 43800, years: 5, use: 1, watts: 500}, from: 2026-07-01, source: bill}
energy: {tariff: 0.4, pue: 1.5, region: DEU}
spending: {amount: 500, per: week}
"""
    policy = load_policy(text)
    first, second = policy.prices.rows
    assert (str(first.valid_from), str(first.valid_to), first.currency) == ("2026-01-01", "2026-06-30", "EUR")
    assert second.price_per_hour == pytest.approx(1 + 0.5 * 1.5 * 0.4)
    assert (policy.energy.region, [one.per for one in policy.spending]) == ("DEU", ["week"])
    budgets = load_policy(b"spending: [{amount: 5, per: person}, {amount: 9, per: year, currency: USD}]\n").spending
    assert [(one.amount, one.currency) for one in budgets] == [(5, None), (9, "USD")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("energy: {pue: 0.5}", "energy.pue: at least 1 expected"),
        ("energy: {region: NO}", "energy.region: YAML reads `NO` as false; write `NOR`"),
        ("energy: {region: Narnia}", "energy.region: a country such as `DEU`"),
        ("energy: {power: 1}", "unknown field `power`"),
        ("spending: {amount: 0, per: week}", "spending.amount: an amount above 0 expected: `0`"),
        ("spending: {amount: .nan, per: week}", "spending.amount: an amount above 0"),
        ("spending: {amount: 1, per: day}", "$.spending.per"),
        ("spending: [{amount: 1, per: week}, {amount: 1, per: week, currency: euro}]", "spending[1].currency: three"),
        ("prices: {name: x, currency: EUR, rows: [{gpu: L4, from: 2026-01-01 10:00:00}]}", "rows[0].from: a day"),
    ],
)
def test_what_is_wrong_with_money_is_said_by_its_field(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        load_policy(text.encode())
    assert any(said in problem for problem in error.value.problems), error.value.problems
