"""Warnings and errors in the lines of a log, each distinct one once with its count.

Two are the same when they differ only in numbers, hexadecimal, times and paths. A Python traceback is one
error, kept whole.
"""

import re

from ledger.capture.outputs.log_lines import clean

DISTINCT_LIMIT = 200
"""Most distinct problems of one kind that are kept; more mean that the log varies in ways that are not folded."""
_TRACEBACK = b"Traceback (most recent call last):"
_TRACEBACK_HEAD = 10
_TRACEBACK_TAIL = 80
"""Most lines of a traceback that are kept, from both ends: endless recursion prints a thousand."""

_SIGNS = (
    b"err",
    b"warn",
    b"critical",
    b"fatal",
    b"exception",
    b"killed",
    b"fault",
    b"abort",
    b"severe",
    b"dumped",
    b"memory",
)
"""Words of which a line must contain one, in any case, to be examined; most lines of a log contain none."""
_SHORTEST = min(map(len, _SIGNS))
"""Bytes of the shortest of them: a log may have a million empty lines."""
_GLOG = b"EWF"
"""First letters of problems in the format of glog, such as `W1120 19:48:12`."""
_ERROR = re.compile(
    r"(?:^|[\s\[(|:<])(?:ERROR|CRITICAL|FATAL|SEVERE)(?=[\s\])|:>]|$)"
    r"|^[EF]\d{4} \d\d:"
    r"|^(?:\S{1,200}:\s)?(?:fatal )?(?:[Ee]rror|[Ff]atal)\s?:\s"
    r"|^\[(?:error|critical|fatal)\]"
    r"|(?:^|[\s\]:(])[A-Za-z_][\w.]{0,100}(?:Error|Exception)(?=:\s|:?$)"
    r"|CUDA out of memory|Segmentation fault|core dumped|Bus error|^Killed$|^Aborted"
)
_WARNING = re.compile(
    r"(?:^|[\s\[(|:<])(?:WARNING|WARN)(?=[\s\])|:>]|$)"
    r"|^W\d{4} \d\d:"
    r"|^(?:\S{1,200}:\s)?[Ww]arning\s?:\s"
    r"|^\[(?:warning|warn)\]"
    r"|(?:^|[\s\]:(])[A-Za-z_][\w.]{0,100}Warning(?=:\s|:?$)"
)
_FOLDS = (
    (re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.\-+@]{1,255}){2,64}"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+|\b(?=[a-f]{0,63}[0-9])[0-9a-f]{8,64}\b"), "#"),
    (re.compile(r"[0-9]+(?:[.,:eE_\-]{1,2}[0-9]+){0,16}"), "#"),
)


class Problems:
    """Collects the problems of a log line by line."""

    def __init__(self) -> None:
        self.errors: dict[str, tuple[str, int]] = {}
        """First original text and count of each error, by folded text."""
        self.warnings: dict[str, tuple[str, int]] = {}
        """The same for warnings."""
        self.unlisted: dict[str, int] = {"errors": 0, "warnings": 0}
        """Number of further distinct problems beyond the limit."""
        self._traceback: list[str] | None = None
        self._prefix = b""
        self._left_out = 0

    def add(self, line: bytes) -> None:
        """Examine the next line."""
        if self._traceback is not None and self._continue_traceback(line):
            return
        if len(line) < _SHORTEST:
            return
        at = line.find(_TRACEBACK) if b"Traceback" in line else -1
        if at >= 0:
            self._prefix, self._traceback, self._left_out = line[:at], [clean(line[at:])], 0
            return
        lower = line.lower()
        if not any(sign in lower for sign in _SIGNS) and not (line[:1] in _GLOG and line[1:5].isdigit()):
            return
        text = clean(line)
        if _ERROR.search(text):
            self._count("errors", text)
        elif _WARNING.search(text):
            self._count("warnings", text)

    def finish(self) -> None:
        """Count a traceback that the end of the log cut off."""
        if self._traceback is not None:
            self._close()

    def _continue_traceback(self, line: bytes) -> bool:
        """Add the line to the open traceback; return false when it belongs to something else."""
        if self._prefix and not line.startswith(self._prefix.rstrip()):
            self._close()
            return False
        text = clean(line.removeprefix(self._prefix))
        nested = text.startswith((" ", "\t")) or not text
        if nested or (text.startswith(("+", "|")) and "Error" not in text):
            self._keep(text)
            return True
        self._keep(text)
        self._close()
        return True

    def _keep(self, text: str) -> None:
        lines = self._traceback or []
        if len(lines) >= _TRACEBACK_HEAD + _TRACEBACK_TAIL:
            del lines[_TRACEBACK_HEAD]
            self._left_out += 1
        lines.append(text)

    def _close(self) -> None:
        lines = self._traceback or []
        if self._left_out:
            lines.insert(_TRACEBACK_HEAD, f"  … {self._left_out:,} lines left out …")
        self._traceback = None
        while lines and not lines[-1]:
            lines.pop()
        self._count("errors", "\n".join(lines))

    def _count(self, kind: str, text: str) -> None:
        known = self.errors if kind == "errors" else self.warnings
        key = fold(text)
        first, count = known.get(key, (text, 0))
        if count or len(known) < DISTINCT_LIMIT:
            known[key] = (first, count + 1)
        else:
            self.unlisted[kind] += 1


def fold(text: str) -> str:
    """Return `text` with numbers, hexadecimal, times and paths made equal."""
    for pattern, replacement in _FOLDS:
        text = pattern.sub(replacement, text)
    return text
