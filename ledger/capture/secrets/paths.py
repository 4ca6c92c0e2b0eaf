"""Secrets in file names of a patch: such a file is left out, since with another name it would be another file."""

import re

from ledger.capture.secrets.redactor import Redactor, find_secrets

_BEGINS = re.compile(rb"^diff --git ", re.MULTILINE)


def without_secret_names(patch: bytes, redactor: Redactor) -> tuple[bytes, list[str]]:
    """Return a patch without the files whose names contain secrets, and these names with the secrets replaced."""
    starts = [match.start() for match in _BEGINS.finditer(patch)]
    lines = [patch[start : patch.find(b"\n", start)] for start in starts]
    if not lines or not find_secrets(b"\n".join(lines), redactor.own):
        return patch, []
    kept, names = [patch[: starts[0]]], []
    for number, (start, line) in enumerate(zip(starts, lines, strict=True)):
        end = starts[number + 1] if number + 1 < len(starts) else len(patch)
        paths = line.removeprefix(b"diff --git ")
        if find_secrets(paths, redactor.own):
            shown = redactor.text(paths.decode("utf-8", "replace"))
            names.append(shown[: (len(shown) - 1) // 2].removeprefix("a/"))
        else:
            kept.append(patch[start:end])
    return b"".join(kept), names
