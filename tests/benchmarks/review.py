"""`ledger review` of one proposed run in a ledger of 10,000, against a start and what every verdict needs."""

import sys
from pathlib import Path

from ledger.recorder.statements.proposal import begin_proposal
from tests.benchmarks.ledgers import entry_of, ledger_of
from tests.benchmarks.measuring import command, interleaved, milliseconds, run, show, sized, verdict, workplace

COUNT = sized(10_000, 30)
REPETITIONS = sized(7)
LIMIT_SECONDS = 1.0
LIMIT_BYTES = 60_000
"""What a host takes for a comment, of fifty runs."""
MANY = sized(50, 2)


def main() -> None:
    """Measure and print."""
    with workplace() as place:
        folder = place / "ledger"
        ledger = ledger_of(COUNT, folder)
        begin_proposal(ledger, "one").append(entry_of(COUNT + 1, count=COUNT))
        many = begin_proposal(ledger, "many")
        for number in range(MANY):
            many.append(entry_of(COUNT + 2 + number, count=COUNT))
        program = [str(Path(sys.executable).with_name("ledger"))]
        samples = interleaved(
            {
                "ledger --version": command([*program, "--version"], folder),
                "and scipy.special": command([sys.executable, "-c", "import click, scipy.special"], folder),
                "review of one run": command([*program, "review", "one", "--format", "markdown"], folder),
                f"review of {MANY} runs": command([*program, "review", "many", "--format", "markdown"], folder),
            },
            REPETITIONS,
        )
        rows = [(name, milliseconds(one.median), milliseconds(one.best)) for name, one in samples.items()]
        show(f"review, {COUNT:,} records, CPU ms of {REPETITIONS} repetitions", ("", "median", "best"), rows)
        one = samples["review of one run"].median
        size = len(run([*program, "review", "many", "--format", "markdown"], folder))
        show(
            "limits",
            ("", "measured", "limit", ""),
            [
                ("CPU s of one run", f"{one:.2f}", f"{LIMIT_SECONDS}", verdict(one, LIMIT_SECONDS)),
                (f"bytes of {MANY} runs", f"{size}", f"{LIMIT_BYTES}", verdict(size, LIMIT_BYTES)),
            ],
        )


if __name__ == "__main__":
    main()
