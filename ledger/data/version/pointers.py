"""Files that stand for data: git-lfs pointers, and files in which DVC lists data.

Reads what they say; never the data. What counts as proof stands in `.github/decisions/identities.md`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ledger.data.version.listing import Manifest, manifest_of, problems_of
from ledger.errors import InvalidDocument, LedgerError
from ledger.model.entries import ManifestLine

_LFS = b"version https://git-lfs.github.com/spec/v1\n"
"""First line of a git-lfs pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
_LFS_LONGEST = 1024
"""Bytes that a pointer has fewer than, by the same page."""
_LFS_SHORTEST = len(_LFS) + len("oid sha256:") + 64 + len("\nsize 0\n")
_MD5 = re.compile(r"[0-9a-f]{32}")


def check_no_pointer(descriptor: int, size: int, path: str) -> None:
    """Refuse a git-lfs pointer in place of data: its hash would identify a file that no training reads.

    Raises:
        LedgerError: it is one.
        OSError: it cannot be read.
    """
    if _LFS_SHORTEST <= size < _LFS_LONGEST and os.pread(descriptor, len(_LFS), 0) == _LFS:
        raise LedgerError(f"a git-lfs pointer stands where the data should be: `{path}`", hint="git lfs pull")


def is_dvc_file(path: str) -> bool:
    """Return whether a path is that of a file in which DVC lists data."""
    name = os.path.basename(path)  # noqa: PTH119  # text in, text out
    return (name.endswith(".dvc") and name != ".dvc") or name == "dvc.lock"


def read_dvc(path: Path) -> Manifest:
    """Return the manifest of data in DVC, by the MD5 hashes there: the data is not read, and need not be present.

    A `.dvc` file names one file or folder, whose names begin inside it; `dvc.lock` names what all stages made,
    under their own paths. Of a folder the listing must be in DVC's cache, and its files for their sizes.

    Raises:
        InvalidDocument: it is no file of DVC's, or it keeps nothing by MD5.
        LedgerError: it cannot be read, or DVC's cache lacks what is needed.
    """
    from ledger.formats.yaml_file import load_yaml

    try:
        said = load_yaml(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise LedgerError(f"the dataset cannot be read ({error.strerror}): `{path}`") from None
    except (LedgerError, UnicodeDecodeError):
        raise InvalidDocument(str(path), ["not YAML"]) from None
    outs = list(_outs(said))
    if not outs:
        raise InvalidDocument(str(path), ["it names no data that DVC keeps"])
    alone = path.name != "dvc.lock"
    lines = [line for out in outs for line in _lines_of(out, path, alone=alone)]
    problems = [problem for line in lines for problem in problems_of(line, None)]
    if problems:
        raise InvalidDocument(str(path), problems[:20])
    return manifest_of(lines)


def _outs(said: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  # whatever YAML holds
    """Yield the outputs of a `.dvc` file or of the stages of a `dvc.lock`."""
    if not isinstance(said, dict):
        return
    stages = said.get("stages")
    for holder in [said, *(stages.values() if isinstance(stages, dict) else [])]:
        outs = holder.get("outs") if isinstance(holder, dict) else None
        yield from (out for out in outs or () if isinstance(out, dict)) if isinstance(outs, list) else ()


def _lines_of(out: Mapping[str, Any], path: Path, *, alone: bool) -> Iterator[ManifestLine]:
    name, digest = str(out.get("path", "")), str(out.get("md5", ""))
    whole = digest.removesuffix(".dir")
    # DVC 2 hashed text with its line ends changed, which proves no content.
    if not _MD5.fullmatch(whole) or out.get("hash", "md5-dos2unix") != "md5":
        raise InvalidDocument(
            str(path), [f"the MD5 of its content is missing: `{ascii(name)[1:-1][:80]}`"], hint="dvc cache migrate"
        )
    if digest == whole:
        size = out.get("size")
        if not isinstance(size, int) or isinstance(size, bool):
            raise InvalidDocument(str(path), [f"its size is missing: `{ascii(name)[1:-1][:80]}`"])
        yield ManifestLine(path=name, bytes=size, hash=f"md5:{whole}")
        return
    cache = _cache_of(path)
    for inside, content in _listed(cache / whole[:2] / f"{whole[2:]}.dir"):
        place = cache / content[:2] / content[2:]
        try:
            size = place.stat().st_size
        except OSError:
            raise LedgerError(f"DVC's cache lacks a file of the dataset: `{inside}`", hint="dvc fetch") from None
        yield ManifestLine(path=inside if alone else f"{name}/{inside}", bytes=size, hash=f"md5:{content}")


def _listed(listing: Path) -> Iterator[tuple[str, str]]:
    try:
        files = msgspec.json.decode(listing.read_bytes(), type=list[dict[str, Any]])
    except FileNotFoundError:
        raise LedgerError(f"DVC's cache lacks the listing of the dataset: `{listing}`", hint="dvc fetch") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise LedgerError(f"the listing in DVC's cache is damaged: `{listing}`", hint="dvc fetch") from None
    for file in files:
        name, content = str(file.get("relpath", "")), str(file.get("md5", ""))
        if not _MD5.fullmatch(content):
            raise LedgerError(f"the listing in DVC's cache is damaged: `{listing}`", hint="dvc fetch")
        yield name, content


def _cache_of(path: Path) -> Path:
    """Return DVC's cache path for an MD5: https://dvc.org/doc/user-guide/project-structure/internal-files."""
    for folder in path.resolve().parents:
        if (folder / ".dvc").is_dir():
            return folder / ".dvc" / "cache" / "files" / "md5"
    raise LedgerError(f"the file is not in a DVC repository: `{path}`", hint="dvc init")
