"""The fuzzer begins where it is of use: with inputs that each reader accepts."""

import pytest

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_begins_with_is_accepted(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].read(seed)
