"""The files that a patch of git changes, and their resulting blobs, read from its headers."""

import os
import re

_QUOTED = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def blobs_after(patch: bytes) -> dict[str, str]:
    """Return the blob id of each path after a patch with full indexes; zeros for a deleted file."""
    found: dict[str, str] = {}
    path, blob = "", ""
    in_head = False
    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):
            path, blob, in_head = _common(line.removeprefix(b"diff --git ")), "", True
        elif in_head and line.startswith(b"index "):
            blob = line.split(b" ")[1].rpartition(b"..")[2].decode("ascii", "replace")
            found[path] = blob
        elif in_head and line.startswith((b"new mode ", b"deleted file mode ")):
            found.setdefault(path, "0" if line.startswith(b"deleted") else line.decode("ascii", "replace"))
        elif line.startswith((b"@@ ", b"GIT binary patch")):
            in_head = False
    return found


def _common(names: bytes) -> str:
    """Return the path in `a/X b/X`, whose halves differ only in their first letter."""
    if names.startswith(b'"'):
        first = names[1:].partition(b'" ')[0]
        return os.fsdecode(_QUOTED.sub(_unescaped, first).partition(b"/")[2])
    half = (len(names) - 1) // 2
    return os.fsdecode(names[:half].partition(b"/")[2])


def _unescaped(match: "re.Match[bytes]") -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _ESCAPES.get(code, code)  # noqa: PLR2004  # octal
