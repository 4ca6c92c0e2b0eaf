"""Bytes on disk per record after `git gc`, beside those that `dvc exp save` leaves for the same job.

The job is that of `record.py`: the same small project, the same edits; 20 params, 10 metrics, a tiny dataset. What
stood in `.git` before the first experiment is taken off, so that each figure is what one more experiment costs.
"""

from pathlib import Path

from tests.benchmarks.ledgers import ledger_of
from tests.benchmarks.measuring import options_of, run, show, sized, workplace
from tests.benchmarks.record import LEDGER, find_dvc, make_dvc_project, make_project, write_params

EXPERIMENTS = sized(40, 2)
LEDGERS = (sized(1_000, 5), sized(10_000, 10))


def bytes_of(git_dir: Path) -> int:
    """Return the size of every file of a repository after `git gc`; what is derived from the ledger is left out."""
    run(["git", "gc", "--quiet", "--prune=now"], git_dir)
    files = (path for path in git_dir.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if not path.name.startswith("index.sqlite3"))


def grown(project: Path, *command: str | Path) -> float:
    """Return the bytes per experiment that a command adds to a project's repository."""
    before = bytes_of(project / ".git")
    for number in range(EXPERIMENTS):
        write_params(project, number + 1)
        run(command, project)
    return (bytes_of(project / ".git") - before) / EXPERIMENTS


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--dvc", type=Path, metavar="PATH", help="DVC's command; by default DVC is installed.")
    dvc = find_dvc(parser.parse_args().dvc)
    with workplace() as folder:
        ours, theirs = folder / "ours", folder / "theirs"
        for project in (ours, theirs):
            make_project(project)
        ledger, saved = grown(ours, *LEDGER), None
        if dvc is not None:
            make_dvc_project(theirs, dvc)
            saved = grown(theirs, dvc, "exp", "save", "--quiet", "--force")
        many = {}
        for count in LEDGERS:
            ledger_of(count, folder / f"ledger-{count}")
            many[count] = bytes_of(folder / f"ledger-{count}") / count
    show(
        f"bytes in .git per experiment after git gc, {EXPERIMENTS} experiments of the same project",
        ("", "bytes", "to dvc exp save"),
        [
            ("ledger record", f"{ledger:,.0f}", f"{ledger / saved:.2f}" if saved else ""),
            ("dvc exp save", f"{saved:,.0f}" if saved else "", "1.00"),
        ],
    )
    show(
        "and of large ledgers: records of 8.5 KB, with curves, log and environment",
        ("records", "bytes a record"),
        [(f"{count:,}", f"{size:,.0f}") for count, size in many.items()],
    )


if __name__ == "__main__":
    main()
