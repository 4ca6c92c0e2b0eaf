"""Work on a real Ray cluster of two workers: the same bytes as here, and one line for whatever goes wrong."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import __version__
from ledger.data.version.manifest import build_manifest
from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import entry_of
from tests.conftest import ROOT, Cli
from tests.integrations.conftest import PYTHON
from tests.integrations.ray_cluster import RayCluster, ray_cluster
from tests.recorder.statements.test_reevaluation import COMMAND, EXPECTED, ON, check_same, measured, team

__all__ = ["team"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORK = """
import os, time
from pathlib import Path
from ledger.errors import LedgerError

def doubled(number):
    time.sleep(0.001 * (number % 3))
    return number * 2, os.getpid()

def refusing(number):
    if number == 3:
        raise LedgerError("three is refused", hint="four")
    return number

def slow(name):
    time.sleep(0.5)
    Path(name).touch()

def deadly(number):
    os._exit(1)
"""
"""What workers do: a module that they have as well."""

BEGIN = """
import json, sys
import work
from ledger.engine import open_engine
from ledger.errors import LedgerError

address, folder = sys.argv[1:]
def say(**said):
    print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module that workers can import."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "work.py").write_text(WORK)
    return folder


@pytest.fixture(scope="module")
def cluster(shared: Path) -> Iterator[RayCluster]:
    with ray_cluster(PYTHON, {"PYTHONPATH": f"{ROOT}{os.pathsep}{shared}"}) as started:
        yield started


def driver(cluster: RayCluster, shared: Path, folder: Path, script: str) -> dict[str, Any]:
    """Run a script in the environment that has Ray, and return what it says."""
    for _ in range(2):
        done = subprocess.run(
            [PYTHON, "-c", BEGIN + script, cluster.address, str(folder)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{shared}", "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "3"},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if (
            "Starting Ray client server failed" not in done.stderr
        ):  # Ray gives its server 30 s, on a busy machine too few
            break
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told | {"stderr": done.stderr}


def test_results_come_in_order_from_two_processes(cluster: RayCluster, shared: Path, tmp_path: Path) -> None:
    script = """
with open_engine(address) as engine:
    found = list(engine.map(work.doubled, range(100)))
    say(numbers=[number for number, _ in found], workers=len({worker for _, worker in found}))
"""
    told = driver(cluster, shared, tmp_path, script)
    assert told["numbers"] == [2 * number for number in range(100)]
    assert told["workers"] == 2
    assert "client_builder" not in told["stderr"], "Ray is quiet"


def test_a_manifest_has_the_same_bytes_as_one_made_here(cluster: RayCluster, shared: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number in range(1500):
        (data / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (data / f"{number % 7}" / f"{number} é.txt").write_text(f"content {number}")
    (data / "large.bin").write_bytes(os.urandom(20_000_000))
    script = """
from ledger.data.version.manifest import build_manifest
with open_engine(address) as engine:
    made = build_manifest(folder + "/data", engine=engine)
open(folder + "/lines", "wb").write(made.lines.text)
say(hash=made.hash, files=made.files, bytes=made.bytes)
"""
    expected = build_manifest(data, jobs=1)
    told = driver(cluster, shared, tmp_path, script)
    assert (told["hash"], told["files"], told["bytes"]) == (expected.hash, expected.files, expected.bytes)
    assert (tmp_path / "lines").read_bytes() == expected.lines.text


def test_evaluations_are_those_that_are_made_here(cluster: RayCluster, team: Path, cli: Cli) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [PYTHON, "-m", "ledger", *ON, "--engine", cluster.address, *COMMAND]
    done = subprocess.run(command, cwd=team, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert measured(team) == EXPECTED
    assert cli(*ON, "--again", *COMMAND).code == 0
    check_same(team)
    checked = cli("verify")
    assert checked.code == 0, checked.out + checked.err


def test_a_cold_site_has_the_same_bytes_as_one_built_here(cluster: RayCluster, shared: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "repository")], check=True)
    branch = Branch.open(tmp_path / "repository")
    for number in range(12):
        branch.append(entry_of(number, count=12))
    script = """
import pathlib
from ledger.publish.site import elsewhere
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.run_units import RunUnits
from ledger.store.branch.branch import Branch

def built(name, engine):
    output = pathlib.Path(folder) / name
    build_ledger_site(Branch.open(pathlib.Path(folder) / "repository"), output, title="Lab", engine=engine)
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("[!.]*") if path.is_file()}

here = built("here", None)
elsewhere.TOGETHER = 5
def refuse(*_):
    raise AssertionError("rendered in this process")
RunUnits._files = refuse
with open_engine(address) as engine:
    there = built("there", engine)
say(files=len(here), same=here == there, pages=sum(name.startswith("runs/20") for name in there))
"""
    told = driver(cluster, shared, tmp_path, script)
    assert told["same"]
    assert told["pages"] == 12
    assert told["files"] > 60


def test_what_goes_wrong_there_is_told_as_here(cluster: RayCluster, shared: Path, tmp_path: Path) -> None:
    script = """
with open_engine(address) as engine:
    for function, name in ((work.refusing, "refused"), (work.deadly, "dead")):
        try:
            list(engine.map(function, range(9)))
        except LedgerError as error:
            told = globals().setdefault("told", {})
            told[name] = [str(error), error.hint]
    say(**told)
"""
    told = driver(cluster, shared, tmp_path, script)
    assert told["refused"] == ["three is refused", "four"]
    assert told["dead"][0].startswith("workers of the Ray cluster died of an item")
    assert "\n" not in told["dead"][0]


def test_abandoned_items_are_cancelled(cluster: RayCluster, shared: Path, tmp_path: Path) -> None:
    script = """
import pathlib, time
with open_engine(address) as engine:
    results = engine.map(work.slow, [f"{folder}/{number}" for number in range(40)])
    next(results)
    results.close()
    list(engine.map(work.doubled, range(4)))  # whatever still ran is done before these
    time.sleep(1)
say(done=len(list(pathlib.Path(folder).iterdir())))
"""
    assert 1 <= driver(cluster, shared, tmp_path, script)["done"] <= 4


BARE = """
import sys
if {where}:
    raise ModuleNotFoundError("No module named 'ledger'", name="ledger")
sys.path.remove({folder!r})
del sys.modules["ledger"]
import ledger
"""
"""A package before the real one, which is not there for some processes of a cluster."""


@pytest.mark.parametrize("where", ["True", "'default_worker' in sys.argv[0]"])
def test_workers_without_the_package_are_told_to_install_it(shared: Path, tmp_path: Path, where: str) -> None:
    bare = tmp_path / "bare"
    (bare / "ledger").mkdir(parents=True)
    (bare / "ledger" / "__init__.py").write_text(BARE.format(where=where, folder=str(bare)))
    script = """
from ledger.data.version.manifest import build_manifest
with open_engine(address) as engine:
    try:
        build_manifest(folder, engine=engine)
    except LedgerError as error:
        say(message=str(error), hint=error.hint)
"""
    for number in range(600):
        (tmp_path / f"{number}").write_text("x")
    with ray_cluster(PYTHON, {"PYTHONPATH": f"{bare}{os.pathsep}{ROOT}"}) as without:
        told = driver(without, shared, tmp_path, script)
    assert told["message"] == "workers of the Ray cluster cannot load what they are sent: they lack `ledger`"
    assert told["hint"] == f"pip install git-ledger=={__version__}, on every machine of the cluster"


def test_a_cluster_that_ends_under_way_is_told(shared: Path, tmp_path: Path) -> None:
    script = """
with open_engine(address) as engine:
    try:
        for _ in engine.map(work.slow, [f"{folder}/{number}" for number in range(400)]):
            pass
    except LedgerError as error:
        say(message=str(error), hint=error.hint)
"""
    variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}{shared}"}
    with ray_cluster(PYTHON, variables) as short:
        begun = time.monotonic()

        def end() -> None:
            while not any(tmp_path.iterdir()) and time.monotonic() - begun < 60:
                time.sleep(0.1)
            short.end()

        ender = threading.Thread(target=end)
        ender.start()
        told = driver(short, shared, tmp_path, script)
        ender.join()
    assert told["message"].startswith("the Ray cluster is gone: ")
    assert "\n" not in told["message"]
    assert told["hint"] == "start it again; what is recorded stays"
