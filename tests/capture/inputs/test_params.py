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

from ledger.capture.inputs.params import flatten, flatten_known, parse_assignment, read_params
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
        ("p.yaml", "a: 1\na: 2\n", "line 2: the name appears twice: `a`"),
        ("p.json", '{"a": 1,\n "b": 2,\n "a": 3}', "line 3: the name appears twice: `a`"),
        ("p.toml", "a = 1\na = 2\n", "line 2"),
        ("p.yaml", "- 1\n- 2\n", "not a list"),
        ("p.json", "3", "not a number"),
        ("p.json", '{"a": 1,\n}', "line 2"),
        ("p.yaml", "a: [1\nb: 2\n", "line 2"),
        ("p.yaml", "a: 1\n---\nb: 2\n", "line 2"),
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


IDS = ["61e9540", "3e812345", "0012345", "007", "1e400", "1234e56", "1_000_000", "0x1F", "00", "3087aeb", "1e-999"]
"""Texts that would not be written back as they are, if they were read as numbers."""
NUMBERS = {
    "1e-3": 0.001,
    "1e5": 1e5,
    "3.0E+02": 300.0,
    "12345": 12345,
    "0.50": 0.5,
    "-7": -7,
    ".5": 0.5,
    "5.000000000000000000e-01": 0.5,
    "1e-05": 1e-5,
    "100e6": 1e8,
}


@pytest.mark.parametrize("text", IDS)
def test_an_id_stays_text(tmp_path: Path, text: str) -> None:
    assert read_params(written(tmp_path, "p.yaml", f"a: {text}\nb: [{text}]\n")) == {"a": text, "b": [text]}
    assert parse_assignment(f"a={text}") == ("a", text)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_text_that_is_written_back_the_same_is_a_number(tmp_path: Path, text: str) -> None:
    (value,) = read_params(written(tmp_path, "p.yaml", f"a: {text}\n")).values()
    assert (value, type(value)) == (NUMBERS[text], type(NUMBERS[text]))
    assert parse_assignment(f"a={text}") == ("a", value)


def test_a_number_that_overflows_in_json_and_toml_stays_text(tmp_path: Path) -> None:
    assert read_params(written(tmp_path, "p.json", '{"a": 61e9540, "b": [1e999], "c": Infinity}')) == {
        "a": "61e9540",
        "b": ["1e999"],
        "c": "Infinity",
    }
    assert read_params(written(tmp_path, "p.toml", "a = 1e999\nb = inf\n")) == {"a": "1e999", "b": "Infinity"}
    assert parse_assignment("a=[61e9540, 1]") == ("a", ["61e9540", 1])


def test_the_tags_of_python_give_their_values_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = """
betas: !!python/tuple [0.9, 0.999]
args: !!python/object:argparse.Namespace {lr: 0.1, name: x}
root: !!python/object/apply:pathlib.PosixPath [/, data, train]
relative: !!python/object/apply:pathlib.PosixPath [data, train]
act: !!python/name:torch.nn.functional.relu ''
kind: !!python/object/apply:project.Kind [adam]
odd: !!python/object/apply:os.system ['touch exploded']
ordered: !!python/object/apply:collections.OrderedDict
- - [a, 1]
  - [b, 2]
default: !!python/object/apply:collections.defaultdict
  args: [!!python/name:builtins.int '']
  dictitems: {n: 3}
scalar: !!python/object/apply:numpy._core.multiarray.scalar
- !!python/object/apply:numpy.dtype {args: [f8, false, true], state: !!python/tuple [3, <, null, null, null, -1, -1, 0]}
- !!binary AAAAAAAA4D8=
own: !env HOME
word: !!python/unicode 'x'
whole: !!python/long 3
set: !!set {a: null, b: null}
"""
    assert read_params(written(tmp_path, "hparams.yaml", text)) == {
        "betas": [0.9, 0.999],
        "args.lr": 0.1,
        "args.name": "x",
        "root": "/data/train",
        "relative": "data/train",
        "act": "torch.nn.functional.relu",
        "kind": "project.Kind(adam)",
        "odd": "os.system(touch exploded)",
        "ordered.a": 1,
        "ordered.b": 2,
        "default.n": 3,
        "scalar": 0.5,
        "own": "!env HOME",
        "word": "x",
        "whole": 3,
        "set": ["a", "b"],
    }
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "p.yaml").write_bytes("name: größe\nlr: 0.1\n".encode(encoding))
    assert read_params(tmp_path / "p.yaml") == {"name": "größe", "lr": 0.1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("events.out.tfevents.1700000000.host", "TensorBoard event file"),
        ("config.py", "a program, which is never run"),
        ("p.ini", "ends in .yaml, .json or .toml"),
    ],
)
def test_a_file_of_another_kind_gets_one_clear_line(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said) as error:
        read_params(written(tmp_path, name, "x"))
    assert error.value.hint


class Missing(dict[str, object]):
    """A mapping as OmegaConf's: one value was left to be given, and asking for it raises."""

    def __getitem__(self, name: str) -> object:
        value = super().__getitem__(name)
        if value == "???":
            raise ValueError(f"Missing mandatory value: {name}")
        return value


def test_a_value_that_is_missing_takes_no_other_with_it() -> None:
    params, unknown = flatten_known({"cfg": Missing(lr=0.1, ckpt="???", model=Missing(hidden=8, name="???"))})
    assert params == {"cfg.lr": 0.1, "cfg.model.hidden": 8}
    assert unknown == {
        "cfg.ckpt": "it has no value (ValueError: Missing mandatory value: ckpt)",
        "cfg.model.name": "it has no value (ValueError: Missing mandatory value: name)",
    }
    assert flatten(Missing(a=1, b="???")) == {"a": 1}


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


@pytest.mark.parametrize(
    "text", ["12345678901234567890", "123456789012345.678901", "12345678901234567.0", "0.10000000000000000055"]
)
def test_a_number_that_a_float_cannot_say_wholly_stays_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(f"build: {text}\n")
    assert read_params(tmp_path / "params.yaml")["build"] == text
    assert parse_assignment(f"build={text}") == ("build", text)
