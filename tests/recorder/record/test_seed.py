"""The seed of a record: the one that was stated, else the param that chooses it."""

import pytest

from ledger.model.values import ParamValue
from ledger.recorder.record.options import seed_of


@pytest.mark.parametrize(
    ("stated", "params", "seed"),
    [
        (None, {"lr": 0.1}, None),
        (None, {"seed": 3}, 3),
        (5, {"seed": 3}, 5),
        (None, {"random_seed": 4, "seed": 3}, 3),
        (None, {"manualSeed": 7}, 7),
        (None, {"seed_everything": 42}, 42),
        (None, {"seed_everything": True}, None),
        (None, {"data.seed": 3}, None),
        (None, {"seed": 1 << 64}, None),
    ],
)
def test_a_param_that_chooses_the_seed_is_the_seed(
    stated: int | None, params: dict[str, ParamValue], seed: int | None
) -> None:
    assert seed_of(stated, params) == seed
