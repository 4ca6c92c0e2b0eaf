"""The table of environment variables and settings of git is complete, and nothing in it is idle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ledger import settings
from tests.conftest import ROOT

VARIABLE = re.compile(r"_?LEDGER_[A-Z_]+")
SETTING = re.compile(r"ledger\\?\.[a-z]+")
TABLE = {*settings.ASKED, *settings.GIVEN, *settings.SETTINGS}
CONSTANTS = {name: value for name, value in vars(settings).items() if name.endswith(("_VARIABLE", "_SETTING"))}


def sources() -> list[Path]:
    return [
        path for path in (ROOT / "ledger").rglob("*.py") if path.name != "settings.py" and "_share" not in path.parts
    ]


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a file that are no docstrings, and no help."""
    tree = ast.parse(path.read_text("utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said |= {id(word.value) for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_a_variable_of_ours_is_named_in_the_table_alone() -> None:
    found = {(path.name, text) for path in sources() for text in texts_of(path) if VARIABLE.fullmatch(text)}
    assert not found, "write it in ledger/settings.py, and import it"


def test_a_setting_of_git_is_named_in_the_table_alone() -> None:
    rooms = {path.name.removesuffix(".py") for path in (ROOT / "ledger").iterdir()}
    found = {
        (path.name, text)
        for path in sources()
        for text in texts_of(path)
        if "config" in path.read_text("utf-8")
        and any(match[0].replace("\\", "").partition(".")[2] not in rooms for match in SETTING.finditer(text))
        and re.search(r"^\^?\(?[\w.|*\\]*ledger\\?\.[a-z]+\)?\$?$", text)
    }
    assert not found, "write it in ledger/settings.py, and import it"


def test_every_name_of_the_table_is_used_and_stands_in_one_list() -> None:
    listed = [*settings.ASKED, *settings.GIVEN, *settings.SETTINGS]
    assert sorted(listed) == sorted(CONSTANTS.values())
    code = "\n".join(path.read_text("utf-8") for path in sources())
    for constant in CONSTANTS:
        assert re.search(rf"\b{constant}\b(?!.*import)", code), f"{constant} is read by nobody"


def test_every_variable_that_one_may_set_stands_in_the_man_page() -> None:
    manual = (ROOT / "templates" / "git-ledger.1").read_text("utf-8")
    for name in settings.ASKED:
        assert f".B {name}\n" in manual


def test_shell_stubs_workflows_and_the_manual_name_no_variable_or_setting_that_is_not_in_the_table() -> None:
    folders = [ROOT / name for name in ("hooks", "templates", "site")]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    pages = [path for path in found if path.suffix not in {".png", ".webp"}]
    for page in [*pages, ROOT / "README.md", *(ROOT / ".github").rglob("*.md")]:
        text = page.read_text("utf-8")
        variables = {name for name in VARIABLE.findall(text) if not name.endswith("_")}
        assert variables <= TABLE, page
        named = {name.lower() for name in re.findall(r"git config (?:--\w+ )*(ledger\.\w+)", text)}
        assert named <= TABLE, page
