"""The pages of the reference are what the code says, and every verb shows how it is typed."""

import re
import shlex
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import click
import pytest

import ledger
from ledger.cli import EXIT_CODES, program
from tests.conftest import ROOT
from tests.handbook.commands_page import every_command, examples_of
from tests.handbook.pages import HANDBOOK, REFERENCE, WRITE

COMMANDS = [(name, command) for name, command in every_command(program, "ledger") if name != "ledger"]
LEAVES = [(name, command) for name, command in COMMANDS if not isinstance(command, click.Group)]


@pytest.mark.parametrize(("path", "render"), REFERENCE.items(), ids=lambda value: getattr(value, "stem", ""))
def test_a_page_of_the_reference_is_what_the_code_says(path: Path, render: Callable[[], str]) -> None:
    assert path.read_text("utf-8") == render(), f"it is behind: {WRITE} --reference"


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=lambda value: str(value)[:40])
def test_every_verb_has_an_example_that_can_be_typed(name: str, command: click.Command) -> None:
    examples = examples_of(command)
    assert examples, name
    for example in examples:
        words = [*takewhile(lambda word: word not in {"<", ">"}, shlex.split(example))]
        assert " ".join(words[: len(name.split())]) == name
        context = click.Context(command, info_name=name)
        command.make_parser(context).parse_args(words[len(name.split()) :])


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=lambda value: str(value)[:40])
def test_a_verb_that_answers_with_its_exit_code_says_so(name: str, command: click.Command) -> None:
    assert command.callback is not None
    if command.callback.__annotations__.get("return") is int:
        assert re.search(r"exit(s| code)", command.help or "", re.IGNORECASE), name


def test_every_exit_code_stands_in_the_handbook_and_in_the_man_page() -> None:
    page = (HANDBOOK / "exit-codes.md").read_text("utf-8")
    manual = (ROOT / "templates" / "git-ledger.1").read_text("utf-8")
    for code in EXIT_CODES:
        assert f"| {code} |" in page
        assert f".B {code}\n" in manual


def test_every_public_name_has_a_heading_in_the_reference() -> None:
    page = (HANDBOOK / "reference" / "python.md").read_text("utf-8")
    for name in ledger.__all__:
        assert name == "__version__" or f"\n## ledger.{name}\n" in page


@pytest.mark.parametrize("page", sorted(HANDBOOK.rglob("*.md")), ids=lambda page: page.stem)
def test_every_page_of_the_handbook_stands_in_the_navigation(page: Path) -> None:
    configuration = (ROOT / "site" / "mkdocs.yml").read_text("utf-8")
    assert f": handbook/{page.relative_to(HANDBOOK).as_posix()}\n" in configuration
