"""Every public name has a docstring with an example that is Python, and a place in the handbook."""

import ast
import inspect
import itertools

import pytest

import ledger
from tests.handbook.pages import HANDBOOK

PAGES = {page: page.read_text("utf-8") for page in HANDBOOK.rglob("*.md")}
METHODS = [name for name, member in inspect.getmembers(ledger.Run, inspect.isfunction) if not name.startswith("_")]
NAMES = [name for name in ledger.__all__ if not name.startswith("_")]


def example_of(value: object) -> str:
    lines = [line.strip() for line in (inspect.getdoc(value) or "").splitlines()]
    first = next(at for at, line in enumerate(lines) if line.startswith(">>> "))
    more = itertools.takewhile(lambda line: line.startswith("..."), lines[first + 1 :])
    return "\n".join(line[4:] for line in (lines[first], *more))


def parses(line: str) -> bool:
    """Say whether a line is Python; one may begin in the middle of a `try`."""
    try:
        ast.parse(f"try:\n    pass\n{line}" if line.startswith("except ") else line)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_an_example_and_two_places_in_the_handbook(name: str) -> None:
    line = example_of(getattr(ledger, name))
    assert parses(line)
    assert f"ledger.{name}" in line or name in {"Run", "Ledger"}
    said = [page.name for page, text in PAGES.items() if f"ledger.{name}" in text]
    assert "python.md" in said
    assert len(said) > 1 or name in {"LedgerError", "Run"}  # nobody makes these


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_run_has_an_example_and_a_place_in_the_handbook(name: str) -> None:
    line = example_of(getattr(ledger.Run, name))
    assert parses(line)
    assert f"run.{name}(" in line
    assert any(f"run.{name}(" in text for page, text in PAGES.items() if page.name != "python.md"), name
