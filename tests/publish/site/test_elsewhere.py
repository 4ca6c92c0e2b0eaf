"""Pages of runs that other processes render are those that this one would: the same bytes on every engine."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from ledger.engine import Engine, open_engine
from ledger.publish.site import elsewhere
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.run_units import RunUnits
from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import entry_of
from tests.conftest import ROOT
from tests.test_engine import dask_cluster

RUNS = 12


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Branch:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    made = Branch.open(folder)
    for number in range(RUNS):
        made.append(entry_of(number, count=RUNS))
    return made


def built(branch: Branch, output: Path, engine: Engine | None) -> dict[str, bytes]:
    report = build_ledger_site(branch, output, title="Lab", repository_url="https://example.org/lab/", engine=engine)
    assert report.written > RUNS
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def here(branch: Branch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return built(branch, tmp_path_factory.mktemp("here") / "site", None)


@pytest.fixture
def _only_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process render no page of a run: others, which start afresh, do not know of it."""

    def refuse(*_: object) -> dict[str, bytes]:
        raise AssertionError("rendered in this process")

    monkeypatch.setattr(elsewhere, "TOGETHER", 5)
    monkeypatch.setattr(RunUnits, "_files", refuse)


@pytest.mark.usefixtures("_only_elsewhere")
def test_processes_render_the_same_bytes(branch: Branch, here: dict[str, bytes], tmp_path: Path) -> None:
    with open_engine(jobs=2, processes=True) as engine:
        assert built(branch, tmp_path / "site", engine) == here


@pytest.mark.usefixtures("_only_elsewhere")
def test_a_dask_cluster_renders_the_same_bytes(branch: Branch, here: dict[str, bytes], tmp_path: Path) -> None:
    with dask_cluster(tmp_path, ROOT) as (address, _), open_engine(address) as engine:
        assert built(branch, tmp_path / "site", engine) == here


def test_what_was_made_of_another_state_of_the_ledger_is_made_again_here(
    branch: Branch, here: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(work: elsewhere.Work) -> list[elsewhere.Rendered]:
        other = msgspec.structs.replace(work.source, tip="0" * 40)
        made = [] if work.names[0].endswith("a.html") else render(work)
        assert render(msgspec.structs.replace(work, source=other)) == []
        return [msgspec.structs.replace(one, key="another", files={one.name: b"wrong"}) for one in made]

    render = elsewhere.render_work
    monkeypatch.setattr(elsewhere, "render_work", moved)
    with open_engine(jobs=1) as engine:
        assert built(branch, tmp_path / "site", engine) == here
