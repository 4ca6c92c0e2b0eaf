"""Names that can be seen, told apart and read aloud: in every document, each told once where it is met first."""

import pytest

from ledger.model.boxes.outputs import Metric, Results
from ledger.model.claims import naming
from ledger.model.claims.facts import Facts
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.claims.rules import claims_in
from tests.minimal import minimal_record
from tests.samples import sample_datasets

CYRILLIC_A = "\u0430"


def test_a_name_that_cannot_be_seen_is_told_with_its_place() -> None:
    record = minimal_record(
        experiment="",
        tags=["good", "x" * 201],
        results=Results(metrics=[Metric(name="a\u200b", value=1.0)]),
    )
    assert [field for field, _ in naming.wrong(Facts(record))] == ["experiment", "tags[1]", "results.metrics[0].name"]


@pytest.mark.parametrize(("count", "told"), [(MOST_TAGS, 0), (MOST_TAGS + 1, 1)])
def test_a_run_may_have_a_thousand_tags(count: int, told: int) -> None:
    facts = Facts(minimal_record(tags=[f"t{number}" for number in range(count)]))
    assert len(list(naming.too_many(facts))) == told
    assert list(naming.too_many(Facts(sample_datasets()[0]))) == []


def test_a_mixed_name_is_told_where_it_is_met_first_and_not_again() -> None:
    metrics = [Metric(name=f"v{CYRILLIC_A}l", split=split, value=1.0) for split in ("a", "b")]
    found = list(naming.mixed(Facts(minimal_record(results=Results(metrics=metrics)))))
    assert found == [
        (
            "results.metrics[0].name",
            f"results.metrics[0].name mixes letters that look alike: {CYRILLIC_A} (U+0430) in `v{CYRILLIC_A}l`",
        )
    ]


def test_a_name_in_two_forms_of_one_letter_is_told_and_a_composed_one_is_not() -> None:
    ((field, message),) = naming.decomposed(
        Facts(minimal_record(experiment="Gro\u0308\u00dfe", tags=["Gr\u00f6\u00dfe"]))
    )
    assert field == "experiment"
    assert message.endswith("`Gro\\u0308\\xdfe`")


def test_a_claim_carries_the_mend_and_the_weight_of_its_rule() -> None:
    hidden, mixed = claims_in(minimal_record(experiment="a\u200b", tags=[f"v{CYRILLIC_A}l"]))
    assert (hidden.rule, hidden.severity, hidden.field) == ("text", "error", "experiment")
    assert hidden.hint.startswith("a name is one line")
    assert (mixed.rule, mixed.severity, mixed.field) == ("text", "warning", "tags[0]")
