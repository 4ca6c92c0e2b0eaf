"""The packages of an interpreter, by the names of their metadata folders.

Reading the metadata of a hundred packages costs 50 ms of CPU, their folder names 1 ms.
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from ledger.capture.secrets.redactor import Redactor
from ledger.model.entries import PackageSource

_FRAMEWORKS = (
    "torch",
    "torchvision",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "jax",
    "jaxlib",
    "flax",
    "lightning",
    "pytorch-lightning",
    "transformers",
    "accelerate",
    "deepspeed",
    "scikit-learn",
    "xgboost",
    "numpy",
)
"""Packages whose version is part of the record itself."""
_VERSION = re.compile(r"^Version: (\S{1,100})", re.MULTILINE)
_CUDA = re.compile(r"^cuda(?:: Optional\[str\])? = '([0-9.]{1,20})'", re.MULTILINE)
_WHEEL_TAG = re.compile(r"^Tag: ([A-Za-z0-9_.]{1,40}-[A-Za-z0-9_.]{1,40}-[A-Za-z0-9_.]{1,100})$", re.MULTILINE)
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_HEADER = 4096


class InstalledPackages(NamedTuple):
    """The packages of an interpreter."""

    packages: dict[str, str]
    """Version by normalised name, sorted; an editable install has `(editable)`, one from git its commit."""
    sources: dict[str, PackageSource]
    """Origin of packages that were not installed from an index."""
    tags: dict[str, str]
    """Wheel tag of packages that were built for an interpreter or a platform."""
    working_copies: dict[str, Path]
    """Folder of each editable install."""


def read_packages(folders: Iterable[Path]) -> InstalledPackages:
    """Return the packages of an interpreter; of two folders with a package, the first counts."""
    packages: dict[str, str] = {}
    where: dict[str, Path] = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.path) for entry in entries)
        except OSError:
            continue
        for name, path in found:
            package = _package(name, Path(path))
            if package and package[0] not in packages:
                packages[package[0]] = package[1]
                where[package[0]] = Path(path)
    sources = {name: source for name, path in sorted(where.items()) if (source := read_source(path)) is not None}
    tags = {name: tag for name, path in sorted(where.items()) if (tag := _tag(path)) is not None}
    edited = [name for name, source in sources.items() if source.kind == "editable"]
    copies = {name: copy for name in edited if (copy := _working_copy(where[name])) is not None}
    return InstalledPackages(dict(sorted(packages.items())), sources, tags, copies)


def frameworks_of(packages: dict[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """Return the version of each framework, and of CUDA and cuDNN as torch was built or installed with."""
    frameworks = {name: packages[name] for name in _FRAMEWORKS if name in packages}
    if "torch" in packages:
        for folder in folders:
            match = _CUDA.search(_head(folder / "torch" / "version.py"))
            if match:
                frameworks["cuda"] = match[1]
                break
    cudnn = next((packages[name] for name in packages if name.startswith("nvidia-cudnn-cu")), None)
    return frameworks | ({"cudnn": cudnn} if cudnn else {})


def _package(name: str, path: Path) -> tuple[str, str] | None:
    stem, dot, kind = name.rpartition(".")
    if not dot:
        return None
    if kind == "dist-info":
        package, dash, version = stem.rpartition("-")
        if dash:
            return _normal(package), version + _origin(path / "direct_url.json")
    elif kind == "egg-info":
        package, _, rest = stem.partition("-")
        known = re.sub(r"-py[0-9.]+$", "", rest) or _version(path / "PKG-INFO") or _version(path)
        return (_normal(package), known) if known else None
    elif kind == "egg-link":
        source = Path(_head(path).splitlines()[0]) if _head(path) else path
        told = _version(source / f"{stem.replace('-', '_')}.egg-info" / "PKG-INFO")
        return _normal(stem), f"{told or 'unknown'} (editable)"
    return None


def _origin(direct_url: Path) -> str:
    """Return the PEP 610 statement of an install that came from no index."""
    text = _head(direct_url)
    if not text:
        return ""
    try:
        origin = json.loads(text)
        if origin.get("dir_info", {}).get("editable"):
            return " (editable)"
        commit = str(origin.get("vcs_info", {}).get("commit_id", ""))
    except (ValueError, AttributeError):
        return ""
    return f" (git {commit})" if re.fullmatch(r"[0-9a-f]{7,64}", commit) else ""


def read_source(metadata: Path) -> PackageSource | None:
    """Return the origin of a package from its metadata folder (PEP 610); none where it came from an index.

    URLs are kept without credentials, and paths of this machine not at all.
    """
    if metadata.suffix == ".egg-link":
        return PackageSource(kind="editable")
    origin = _direct_url(metadata)
    url = str(origin.get("url", "")) if origin else ""
    if origin is None or not url or _head(metadata / "INSTALLER").strip() == "conda":
        return None  # in conda packages it is the folder of the build machine
    local = url.startswith("file:")
    kept = None if local else Redactor().url(url.partition("?")[0])[:500]
    vcs, folder = origin.get("vcs_info"), origin.get("dir_info")
    below = origin.get("subdirectory")
    if isinstance(vcs, dict):
        commit = str(vcs.get("commit_id", ""))
        return PackageSource(
            kind="vcs",
            vcs=str(vcs.get("vcs", "git"))[:10],
            url=kept,
            commit=commit if _COMMIT.fullmatch(commit) else None,
            subdirectory=below[:200] if isinstance(below, str) else None,
        )
    if isinstance(folder, dict):
        return PackageSource(kind="editable" if folder.get("editable") else "folder", url=kept)
    info = origin.get("archive_info")
    hashes = info.get("hashes") if isinstance(info, dict) else None
    known = hashes.get("sha256") if isinstance(hashes, dict) else None
    sha = known if isinstance(known, str) and re.fullmatch(r"[0-9a-f]{64}", known) else None
    return PackageSource(kind="archive", url=kept, sha256=sha)


def _working_copy(metadata: Path) -> Path | None:
    """Return the folder of an editable install."""
    if metadata.suffix == ".egg-link":
        lines = _head(metadata).splitlines()
        return Path(lines[0]) if lines else None
    origin = _direct_url(metadata)
    folder = origin.get("dir_info") if origin else None
    url = str(origin.get("url", "")) if origin else ""
    if isinstance(folder, dict) and folder.get("editable") and url.startswith("file://"):
        return Path(unquote(url.removeprefix("file://").removeprefix("localhost")))
    return None


def _tag(metadata: Path) -> str | None:
    """Return the first tag of a wheel; none where it fits every interpreter and platform."""
    match = _WHEEL_TAG.search(_head(metadata / "WHEEL")) if metadata.suffix == ".dist-info" else None
    return match[1] if match and not match[1].endswith("-none-any") else None


def _direct_url(metadata: Path) -> dict[str, Any] | None:
    text = _head(metadata / "direct_url.json") if metadata.suffix == ".dist-info" else ""
    try:
        origin = json.loads(text) if text else None
    except ValueError:
        return None
    return origin if isinstance(origin, dict) else None


def _version(path: Path) -> str | None:
    match = _VERSION.search(_head(path))
    return match[1] if match else None


def _head(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)  # of hundreds of files: half the time of opening a file object
        try:
            return os.read(descriptor, _HEADER).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    except OSError:
        return ""


def _normal(name: str) -> str:
    """Return the name in the normal form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
