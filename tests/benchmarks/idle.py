"""What `ledger idle` costs over a year of fifty hosts, and what a watcher and a large file of accounts cost."""

import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.hosts.day_log import CardMinute, DayLog, Use, gpus_of, holders_of
from ledger.hosts.from_cluster import from_sacct
from ledger.hosts.watcher import LOOK_SECONDS, Watcher
from ledger.model.hosts import HostDay
from ledger.recorder.statements.host_days import HostDays
from ledger.store.branch.branch import Branch
from tests.benchmarks.measuring import command, interleaved, milliseconds, own_seconds, show, sized, verdict, workplace
from tests.capture.machine.fake_nvml import NAME, FakeCards, built
from tests.conftest import make_repository

HOSTS, DAYS, CARDS = sized(50, 2), sized(365, 3), 8
LINES = sized(1_000_000, 1_000)
LOOKS = sized(300, 3)
LIMIT_SECONDS, LIMIT_WATCH = 2.0, 0.002
START = datetime(2026, 1, 1, tzinfo=UTC)
USES: tuple[Use, ...] = ("busy", "busy", "held", "free")


def main() -> None:
    """Measure and print."""
    with workplace() as folder:
        repo = make_repository(folder / "repo")
        ledger = Branch.open(repo)
        maker = HostDays(ledger)
        maker.append(list(_year(maker)))
        cli = [sys.executable, "-m", "ledger", "idle", "--since", "2026-01-01", "--json"]
        samples = interleaved(
            {
                "git ls-tree of all documents": command(["git", "ls-tree", "-r", "ledger"], repo),
                "ledger idle": command(cli, repo),
                "ledger idle --by user": command([*cli, "--by", "user"], repo),
            },
            sized(7),
        )
        bytes_of = max(len(day) for day in _sizes(ledger))
        watch = _watch(ledger, folder)
        accounts, memory = _accounts()
    show(
        f"a year of {HOSTS} hosts, {HOSTS * DAYS:,} documents of at most {bytes_of:,} bytes, CPU ms",
        ("", "median", "best"),
        ((name, milliseconds(sample.median), milliseconds(sample.best)) for name, sample in samples.items()),
    )
    show(
        f"{LINES:,} lines of sacct", ("", "CPU s", "MB"), [("ledger watch --from", f"{accounts:.1f}", f"{memory:.0f}")]
    )
    seconds = samples["ledger idle"].median
    limits = [("ledger idle, s", f"{seconds:.2f}", f"{LIMIT_SECONDS}", verdict(seconds, LIMIT_SECONDS))]
    if watch is not None:
        limits.append(
            ("ledger watch, share of a core", f"{watch:.3%}", f"{LIMIT_WATCH:.1%}", verdict(watch, LIMIT_WATCH))
        )
    show("limits", ("", "measured", "limit", ""), limits)


def _year(maker: HostDays) -> Iterator[HostDay]:
    draw = random.Random(2026)  # noqa: S311  # the same year each time
    for day in range(DAYS):
        for host in range(HOSTS):
            log = DayLog.at(f"gpu{host:02}", START + timedelta(days=day))
            for hour in range(24):
                cards = [
                    CardMinute(
                        name="H100", uuid=f"GPU-{host}-{place}", use=draw.choice(USES), user=f"u{draw.randrange(9)}"
                    )
                    for place in range(CARDS)
                ]
                log.add(START + timedelta(days=day, hours=hour), cards, minutes=draw.randrange(50, 61))
            between = (log.first, log.last)
            yield maker.make(log.host, "watch", between, log.watched, gpus_of(log), holders_of(log))


def _sizes(ledger: Branch) -> Iterator[bytes]:
    tip = ledger.tip()
    files = ledger.repository.read_tree(tip, ["hosts/"]) if tip else []
    yield from (data for data in ledger.repository.read_objects([file.blob for file in files[:200]]) if data)


def _watch(ledger: Branch, folder: Path) -> float | None:
    """Return the share of a core that a watcher of eight cards takes: its CPU for a look, every ten seconds."""
    library = built()
    if library is None:
        return None
    import ctypes

    cards = FakeCards(folder)
    cards.set(count=CARDS, gpm=1, nvlink=1, pid=os.getpid())
    os.environ.update(cards.variables)
    ctypes.CDLL(str(library / NAME), mode=ctypes.RTLD_GLOBAL)
    clock = [datetime.now(UTC)]
    watcher = Watcher(ledger, "gpu00", now=lambda: clock[0])
    watcher.open()
    before = own_seconds()
    for _ in range(LOOKS):
        clock[0] += timedelta(seconds=LOOK_SECONDS)
        watcher.look()
    used = own_seconds() - before
    watcher.close()
    return used / LOOKS / LOOK_SECONDS


def _accounts() -> tuple[float, float]:
    import resource

    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    from_sacct(_lines(), "sacct.csv", UTC)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return time.process_time() - started, grown / 1024


def _lines() -> Iterator[str]:
    yield "JobID|User|NodeList|Start|End|AllocTRES|TRESUsageInAve\n"
    for job in range(LINES // 2):
        start = START + timedelta(
            seconds=18 * job
        )  # fifty hosts of eight GPUs, each job with one of them for two hours
        times = f"{start:%Y-%m-%dT%H:%M:%S}|{start + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}"
        yield f"{job}|u{job % 40}|gpu{job % 50:02}|{times}|cpu=8,gres/gpu:h100=1,gres/gpu=1|\n"
        yield f"{job}.0||gpu{job % 50:02}|{times}|cpu=8|gres/gpuutil={job % 100}\n"


if __name__ == "__main__":
    main()
