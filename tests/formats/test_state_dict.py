"""Which tensors of a checkpoint are parameters: known names first, and where there is doubt, nothing."""

from collections.abc import Iterator

import pytest

from ledger.formats.state_dict import MOST_SIDES, StateDict, Tensor, find_parameters, parameters_in, total


class Model:
    """A model that was stored whole."""

    def __init__(self, *tensors: Tensor) -> None:
        self._tensors = tensors

    def tensors(self) -> Iterator[Tensor]:
        return iter(self._tensors)


def tensor(*size: int, storage: str = "", kind: str = "FloatStorage", offset: int = 0) -> Tensor:
    return Tensor(storage or f"own {next(_NUMBERS)}", size, kind, offset)


_NUMBERS = iter(range(10_000))


def state(**tensors: Tensor) -> dict[object, object]:
    return {name.replace("__", "."): value for name, value in tensors.items()}


def of_module(**tensors: Tensor) -> StateDict:
    made = StateDict()
    made.update(state(**tensors))
    made.of_module = True
    return made


def found(root: dict[object, object]) -> int:
    return total(find_parameters(root, Model))


W = state(fc__weight=tensor(3, 4), fc__bias=tensor(3))


@pytest.mark.parametrize(
    ("ranges", "covered"),
    [
        ([(0, 10), (0, 10)], 10),
        ([(0, 10), (10, 5)], 15),
        ([(0, 10), (5, 10)], 15),
        ([(0, 100), (10, 5), (50, 60)], 110),
        ([(5, 0)], 0),
        ([], 0),
    ],
)
def test_places_of_one_storage_count_once(ranges: list[tuple[int, int]], covered: int) -> None:
    assert total(tensor(count, storage="s", offset=offset) for offset, count in ranges) == covered
    assert total(tensor(count, offset=offset) for offset, count in ranges) == sum(count for _, count in ranges)


@pytest.mark.parametrize(
    "name",
    ["bn.running_mean", "bn.num_batches_tracked", "n_averaged", "rope.inv_freq", "attn.tril", "pe", "fc._extra_state"],
)  # fmt: skip
def test_what_a_module_counts_and_caches_is_no_parameter(name: str) -> None:
    assert total(parameters_in({"fc.weight": tensor(3), name: tensor(100)})) == 3


def test_a_name_that_only_ends_like_a_buffer_is_a_parameter() -> None:
    assert total(parameters_in({"shape": tensor(3), "fc.shape": tensor(4), "retrained.slope": tensor(5)})) == 12


@pytest.mark.parametrize(("size", "count"), [((1, 1, 8, 8), 3), ((8,), 11)])
def test_the_bias_of_attention_is_a_mask_where_it_has_four_sides(size: tuple[int, ...], count: int) -> None:
    assert total(parameters_in({"fc.weight": tensor(3), "h.0.attn.bias": tensor(*size)})) == count


@pytest.mark.parametrize("kind", ["LongStorage", "BoolStorage", "int64", "uint16", "I32", "BOOL"])
def test_whole_numbers_are_no_parameters(kind: str) -> None:
    assert total(parameters_in({"fc.weight": tensor(3), "ids": tensor(100, kind=kind)})) == 3


@pytest.mark.parametrize("kind", ["ByteStorage", "CharStorage", "QInt8Storage", "U8", "I8", "int8"])
def test_packed_numbers_are_refused_where_there_is_more_than_one(kind: str) -> None:
    assert total(parameters_in({"fc.weight": tensor(3), "scale": tensor(kind=kind)})) == 4
    with pytest.raises(ValueError, match=r"quantised: fc\.packed"):
        parameters_in({"fc.weight": tensor(3), "fc.packed": tensor(100, kind=kind)})


def test_an_average_of_the_weights_counts_where_it_is_alone() -> None:
    average = {"ema.fc.weight": tensor(5)}
    assert total(parameters_in({**average, "fc.weight": tensor(3)})) == 3
    assert total(parameters_in(average)) == 5


def test_an_entry_that_is_no_tensor_is_named_unless_it_is_empty_or_a_buffer() -> None:
    good: dict[object, object] = {"fc.weight": tensor(3), "fc.bias": None, "fc._extra_state": b"x"}
    assert total(parameters_in(good)) == 3
    with pytest.raises(ValueError, match=r"not all of its entries are plain tensors: fc\.lora"):
        parameters_in({**good, "fc.lora": {"a": 1}})
    with pytest.raises(ValueError, match="no parameters"):
        parameters_in({"bn.running_mean": tensor(3)})


@pytest.mark.parametrize("key", ["model", "STATE_DICT", "net", "params"])
def test_the_model_is_found_under_a_known_name_in_any_letter_case(key: str) -> None:
    assert found({key: W, "optimizer": {"state": {0: state(exp_avg=tensor(99))}}, "epoch": 3}) == 15


def test_the_same_model_twice_is_one_and_two_sizes_are_a_doubt() -> None:
    assert found({"model": W, "module": state(fc__weight=tensor(3, 5))}) == 15
    with pytest.raises(ValueError, match="several models: model, net"):
        found({"model": W, "net": state(fc__weight=tensor(7))})


def test_an_average_beside_the_model_is_not_asked_and_alone_it_is() -> None:
    average = state(fc__weight=tensor(7))
    assert found({"model": W, "model_ema": average}) == 15
    assert found({"model_ema": average}) == 7
    with pytest.raises(ValueError, match="no state dict"):
        found({"ema.optimizer": average, "epoch": 3})


def test_a_model_that_was_stored_whole_counts_what_says_whether_it_is_trained() -> None:
    trained, buffer = tensor(4), tensor(100)
    trained.trained = False
    assert found({"model": Model(trained, buffer)}) == 4
    assert found({"model": None, "net": Model(trained)}) == 4


def test_a_checkpoint_in_checkpoints_is_followed_five_deep_and_no_deeper() -> None:
    root: dict[object, object] = {"model": W}
    for _ in range(4):
        root = {"model": root}
    assert found(root) == 15
    with pytest.raises(ValueError, match="no state dict"):
        found({"model": root})


def test_what_a_module_made_is_found_under_any_name_but_that_of_an_optimizer_or_a_loss() -> None:
    module = of_module(scale=tensor(7))
    assert found({"encoder": module, "epoch": 3}) == 7
    for name in ("optimizer", "lr_scheduler", "rng", "criterion", "my_loss"):
        with pytest.raises(ValueError, match="no state dict"):
            found({name: module, "epoch": 3})


def test_two_modules_under_names_of_their_own_leave_a_doubt_that_names_both() -> None:
    inner = StateDict()
    inner["critic"] = of_module(scale=tensor(2))
    with pytest.raises(ValueError, match=r"not under known names: critics\.critic, generator"):
        found({"generator": of_module(scale=tensor(7)), "critics": inner})


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ({"best": tensor(), "epoch": 3}, "not named as parameters"),
        ({"images": tensor(9), "labels": tensor(9)}, "not named as parameters"),
        ({"fc.weight": tensor(9), "a": 1, "b": 2}, "not named as parameters"),
        ({}, "no state dict under a known name"),
        ({"epoch": 3}, "no state dict under a known name"),
    ],
)
def test_what_holds_no_model_for_certain_says_why(root: dict[object, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        found(root)


def test_a_tensor_of_more_sides_than_there_are_is_none() -> None:
    assert tensor(*[2] * MOST_SIDES).count == 1 << MOST_SIDES
    with pytest.raises(ValueError, match="more than 64 sides"):
        tensor(*[2] * (MOST_SIDES + 1))
