"""Faults are small, stand where something decides, and leave a file that Python reads."""

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants_of


def faults(source: str, folder: Path) -> dict[str, set[str]]:
    """Return the faults of a source by kind: the whole text with each."""
    (folder / "decides.py").write_text(source)
    found: dict[str, set[str]] = {}
    for one in mutants_of("decides.py", folder):
        changed = one.applied(source.encode()).decode()
        ast.parse(changed)
        found.setdefault(one.kind, set()).add(changed)
    return found


@pytest.mark.parametrize(
    ("kind", "source", "fault"),
    [
        ("comparison", "x = a < b\n", "x = (a <= b)\n"),
        ("comparison", "x = a in b\n", "x = (a not in b)\n"),
        ("boolean", "x = a and b\n", "x = (a or b)\n"),
        ("boolean", "x = a and b\n", "x = (a)\n"),
        ("boolean", "x = not a\n", "x = (a)\n"),
        ("off by one", "x = a[1:]\n", "x = a[2:]\n"),
        ("constant", "x = True\n", "x = False\n"),
        ("calculation", "x = a + b\n", "x = (a - b)\n"),
        ("returned value", "def f():\n    return a\n", "def f():\n    return None\n"),
        ("removed statement", "for a in b:\n    f(a)\n", "for a in b:\n    pass\n"),
        ("swapped arguments", "x = f(a, b)\n", "x = (f(b, a))\n"),
        ("condition", "x = a if b else c\n", "x = (c if b else a)\n"),
        ("filter", "x = [a for a in b if a]\n", "x = [a for a in b]\n"),
    ],
)
def test_a_fault_of_each_kind_is_made(kind: str, source: str, fault: str, tmp_path: Path) -> None:
    assert fault in faults(source, tmp_path)[kind]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""\n',
        "x: int | None\n",
        "class A(B, frozen=True):\n    pass\n",
        'x = f"{a + 1}"\n',
        'x = "said to people"\n',
        'raise AssertionError("cannot be")\n',
    ],
)
def test_what_decides_nothing_is_left_alone(source: str, tmp_path: Path) -> None:
    assert faults(source, tmp_path) == {}


def test_a_fault_knows_its_lines_and_its_function(tmp_path: Path) -> None:
    (tmp_path / "decides.py").write_text("x = 1\n\n\n@cache\ndef f():\n    return (a and\n            é)\n")
    first, *others = mutants_of("decides.py", tmp_path)
    assert (first.line, first.function) == (1, 0)
    assert {(one.line, one.last, one.function) for one in others if one.kind == "returned value"} == {(6, 7, 4)}
