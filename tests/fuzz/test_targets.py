"""The fuzzer begins where it is of use: with inputs that each reader accepts."""

import pytest

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_begins_with_is_accepted(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert seeds
    for seed in seeds:
        TARGETS[name].read(seed)  # which raises where it refuses
