"""CPU of importing many runs of MLflow, beside that of recording as many one by one; an import again adds nothing."""

import json
import sqlite3
import sys
import uuid
from pathlib import Path

from tests.benchmarks.measuring import cpu_seconds, run, show, sized, verdict, workplace

RUNS = sized(10_000, 20)
RECORDED = sized(10, 2)
"""Records that are made one by one: each is a process and a commit."""
LIMIT = 60.0
"""Most CPU seconds for 10,000 runs."""
SCHEMA = """
create table experiments (experiment_id integer, name text, lifecycle_stage text);
create table runs (run_uuid text, name text, source_name text, user_id text, status text, start_time bigint,
  end_time bigint, source_version text, lifecycle_stage text, experiment_id integer);
create table params (key text, value text, run_uuid text);
create table tags (key text, value text, run_uuid text);
create table metrics (key text, value float, timestamp bigint, run_uuid text, step bigint, is_nan boolean);
insert into experiments values (1, 'digits', 'active');
"""
"""The tables of MLflow that hold runs; `mlflow/store/tracking/dbmodels/models.py`, seen in 3.17."""


def make_store(path: Path) -> None:
    """Make a store of many runs, each with ten params, ten series of ten points and a final value."""
    with sqlite3.connect(path) as store:
        store.executescript(SCHEMA)
        for number in range(RUNS):
            name, began = uuid.UUID(int=number + 1).hex, 1_700_000_000_000 + number * 60_000
            times = (began, began + 50_000)
            store.execute(
                "insert into runs values (?, ?, 'train.py', 'ada', 'FINISHED', ?, ?, null, 'active', 1)",
                (name, f"run {number}", *times),
            )
            store.executemany(
                "insert into params values (?, ?, ?)", [(f"p{at}", str(at * number), name) for at in range(10)]
            )
            points = [(f"m{at}", at + step / 10, began + step, name, step) for at in range(10) for step in range(10)]
            points.append(("accuracy", 0.5, times[1], name, 0))
            store.executemany("insert into metrics values (?, ?, ?, ?, ?, 0)", points)
    store.close()


def make_repository(folder: Path) -> None:
    """Make a repository with params and a value to record."""
    folder.mkdir()
    (folder / "params.json").write_text(json.dumps({f"p{at}": at for at in range(10)}), encoding="utf-8")
    (folder / "metrics.json").write_text('{"accuracy": 0.5}', encoding="utf-8")
    run(["git", "init", "--quiet"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Begin"], folder)


def spent(folder: Path, *words: str | Path) -> float:
    """Return the CPU seconds of one command."""
    began = cpu_seconds()
    run([sys.executable, "-m", "ledger", *words], folder)
    return cpu_seconds() - began


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        store, repository = folder / "mlflow.db", folder / "repository"
        make_store(store)
        make_repository(repository)
        first = spent(repository, "import", store)
        again = spent(repository, "import", store)
        preview = spent(repository, "import", store, "--dry-run")
        one = sum(
            spent(repository, "record", "--params", "params.json", "--metrics", "metrics.json") for _ in range(RECORDED)
        )
    each = one / RECORDED
    show(
        f"{RUNS:,} runs of MLflow, CPU",
        ("", "s", "ms a run", "to recording one"),
        (
            (name, f"{cost:.2f}", f"{cost / RUNS * 1e3:.2f}", f"{cost / RUNS / each:.4f}")
            for name, cost in (("import", first), ("again", again), ("--dry-run", preview))
        ),
    )
    whole = first / RUNS * 10_000
    print(f"10,000 runs: {whole:.1f} s, at most {LIMIT:.0f}: {verdict(whole, LIMIT)}")


if __name__ == "__main__":
    main()
