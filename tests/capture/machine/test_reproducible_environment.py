"""What an environment file holds is enough to install from, and names nothing of the machine it was made on."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from ledger.capture.code.working_copies import look_at_copy
from ledger.capture.machine.environment import capture_environment
from ledger.capture.machine.frameworks import imported_frameworks
from ledger.capture.machine.package_index import index_of
from ledger.capture.machine.packages import read_packages
from ledger.capture.machine.python_path import python_path_of, shadowed_by
from ledger.capture.machine.requirements import render_requirements
from ledger.model.boxes.machine import Environment, WorkingCopy
from ledger.model.entries import EnvironmentFile, PackageSource
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, git_in, run_python

COMMIT = "ab" * 20


def install(site: Path, name: str, origin: object = None, tag: str = "py3-none-any", installer: str = "pip") -> None:
    folder = site / f"{name}.dist-info"
    folder.mkdir(parents=True)
    (folder / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    (folder / "INSTALLER").write_text(f"{installer}\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))


def test_where_packages_came_from_is_kept_without_credentials_and_without_folders(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "plain-1.0")
    install(site, "built-2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    vcs = {"vcs": "git", "commit_id": COMMIT}
    install(site, "cloned-3.0", {"url": "https://me:pw@host/x.git", "vcs_info": vcs, "subdirectory": "python"})
    install(site, "edited-4.0", {"url": f"file://{tmp_path}/my%20src", "dir_info": {"editable": True}})
    install(site, "copied-5.0", {"url": f"file://{tmp_path}/src", "dir_info": {}})
    install(
        site, "fetched-6.0", {"url": "https://host/f.whl?token=x", "archive_info": {"hashes": {"sha256": "a" * 64}}}
    )
    install(site, "forged-7.0", {"url": "file:///home/conda/feedstock", "dir_info": {}}, installer="conda")
    install(site, "odd-8.0", ["no", "mapping"])
    found = read_packages([site])
    assert found.sources == {
        "cloned": PackageSource(kind="vcs", vcs="git", url="https://host/x.git", commit=COMMIT, subdirectory="python"),
        "copied": PackageSource(kind="folder"),
        "edited": PackageSource(kind="editable"),
        "fetched": PackageSource(kind="archive", url="https://host/f.whl", sha256="a" * 64),
    }
    assert found.tags == {"built": "cp311-cp311-manylinux_2_17_x86_64"}
    assert found.working_copies == {"edited": tmp_path / "my src"}


def test_a_working_copy_has_its_commit_and_whether_it_was_changed(repo: Path, tmp_path: Path) -> None:
    (repo / "lib").mkdir()
    (repo / "lib/code.py").write_text("x = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "lib")
    git_in(repo, "remote", "add", "origin", "https://me:pw@host/lib.git")
    head = git_in(repo, "rev-parse", "HEAD").strip()
    (repo / "elsewhere.txt").write_text("new")
    assert look_at_copy(repo / "lib") == WorkingCopy(remote="https://host/lib.git", commit=f"git:{head}", dirty=False)
    (repo / "lib/code.py").write_text("x = 2\n")
    assert look_at_copy(repo / "lib").dirty is True
    (tmp_path / "bare").mkdir()
    assert look_at_copy(tmp_path / "bare") == look_at_copy(tmp_path / "gone") == WorkingCopy()


def test_frameworks_that_were_imported_are_told_from_those_that_are_installed(repo: Path, cli: Cli) -> None:
    body = "import ledger, numpy\nwith ledger.run('x') as run:\n    run.metric('accuracy', 1)\n"
    process = run_python(body, cwd=repo)
    assert process.communicate(timeout=120)
    assert process.returncode == 0
    (run,) = Branch.open(repo).contents().runs
    environment = run.record.environment
    assert set(environment.imported or ()) == {"numpy"}
    assert {"torch", "numpy", "scikit-learn"} <= set(environment.frameworks)
    shown = cli("show", run.record.id).out
    assert "imported                 numpy " in shown
    assert "installed as well        " in shown
    (repo / "train.py").write_text("import numpy\n")
    assert cli("run", "--", sys.executable, "train.py").code == 0
    environment = Branch.open(repo).contents().runs[-1].record.environment
    assert environment.imported is None
    assert "only the installed packages" in environment.unknown["imported"]


def test_what_is_imported_is_read_and_never_asked() -> None:
    class Lazy(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    silent, plain = Lazy("jax"), types.ModuleType("sklearn")
    plain.__dict__["__version__"] = "1.5"
    assert imported_frameworks({"jax": silent, "sklearn": plain, "torch": None}) == {
        "jax": "unknown",
        "scikit-learn": "1.5",
    }


def test_the_python_path_is_kept_without_home_and_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    secret = "hf_" + "aB3" * 12
    kept = python_path_of({"PYTHONPATH": f"/home/ann/src:/home/anna/x:/opt/{secret}"})["PYTHONPATH"]
    assert kept.startswith("~/src:/home/anna/x:")
    assert secret not in kept
    assert python_path_of({}) == python_path_of({"PYTHONPATH": ""}) == {}


def test_modules_that_the_python_path_hides_are_named(tmp_path: Path) -> None:
    site, ours = tmp_path / "site-packages", tmp_path / "src"
    for folder in (site / "torch", ours / "torch", ours / "data"):
        folder.mkdir(parents=True)
    for file in (site / "torch/__init__.py", ours / "torch/__init__.py", ours / "random.py", ours / "mine.py"):
        file.write_text("")
    assert shadowed_by({"PYTHONPATH": str(ours)}, [site]) == {"random": "standard library", "torch": "installed"}
    assert shadowed_by({}, [site]) == {}


@pytest.mark.parametrize(
    ("variables", "conf", "index"),
    [
        ({}, "", "pypi"),
        ({"PIP_INDEX_URL": "https://pypi.org/simple"}, "", "pypi"),
        ({"PIP_INDEX_URL": "https://me:pw@intern/simple"}, "", "other"),
        ({"UV_INDEX_URL": "https://intern/simple"}, "", "other"),
        ({}, "[global]\nindex-url = https://intern/simple\n", "other"),
        ({}, "[global]\nextra-index-url =\n    https://intern/simple\n    https://other/simple\n", "pypi and others"),
        ({"PIP_EXTRA_INDEX_URL": "https://pypi.org/simple/"}, "", "pypi"),
        ({"PIP_NO_INDEX": "1"}, "", "other"),
    ],
)
def test_only_the_kind_of_index_is_kept(tmp_path: Path, variables: dict[str, str], conf: str, index: str) -> None:
    (tmp_path / "pip.conf").write_text(conf)
    assert index_of(variables, tmp_path, tmp_path / "root") == index


def test_requirements_are_what_pip_takes_and_the_rest_says_why(tmp_path: Path) -> None:
    copies = {
        "edited": WorkingCopy(remote="https://host/e.git", commit=f"git:{COMMIT}", dirty=True),
        "local": WorkingCopy(remote="git@host:l.git", commit=f"git:{COMMIT}", dirty=False),
        "loose": WorkingCopy(),
    }
    file = EnvironmentFile(
        format=1,
        python="CPython 3.11.7",
        executable="env/bin/python",
        os="Linux\n--index-url http://evil",
        machine="x86_64",
        packages={
            "numpy": "1.26.4",
            "torch": "2.4.0+cu121",
            "edited": "1.0 (editable)",
            "local": "1.0 (editable)",
            "loose": "0.1 (editable)",
            "cloned": f"3.0 (git {COMMIT})",
            "older": f"3.0 (git {COMMIT})",
            "copied": "5.0",
            "fetched": "6.0",
            "strange": "unknown",
            "-r evil.txt": "1",
        },
        sources={
            "cloned": PackageSource(kind="vcs", vcs="git", url="https://host/x.git", commit=COMMIT, subdirectory="py"),
            "copied": PackageSource(kind="folder"),
            "edited": PackageSource(kind="editable"),
            "fetched": PackageSource(kind="archive", url="https://host/f.whl", sha256="a" * 64),
        },
        tags={"numpy": "cp311-cp311-manylinux_2_17_x86_64"},
        index="pypi and others",
    )
    text = render_requirements("20261120-194812-000000", Environment(working_copies=copies), file)
    lines = [line.partition("  #")[0] for line in text.splitlines() if not line.startswith("#")]
    assert {made.name: str(made.specifier) or made.url for made in map(Requirement, lines)} == {
        "numpy": "==1.26.4",
        "torch": "==2.4.0+cu121",
        "edited": f"git+https://host/e.git@{COMMIT}",
        "cloned": f"git+https://host/x.git@{COMMIT}#subdirectory=py",
        "fetched": f"https://host/f.whl#sha256={'a' * 64}",
    }
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for told in ("with changes that were not committed", "older 3.0 came from a repository at commit", "loose 0.1"):
        assert told in comments
    for told in (
        "copied 5.0 came from a folder",
        "strange unknown: no version",
        "a build of its maker (cu121)",
        "local 1.0",
    ):
        assert told in comments
    assert "cp311-cp311-manylinux_2_17_x86_64" in text


def test_pip_resolves_what_a_run_says_it_ran_with(repo: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("record", "-m", "accuracy=1").code == 0
    (run,) = Branch.open(repo).contents().runs
    made = cli("show", run.record.id, "--requirements")
    assert made.code == 0
    (tmp_path / "requirements.txt").write_text(made.out)
    pinned = [line for line in made.out.splitlines() if line and not line.startswith("#")]
    assert len(pinned) > 20
    told = capture_environment()[1].packages
    assert all(
        Version(told[made.name]) in made.specifier for made in map(Requirement, (p.partition(" #")[0] for p in pinned))
    )
    asked = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "-r"]
    answer = subprocess.run([*asked, str(tmp_path / "requirements.txt")], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
