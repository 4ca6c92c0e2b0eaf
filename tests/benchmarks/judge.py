"""`ledger judge` in a ledger of 10,000 records, against starting and loading what it needs."""

import subprocess
import sys
from pathlib import Path

from ledger.store.index.index import ask
from ledger.store.index.selection import select_runs
from tests.benchmarks.ledgers import ledger_of
from tests.benchmarks.measuring import Case, command, interleaved, milliseconds, show, sized, verdict, workplace

COUNT = sized(10_000, 60)
REPETITIONS = sized(7)
LIMIT_SECONDS = 0.5


def judging(run: str, against: str, folder: Path) -> Case:
    """Return the case that judges, whatever the answer is."""

    def work() -> None:
        words = ("judge", run, "--against", against, "--direction", "higher", "--json")
        done = subprocess.run([sys.executable, "-m", "ledger", *words], cwd=folder, capture_output=True, check=False)
        if not done.stdout:
            raise RuntimeError(done.stderr.decode())

    return lambda _: work


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        ledger = ledger_of(COUNT, folder / "ledger")
        ask(ledger, lambda _: True)
        run, other = (line[0] for line in select_runs(ledger, limit=2, lines=True).lines)
        python, where = sys.executable, folder / "ledger"
        samples = interleaved(
            {
                "ledger --version": command([python, "-m", "ledger", "--version"], where),
                "and scipy.special": command([python, "-c", "import ledger.cli, scipy.special"], where),
                "judge RUN --against OTHER": judging(run, other, where),
                "judge RUN --against best": judging(run, "best", where),
            },
            REPETITIONS,
        )
    start = samples["ledger --version"].median
    show(
        f"judge, {COUNT:,} records, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best", "beyond start-up"),
        (
            (name, milliseconds(sample.median), milliseconds(sample.best), milliseconds(sample.median - start))
            for name, sample in samples.items()
        ),
    )
    worst = max(sample.median for name, sample in samples.items() if name.startswith("judge")) - start
    show(
        "limits",
        ("", "seconds", "limit", ""),
        [("judge beyond start-up", f"{worst:.2f}", f"{LIMIT_SECONDS:.2f}", verdict(worst, LIMIT_SECONDS))],
    )


if __name__ == "__main__":
    main()
