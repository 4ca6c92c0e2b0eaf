"""What the README and the handbook say is true: their commands exist and their code runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ledger.cli import program
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "site" / "docs" / "handbook").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(\w+)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(?:git )?ledger ([a-z]+)([^\n|>&]*)", re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text("utf-8")
    return [match[2].replace("\\\n", " ") for match in BLOCK.finditer(text) if match[1] == language]


def commands_in(page: Path) -> list[tuple[str, str]]:
    """Return verb and arguments of every ledger command in a page's shell blocks and inline code."""
    text = re.sub(r" #.*", "", "\n".join(blocks(page, "sh") + blocks(page, "bash") + blocks(page, "console")))
    inline = re.findall(r"`((?:git )?ledger [a-z][^`\n]*)`", page.read_text("utf-8"))
    return [(match[1], match[2]) for match in COMMAND.finditer("\n".join([text, *inline]))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    context = click.Context(program)
    for verb, arguments in commands_in(page):
        assert verb in program.verbs, f"{page.name}: ledger {verb}"
        command = program.get_command(context, verb)
        assert command is not None
        words = arguments.split(" -- ")[0].split()
        if isinstance(command, click.Group) and words and not words[0].startswith("-"):
            command = command.get_command(context, words[0])
            assert command is not None, f"{page.name}: ledger {verb} {words[0]}"
        options = {name for param in command.params for name in param.opts} | {"--help", "-h"}
        for word in words:
            if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word):
                assert word.split("=")[0] in options, f"{page.name}: ledger {verb} {word}"


def test_the_readme_names_every_way_in_and_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text
    assert {verb for verb, _ in commands_in(ROOT / "README.md")} >= {"record", "run", "list", "show", "compare", "site"}


def test_the_three_ways_in_work_as_the_readme_shows_them(repo: Path) -> None:
    for name in ("train", "val"):
        (repo / "data" / name).mkdir(parents=True)
        (repo / "data" / name / "a.txt").write_text(name)
    (repo / "params.yaml").write_text("lr: 0.1\n")
    (repo / "metrics.json").write_text('{"validation": {"accuracy": 0.9}}')
    (repo / "train.log").write_text("epoch 1\n")
    (repo / "model.pt").write_bytes(b"weights")
    (python,) = blocks(ROOT / "README.md", "python")
    ways = [block for block in blocks(ROOT / "README.md", "sh") if re.match(r"ledger (record|run)", block)]
    assert len(ways) == 2
    bin_folder = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for block in ways:
        done = subprocess.run(["bash", "-ec", block], capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
    done = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    runs = Branch.open(repo).contents().runs
    assert [run.record.experiment for run in runs] == ["digits"] * 3
    hashes = {use.hash for run in runs for use in run.record.datasets.used if use.label == "digits-validation@v1"}
    assert len(hashes) == 1


def test_every_verb_stands_in_the_handbook_and_in_the_man_page() -> None:
    handbook = "\n".join(page.read_text("utf-8") for page in PAGES)
    manual = (ROOT / "templates" / "git-ledger.1").read_text("utf-8")
    for verb in program.verbs:
        assert f"ledger {verb}" in handbook, verb
        assert f".B {verb}" in manual, verb


def every_command(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(name, command)]
    context = click.Context(command)
    found: list[tuple[str, click.Command]] = [(name, command)]
    for verb in command.list_commands(context):
        below = command.get_command(context, verb)
        assert below is not None
        found += every_command(below, f"{name} {verb}")
    return found


@pytest.mark.parametrize(("name", "command"), every_command(program, "ledger"), ids=lambda value: str(value)[:40])
def test_every_command_and_every_option_has_help(name: str, command: click.Command) -> None:
    assert command.help, name
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, f"{name} {param.opts}"


def test_pictures_are_there_small_and_shown() -> None:
    folder = ROOT / "site/docs/assets/tour"
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    shown = re.findall(
        r"!\[[^]]+\]\(\.\./assets/tour/([a-z]+\.webp)\)", (folder / "../../handbook/tour.md").read_text("utf-8")
    )
    assert sorted(shown) == sorted(sizes)
    assert max(sizes.values()) < 120_000
    assert sum(sizes.values()) < 1_000_000
    in_readme = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(in_readme) == 2
    assert all((ROOT / path).is_file() for path in in_readme)
