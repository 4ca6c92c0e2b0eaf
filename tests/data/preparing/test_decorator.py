"""A cached function runs again for every call that could give another result, and for no other."""

import math
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ledger
from ledger.data.preparing.decorator import Cached
from ledger.errors import LedgerError, UsageError
from ledger.model.values import ParamValue


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_CACHE", str(tmp_path / "cache"))


def counted(**params: ParamValue) -> tuple[Callable[..., object], deque[object]]:
    """Return a cached function, and the calls that reached it: no list, whose content would be part of its code."""
    calls: deque[object] = deque()

    def step(*args: object, scale: object = 1, **rest: object) -> int:
        calls.append((args, scale, rest))
        return len(calls)

    return Cached(step, [], params, "", None), calls


DIFFERENT = [
    None, math.nan, math.inf, -math.inf, 0, 0.0, False, True, 1, 1.0, "", "1", "inf", "nan", [], [math.inf], [None],
    [1], 2**70,
]  # fmt: skip


def test_every_value_of_an_argument_has_a_result_of_its_own() -> None:
    step, _ = counted()
    numbers = [step(scale=value) for value in DIFFERENT]
    assert numbers == list(range(1, len(DIFFERENT) + 1))
    assert [step(scale=value) for value in DIFFERENT] == numbers


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (((), {}), ((), {"scale": 1})),
        (((1, 2), {}), ((1, 2), {"scale": 1})),
        (((), {"a": 1, "b": 2}), ((), {"b": 2, "a": 1})),
        (((), {"scale": Path("x/y")}), ((), {"scale": "x/y"})),
        (((), {"scale": (1, 2)}), ((), {"scale": [1, 2]})),
    ],
)
def test_one_call_in_two_forms_is_one_result(
    one: tuple[tuple[object, ...], dict[str, object]], same: tuple[tuple[object, ...], dict[str, object]]
) -> None:
    step, calls = counted()
    assert step(*one[0], **one[1]) == step(*same[0], **same[1])
    assert len(calls) == 1


def test_a_param_beside_the_arguments_counts() -> None:
    assert [len(calls) for step, calls in (counted(size=size) for size in (1, 2, 1)) if step()] == [1, 1, 0]


@pytest.mark.parametrize("value", [np.zeros(2), {"a": 1}, [[1]], object(), {1}, b"x"])
def test_an_argument_that_cannot_be_part_of_a_key_is_named(value: object) -> None:
    step, calls = counted()
    with pytest.raises(LedgerError, match="`scale`") as caught:
        step(scale=value)
    assert "dataset=" in str(caught.value.hint)
    with pytest.raises(LedgerError, match="`other`"):
        step(other=value)
    assert not calls


def test_a_call_that_the_function_does_not_take_is_pythons_own_error() -> None:
    def step(size: int) -> int:
        return size

    with pytest.raises(TypeError, match="size"):
        ledger.cached()(step)()  # type: ignore[call-arg]  # on purpose


def test_the_folder_to_write_to_is_not_the_callers_choice(tmp_path: Path) -> None:
    @ledger.cached()
    def step(out: Path) -> None:
        (out / "x").write_text("1")

    with pytest.raises(UsageError, match="cache"):
        step(out=tmp_path)
    assert step.path is None
    made = step
    made()  # type: ignore[call-arg]  # the cache gives `out`
    assert made.path is not None
    assert (made.path / "x").read_text() == "1"


def test_a_step_that_writes_nothing_or_raises_leaves_nothing(tmp_path: Path) -> None:
    @ledger.cached()
    def empty(out: Path) -> None:
        assert out.is_dir()

    @ledger.cached()
    def failing(out: Path) -> None:
        (out / "half").write_text("1")
        raise ValueError("no")

    with pytest.raises(LedgerError, match=r"wrote nothing: `.*empty`"):
        empty()  # type: ignore[call-arg]  # the cache gives `out`
    with pytest.raises(ValueError, match="no"):
        failing()  # type: ignore[call-arg]  # as above
    assert list((tmp_path / "cache" / "making").iterdir()) == []
    assert list((tmp_path / "cache" / "steps").glob("*.json")) == []


def test_a_decorated_function_keeps_its_name_and_its_words() -> None:
    @ledger.cached()
    def step() -> int:
        """Count."""
        return 1

    assert (getattr(step, "__name__", ""), step.__doc__) == ("step", "Count.")


def test_several_datasets_count_by_their_content_and_a_missing_one_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    calls: deque[int] = deque()

    @ledger.cached(dataset=[tmp_path / "a", str(tmp_path / "b")])
    def step() -> int:
        calls.append(1)
        return len(calls)

    assert (step(), step()) == (1, 1)
    (tmp_path / "b").write_text("other")
    assert step() == 2
    (tmp_path / "b").unlink()
    with pytest.raises(LedgerError, match="b"):
        step()
