"""The paths that a ledger has, and why others are refused, the most dangerous reason first."""

import re
import unicodedata
from collections.abc import Callable

from ledger.model.paths import AGREED

_DATED = r"\d{4}/\d\d/\d\d/[0-9a-z-]{22}"
_SIGNED = r"(\.[0-9a-f]{16}\.sig)?"
_SHAPES = re.compile(
    "|".join(
        (
            r"format",
            r"policy\.yaml",
            r"law/[0-9a-f]{16}\.sig",
            AGREED.pattern,
            rf"runs/{_DATED}/(record\.json{_SIGNED}|environment\.json|curves\.csv|log\.txt|code\.patch|notebook\.py)",
            rf"runs/{_DATED}/figures/[a-z0-9._-]+\.(png|svg)",
            rf"runs/{_DATED}/tables/[a-z0-9._-]+\.csv",
            rf"datasets/[a-z0-9._-]+/[a-z0-9._-]+/(dataset\.json{_SIGNED}|manifest\.jsonl|pictures/[a-z0-9._-]+\.png)",
            r"manifests/[a-z0-9._-]+/[a-z0-9._-]+/[0-9a-f]+/[0-9a-f]+\.jsonl",
            rf"cases/[a-z0-9._-]+/[0-9a-z-]{{22}}\.json{_SIGNED}",
            rf"hosts/[a-z0-9._-]+/{_DATED}\.json{_SIGNED}",
            rf"(notes|evaluations|redactions)/{_DATED}\.json{_SIGNED}",
        )
    ),
    re.ASCII,
)
"""All forms of paths that an entry may have."""

REGULAR = "100644"
"""Git's mode of a regular file that is not executable, the only one for entries."""
_MODES = {
    "120000": "a symbolic link; it could lead anywhere",
    "160000": "a submodule; it would fetch another repository",
    "100755": "an executable file (mode 100755)",
    "040000": "a folder in the place of a file (mode 040000)",
}
_RESERVED = re.compile(r"(?i)(?:^|/)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|/|$)")
"""Names that Windows gives to devices, with any suffix
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""
_DEEPEST = 7
"""Number of parts in the deepest path: a figure of a run."""
_LONGEST = 200
"""Most characters of a name; git and every file system take 255 bytes."""
_HIDDEN = {"Cf", "Zl", "Zp"}
_GIT_SHORT = re.compile(r"(?i)\.?git(~[0-9])?[ .]*|\.git.*")
"""`.git`, `.gitattributes`, `.gitmodules`, and the short names under which Windows finds the first (CVE-2014-9390)."""


def wrong_mode(mode: str) -> str | None:
    """Return what is wrong with a file's mode; none when it is a regular file."""
    if mode == REGULAR:
        return None
    return f"not a regular file but {_MODES[mode]}" if mode in _MODES else f"not a regular file (mode {mode})"


def wrong_path(path: str) -> str | None:
    """Return why no entry may have a path; none when one may."""
    plain = len(path) <= _LONGEST and ".." not in path and "/." not in path and "./" not in path
    if plain and _SHAPES.fullmatch(path):
        return None  # the usual case
    parts = path.split("/")
    dotted = any(part.startswith(".") or part.endswith(".") for part in parts[1:])
    if _SHAPES.fullmatch(path) and ".." not in path and not dotted and max(map(len, parts)) <= _LONGEST:
        return None
    why = next((reason for applies, reason in _REASONS if applies(path, parts)), None)
    return f"no entry has a path like this: {why}" if why else "no entry has a path like this"


def is_device(path: str) -> bool:
    """Return whether Windows takes a part of a path for a device, so that it cannot be checked out there."""
    return _RESERVED.search(path) is not None


def _categories(path: str) -> set[str]:
    return {unicodedata.category(character) for character in path}


_REASONS: tuple[tuple[Callable[[str, list[str]], bool], str], ...] = (
    (lambda path, parts: ".." in path or not {"", "."}.isdisjoint(parts), "it leads out of its folder"),
    (lambda path, _: "Cs" in _categories(path), "it is not UTF-8"),
    (lambda path, _: "Cc" in _categories(path), "it holds control characters"),
    (
        lambda path, _: not _HIDDEN.isdisjoint(_categories(path)),
        "it holds invisible characters, or characters that reverse the text",
    ),
    (lambda _, parts: any(map(_GIT_SHORT.fullmatch, parts)), "git reserves this name"),
    (lambda path, _: "\\" in path or ":" in path, "Windows would read it as another path"),
    (
        lambda path, parts: is_device(path) or any(part.endswith((" ", ".")) for part in parts),
        "no file can have this name on Windows",
    ),
    (lambda path, _: not path.isascii(), "it is not plain ASCII, and could look like another"),
    (
        lambda _, parts: len(parts) > _DEEPEST or max(map(len, parts)) > _LONGEST,
        "it is too deep or too long",
    ),
    (
        lambda path, _: path != path.lower() and bool(_SHAPES.fullmatch(path.lower())),
        "it differs from another only by case",
    ),
)
"""Reasons against a path, in order; the first that applies is shown."""
