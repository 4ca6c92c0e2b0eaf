"""A ledger that outgrows one machine: what each question costs there in time and in memory, and what it takes on disk.

`--count 1000000` needs 10 GB of disk and half an hour; `--at FOLDER` keeps the ledger there, or measures one that is
there already. Each command runs once, in a process of its own; `python -c pass` is the unit of the ratios.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.store.branch.branch import Branch
from ledger.store.index.index import remove_index
from tests.benchmarks.ledgers import DAYS, entry_of, make_ledger
from tests.benchmarks.measuring import options_of, show, sized, workplace
from tests.conftest import ROOT

_PER_DAY = 333
"""Runs of a day: more days, not larger ones, make a ledger large."""
METRIC = "metrics.validation/metric_0"
COMMANDS: dict[str, tuple[str, ...]] = {
    "list --limit 20": ("list", "--limit", "20"),
    "list --sort cost, first": ("list", "--sort", "cost", "--limit", "20"),
    "list --sort cost": ("list", "--sort", "cost", "--limit", "20"),
    "list --sort METRIC, first": ("list", "--sort", METRIC, "--limit", "20"),
    "list --sort METRIC": ("list", "--sort", METRIC, "--limit", "20"),
    "a filter, first": ("list", "optimizer.option_3 = 0.1 and cost > 0.0005", "--limit", "20"),
    "a filter": ("list", "optimizer.option_3 = 0.1 and cost > 0.0005", "--limit", "20"),
    "leaderboard": ("leaderboard", "--metric", "validation/metric_0"),
    "cost --by person": ("cost", "--by", "person"),
}
VERIFICATIONS = {
    "verify --since ledger~1000": ("verify", "--since", "ledger~1000"),
    "verify": ("verify",),
}


class Cost(NamedTuple):
    """What one process cost."""

    code: int
    """Exit code."""
    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of its children as well."""
    peak: float
    """Largest resident set of it or of one child, in MB."""


def cost_of(arguments: Sequence[str], folder: Path, accepted: Sequence[int] = ()) -> Cost:
    """Run a command in a folder and return what it cost.

    Args:
        arguments: the command.
        folder: where it runs.
        accepted: exit codes other than 0 that are none of its failures.
    """
    begun = time.perf_counter()
    launched = [sys.executable, "-S", "-c", _LAUNCHER, *arguments]
    done = subprocess.run(
        launched, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    wall = time.perf_counter() - begun
    code, cpu, peak = map(float, done.stdout.split())
    return Cost(0 if code in accepted else int(code), wall, cpu, peak / 1e3)


_LAUNCHER = """
import os, resource, sys
process = os.fork()
if process == 0:
    resource.setrlimit(resource.RLIMIT_AS, (14 << 30, 14 << 30))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A small process between: a child begins with the largest size that the process which forks it has.

No command may take 14 GB, so that one that wants more fails alone.
"""


def measure(folder: Path, count: int, *, verify: bool, export: bool) -> None:
    """Measure with the ledger in a folder and print each line when it is known."""
    ledger = Branch.open(folder)
    remove_index(ledger)
    program = [sys.executable, "-m", "ledger"]
    show(
        f"{count:,} records, each command once", (f"{'':30}", "wall s", "CPU s", "of a bare interpreter", "peak MB"), []
    )
    bare = cost_of([sys.executable, "-c", "pass"], folder).cpu

    def line(name: str, *words: str, accepted: Sequence[int] = ()) -> None:
        cost = cost_of([*program, *words], folder, accepted)
        cells = f"{cost.wall:6.2f}  {cost.cpu:5.2f}  {cost.cpu / bare:21.0f}  {cost.peak:7.0f}"
        print(f"{name:30}  {cells}" if cost.code == 0 else f"{name:30}  exit code {cost.code}, {cells}", flush=True)

    line("list from cold", *COMMANDS["list --limit 20"])
    for name, words in COMMANDS.items():
        line(name, *words)
    ledger.append(entry_of(count + 1, count=count))
    line("list after one new record", *COMMANDS["list --limit 20"])
    # Some of the runs have days that are still to come, which is a finding.
    for name, words in VERIFICATIONS.items() if verify else ():
        line(name, *words, accepted=[1])
    exported = folder / "runs.parquet"
    if export:
        line("export to Parquet", "export", "-o", str(exported))
    files = {
        "git objects": [file for file in (folder / "objects").rglob("*") if file.is_file()],
        "index": list(ledger.repository.state_dir.glob("index.sqlite3*")),
        "Parquet": [exported] if exported.exists() else [],
    }
    sizes = {name: sum(file.stat().st_size for file in found) for name, found in files.items()}
    show("on disk", ("", "MB", "bytes a record"), [(n, f"{s / 1e6:.0f}", f"{s / count:.0f}") for n, s in sizes.items()])


def main() -> None:
    """Measure and print."""
    options = options_of(__doc__)
    options.add_argument("--count", type=int, default=sized(10_000, 30), help="Number of runs.")
    options.add_argument("--at", type=Path, help="Folder of the ledger, made where it is missing, and kept.")
    options.add_argument("--verify", action="store_true", help="Verify it too: more than reading everything twice.")
    options.add_argument("--export", action="store_true", help="Export it too.")
    chosen = options.parse_args()
    with workplace() as place:
        folder = chosen.at or place / "ledger"
        if not folder.exists():
            aside = folder.with_name(f"{folder.name}.part")
            aside.mkdir(parents=True)
            make_ledger(chosen.count, aside, max(DAYS, chosen.count // _PER_DAY))
            shutil.move(aside, folder)
        measure(folder, chosen.count, verify=chosen.verify, export=chosen.export)


if __name__ == "__main__":
    main()
