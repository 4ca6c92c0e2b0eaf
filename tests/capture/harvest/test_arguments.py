"""Params in command lines of every common form, and the defaults that a script declares."""

import shlex
from pathlib import Path

import pytest

from ledger.capture.harvest.arguments import read_arguments
from ledger.capture.harvest.arguments import read_defaults as defaults_of
from ledger.capture.harvest.script_options import read_script_options
from ledger.model.values import ParamValue


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("python train.py --lr 0.1 --epochs=3", {"lr": 0.1, "epochs": 3}),
        ("python train.py --no-amp --fp16 --resume", {"amp": False, "fp16": True, "resume": True}),
        ("python train.py -b 32 -v", {"b": 32, "v": True}),
        ("python train.py --layers 64 32 16 --seed 1", {"layers": [64, 32, 16], "seed": 1}),
        ("python train.py --shift -0.5 --scale -1e-3 --low=-inf", {"shift": -0.5, "scale": -0.001, "low": "-inf"}),
        ("python train.py --learning-rate 1e-3", {"learning_rate": 0.001}),
        ("python train.py --name 007 --commit 1e5", {"name": "007", "commit": 1e5}),
        ("python train.py --flag True --other False --none None", {"flag": True, "other": False, "none": "None"}),
        ("python train.py lr=0.1 model.depth=4 +opt=adam ~sched=x ++x.y=[1,2]",
         {"lr": 0.1, "model.depth": 4, "opt": "adam", "sched": "x", "x.y": [1, 2]}),
        ("python train.py config/gpt.py --n_embd=8 other", {"n_embd": 8}),
        ("python train.py --lr 1 --lr 2", {"lr": 2}),
        ("python train.py -- --lr 1", {}),
        ("python train.py", {}),
        ("python -m package.train --lr 1", {"lr": 1}),
        ("python -u -X dev train.py --lr 1", {"lr": 1}),
        ("python -c 'print(1)' --lr 1", {}),
        ("torchrun --nproc_per_node 2 --standalone train.py --lr 1", {"lr": 1}),
        ("torchrun --nproc_per_node=2 -m package.train --lr 1", {"lr": 1}),
        ("python -m torch.distributed.run --nproc_per_node 2 train.py --lr 1", {"lr": 1}),
        ("accelerate launch --num_processes 2 train.py --lr 1", {"lr": 1}),
        ("deepspeed --num_gpus 2 train.py --deepspeed ds.json --lr 1", {"deepspeed": "ds.json", "lr": 1}),
        ("srun --gpus 2 python train.py --lr 1", {"lr": 1}),
        ("yolo train epochs=3 imgsz=640", {"epochs": 3, "imgsz": 640}),
        ("./train --lr 1", {"lr": 1}),
        ("sh -c 'train --lr 1' --x 1", {}),
        ("env A=1 python train.py --lr 1", {"lr": 1}),
        ("python train.py --arch resnet18 /data --lr 1", {"lr": 1}),
        ("srun -n 4 ./train --lr 1", {}),
        ("pytest -q tests/train.py -x", {}),
        ("python -m pytest tests -k x", {}),
    ],
)  # fmt: skip
def test_a_command_line_says_its_params(command: str, params: dict[str, ParamValue]) -> None:
    assert read_arguments(shlex.split(command)) == params


def test_an_empty_command_says_nothing() -> None:
    assert read_arguments([]) == {}


def test_words_that_cannot_be_text_become_some() -> None:
    assert read_arguments(["python", "train.py", "--name", "a\udc80"]) == {"name": "a?"}


def test_a_command_of_a_million_words_is_bounded() -> None:
    assert len(read_arguments(["python", "train.py", *(f"--a{n}" for n in range(100_000))])) == 1000


def read_defaults(path: Path) -> dict[str, ParamValue]:
    return defaults_of(read_script_options(path))


def script(folder: Path, text: str) -> Path:
    path = folder / "train.py"
    path.write_text(f"import argparse\nparser = argparse.ArgumentParser()\n{text}")
    return path


def test_declared_defaults_are_read_and_nothing_is_executed(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("-l", "--lr", type=float, default=1e-3)
parser.add_argument("--name", dest="run", default="a")
parser.add_argument("--amp", action="store_true")
parser.add_argument("--no-cuda", action="store_false", dest="cuda")
parser.add_argument("--computed", default=1 + len("x"))
parser.add_argument("--none", default=None)
parser.add_argument("--listed", default=[1, 2])
parser.add_argument("--required", required=True)
parser.add_argument("data")
raise SystemExit("never")
""",
    )
    assert read_defaults(path) == {"batch_size": 64, "lr": 0.001, "run": "a", "amp": False, "cuda": True}


@pytest.mark.parametrize(
    "text",
    [
        "parser.add_argument('--lr', default=1)\nparser.set_defaults(lr=2)\n",
        "parser.add_argument('--lr', default=1)\nother = argparse.ArgumentParser()\n",
        "parser.add_argument('--lr', default=1)\nparser.add_subparsers()\n",
        "parser.add_argument('--lr', default=1)\nparser.add_argument('--lr', default=2)\n",
        "def broken(:\n",
        "",
    ],
)
def test_defaults_that_may_be_others_are_not_told(tmp_path: Path, text: str) -> None:
    assert read_defaults(script(tmp_path, text)) == {}


def test_a_script_that_is_none_has_no_defaults(tmp_path: Path) -> None:
    assert read_defaults(tmp_path / "none.py") == {}
    assert read_defaults(tmp_path) == {}
    (tmp_path / "null.py").write_bytes(b"\0\0")
    assert read_defaults(tmp_path / "null.py") == {}
    (tmp_path / "deep.py").write_text("(" * 5000)
    assert read_defaults(tmp_path / "deep.py") == {}


_DECLARED = """
parser.add_argument("data")
parser.add_argument("-a", "--arch", default="resnet18")
parser.add_argument("-b", "--batch-size", type=int, default=256)
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--no-accel", action="store_true")
parser.add_argument("--no-cuda", action="store_false", dest="cuda")
parser.add_argument("-v", "--verbose", action="count")
parser.add_argument("--sizes", nargs="+", type=int)
parser.add_argument("--amp", action=argparse.BooleanOptionalAction)
"""


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("-a resnet50 data/imagenet", {"arch": "resnet50"}),
        ("-b32 --learn 0.5", {"batch_size": 32, "learning_rate": 0.5}),
        ("-b=32 --lear=0.5", {"batch_size": 32, "learning_rate": 0.5}),
        ("--no-accel data/imagenet", {"no_accel": True}),
        ("--no-cuda --no-amp data", {"cuda": False, "amp": False}),
        ("--verbose data --sizes 1 2", {"verbose": True, "sizes": [1, 2]}),
        ("--other 3 data", {}),
    ],
)
def test_declared_options_decide_names_and_values(tmp_path: Path, words: str, params: dict[str, ParamValue]) -> None:
    declared = read_script_options(script(tmp_path, _DECLARED))
    assert read_arguments(["python", "train.py", *shlex.split(words)], declared) == params


def test_options_that_may_come_from_a_file_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("parser = ArgumentParser(fromfile_prefix_chars='@')\nparser.add_argument('--lr', default=1)\n")
    assert read_script_options(path) == []
