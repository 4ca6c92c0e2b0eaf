"""Data in memory has a content hash, whoever holds it; looking at it changes nothing and uses nothing up."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from ledger.data.samples.leakage import find_leak
from ledger.data.version import in_memory
from ledger.data.version.in_memory import count_samples, describe, hash_data
from ledger.errors import LedgerError

X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.arange(6) % 2


class Rows(torch.utils.data.Dataset[tuple[object, int]]):
    def __init__(self, change: Callable[[], float] = lambda: 0.0) -> None:
        self.change = change

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, place: int) -> tuple[object, int]:
        return torch.from_numpy(X[place]) + self.change(), int(Y[place])


@pytest.mark.parametrize(
    ("data", "same"),
    [
        (X, torch.from_numpy(X)),
        ((X, Y), (torch.from_numpy(X), Y)),
        ((X, Y), (np.asfortranarray(X), Y.astype(">i8"))),
        ({"x": X, "y": Y}, {"x": X.copy(), "y": Y}),
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pa.table({"a": [1, 2], "b": ["x", None]})),
        (Rows(), torch.utils.data.DataLoader(Rows(), batch_size=2, shuffle=True)),
        (pd.Series([1, 2, 3]), [1, 2, 3]),
        ({"train": Rows(), "test": Rows()}, {"train": Rows(), "test": Rows()}),
    ],
)
def test_the_same_data_has_the_same_hash_whoever_holds_it(data: object, same: object) -> None:
    assert hash_data(data).hash == hash_data(same).hash


def test_other_data_has_another_hash() -> None:
    other = X.copy()
    other[5, 3] = 0
    frame = pd.DataFrame({"a": [1, 2]})
    made = [X, other, X[::-1], (X, Y), (X, 1 - Y), {"x": X, "y": Y}, frame, frame.rename(columns={"a": "b"}), Rows()]
    assert len({hash_data(data).hash for data in made}) == len(made)


def test_samples_are_counted_and_leaks_among_them_found() -> None:
    train, judged = hash_data((X, Y)), hash_data((X[4:], Y[4:]))
    assert count_samples(train) == 6
    leak = find_leak(judged.lines, train.lines, dataset="train", role="train")
    assert leak is not None
    assert leak.files == 2, "the names of the columns are no sample"


def test_many_samples_are_hashed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = hash_data(X).hash
    monkeypatch.setattr(in_memory, "MOST_SAMPLES", 3)
    for data in (X, (X, Y), pd.DataFrame({"a": range(6)}), pd.Series(range(6))):
        assert count_samples(hash_data(data)) is None
        assert hash_data(data).files <= 3
    assert hash_data(X).hash != one_by_one


def test_a_look_at_data_leaves_the_random_generators_alone() -> None:
    def draws() -> list[float]:
        return [random.random(), float(np.random.rand()), float(torch.rand(1))]  # noqa: NPY002, S311  # the global ones

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    expected = draws()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)

    def used() -> float:
        draws()
        return 0.0

    hash_data(Rows(used))
    assert draws() == expected


def test_samples_that_change_as_they_are_read_have_no_hash() -> None:
    with pytest.raises(LedgerError, match="samples change each time"):
        hash_data(Rows(lambda: float(torch.rand(1))))


def test_what_can_be_read_once_only_is_not_touched() -> None:
    def batches() -> Iterator[int]:
        yield from range(3)

    left = batches()
    with pytest.raises(LedgerError, match="without a length"):
        hash_data(left)
    assert list(left) == [0, 1, 2]


@pytest.mark.parametrize("data", [[], {}, np.float32(1), [object()], {1, 2}, np.zeros((0, 3))])
def test_what_has_no_samples_or_no_bytes_is_refused(data: object) -> None:
    with pytest.raises(LedgerError):
        hash_data(data)


def test_data_is_described_by_type_and_shape() -> None:
    assert describe(X) == "numpy.ndarray (6, 4)"
    assert describe(pd.DataFrame({"a": [1]})) == "pandas.DataFrame (1, 1)"
    assert describe([1, 2]) == "list of 2"
    assert describe(object()) == "object"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[9, 2]], columns=["a", "a"])),
        (
            pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
            pa.table([pa.array([9]), pa.array([2])], names=["a", "a"]),
        ),
        ({1: X, "1": Y}, {1: X + 1, "1": Y}),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[2]], columns=["a"])),
    ],
)
def test_columns_of_one_name_count_each(one: object, other: object) -> None:
    assert hash_data(one).hash != hash_data(other).hash


def test_parts_of_one_name_are_refused() -> None:
    with pytest.raises(LedgerError, match=r"`1/000000000000`"):
        hash_data({1: [1, 2], "1": [3, 4, 5]})


@pytest.mark.parametrize("name", ["a/b", "", "../x"])
def test_a_part_whose_name_is_no_part_of_a_path_is_refused(name: str) -> None:
    with pytest.raises(LedgerError, match=f"`{name}`"):
        hash_data({name: [1, 2]})


def test_parts_of_parts_are_hashed_to_a_limit() -> None:
    data: object = [1]
    for depth in range(6):
        if depth < 5:
            assert hash_data(data).lines[0].path == "a/" * depth + "000000000000"
        else:
            with pytest.raises(LedgerError, match="too deep"):
                hash_data(data)
        data = {"a": data}


@pytest.mark.parametrize(
    ("cells", "same"),
    [
        (pd.Series([1.0, None]), [1.0, None]),
        (pd.Series([pd.Timestamp("2026-01-02"), pd.NaT]), ["2026-01-02T00:00:00", None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["a", None], dtype="category"), ["a", None]),
        (pd.Series(["a", "b"], index=[7, 3]), ["a", "b"]),
    ],
)
def test_cells_are_plain_values_and_a_missing_one_is_none(cells: object, same: object) -> None:
    assert hash_data(cells).hash == hash_data(same).hash


def test_a_missing_cell_of_a_frame_is_none_in_every_library() -> None:
    frame = pd.DataFrame({"when": [pd.Timestamp("2026-01-02"), None], "x": [1.5, None]})
    assert hash_data(frame).hash == hash_data(pa.Table.from_pandas(frame)).hash


class Odd:
    """A foreign object that raises whatever it likes."""

    @property
    def shape(self) -> object:
        raise RuntimeError("not yet")

    def __len__(self) -> int:
        raise TypeError("unknown")


def test_a_foreign_object_that_raises_is_described_by_its_type_and_refused() -> None:
    assert describe(Odd()).endswith("Odd")
    with pytest.raises(LedgerError, match=r"Odd$"):
        hash_data(Odd())


def test_text_bytes_and_one_element_tuples_are_not_taken_apart_into_parts() -> None:
    assert [line.path for line in hash_data(b"ab").lines] == ["bytes"]
    assert count_samples(hash_data(b"ab")) is None
    assert hash_data((X,)).files == 1
    assert hash_data(([1, 2], [3])).files == 3
