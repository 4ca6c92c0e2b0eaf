"""The summary of a training log: head, tail, progress in between, and every warning and error once."""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from ledger.capture.outputs.log_lines import LogStream, clean, shorten
from ledger.capture.outputs.log_problems import DISTINCT_LIMIT, Problems
from ledger.capture.outputs.log_progress import ProgressLines
from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError, NotFound
from ledger.model.boxes.outputs import Logs

_LABEL_CHARACTERS = 300
"""Most characters of one problem in the record, which has a few KB; the summary has the whole text."""


def summarise_log(path: Path, redactor: Redactor, head: int = 100, tail: int = 200) -> tuple[Logs, bytes]:
    """Return the log in short, and the summary file, both clean and without secrets.

    Of what lies between head and tail it holds the lines that report progress (`log_progress.py`). The log is read
    once, in bounded memory, whatever its size and the length of its lines.

    Args:
        path: path of the log.
        redactor: replaces secrets and counts them.
        head: first lines to keep.
        tail: last lines to keep.

    Raises:
        NotFound: there is no such file.
        LedgerError: it is a folder or cannot be read.
    """
    first: list[bytes] = []
    last: deque[bytes] = deque(maxlen=max(0, tail))
    problems, progress = Problems(), ProgressLines()
    try:
        with path.open("rb") as file:
            stream = LogStream(file)
            for line in stream:
                if len(first) < head:
                    first.append(line)
                else:
                    if len(last) == last.maxlen:
                        progress.add(last[0] if last else line)
                    last.append(line)
                problems.add(line)
    except FileNotFoundError:
        raise NotFound(f"there is no log file: `{path}`", hint="check the path, or leave it out") from None
    except OSError as error:
        raise LedgerError(f"the log file cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    problems.finish()
    errors = _redacted(problems.errors.values(), redactor)
    warnings = _redacted(problems.warnings.values(), redactor)
    logs = Logs(
        hash=stream.hash,
        bytes=stream.bytes,
        lines=stream.lines,
        errors=_labels(errors),
        warnings=_labels(warnings),
        unknown={
            kind: f"more than {DISTINCT_LIMIT} different ones: {count:,} more lines are not listed"
            for kind, count in problems.unlisted.items()
            if count
        },
    )
    header = [
        f"log: {redactor.text(clean(path.name.encode('utf-8', 'replace')))}",
        f"size: {stream.bytes:,} bytes, {stream.lines:,} lines",
        f"hash: {stream.hash}",
        f"errors: {len(errors):,} different, {_total(errors):,} in all",
        f"warnings: {len(warnings):,} different, {_total(warnings):,} in all",
    ]
    body = _excerpt(first, progress.lines(), last, stream.lines, redactor)
    listed = [*_listing("errors", errors), *_listing("warnings", warnings)]
    return logs, ("\n".join([*header, *body, *listed]) + "\n").encode("utf-8", "replace")


def _excerpt(
    first: list[bytes], progress: list[bytes], last: Iterable[bytes], lines: int, redactor: Redactor
) -> list[str]:
    shown_last = list(last)
    between = lines - len(first) - len(shown_last)
    if between <= 0:
        # together, so that a key across the end of head and start of tail is recognised as one
        return ["", f"== all {lines:,} lines ==", *_lines([*first, *shown_last], redactor)]
    shown = [f"== progress: {len(progress):,} of the {between:,} lines in between =="] if progress else []
    return [
        "",
        f"== first {len(first):,} lines ==",
        *_lines(first, redactor),
        *shown,
        *_lines(progress, redactor),
        f"… {between - len(progress):,} lines left out …",
        f"== last {len(shown_last):,} lines ==",
        *_lines(shown_last, redactor),
    ]


def _lines(lines: list[bytes], redactor: Redactor) -> list[str]:
    text = redactor.text("\n".join(clean(line) for line in lines))
    return [shorten(line) for line in text.split("\n")] if lines else []


def _redacted(problems: Iterable[tuple[str, int]], redactor: Redactor) -> list[tuple[str, int]]:
    return [("\n".join(shorten(line) for line in redactor.text(text).split("\n")), count) for text, count in problems]


def _labels(problems: list[tuple[str, int]]) -> dict[str, int]:
    """Return each problem's most informative line (the last of a traceback) and its count."""
    labels: dict[str, int] = {}
    for text, count in problems:
        line = text.strip().rsplit("\n", 1)[-1].strip()
        label = line if len(line) <= _LABEL_CHARACTERS else f"{line[:_LABEL_CHARACTERS]}…"
        labels[label] = labels.get(label, 0) + count
    return labels


def _listing(title: str, problems: list[tuple[str, int]]) -> list[str]:
    if not problems:
        return []
    lines = ["", f"== {title} =="]
    for text, count in problems:
        first, *more = text.split("\n")
        lines += [f"{count:,} times: {first}" if count != 1 else f"once: {first}", *(f"    {line}" for line in more)]
    return lines


def _total(problems: list[tuple[str, int]]) -> int:
    return sum(count for _, count in problems)
