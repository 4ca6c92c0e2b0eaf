"""Moves what the demo did in two minutes apart, over weeks: a ledger of one hour has no weeks to show.

Every time on the branch goes through one function, so what refers to each other goes on doing so: ids, folders, times
in documents and messages, dates of commits. Only what the demo made itself is moved, and the site says so.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

from ledger.store.branch.branch import Branch

Chapter = tuple[datetime, timedelta]
"""When a part of the story began, UTC, and how far back it is moved; later parts less far."""

_ID = rb"(\d{4})(\d{2})(\d{2})-(\d{6})-([0-9a-hjkmnp-tv-z]{6})"
_DATED_ID = re.compile(rb"(?:(\d{4}/\d{2}/\d{2})/)?\b(" + _ID + rb")\b")
_TIME = re.compile(rb"\b(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?Z")
_STAMP = re.compile(rb"^((?:author|committer) .*> )(\d+)( .*)$", re.DOTALL)


def spread_over_weeks(branch: Branch, chapters: Sequence[Chapter]) -> None:
    """Write the branch anew with the times of each chapter moved back; nobody else may have it yet.

    Raises:
        LedgerError: git cannot write it.
    """
    git = branch.repository.git
    stream = BytesIO(git.output("fast-export", "--reencode=no", branch.ref))
    moved = b"".join(_moved_stream(stream, lambda time: _moved(time, chapters)))
    git.output("fast-import", "--quiet", "--force", stdin=moved)


def rename_files(folder: Path, chapters: Sequence[Chapter]) -> None:
    """Give files that are called by the id of a run the name that it has now."""
    for path in sorted(folder.iterdir()):
        name = _moved_text(path.name.encode(), lambda time: _moved(time, chapters)).decode()
        path.rename(path.with_name(name))


def _moved(time: datetime, chapters: Sequence[Chapter]) -> datetime:
    """Return the time moved back as its chapter is; what is older than the story stays."""
    back = next((back for start, back in reversed(chapters) if start <= time), timedelta())
    return time - back


def _moved_stream(stream: IO[bytes], move: Callable[[datetime], datetime]) -> Iterator[bytes]:
    """Yield what `git fast-export` wrote (git-fast-import(1), INPUT FORMAT) with every time moved."""
    while line := stream.readline():
        if line.startswith(b"data "):
            data = stream.read(int(line[5:]))
            data = data if b"\0" in data else _moved_text(data, move)
            yield b"data %d\n%b" % (len(data), data)
        elif stamp := _STAMP.match(line):
            time = move(datetime.fromtimestamp(int(stamp[2]), UTC))
            yield b"%b%d%b" % (stamp[1], time.timestamp(), stamp[3])
        else:
            yield _moved_text(line, move) if line.startswith((b"M ", b"D ", b"R ", b"C ")) else line


def _moved_text(text: bytes, move: Callable[[datetime], datetime]) -> bytes:
    def dated_id(found: "re.Match[bytes]") -> bytes:
        try:
            time = datetime.fromisoformat((b"-".join(found.group(3, 4, 5)) + b"T" + found[6] + b"+00:00").decode())
        except ValueError:
            return found[0]
        to = move(time)
        name = to.strftime("%Y%m%d-%H%M%S-").encode() + found[7]
        return to.strftime("%Y/%m/%d/").encode() + name if found[1] else name

    def moment(found: "re.Match[bytes]") -> bytes:
        time = datetime.fromisoformat(found[1].decode() + "+00:00")
        return move(time).strftime("%Y-%m-%dT%H:%M:%S").encode() + (found[2] or b"") + b"Z"

    return _TIME.sub(moment, _DATED_ID.sub(dated_id, text))
