"""Reading and parsing every record with no index: what git costs, what parsing costs."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from ledger.model.document import load
from ledger.model.paths import RECORD_FILE
from ledger.model.record import Record
from tests.benchmarks.ledgers import ledger_of
from tests.benchmarks.measuring import Case, command, interleaved, microseconds, show, sized, verdict, workplace

RECORDS = sized(10_000, 30)
REPETITIONS = sized(5)
LIMIT_SECONDS = 150e-6


def asking(questions: Path, folder: Path) -> Case:
    """Return the case that lets git alone write the content of many objects to nowhere."""

    def work() -> None:
        with questions.open("rb") as names:
            subprocess.run(
                ["git", "cat-file", "--batch"], cwd=folder, stdin=names, stdout=subprocess.DEVNULL, check=True
            )

    return lambda _: work


def always(work: Callable[[], object]) -> Case:
    """Return the case that needs no preparing."""
    return lambda _: work


def main() -> None:
    """Measure and print."""
    with workplace() as home:
        ledger = ledger_of(RECORDS, home / "ledger")
        repository, tip = ledger.repository, str(ledger.tip())
        blobs = [file.blob for file in repository.read_tree(tip) if file.path.endswith(f"/{RECORD_FILE}")]
        questions = home / "questions"
        questions.write_text("".join(f"{blob}\n" for blob in blobs), encoding="ascii")
        documents = [content for content in repository.read_objects(blobs) if content is not None]
        tree = ["git", "ls-tree", "-r", "-z", "--full-tree", tip]
        samples = interleaved(
            {
                "Branch.contents(), whole": always(ledger.contents),
                "git ls-tree alone": command(tree, home / "ledger"),
                "ls-tree, listed": always(lambda: repository.read_tree(tip)),
                "git cat-file alone": asking(questions, home / "ledger"),
                "cat-file, read": always(lambda: list(repository.read_objects(blobs))),
                "parsing": always(lambda: [load(data, Record, source="") for data in documents]),
            },
            REPETITIONS,
        )
    whole = samples["Branch.contents(), whole"].median
    size = sum(map(len, documents)) / len(documents)
    show(
        f"{len(documents):,} records of {size:,.0f} bytes, CPU µs a record, {REPETITIONS} repetitions",
        ("", "median", "best", "of the whole"),
        (
            (
                name,
                microseconds(sample.median / RECORDS),
                microseconds(sample.best / RECORDS),
                f"{sample.median / whole:.2f}",
            )
            for name, sample in samples.items()
        ),
    )
    each = whole / RECORDS
    limit = (microseconds(each), microseconds(LIMIT_SECONDS), verdict(each, LIMIT_SECONDS))
    show("limits", ("", "measured", "limit", ""), [("CPU µs a record", *limit)])


if __name__ == "__main__":
    main()
