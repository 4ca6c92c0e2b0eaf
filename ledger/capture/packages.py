"""Lists the packages of an interpreter by the names of their metadata folders.

Reading the metadata of every package costs 50 ms of CPU for a hundred packages, their folder names 1 ms.
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

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
"""Packages whose version is worth a line in the record itself."""
_VERSION = re.compile(r"^Version: (\S{1,100})", re.MULTILINE)
_CUDA = re.compile(r"^cuda(?:: Optional\[str\])? = '([0-9.]{1,20})'", re.MULTILINE)
_HEADER = 4096


def read_packages(folders: Iterable[Path]) -> dict[str, str]:
    """Return normalised package name to version, sorted; the first folder that has a package counts.

    What was installed from a working copy says `(editable)`, what came from git says its commit.
    """
    packages: dict[str, str] = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.path) for entry in entries)
        except OSError:
            continue
        for name, path in found:
            package = _package(name, Path(path))
            if package:
                packages.setdefault(*package)
    return dict(sorted(packages.items()))


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
    """Return what PEP 610 says about an install that came from no registry."""
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


def _version(path: Path) -> str | None:
    match = _VERSION.search(_head(path))
    return match[1] if match else None


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER).decode("utf-8", "replace")
    except OSError:
        return ""


def _normal(name: str) -> str:
    """Return the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
