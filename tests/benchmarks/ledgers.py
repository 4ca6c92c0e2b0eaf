"""Large ledgers for benchmarks: realistic, seeded, the same every time, made in one stream and kept."""

import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec

from ledger.model.boxes.inputs import Params
from ledger.model.document import dump
from ledger.model.ids import new_id
from ledger.model.paths import RECORD_FILE
from ledger.model.record import Record
from ledger.recorder.message import record_message
from ledger.store.branch.branch import FORMAT, Branch
from ledger.store.branch.pending import Entry
from tests.benchmarks.measuring import run
from tests.sample_boxes import sample_timing
from tests.samples import AUTHORS, START, Blobs, sample_run

DAYS = 300
"""Days over which the runs of a large ledger are spread."""
_DAY = 86_400_000_000
"""Microseconds."""
_VERSION = "2"
"""Part of the cache's name: raised when what is made changes."""


def cache_dir() -> Path:
    """Return the folder where made ledgers and foreign tools are kept between benchmarks."""
    folder = Path(tempfile.gettempdir()) / f"git-ledger-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def ledger_of(count: int, folder: Path) -> Branch:
    """Copy a ledger of `count` runs into `folder`, which must not exist, and open it; the first call makes it."""
    kept = cache_dir() / f"ledger-{count}-{_VERSION}"
    if not kept.exists():
        aside = Path(tempfile.mkdtemp(dir=cache_dir()))
        make_ledger(count, aside)
        aside.rename(kept)
    shutil.copytree(kept, folder)
    return Branch.open(folder)


def entry_of(number: int, at: datetime | None = None, days: int = DAYS, count: int = 1) -> Entry:
    """Return the realistic entry of run `number`: record, environment, curves and log.

    Args:
        number: seeds everything in it.
        at: when it was made; by default its place in a ledger of `count` runs over `days` days.
        days: days the ledger is spread over.
        count: runs of the ledger.
    """
    record, side = _record(number, at or START + timedelta(days=days) * number / count)
    folder = f"runs/{record.id[:4]}/{record.id[4:6]}/{record.id[6:8]}/{record.id}"
    files = {f"{folder}/{name}": content for name, content in {**side, RECORD_FILE: dump(record)}.items()}
    return Entry(
        id=record.id,
        files=files,
        message=record_message(record, folder),
        author=record.author,
        made_at=record.timing.recorded_at,
    )


def _record(number: int, at: datetime) -> tuple[Record, Blobs]:
    chance = random.Random(number)  # noqa: S311  # samples, not secrets
    base, side = _base(number % 40)
    metrics = [
        msgspec.structs.replace(base.results.metrics[0], name=f"metric_{n}", value=chance.random()) for n in range(10)
    ]
    record = msgspec.structs.replace(
        base,
        id=new_id(at, hashlib.sha256(str(number).encode()).digest()),
        author=AUTHORS[number % 2],
        experiment=f"experiment-{number % 20}",
        params=Params(values={f"optimizer.option_{n}": chance.choice([0.1, 0.01, 0.001]) for n in range(20)}),
        results=msgspec.structs.replace(base.results, headline="validation/metric_0", metrics=metrics),
        timing=sample_timing(at, base.timing.duration_seconds or 0.0),
    )
    return record, side


@cache
def _base(seed: int) -> tuple[Record, Blobs]:
    """Return what runs share, made once: their curves are most of the time that a large ledger takes to make."""
    blobs: Blobs = {}
    base = sample_run(blobs, seed, experiment="base", params={"lr": 0.1}, accuracy=0.9, started=START)
    return base.record, {name: blobs[blob] for name, blob in base.files.items() if name != RECORD_FILE}


def make_ledger(count: int, folder: Path, days: int = DAYS) -> None:
    """Make a bare repository with a ledger of `count` runs over `days` days in an empty folder.

    The stream is never a file: at a million runs it has 15 GB.
    """
    # One long-lived process, as `git gc` leaves a ledger: everything in one pack.
    import subprocess

    run(["git", "init", "--quiet", "--bare", "."], folder)
    importing = ["git", "fast-import", "--quiet", "--done"]
    with subprocess.Popen(importing, cwd=folder, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.writelines(_stream(count, days))
    if process.returncode:
        raise RuntimeError("git fast-import failed")


def grow(folder: Path, numbers: Sequence[int], ref: str = "refs/heads/ledger") -> None:
    """Put the runs of these numbers onto a branch that a repository has, a commit for each, in one stream."""
    parent = f"from {run(['git', 'rev-parse', ref], folder).decode().strip()}\n".encode()
    parts: list[bytes] = []
    for number in numbers:
        entry = entry_of(number, START + timedelta(seconds=number))
        parts += [*_commit(entry, ref, b"" if parts else parent, entry.files)]
    import subprocess

    subprocess.run(
        ["git", "fast-import", "--quiet", "--done"], cwd=folder, input=b"".join([*parts, b"done\n"]), check=True
    )


def _stream(count: int, days: int) -> Iterator[bytes]:
    """Yield one commit per run, each on top of the one before; the last is of the same day, whatever `days` is."""
    begin = START - timedelta(days=days - DAYS)
    for number in range(count):
        entry = entry_of(number, begin + timedelta(microseconds=days * _DAY * number // count))
        files = entry.files if number else {"format": FORMAT, **entry.files}
        yield from _commit(entry, "refs/heads/ledger", b"", files)
    yield b"done\n"


def _commit(entry: Entry, ref: str, parent: bytes, files: Mapping[str, bytes]) -> Iterator[bytes]:
    stamp = f"{entry.author.name} <{entry.author.email}> {int(entry.made_at.timestamp())} +0000"
    yield f"commit {ref}\nauthor {stamp}\ncommitter {stamp}\n".encode()
    yield _data(entry.message.encode()) + parent
    for path, content in files.items():
        yield f"M 100644 inline {path}\n".encode() + _data(content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)
