"""The page of an experiment in a notebook: one frame that loads nothing, and an error that names who is near."""

import html
from pathlib import Path

import pytest

import ledger as tool
from ledger.errors import NotFound
from ledger.store.branch.branch import Branch
from tests.conftest import Cli
from tests.publish.pages.test_pages import Page
from tests.samples import sample_ledger
from tests.store.index.test_index import entry_of


@pytest.fixture
def repository(ledger: Branch, repo: Path) -> Path:
    ledger.append(entry_of(ledger, *sample_ledger()))
    return repo


def test_a_frame_holds_the_page_that_the_command_writes_and_nothing_else(
    repository: Path, cli: Cli, tmp_path: Path
) -> None:
    shown = tool.explore("mlp-learning-rate", repository)
    frame = Page(shown._repr_html_())
    ((tag, given),) = frame.tags
    assert tag == "iframe"
    assert given["sandbox"] == "allow-scripts allow-popups"
    assert given["srcdoc"] == shown.html
    assert html.escape(shown.html) in shown._repr_html_()
    assert repr(shown) == f"<experiment mlp-learning-rate: {shown.runs} runs; a notebook shows its page>"
    file = tmp_path / "page.html"
    title = ("--title", repository.name)
    assert cli("site", "export", "--single", "mlp-learning-rate", "-o", str(file), *title).code == 0
    assert file.read_text("utf-8") == shown.html


def test_an_unknown_experiment_is_one_line_that_names_the_nearest(repository: Path, cli: Cli) -> None:
    with pytest.raises(NotFound, match=r"^no experiment has this name: `mlp-learnin-rate`$") as caught:
        tool.explore("mlp-learnin-rate", repository)
    assert caught.value.hint == "did you mean `mlp-learning-rate`?"
    with pytest.raises(NotFound) as caught:
        tool.explore("§", repository)
    assert caught.value.hint == "ledger list"
    done = cli("site", "export", "--single", "mlp-learnin-rate")
    assert done.code == 1
    assert "no run and no experiment has this name: `mlp-learnin-rate`" in done.err
    assert "did you mean `mlp-learning-rate`?" in done.err
