"""What hooks cost: pre-receive on one and on 1,000 records, post-receive, and a commit of somebody's own branch.

A push to the same repository without hooks stands beside each as the floor that physics sets.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.repository.hooks import CLIENT, SERVER, install_hooks
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import entry_of, grow
from tests.benchmarks.measuring import (
    Case,
    command,
    interleaved,
    milliseconds,
    options_of,
    run,
    show,
    sized,
    verdict,
    workplace,
)
from tests.samples import START

LIMIT_ONE = 0.4
LIMIT_MANY = 1.5
LIMIT_POST = 0.1
LIMIT_COMMIT = 0.005
MANY = sized(1000, 10)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--repetitions", type=int, default=sized(7), metavar="N")
    repetitions = parser.parse_args().repetitions
    with workplace() as home:
        rows = [*_receiving(home, repetitions), *_after(home, repetitions), *_committing(home, repetitions * 3)]
    show("hooks, CPU ms, median", ("", "without", "with", "hook", "limit", ""), rows)


def _receiving(home: Path, repetitions: int) -> list[list[str]]:
    hub, copy = home / "hub.git", home / "copy.git"
    run(["git", "init", "--quiet", "--bare", str(hub)], home)
    Branch.open(hub).append(entry_of(0, START))
    rows = []
    for count, limit in ((1, LIMIT_ONE), (MANY, LIMIT_MANY)):
        shutil.rmtree(copy, ignore_errors=True)
        run(["git", "clone", "--quiet", "--bare", str(hub), str(copy)], home)
        grow(copy, range(1, count + 1))
        samples = interleaved(
            {"without": _push(copy, hub, ()), "with": _push(copy, hub, ("pre-receive",))}, repetitions
        )
        without, hooked = samples["without"].median, samples["with"].median
        rows.append(_row(f"pre-receive, {count} new records", without, hooked, limit))
    return rows


def _push(copy: Path, hub: Path, hooks: Sequence[str]) -> Case:
    """Return the case that pushes to a new copy of a server."""

    def prepare(number: int) -> Callable[[], object]:
        server = hub.with_name(f"server-{number}-{len(hooks)}.git")
        shutil.rmtree(server, ignore_errors=True)
        shutil.copytree(hub, server)
        install_hooks(Repository.discover(server), hooks, sys.executable)
        return lambda: run(["git", "push", "--quiet", str(server), "ledger"], copy)

    return prepare


def _after(home: Path, repetitions: int) -> list[list[str]]:
    """Measure post-receive as git runs it; the builder is nobody's child then, and the pusher does not wait for it."""
    hub = home / "hub.git"
    install_hooks(Repository.discover(hub), SERVER, sys.executable)
    tip = run(["git", "rev-parse", "ledger"], hub).decode().strip()
    line = f"{tip} {tip} refs/heads/ledger\n".encode()

    def prepare(_: int) -> Callable[[], object]:
        return lambda: run([str(hub / "hooks/post-receive")], hub, {"GIT_DIR": "."}, stdin=line)

    samples = interleaved({"nothing": command(["true"], hub), "hook": prepare}, repetitions)
    return [_row("post-receive, what the pusher pays", samples["nothing"].median, samples["hook"].median, LIMIT_POST)]


def _committing(home: Path, repetitions: int) -> list[list[str]]:
    folders = {name: home / name for name in ("without", "with")}
    for folder in folders.values():
        run(["git", "init", "--quiet", str(folder)], home)
    install_hooks(Repository.discover(folders["with"]), CLIENT, sys.executable)
    commit = ["git", "commit", "--quiet", "--allow-empty", "--message", "work"]
    samples = interleaved({name: command(commit, folder) for name, folder in folders.items()}, repetitions)
    without, hooked = samples["without"].median, samples["with"].median
    return [_row("reference-transaction, one commit", without, hooked, LIMIT_COMMIT)]


def _row(name: str, without: float, hooked: float, limit: float) -> list[str]:
    cost = hooked - without
    shown = [milliseconds(value) for value in (without, hooked, cost, limit)]
    return [name, *shown, verdict(cost, limit)]


if __name__ == "__main__":
    main()
