"""What the end of a training costs rank 0, by its number of ranks, and what it costs to recover a long one.

The other ranks have left the spools that they would have left; rank 0 is a process that trains, ends and records.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

from ledger.model.document import encode
from ledger.model.ids import new_id
from ledger.model.values import Number, Reduction
from ledger.recorder.record.draft import Rank
from ledger.session.process.ranks import find_rank
from ledger.session.spool.events import Ended, Logged, Start
from ledger.session.spool.spool import EVENTS, Spool
from ledger.store.branch.branch import Branch
from tests.benchmarks.measuring import QUICK, child_seconds, options_of, run, show, sized, verdict, workplace

STEPS = sized(10_000, 100)
SERIES = 5
CALLS = sized(1_000_000, 1_000)
RANKS = 8
REPETITIONS = sized(5)
END_LIMIT = 0.5
"""CPU seconds of rank 0 from the end of training to the committed record, with 8 ranks."""
RECOVERY_LIMIT = 10.0
"""CPU seconds of the recovery of one million calls."""
_LAUNCHER = {"WORLD_SIZE": str(RANKS), "LOCAL_WORLD_SIZE": str(RANKS), "MASTER_ADDR": "localhost"}

_LEAD = """
import resource, sys, ledger
steps, reduce = int(sys.argv[1]), sys.argv[2] or None
def cpu():
    used = [resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
run = ledger.run("ranks")
for step in range(steps):
    run.log({f"train/loss{one}": 1 / (step + one + 1) for one in range(5)}, step, reduce=reduce)
before = cpu()
run.finish()
print(cpu() - before)
"""


def write_spool(state_dir: Path, rank: Rank | None, calls: int, reduce: Reduction | None, *, ended: bool) -> Path:
    """Write the spool of a process that logged so many calls."""
    now = datetime.now(UTC)
    start = Start(
        id=new_id(now, os.urandom(4)), host=os.uname().nodename, pid=1, started_at=now, experiment="ranks", rank=rank
    )
    spool = Spool.create(state_dir, start)
    spool.close()
    with (spool.folder / EVENTS).open("ab") as file:
        for step in range(calls):
            values: dict[str, Number] = {f"train/loss{one}": 1 / (step + one + 1) for one in range(SERIES)}
            file.write(encode(Logged(seconds=step * 1e-3, step=step, values=values, reduce=reduce)) + b"\n")
        if ended:
            file.write(encode(Ended(status="finished", seconds=10.0, ended_at=now)) + b"\n")
    return spool.folder


def end_of(ranks: int, reduce: Reduction | None, folder: Path) -> float:
    """Return the CPU seconds of rank 0, git included, from the end of its training to its record."""
    state_dir = Branch.open(folder).repository.state_dir
    port = os.urandom(4).hex()
    launcher = _LAUNCHER | {"MASTER_PORT": port} if ranks > 1 else {}
    for number in range(1, ranks):
        rank = find_rank(launcher | {"RANK": str(number), "LOCAL_RANK": str(number)})
        if rank is None:
            raise RuntimeError("no rank was found")
        write_spool(state_dir, msgspec.structs.replace(rank, group=f"{rank.group}-1"), STEPS, reduce, ended=True)
    environment = launcher | ({"RANK": "0", "LOCAL_RANK": "0"} if ranks > 1 else {})
    return float(run([sys.executable, "-c", _LEAD, str(STEPS), reduce or ""], folder, environment))


def recovery(folder: Path) -> float:
    """Return the CPU seconds of `ledger recover` for one long spool."""
    write_spool(Branch.open(folder).repository.state_dir, None, CALLS, None, ended=False)
    before = child_seconds()
    run([sys.executable, "-m", "ledger", "recover"], folder)
    return child_seconds() - before


def main() -> None:
    """Measure and print."""
    options_of(__doc__).parse_args()
    with workplace() as place:
        folder = place / "repo"
        run(["git", "init", "--quiet", str(folder)], place)
        run(["git", "commit", "--quiet", "--allow-empty", "--message", "Train"], folder)
        cases: dict[str, Callable[[], float]] = {
            "one process": lambda: end_of(1, None, folder),
            f"{RANKS} ranks, values of rank 0": lambda: end_of(RANKS, None, folder),
            f'{RANKS} ranks, reduce="mean"': lambda: end_of(RANKS, "mean", folder),
        }
        seen: dict[str, list[float]] = {name: [] for name in cases}
        for repetition in range(REPETITIONS + (0 if QUICK else 1)):
            for name, case in cases.items():
                seconds = case()
                if repetition or QUICK:
                    seen[name].append(seconds)
        alone = median(seen["one process"])
        show(
            f"end of training to committed record, {STEPS:,} steps x {SERIES} series, CPU s, {REPETITIONS} repetitions",
            ("rank 0 of", "median", "best", "to one process", f"at most {END_LIMIT}"),
            (
                (
                    name,
                    f"{median(one):.3f}",
                    f"{min(one):.3f}",
                    f"{median(one) / alone:.2f}",
                    verdict(median(one), END_LIMIT),
                )
                for name, one in seen.items()
            ),
        )
        recovered = [recovery(folder) for _ in range(sized(3))]
        show(
            f"recovery of {CALLS:,} calls with {SERIES} series each, CPU s, {sized(3)} repetitions",
            ("command", "median", "best", f"at most {RECOVERY_LIMIT:.0f}"),
            [
                (
                    "ledger recover",
                    f"{median(recovered):.2f}",
                    f"{min(recovered):.2f}",
                    verdict(median(recovered), RECOVERY_LIMIT),
                )
            ],
        )


if __name__ == "__main__":
    main()
