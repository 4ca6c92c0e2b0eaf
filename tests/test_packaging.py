"""What is in the wheel and the sdist, to the file, and that it works from wherever it was installed."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from ledger.resources import shipped
from tests.conftest import ROOT, git_in

FOLDERS = ("hooks", "site", "templates")
SDIST_ONLY = {"CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}


def tracked(*folders: str) -> set[str]:
    """Return the files of some folders that git would commit."""
    listed = git_in(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders)
    return {name for name in listed.split("\0")[:-1] if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


def test_the_sdist_holds_exactly_the_sources(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {str(PurePosixPath(*PurePosixPath(member.name).parts[1:])) for member in archive if member.isfile()}
    assert names == tracked("ledger", "tests", *FOLDERS) | SDIST_ONLY


def test_the_wheel_holds_exactly_the_package_and_its_folders(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[1]).namelist())
    package = {name for name in names if not PurePosixPath(name).parts[0].endswith((".dist-info", ".data"))}
    assert package == tracked("ledger") | {f"ledger/_share/{name}" for name in tracked(*FOLDERS)}
    data = {PurePosixPath(*PurePosixPath(name).parts[1:]) for name in names if ".data/" in name}
    assert data == {PurePosixPath("data/share/man/man1/git-ledger.1")}


def test_vendored_libraries_are_of_the_pinned_version_and_come_with_their_licence(built: tuple[Path, Path]) -> None:
    folders = [path for path in (ROOT / "site/docs/assets/vendor").iterdir() if path.is_dir()]
    assert folders
    makefile = (ROOT / "Makefile").read_text("utf-8")
    wheel = zipfile.ZipFile(built[1])
    for folder in folders:
        said = json.loads((folder / "package.json").read_text("utf-8"))
        assert f" {said['name']}@{said['version']}\n" in makefile
        assert said["license"] == "MIT"  # the licence that the metadata of the package names
        text = (folder / "LICENSE").read_bytes()
        licences = [name for name in wheel.namelist() if name.endswith(f"licenses/{folder.relative_to(ROOT)}/LICENSE")]
        assert [wheel.read(name) for name in licences] == [text]


@pytest.mark.slow
def test_shipped_folders_are_found_from_the_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(built[1])]
    subprocess.run(install, check=True, capture_output=True)
    script = "from ledger.resources import shipped; print(*(shipped(name) for name in ('hooks', 'site', 'templates')))"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(target)!r}); {script}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert out.split() == [str(target / "ledger" / "_share" / name) for name in FOLDERS]
    assert (target / "share" / "man" / "man1" / "git-ledger.1").is_file()
    assert (target / "ledger" / "_share" / "templates" / "policy.yaml").is_file()


def test_shipped_folders_are_found_from_a_checkout() -> None:
    assert [shipped(name) for name in FOLDERS] == [ROOT / name for name in FOLDERS]


def test_the_version_stands_in_the_metadata(built: tuple[Path, Path]) -> None:
    from ledger import __version__

    assert built[1].name.startswith(f"git_ledger-{__version__}-")


def test_nothing_committed_names_a_machine() -> None:
    home = str(ROOT.parent) + "/"
    for name in tracked("."):
        path = ROOT / name
        if path.suffix in {".png", ".woff2", ".ico"}:
            continue
        assert home not in path.read_text("utf-8", "replace"), name
