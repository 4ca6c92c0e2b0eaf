"""Which notebook a kernel executes, by what frontends leave behind."""

import sys
import types
from pathlib import Path

import pytest

from ledger.session.notebook.place import find_path, read_notebook
from ledger.session.notebook.shell import find_shell, in_kernel, kernel_name
from tests.session.notebook.kernels import notebook_text


@pytest.mark.parametrize(
    ("variables", "environment", "source"),
    [
        ({"__vsc_ipynb_file__": "/a/b.ipynb"}, {}, "__vsc_ipynb_file__"),
        ({"PAPERMILL_INPUT_PATH": "/a/b.ipynb", "__session__": "/c.ipynb"}, {}, "PAPERMILL_INPUT_PATH"),
        ({"__session__": "/a/b.ipynb"}, {"JPY_SESSION_NAME": "/a/b.ipynb"}, "__session__"),
        ({}, {"JPY_SESSION_NAME": "/a/b.ipynb"}, "JPY_SESSION_NAME"),
        ({"__session__": "/c.ipynb"}, {"LEDGER_NOTEBOOK": "/a/b.ipynb"}, "LEDGER_NOTEBOOK"),
        ({"__session__": "6c1d-console", "__vsc_ipynb_file__": 7}, {"JPY_SESSION_NAME": ""}, None),
    ],
)
def test_the_most_certain_statement_wins(
    variables: dict[str, object], environment: dict[str, str], source: str | None
) -> None:
    assert find_path(variables, environment) == (Path("/a/b.ipynb") if source else None, source)


def test_a_file_that_was_renamed_or_never_saved_leaves_the_order_unknown(tmp_path: Path) -> None:
    shell = types.SimpleNamespace(user_ns={"__session__": str(tmp_path / "gone.ipynb")})
    found = read_notebook(shell, tmp_path, {})
    assert (found.path, found.cells) == ("gone.ipynb", None)
    assert found.unknown == {"order": "there is no such notebook"}


def test_a_path_is_relative_to_the_repository_where_it_is_in_there(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "x.ipynb").write_text(notebook_text(["a", "b"]))
    shell = types.SimpleNamespace(user_ns={"__session__": str(tmp_path / "books" / "x.ipynb")})
    found = read_notebook(shell, tmp_path, {})
    assert found.path == "books/x.ipynb"
    assert found.cells is not None
    assert [cell.id for cell in found.cells] == ["cell-1", "cell-2"]
    assert read_notebook(shell, None, {}).path == str(tmp_path / "books" / "x.ipynb")


def test_what_only_looks_like_ipython_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strange(types.ModuleType):
        def get_ipython(self) -> object:
            raise RuntimeError("not this one")

    for module in (types.ModuleType("IPython"), Strange("IPython")):
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert find_shell() is None
        assert not in_kernel()
    assert kernel_name() == "IPython"
