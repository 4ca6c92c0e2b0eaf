"""The hash of code that a script hands over: equal for equal code and state, another for any other."""

import enum
import functools
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ledger.data.preparing.object_code import hash_object, object_name
from ledger.errors import LedgerError
from tests.conftest import ROOT


class Filling(enum.Enum):
    ZERO = 0
    EDGE = 1


class Crop:
    def __init__(self, size: int, filling: Filling = Filling.ZERO) -> None:
        self._size = size
        self.filling = filling
        self.chance = random.Random(size)  # noqa: S311  # no secret

    def __call__(self, picture: object) -> object:
        return flip(picture)


class Shift(nn.Module):
    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


class Slotted:
    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


def flip(picture: object) -> object:
    return picture


def turn(picture: object) -> object:
    return (picture,)


def test_objects_of_equal_state_are_equal_and_a_private_attribute_counts() -> None:
    assert hash_object(Crop(28)) == hash_object(Crop(28))
    assert hash_object(Crop(28)) != hash_object(Crop(32))
    assert hash_object(Crop(28)) != hash_object(Crop(28, Filling.EDGE))
    assert hash_object(Slotted(1)) != hash_object(Slotted(2))


def test_a_random_generator_and_the_mode_of_a_module_are_no_code() -> None:
    one, other = Crop(28), Crop(28)
    other.chance.gauss(0, 1)
    assert hash_object(one) == hash_object(other)
    module = nn.Sequential(Shift(2))
    before = hash_object(module)
    module.eval()
    assert hash_object(module) == before
    assert hash_object(nn.Sequential(Shift(3))) != before


def test_lists_partials_and_methods_count_with_what_they_hold() -> None:
    assert hash_object([flip, turn]) != hash_object([turn, flip])
    assert hash_object({"a": flip, "b": turn}) == hash_object({"b": turn, "a": flip})
    assert hash_object(functools.partial(flip, 1)) != hash_object(functools.partial(flip, 2))
    assert hash_object(Crop(28).__call__) != hash_object(Crop(32).__call__)
    assert hash_object(np.array([1, 2])) != hash_object(np.array([1, 3]))
    assert hash_object(torch.tensor([1, 2])) == hash_object(torch.tensor([1, 2]))


def test_an_object_that_holds_itself_has_a_hash() -> None:
    one = Crop(28)
    one.filling = one  # type: ignore[assignment]  # as objects that point back at their parent do
    assert hash_object(one) == hash_object(one)


def test_code_of_a_library_counts_by_its_name_and_state() -> None:
    assert hash_object(functools.reduce) != hash_object(functools.partial)
    assert hash_object(nn.Dropout(0.1)) != hash_object(nn.Dropout(0.2))


def test_data_given_by_mistake_is_refused() -> None:
    with pytest.raises(LedgerError, match="too much to be the code of a step"):
        hash_object(list(range(20_000)))


def test_a_function_that_it_calls_counts_and_processes_agree(tmp_path: Path) -> None:
    def hash_with(helper: str, seed: str) -> str:
        (tmp_path / "steps.py").write_text(
            f"def helper(x):\n    return {helper}\n\ndef augment(x):\n    return helper(x), {{'b', 'a'}}\n", "utf-8"
        )
        asked = (
            "import steps; from ledger.data.preparing.object_code import hash_object; print(hash_object(steps.augment))"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        return done.stdout

    assert hash_with("x", "1") == hash_with("x", "2")
    assert hash_with("x", "1") != hash_with("x + 1", "1")


def test_code_is_called_by_its_name_or_by_what_it_says_of_itself() -> None:
    assert object_name(flip) == f"{__name__}.flip"
    assert object_name(Crop(28)) == f"{__name__}.Crop"
    assert object_name([flip, nn.Dropout(0.1)]) == f"{__name__}.flip, Dropout(p=0.1, inplace=False)"
    assert object_name(functools.partial(flip, 1)) == f"{__name__}.flip"
    assert len(object_name([nn.Dropout(0.1)] * 1000)) <= 301
