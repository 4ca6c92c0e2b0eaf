"""A step has another hash when anything of the project that it runs has changed, and only then."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.data.preparing.step_code import hash_function, hash_scripts
from ledger.errors import LedgerError

BEFORE = """
import functools, json, beside
FACTOR = 2
TABLE = {"a": [1, 2]}
def helper(): return 1
def unused(): return 1
def logged(f):
    @functools.wraps(f)
    def inner(*a): return f(*a)
    return inner
class Base:
    def above(self): return helper()
class Kind(Base):
    def plain(self): return 1
    @staticmethod
    def fixed(): return helper()
    @classmethod
    def made(cls): return helper()
    @property
    def asked(self): return helper()
    @functools.cached_property
    def once(self): return helper()
"""
STEPS = {
    "function": "def step(): return helper()",
    "constant": "def step(): return FACTOR, TABLE",
    "module": "def step(): return beside.x()",
    "inherited": "class Own(Base): pass\ndef step(): return Own().above()",
    "static": "class One:\n    fixed = Kind.__dict__['fixed']\ndef step(): return One.fixed()",
    "method": "def step(): return Kind()",
    "wrapped": "@logged\ndef step(): return helper()",
    "inner": "def step(): return [helper() for _ in range(3)] + [(lambda: helper())()]",
    "closure": "def outer(f):\n    def step(): return f()\n    return step\nstep = outer(helper)",
    "recursive": "def step(n=3): return n and step(n - 1) + helper()",
}


def step_of(folder: Path, source: str) -> Callable[..., object]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "steps_here.py").write_text(source)
    if not (folder / "beside.py").exists():
        (folder / "beside.py").write_text("def x(): return 1\n")
    for name in ("steps_here", "beside"):
        sys.modules.pop(name, None)
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("steps_here", folder / "steps_here.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["steps_here"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    step: Callable[..., object] = module.step
    return step


@pytest.mark.parametrize(
    ("kind", "old", "new", "changes"),
    [
        ("function", "helper(): return 1", "helper(): return 2", True),
        ("function", "unused(): return 1", "unused(): return 2", False),
        ("function", "FACTOR = 2", "FACTOR = 3", False),
        ("constant", "FACTOR = 2", "FACTOR = 3", True),
        ("constant", "[1, 2]", "[2, 1]", True),
        ("constant", "helper(): return 1", "helper(): return 2", False),
        ("inherited", "helper(): return 1", "helper(): return 2", True),
        ("static", "helper(): return 1", "helper(): return 2", True),
        ("method", "helper(): return 1", "helper(): return 2", True),
        ("method", "def plain(self): return 1", "def plain(self): return 2", True),
        ("wrapped", "helper(): return 1", "helper(): return 2", True),
        ("inner", "helper(): return 1", "helper(): return 2", True),
        ("closure", "helper(): return 1", "helper(): return 2", True),
        ("recursive", "helper(): return 1", "helper(): return 2", True),
    ],
)
def test_a_function_is_what_it_and_the_projects_code_that_it_uses_say(
    tmp_path: Path,
    kind: str,
    old: str,
    new: str,
    changes: bool,  # noqa: FBT001  # of pytest
) -> None:
    source = BEFORE + STEPS[kind]
    assert old in source
    before = hash_function(step_of(tmp_path / "a", source))
    assert hash_function(step_of(tmp_path / "b", f"# a remark\n{source}")) == before, "where it lies does not count"
    assert (hash_function(step_of(tmp_path / "c", source.replace(old, new))) != before) is changes


@pytest.mark.parametrize("decorator", ["@staticmethod", "@classmethod", "@property", "@functools.cached_property"])
def test_what_any_kind_of_method_calls_counts(tmp_path: Path, decorator: str) -> None:
    source = f"import functools\ndef helper(): return 1\nclass Kind:\n    {decorator}\n    def a(*_): return helper()\n"
    source += "def step(): return Kind"
    before = hash_function(step_of(tmp_path / "a", source))
    assert hash_function(step_of(tmp_path / "b", source.replace("return 1", "return 2"))) != before


def test_a_module_of_the_project_counts_as_a_whole_and_a_library_does_not(tmp_path: Path) -> None:
    source = BEFORE + STEPS["module"]
    before = hash_function(step_of(tmp_path, source))
    (tmp_path / "beside.py").write_text("def x(): return 1\nY = 1\n")
    assert hash_function(step_of(tmp_path, source)) != before
    plain = hash_function(step_of(tmp_path, "import json\ndef step(): return json.dumps(1)"))
    assert plain == hash_function(step_of(tmp_path, "import json, re\ndef step(): return json.dumps(1)"))


def test_a_name_of_a_closure_that_has_no_value_yet_is_no_obstacle(tmp_path: Path) -> None:
    source = "def outer():\n    def step(): return later\n    yield step\n    later = 1\nstep = next(outer())"
    assert hash_function(step_of(tmp_path, source)).startswith("blake3:")


def test_a_function_without_a_source_is_named() -> None:
    space: dict[str, Callable[..., object]] = {}
    exec("def typed(): return 1", space)  # noqa: S102  # as in an interactive session
    with pytest.raises(LedgerError, match="`typed`"):
        hash_function(space["typed"])


FILES = {
    "train.py": "import sys, pkg.sub.deep, other\nfrom data import load\n",
    "other.py": "import train\n",
    "data/__init__.py": "from .load import x\n",
    "data/load.py": "x = 1\n",
    "pkg/__init__.py": "",
    "pkg/common.py": "y = 1\n",
    "pkg/shared/__init__.py": "z = 1\n",
    "pkg/sub/__init__.py": "",
    "pkg/sub/deep.py": "from ..common import y\nfrom ..shared import z\nfrom . import sibling\n",
    "pkg/sub/sibling.py": "s = 1\n",
    "unused.py": "u = 1\n",
    "common.py": "not = meant\n",
    "config.yaml": "lr: 1\n",
}


@pytest.mark.parametrize("name", [*FILES, "sys.py"])
def test_a_script_is_what_it_and_the_modules_that_it_imports_say(tmp_path: Path, name: str) -> None:
    for file, text in FILES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    scripts = [tmp_path / "train.py", tmp_path / "config.yaml"]
    before = hash_scripts(scripts, tmp_path)
    with (tmp_path / name).open("a") as changed:
        changed.write("# changed\n")
    assert (hash_scripts(scripts, tmp_path) != before) is (name not in {"unused.py", "common.py"})


def test_scripts_are_named_from_the_project_and_their_order_does_not_count(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text("1")
        (tmp_path / folder / "sub" / "y.py").write_text("2")
    one, other = (tmp_path / folder for folder in ("a", "b"))
    before = hash_scripts([one / "x.py", one / "sub" / "y.py"], one)
    assert hash_scripts([other / "sub" / "y.py", other / "x.py", other / "x.py"], other) == before
    (other / "sub" / "y.py").rename(other / "y.py")
    assert hash_scripts([other / "x.py", other / "y.py"], other) != before


@pytest.mark.parametrize("content", [b"def (", b"\0", b"\xff\xfe", b"from . import *\nfrom ....... import a\n"])
def test_a_script_that_python_would_refuse_is_hashed_all_the_same(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.py").write_bytes(content)
    assert hash_scripts([tmp_path / "x.py"], tmp_path).startswith("blake3:")
    assert hash_scripts([tmp_path / "x.py"], Path("/")).startswith("blake3:")


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"`.*gone\.py`"):
        hash_scripts([tmp_path / "gone.py"], tmp_path)
