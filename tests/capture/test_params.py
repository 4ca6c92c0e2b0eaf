"""Params from files, from Python and from the command line."""

import argparse
import dataclasses
import enum
import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ledger.capture.params import flatten, parse_assignment, read_params
from ledger.errors import LedgerError, NotFound, UsageError


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "optimizer: {lr: 1e-3, betas: [0.9, 0.99]}\nname: no\nseed: 7\nflag: true\nnothing: ~\n"),
        (
            "p.json",
            '{"optimizer": {"lr": 1e-3, "betas": [0.9, 0.99]}, "name": "no", "seed": 7, "flag": true, "nothing": null}',
        ),
    ],
)
def test_nested_params_become_dotted_names(tmp_path: Path, name: str, text: str) -> None:
    assert read_params(written(tmp_path, name, text)) == {
        "optimizer.lr": 0.001,
        "optimizer.betas": [0.9, 0.99],
        "name": "no",
        "seed": 7,
        "flag": True,
        "nothing": None,
    }


def test_toml_dates_become_text(tmp_path: Path) -> None:
    path = written(tmp_path, "p.toml", "day = 2026-11-20\n[a]\nb = [1, 2]\nc = nan\n")
    assert read_params(path) == {"day": "2026-11-20", "a.b": [1, 2], "a.c": "NaN"}


def test_yaml_dates_anchors_and_merges_are_understood(tmp_path: Path) -> None:
    path = written(tmp_path, "p.yml", "base: &b {lr: 0.1, wd: 0}\nrun: {<<: *b, lr: 0.2}\nday: 2026-11-20\nx: .inf\n")
    assert read_params(path) == {
        "base.lr": 0.1,
        "base.wd": 0,
        "run.lr": 0.2,
        "run.wd": 0,
        "day": "2026-11-20",
        "x": "Infinity",
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.yaml", "a: 1\na: 2\n", "line 2: the name stands twice: `a`"),
        ("p.json", '{"a": 1,\n "b": 2,\n "a": 3}', "line 3: the name stands twice: `a`"),
        ("p.toml", "a = 1\na = 2\n", "line 2"),
        ("p.yaml", "- 1\n- 2\n", "not a list"),
        ("p.json", "3", "not a number"),
        ("p.json", '{"a": 1,\n}', "line 2"),
        ("p.yaml", "a: [1\nb: 2\n", "line 2"),
        ("p.yaml", "a: 1\n---\nb: 2\n", "line 2"),
        ("p.yaml", "a: 1\nb: !!python/object/apply:os.system [x]\n", "line 2: tags are not allowed"),
        ("p.yaml", "a: &a [*a]\n", "aliases"),
        ("p.yaml", "a.b: 1\na: {b: 2}\n", "two params have one dotted name: `a.b`"),
        ("p.yaml", '"a\\nb": 1\n', "control characters"),
        ("p.ini", "a=1", "ends in .yaml, .json or .toml"),
        ("p.json", "[" * 100_000, "nested too deeply"),
        ("p.yaml", "[" * 100_000, ""),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(LedgerError) as error:
        read_params(written(tmp_path, name, text))
    assert name in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(LedgerError, match="aliases"):
        read_params(written(tmp_path, "p.yaml", "\n".join(lines)))


def test_missing_folder_binary_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no params file"):
        read_params(tmp_path / "no.yaml")
    (tmp_path / "d.yaml").mkdir()
    with pytest.raises(LedgerError, match="is a folder"):
        read_params(tmp_path / "d.yaml")
    (tmp_path / "b.yaml").write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(LedgerError, match="line 2: not UTF-8"):
        read_params(tmp_path / "b.yaml")
    (tmp_path / "l.json").write_bytes(b'{"a": "' + b"x" * 5_000_001 + b'"}')
    with pytest.raises(LedgerError, match="larger than 5 MB"):
        read_params(tmp_path / "l.json")


class Optimizer(enum.Enum):
    ADAM = "adam"


@dataclasses.dataclass
class Config:
    lr: float
    optimizer: Optimizer


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError


def test_everything_python_holds_becomes_a_param() -> None:
    values = {
        "config": Config(0.1, Optimizer.ADAM),
        "args": argparse.Namespace(data=Path("a/b"), layers=(1, 2)),
        "np": np.float32(0.5),
        "vector": np.arange(3),
        "tensor": torch.tensor(3),
        "nan": math.nan,
        "nested": [[1, 2], {"a": 1}, None],
        "function": math.sqrt,
        "object": object(),
        "rude": Rude(),
        "huge": 1 << 70,
        "empty": {},
        "line\nfeed": 1,
        "half": "\ud800",
    }
    params = flatten(values)
    assert params["config.lr"] == 0.1
    assert params["config.optimizer"] == "adam"
    assert params["args.data"] == "a/b"
    assert params["args.layers"] == [1, 2]
    assert params["np"] == 0.5
    assert params["vector"] == [0, 1, 2]
    assert params["tensor"] == 3
    assert params["nan"] == "NaN"
    assert params["nested"] == ["[1, 2]", '{"a": 1}', None]
    assert params["function"] == "math.sqrt"
    assert params["object"] == "<object object>"
    assert params["rude"] == "<Rude>"
    assert params["huge"] == str(1 << 70)
    assert params["empty"] == "{}"
    assert params["line\\nfeed"] == 1
    msgspec.json.encode(params)


def test_a_value_that_holds_itself_does_not_hang() -> None:
    loop: dict[str, object] = {}
    loop["loop"] = loop
    assert len(flatten(loop)) == 1


def test_a_name_that_comes_twice_is_kept_twice() -> None:
    assert flatten({"a.b": 1, "a": {"b": 2}}) == {"a.b": 1, "a.b (2)": 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_flattened_params_can_always_be_written(values: dict[str, object]) -> None:
    params = flatten(values)
    assert json.loads(msgspec.json.encode(params)) == params


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lr=1e-3", 0.001),
        ("n=5", 5),
        ("s=no", "no"),
        ("s=a=b", "a=b"),
        ("b=true", True),
        ("b=True", "True"),
        ("x=null", None),
        ("x=", ""),
        ("x=[1, 2.5]", [1, 2.5]),
        ("x=[1", "[1"),
        ('x="5"', "5"),
        ("x=NaN", "NaN"),
        ('x={"a": 1}', '{"a": 1}'),
    ],
)
def test_an_assignment_reads_json_and_else_text(text: str, value: object) -> None:
    found = parse_assignment(text)[1]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["lr", "=1", " =1", "a\nb=1"])
def test_an_assignment_without_name_or_sign_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse_assignment(text)
