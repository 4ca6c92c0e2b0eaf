"""What starting costs: `import ledger` against a bare interpreter, and the command line's first words."""

import sys

from tests.benchmarks.measuring import command, interleaved, milliseconds, show, sized, verdict, workplace

REPETITIONS = sized(21)
LIMIT_RATIO = 3.0


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        python = sys.executable
        samples = interleaved(
            {
                "python -c pass": command([python, "-c", "pass"], folder),
                "import ledger": command([python, "-c", "import ledger"], folder),
                "import click": command([python, "-c", "import click"], folder),
                "ledger --version": command([python, "-m", "ledger", "--version"], folder),
                "ledger --help": command([python, "-m", "ledger", "--help"], folder),
                "ledger record --help": command([python, "-m", "ledger", "record", "--help"], folder),
            },
            REPETITIONS,
        )
    bare = samples["python -c pass"].median
    show(
        f"start, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best", "to a bare interpreter"),
        (
            (name, milliseconds(sample.median), milliseconds(sample.best), f"{sample.median / bare:.2f}")
            for name, sample in samples.items()
        ),
    )
    ratio = samples["import ledger"].median / bare
    show(
        "limits",
        ("", "measured", "limit", ""),
        [("import ledger to a bare interpreter", f"{ratio:.2f}", f"{LIMIT_RATIO}", verdict(ratio, LIMIT_RATIO))],
    )


if __name__ == "__main__":
    main()
