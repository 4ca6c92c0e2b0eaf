"""What inputs of hostile sizes cost: CPU seconds at a size and at twice that, and whether they grow in proportion.

`--quick` takes a small part of each size. A line says `no` where twice the input costs more than three times as much
and more than a tenth of a second: on a shared machine less says nothing.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.capture.inputs.params import read_params
from ledger.capture.outputs.curves import read_curves
from ledger.capture.outputs.logs import summarise_log
from ledger.capture.outputs.metrics import read_metrics
from ledger.capture.secrets.redactor import Redactor
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError
from ledger.model.document import dump
from ledger.model.entries import Contents
from ledger.model.record import Record
from ledger.publish.site.build import build_site
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import load_policy
from ledger.store.index.selection import select_runs
from ledger.store.integrity.check.documents import load_checked
from ledger.store.integrity.verify import verify
from ledger.store.sync.inbox import fold_inbox
from tests.benchmarks.ledgers import ledger_of
from tests.benchmarks.measuring import cpu_seconds, options_of, show, sized, workplace
from tests.samples import START, Blobs, keep_beside, sample_reader, sample_run

Work = Callable[[], object]
Prepare = Callable[[int, Path], Work]
"""Makes an input of a size in a folder, unmeasured, and returns what reads it."""

STEEPEST = 3.0
"""Times that twice the input may cost."""
LEAST_SECONDS = 0.1
"""Differences below it are noise."""


class Kind(NamedTuple):
    """One kind of hostile input."""

    name: str
    size: int
    unit: str
    prepare: Prepare


def log_of(line: bytes) -> Prepare:
    """Return the case of a log of one line again and again."""

    def prepare(size: int, folder: Path) -> Work:
        path = folder / "log.txt"
        path.write_bytes(line * (size // len(line)))
        return lambda: summarise_log(path, Redactor())

    return prepare


def curves(size: int, folder: Path) -> Work:
    """Curves of many columns and three points."""
    path = folder / "curves.csv"
    rows = ",".join(f"s{column}" for column in range(size)), *[",".join(["0.5"] * size)] * 3
    path.write_text("\n".join(rows), encoding="utf-8")
    return lambda: read_curves(path)


def metrics(size: int, folder: Path) -> Work:
    """A results file of many keys."""
    path = folder / "metrics.json"
    path.write_text(json.dumps({f"metric_{number}": 0.5 for number in range(size)}), encoding="utf-8")
    return lambda: refused(lambda: read_metrics(path))


def deep(size: int, folder: Path) -> Work:
    """A results file nested deep."""
    path = folder / "metrics.json"
    path.write_text('{"a":' * size + "1" + "}" * size, encoding="utf-8")
    return lambda: refused(lambda: read_metrics(path))


def params(size: int, folder: Path) -> Work:
    """A file of many params."""
    path = folder / "params.yaml"
    path.write_text("".join(f"option_{number}: 1\n" for number in range(size)), encoding="utf-8")
    return lambda: read_params(path)


def text(size: int, _: Path) -> Work:
    """A note of many characters, looked through for secrets."""
    said = "loss went down again, see the plot = fine; " * (size // 43)
    return lambda: Redactor().text(said)


def policy(size: int, _: Path) -> Work:
    """A policy of many bytes."""
    written = b"directions:\n" + b"  loss: lower\n" * (size // 14)
    return lambda: refused(lambda: load_policy(written))


def refused(work: Work) -> None:
    """Do something that may be refused."""
    try:
        work()
    except LedgerError:
        return


def crowded(size: int, blobs: Blobs) -> Record:
    """Return a record of many metrics, params and tags."""
    record = sample_run(blobs, 1, experiment="crowded", params={}, accuracy=0.9, started=START).record
    first = record.results.metrics[0]
    many = [msgspec.structs.replace(first, name=f"metric_{number}") for number in range(size)]
    return msgspec.structs.replace(
        record,
        tags=[f"tag-{number}" for number in range(size)],
        params=msgspec.structs.replace(record.params, values={f"option_{number}": 1 for number in range(size)}),
        results=msgspec.structs.replace(record.results, metrics=[*record.results.metrics, *many]),
    )


def checked(size: int, _: Path) -> Work:
    """A record of many metrics, params and tags, checked."""
    record = crowded(size, {})
    path, data = f"runs/{START:%Y/%m/%d}/{record.id}/record.json", dump(record)
    return lambda: load_checked(path, data, Record)


def site(size: int, folder: Path) -> Work:
    """The site of a record of many metrics, params and tags."""
    blobs: Blobs = {}
    run = keep_beside(blobs, crowded(size, blobs), {}, ())
    contents = Contents(tip="1" * 40, runs=(run,))
    return lambda: build_site(contents, sample_reader(blobs), [], folder / "site")


def files(size: int, folder: Path) -> Work:
    """A dataset of many tiny files."""
    (folder / "data").mkdir()
    for number in range(size):
        (folder / "data" / f"{number}.txt").write_bytes(b"1")
    return lambda: build_manifest(folder / "data")


def refs(names: str, work: Callable[[Branch], object]) -> Prepare:
    """Return the case of a ledger of ten runs with many refs."""

    def prepare(size: int, folder: Path) -> Work:
        ledger = ledger_of(10, folder / "ledger")
        git = ledger.repository.git
        git.output("tag", "-a", "-m", "checkpoint\n\nentries: 10\nroot: 0", "told", str(ledger.tip()))
        tag = git.output("rev-parse", "refs/tags/told").decode().strip() if "tags" in names else ledger.tip()
        lines = (f"create {names}{number:06d} {tag}\n" for number in range(size))
        told = "".join(lines).encode()
        subprocess.run(["git", "update-ref", "--stdin"], cwd=ledger.repository.git_dir, input=told, check=True)
        return lambda: work(Branch(ledger.repository))

    return prepare


def commits(size: int, folder: Path) -> Work:
    """A ledger of many small commits, verified."""
    ledger = ledger_of(size, folder / "ledger")
    return lambda: verified(ledger)


def verified(ledger: Branch) -> object:
    """Verify a ledger."""
    with blob_reader(ledger.repository) as read_blob:
        return verify(ledger, read_blob)


def many_asked(size: int, folder: Path) -> Work:
    """A list of as many runs as a number can say."""
    ledger = ledger_of(10, folder / "ledger")
    return lambda: select_runs(ledger, limit=10**size, lines=True)


KINDS = (
    Kind("a log of line feeds", 8_000_000, "bytes", log_of(b"\n")),
    Kind("a log of one line", 50_000_000, "bytes", log_of(b"x")),
    Kind("a log of returns", 8_000_000, "bytes", log_of(b"x\r")),
    Kind("a log of tracebacks", 3_500_000, "bytes", log_of(b"Traceback (most recent call last):\n")),
    Kind("curves of many columns", 50_000, "columns", curves),
    Kind("results of many keys", 100_000, "keys", metrics),
    Kind("results nested deep", 500_000, "levels", deep),
    Kind("params of many keys", 20_000, "keys", params),
    Kind("a note", 5_000_000, "characters", text),
    Kind("a policy", 500_000, "bytes", policy),
    Kind("a crowded record, checked", 20_000, "metrics", checked),
    Kind("a crowded record, on the site", 500, "metrics", site),
    Kind("a dataset of tiny files", 20_000, "files", files),
    Kind("tags of the ledger, verified", 1_000, "refs", refs("refs/tags/ledger/checkpoint-20260101-", verified)),
    Kind("refs in the inbox, folded", 100, "refs", refs("refs/ledger/inbox/", fold_inbox)),
    Kind("a list without an end", 15, "digits", many_asked),
    Kind("small commits, verified", 5_000, "commits", commits),
)


def measured(kind: Kind, size: int, folder: Path) -> float:
    """Return the CPU seconds of a kind at a size."""
    folder.mkdir()
    work = kind.prepare(size, folder)
    before = cpu_seconds()
    work()
    return cpu_seconds() - before


def rows(scratch: Path, wanted: str) -> Iterator[tuple[str, ...]]:
    """Measure, and yield a line for each kind."""
    for number, kind in enumerate(KINDS):
        if wanted not in kind.name:
            continue
        size = sized(kind.size, max(kind.size // 50, 1))
        once = measured(kind, size, scratch / f"{number}-once")
        twice = measured(kind, 2 * size, scratch / f"{number}-twice")
        steep = twice > STEEPEST * once and twice - once > LEAST_SECONDS
        ratio = f"{twice / max(once, 0.001):.1f}"
        yield kind.name, f"{size:,} {kind.unit}", f"{once:.2f}", f"{twice:.2f}", ratio, "no" if steep else "yes"


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--kind", default="", metavar="TEXT", help="Only kinds with this text in their name.")
    options = parser.parse_args()
    with workplace() as place:
        header = ("", "size n", "CPU s at n", "at 2n", "ratio", "linear")
        show("inputs of hostile sizes", header, list(rows(place, options.kind)))


if __name__ == "__main__":
    main()
