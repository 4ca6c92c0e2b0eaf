"""Hashing datasets beside `cat` to nowhere and merely reading them, beside DVC, and what a million files cost.

`--large` takes a file of 4 GB instead of 1; `--dvc PATH` compares with that `dvc`; `--million` adds manifests of
1,000,000 files: difference, growth of git, memory.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from blake3 import blake3

from ledger.data.version.difference import diff_manifests
from ledger.data.version.listing import Manifest, manifest_of_text, render_line
from ledger.data.version.manifest import build_manifest
from ledger.data.version.stat_cache import RESOLUTION_NS, StatCache
from ledger.hashing import hash_bytes, hash_descriptor, hash_file
from ledger.model.document import dump
from ledger.model.entries import DATASET_FORMAT, DatasetVersion, ManifestLine
from ledger.model.paths import dataset_path
from ledger.model.record import Author
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.manifests import manifest_files, read_difference, read_manifest
from ledger.store.branch.pending import Entry
from tests.benchmarks.measuring import cpu_seconds, run, show, sized, verdict, workplace

SMALL_FILES, SMALL_BYTES = sized(100_000, 200), 10_000
PER_FOLDER = 1000
THREADS = min(16, os.cpu_count() or 1)
CHUNK = 1 << 20
REPETITIONS = sized(3)
MILLION, CHANGED = 1_000_000, 100
ADA = Author(name="Ada", email="ada@example.com")


def best(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Return the fewest wall and CPU seconds of each, measured in turns."""
    found = [(float("inf"), float("inf"))] * len(works)
    for _ in range(REPETITIONS):
        for number, work in enumerate(works):
            wall, cpu = time.perf_counter(), cpu_seconds()
            work()
            wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
            found[number] = min(found[number][0], wall), min(found[number][1], cpu)
    return found


def read_ranges(path: Path) -> None:
    """Read a file with as many threads as hash it."""

    def read(part: int) -> None:
        window = memoryview(bytearray(CHUNK))
        size = path.stat().st_size
        at, end = size * part // THREADS, size * (part + 1) // THREADS
        with path.open("rb", buffering=0) as file:
            while at < end:
                at += os.preadv(file.fileno(), [window[: min(CHUNK, end - at)]], at)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(THREADS)))


def read_files(paths: Sequence[str]) -> None:
    """Read many files with as many threads as hash them, in batches as large."""

    def read(batch: Sequence[str]) -> None:
        for path in batch:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, SMALL_BYTES + 1)
            os.close(descriptor)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, [paths[start : start + 64] for start in range(0, len(paths), 64)]))


def cat_file(path: Path) -> None:
    """Let `cat` read a file."""
    subprocess.run(("cat", path), stdout=subprocess.DEVNULL, check=True)


def cat_folder(root: Path) -> None:
    """Let `find` list the files of a folder, and `cat` read them."""
    with subprocess.Popen(("find", root, "-type", "f", "-print0"), stdout=subprocess.PIPE) as found:
        subprocess.run(("xargs", "-0", "cat"), stdin=found.stdout, stdout=subprocess.DEVNULL, check=True)


def large_file(folder: Path, size: int) -> None:
    """Measure one large file."""
    path = folder / "large" / "large.bin"
    path.parent.mkdir()
    with path.open("wb") as file:
        for _ in range(size // CHUNK):
            file.write(os.urandom(CHUNK))
    held = bytearray(os.urandom(min(size, 1 << 28)))
    read, hashed, ceiling, cat, alone = best(
        lambda: read_ranges(path),
        lambda: hash_file(path),
        lambda: _hash_memory(held, size // len(held)),
        lambda: cat_file(path),
        lambda: hash_alone(path),
    )
    speed = [size / wall / 1e9 for wall, _ in (read, hashed, ceiling, cat)]
    floor = min(speed[0], speed[2])
    beside = speed[1] / speed[3]
    bound = 2 * cat[0] / alone[0]
    show(
        f"one file of {size / 1e9:.1f} GB, page cache warm, {THREADS} threads",
        ("", "GB/s", "CPU s"),
        [
            ("`cat` to nowhere", f"{speed[3]:.2f}", f"{cat[1]:.2f}"),
            ("merely read", f"{speed[0]:.2f}", f"{read[1]:.2f}"),
            ("BLAKE3 of memory, all cores: the ceiling", f"{speed[2]:.2f}", f"{ceiling[1]:.2f}"),
            ("hash_file", f"{speed[1]:.2f}", f"{hashed[1]:.2f}"),
            (
                "of the lower of the two",
                f"{speed[1] / floor:.2f}",
                f"at least 0.80: {verdict(-speed[1] / floor, -0.8)}",
            ),
            ("of `cat`", f"{beside:.2f}", f"at least 0.80: {verdict(-beside, -0.8)}"),
            ("of `cat`, were two cores twice as fast as one that reads and hashes", f"{bound:.2f}", ""),
        ],
    )


def hash_alone(path: Path) -> None:
    """Read and hash a file with one thread, through a buffer that stays in the cache."""
    with path.open("rb", buffering=0) as file:
        hash_descriptor(file.fileno(), CHUNK)


def _hash_memory(data: bytearray, times: int) -> None:
    for _ in range(times):
        blake3(data, max_threads=blake3.AUTO).digest()


def small_files(folder: Path) -> None:
    """Measure many small files, and a second pass over them."""
    root = folder / "small"
    paths = []
    content = bytearray(os.urandom(SMALL_BYTES))
    for number in range(SMALL_FILES):
        path = root / f"{number // PER_FOLDER:03d}" / f"{number:06d}.bin"
        if number % PER_FOLDER == 0:
            path.parent.mkdir(parents=True)
        content[:8] = number.to_bytes(8, "little")
        path.write_bytes(content)
        paths.append(str(path))
    held = bytes(content)
    read, hashed, ceiling, cat = best(
        lambda: read_files(paths),
        lambda: build_manifest(root, jobs=THREADS),
        lambda: [hash_bytes(held) for _ in paths],
        lambda: cat_folder(root),
    )
    time.sleep(RESOLUTION_NS / 1e9)
    cache = StatCache(folder / "hashes.sqlite3")
    (first,) = _once(lambda: build_manifest(root, jobs=THREADS, cache=cache))
    ((_, second),) = best(lambda: build_manifest(root, jobs=THREADS, cache=cache))
    ratio = max(read[0], ceiling[0]) / hashed[0]
    beside = cat[0] / hashed[0]
    both = (read[1] + ceiling[1]) / hashed[1]
    show(
        f"{SMALL_FILES:,} files of {SMALL_BYTES:,} bytes, page cache warm, {THREADS} threads",
        ("", "wall s", "CPU s", "µs a file"),
        [
            ("`find` and `cat` to nowhere", *_row(cat)),
            ("merely open and read", *_row(read)),
            ("hash as much from memory, one thread", *_row(ceiling)),
            ("build_manifest", *_row(hashed)),
            ("its speed beside the lower of the two", f"{ratio:.2f}", f"at least 0.8: {verdict(-ratio, -0.8)}", ""),
            ("its speed beside `cat`", f"{beside:.2f}", f"at least 0.8: {verdict(-beside, -0.8)}", ""),
            ("its speed beside both, one after the other", "", f"{both:.2f}", ""),
            ("with an empty cache to fill", *_row(first)),
            ("second pass", "", f"{second:.2f}", f"at most 1 s: {verdict(second, 1.0)}"),
        ],
    )


def _row(taken: tuple[float, float]) -> tuple[str, str, str]:
    return f"{taken[0]:.2f}", f"{taken[1]:.2f}", f"{taken[1] / SMALL_FILES * 1e6:.1f}"


def _once(work: Callable[[], object]) -> list[tuple[float, float]]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return [(time.perf_counter() - wall, cpu_seconds() - cpu)]


def against_dvc(folder: Path, dvc: str) -> None:
    """Compare with `dvc add` of the same data, both in processes of their own and for the first time."""
    rows = []
    for name in ("large", "small"):
        ours, theirs = [], []
        for repetition in range(2):
            work = folder / f"dvc-{name}-{repetition}"
            work.mkdir()
            environment = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(work / "site")}
            run(("git", "init", "-q"), work)
            run((dvc, "init", "-q"), work, environment)
            run((dvc, "config", "cache.type", "hardlink"), work, environment)
            shutil.copytree(folder / name, work / name, copy_function=os.link)
            script = "import sys; from ledger.data.version.manifest import build_manifest; build_manifest(sys.argv[1])"
            command = (sys.executable, "-c", script, str(work / name))
            ours += _once(partial(run, command, Path.cwd()))
            theirs += _once(partial(run, (dvc, "add", "-q", name), work, environment))
            shutil.rmtree(work)
        fewest = [min(taken) for taken in zip(*theirs, strict=True)], [min(taken) for taken in zip(*ours, strict=True)]
        ratio = fewest[0][0] / fewest[1][0]
        cells = (f"{fewest[1][0]:.2f}", f"{fewest[0][0]:.2f}", f"{ratio:.1f}", verdict(-ratio, -3))
        rows.append((name, *cells, f"{fewest[0][1] / fewest[1][1]:.1f}"))
    show("beside `dvc add`", ("", "ours, wall s", "dvc add", "times", "at least 3", "times CPU"), rows)


def synthetic(changed: int = 0) -> Manifest:
    """Return a manifest of a million files, the first ones of which may be changed."""
    every = MILLION // max(1, changed)
    size, text = 0, bytearray()
    for number in range(MILLION):
        new = bool(changed) and number % every == 0
        content = hash_bytes(b"%d %d" % (number, new))
        line = ManifestLine(path=f"{number // PER_FOLDER:04d}/{number:07d}.png", bytes=10_000, hash=content)
        text += render_line(line)
        size += line.bytes
    return manifest_of_text(bytes(text), size)


def million(folder: Path) -> None:
    """Measure two versions of a million files that differ in a hundred."""
    repository = folder / "million"
    repository.mkdir()
    run(("git", "init", "-q"), repository)
    ledger = Branch(Repository.discover(repository))
    old, new = synthetic(), synthetic(CHANGED)
    versions, sizes, costs = [], [_size(repository)], []
    for label, manifest in (("v1", old), ("v2", new)):
        before = cpu_seconds()
        versions.append(_add(ledger, label, manifest))
        costs.append(cpu_seconds() - before)
        sizes.append(_size(repository))
    before = cpu_seconds()
    difference = read_difference(ledger, *versions)
    stored = cpu_seconds() - before
    assert len(difference.changed) == CHANGED
    before = cpu_seconds()
    assert diff_manifests(old, new) == difference
    held = cpu_seconds() - before
    before = cpu_seconds()
    assert read_manifest(ledger, versions[1]) == new
    read = cpu_seconds() - before
    before = cpu_seconds()
    ledger.contents()
    listed = cpu_seconds() - before
    grown = sizes[2] - sizes[1]
    show(
        f"two versions of {MILLION:,} files that differ in {CHANGED}",
        ("", "CPU s", "limit", ""),
        [
            ("difference, from what is stored", f"{stored:.3f}", "1", verdict(stored, 1)),
            ("difference, in memory", f"{held:.3f}", "1", verdict(held, 1)),
            ("read one whole manifest", f"{read:.2f}", "", ""),
            ("read every run and version", f"{listed:.3f}", "", ""),
            ("add the first", f"{costs[0]:.2f}", "", f"git grows by {(sizes[1] - sizes[0]) / 1e6:.1f} MB"),
            ("add the second", f"{costs[1]:.2f}", "", f"git grows by {grown / 1e6:.2f} MB: {verdict(grown, 1e6)}"),
        ],
    )


def _add(ledger: Branch, label: str, manifest: Manifest) -> DatasetVersion:
    now = datetime.now(UTC)
    version = DatasetVersion(
        format=DATASET_FORMAT,
        name="photos",
        version=label,
        role="train",
        hash=manifest.hash,
        files=manifest.files,
        bytes=manifest.bytes,
        author=ADA,
        added_at=now,
        tool="benchmark",
    )
    files = {
        f"{dataset_path('photos', label)}/dataset.json": dump(version),
        **manifest_files("photos", label, manifest),
    }
    ledger.append(Entry(id=f"20261120-000000-{label}aaaa", files=files, message="x\n", author=ADA, made_at=now))
    return version


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / ".git" / "objects").rglob("*") if path.is_file())


def memory(folder: Path) -> None:
    """Measure the memory of hashing a million files, in a process of its own."""
    root = folder / "many"
    for number in range(MILLION // PER_FOLDER):
        (root / f"{number:04d}").mkdir(parents=True)
        for inside in range(PER_FOLDER):
            os.close(os.open(f"{root}/{number:04d}/{number * PER_FOLDER + inside:07d}.png", os.O_CREAT | os.O_WRONLY))
    script = (
        "import sys; from pathlib import Path; from ledger.data.version.manifest import build_manifest;"
        "from ledger.data.version.stat_cache import StatCache;"
        "from ledger.store.branch.manifests import manifest_files;"
        # Not `ru_maxrss`: it keeps what the process that started this one had.
        "peak = lambda: int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) / 1e3;"
        "made = build_manifest(sys.argv[1], cache=StatCache(Path(sys.argv[2]))); hashed = peak();"
        "manifest_files('photos', 'v1', made); print(hashed, peak())"
    )
    command = (sys.executable, "-c", script, str(root), str(folder / "many.sqlite3"))
    rows = []
    for title in ("first pass", "second pass"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        hashed, cut = map(float, subprocess.run(command, capture_output=True, check=True).stdout.split())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows.append((title, f"{hashed:.0f}", verdict(hashed, 500), f"{cut:.0f}", verdict(cut, 500), f"{cpu:.1f}"))
    show(
        f"memory at {MILLION:,} files, MB at most 500",
        ("", "hashed", "", "and cut into shards", "", "CPU s"),
        rows,
    )


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        large_file(folder, (4 << 30) if "--large" in sys.argv else sized(1 << 30, 1 << 24))
        small_files(folder)
        if "--dvc" in sys.argv:
            against_dvc(folder, sys.argv[sys.argv.index("--dvc") + 1])
        if "--million" in sys.argv:
            million(folder)
            memory(folder)


if __name__ == "__main__":
    main()
