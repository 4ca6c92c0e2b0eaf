"""Ranks that share no folder send their events to rank 0, and the record is that of all."""

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.model.record import Record
from ledger.session.spool.spool import EVENTS
from tests.conftest import ROOT
from tests.session.link.hosts import SECRET, Hosts, ended, free_port, relay_to, stated, until


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path, 2)
    yield made
    made.close()


def only_record(hosts: Hosts, host: int = 0) -> Record:
    (run,) = hosts.runs(host)
    return run.record


def curves_of_all(record: Record, ranks: int, steps: int = 20) -> bool:
    """Whether the curves are those that one process would have, with the means over all ranks."""
    series = record.statistics.series
    mean = (ranks - 1) / 2
    assert (series["train/loss"].first, series["train/loss"].count) == (1.0, steps)
    assert series["train/loss"].last == pytest.approx(1 / steps)
    assert (series["accuracy"].first, series["accuracy"].last, series["accuracy"].count) == (mean, mean, steps)
    assert (series["samples"].min, series["samples"].max) == (1 + mean, 1 + mean)
    assert not [name for name in record.results.unknown if name.startswith("curves")]
    return True


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_of_hosts_without_a_common_folder_are_one_record(hosts: Hosts, ranks: int) -> None:
    told = hosts.train(ranks, **stated(free_port()))
    assert "recorded" in told[0]
    assert [len(one.splitlines()) for one in told[1:]] == [1] * (ranks - 1)  # that rank 0 keeps the record
    record = only_record(hosts)
    assert curves_of_all(record, ranks)
    assert [(life.rank, life.status) for life in record.hardware.ranks] == [(one, "finished") for one in range(ranks)]
    assert [node.host for node in record.hardware.nodes] == ["host0", "host1"]
    assert all(node.cores for node in record.hardware.nodes)
    assert "ranks" not in record.hardware.unknown
    assert [hosts.runs(1), hosts.spools(0), hosts.spools(1)] == [[], [], []]
    assert hosts.cli(1, "recover", "--list").err == "no run is waiting to be recorded\n"


def test_the_store_of_torch_is_where_ranks_find_each_other(hosts: Hosts) -> None:
    started = [hosts.start(rank, 2, TORCH="1", HOLD="1", MASTER_PORT=str(free_port_of(hosts))) for rank in range(2)]
    hosts.await_("half", 2)
    until(lambda: len(hosts.spools(0)) == 2)  # the one of rank 1 came over the link
    hosts.go("half")
    for one in started:
        ended(one)
    record = only_record(hosts)
    assert curves_of_all(record, 2)
    assert [node.host for node in record.hardware.nodes] == ["host0", "host1"]
    assert [hosts.spools(0), hosts.spools(1)] == [[], []]


def free_port_of(hosts: Hosts) -> int:
    kept = hosts.meet / "port"
    if not kept.exists():
        kept.write_text(str(free_port()))
    return int(kept.read_text())


def test_who_has_another_secret_is_not_heard_and_keeps_its_spool(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(0, 2, **stated(port)), hosts.start(1, 2, **stated(port, SECRET[::-1]))]
    for one in started:
        ended(one)
    record = only_record(hosts)
    assert record.hardware.unknown["ranks"].startswith("no other of 2 ranks left a trace here")
    assert record.statistics.series["accuracy"].last == 0.0
    assert len(hosts.spools(1)) == 1
    hosts.cli(1, "recover", "--host", "all")
    assert only_record(hosts, 1).hardware.rank == 1


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"LEDGER_LINK": "tcp://127.0.0.1:5560"}, "LEDGER_LINK needs a secret of 32 characters at least"),
        ({"LEDGER_LINK": "node1:5560", "LEDGER_LINK_KEY": SECRET}, "LEDGER_LINK is no address: `node1:5560`"),
    ],
)
def test_a_link_that_cannot_be_is_a_warning_and_every_rank_keeps_its_spool(
    hosts: Hosts, variables: dict[str, str], said: str
) -> None:
    told = hosts.train(2, **variables)
    assert all(said in one for one in told)
    assert only_record(hosts).status == "finished"
    assert len(hosts.spools(1)) == 1


def test_noise_at_the_port_harms_nobody(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(rank, 2, HOLD="1", **stated(port)) for rank in range(2)]
    hosts.await_("half", 2)
    until(lambda: b'"step":10' in received(hosts))
    noise = random.Random(5)  # noqa: S311  # the same noise every time
    for size in (1, 10, 64, 65, 1000, 100_000):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE" + noise.randbytes(size))
    hosts.go("half")
    for one in started:
        ended(one)
    assert curves_of_all(only_record(hosts), 2)


def test_a_network_that_comes_back_loses_nothing(hosts: Hosts) -> None:
    port = free_port()
    with relay_to(port) as relay:
        started = [
            hosts.start(rank, 2, HOLD="1", LAST="1", STEPS="4000", **stated((port, relay.port)[rank]))
            for rank in range(2)
        ]
        hosts.await_("half", 2)
        relay.cut()
        hosts.go("half")
        hosts.await_("last", 2)
        relay.mend()
        until(lambda: b'"step":3999' in received(hosts))
        hosts.go("last")
        for one in started:
            ended(one)
    assert curves_of_all(only_record(hosts), 2, steps=4000)
    assert [hosts.spools(0), hosts.spools(1)] == [[], []]


def test_a_network_that_is_gone_for_good_leaves_the_spool_where_it_is(hosts: Hosts) -> None:
    port = free_port()
    with relay_to(port) as relay:
        started = [hosts.start(0, 2, HOLD="1", **stated(port)), hosts.start(1, 2, HOLD="1", **stated(relay.port))]
        hosts.await_("half", 2)
        until(lambda: b'"step":10' in received(hosts))
        relay.cut()
        hosts.go("half")
        for one in started:
            ended(one)
    record = only_record(hosts)
    assert (record.hardware.ranks[1].status, record.hardware.ranks[1].reason) == (
        "lost", "nothing more was heard of it over the link to rank 0",
    )  # fmt: skip
    assert record.results.unknown["curves.accuracy"] == "9 points without the value of some rank"
    assert len(hosts.spools(1)) == 1
    assert "part of a job that rank 0 records" in hosts.cli(1, "recover", "--list").out


def received(hosts: Hosts) -> bytes:
    """Return what rank 0 has received of another rank."""
    return b"".join((one / EVENTS).read_bytes() for one in hosts.spools(0) if (one / "received.json").exists())


def test_a_rank_that_is_killed_on_another_host_is_named(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(rank, 2, LAST="1", **stated(port)) for rank in range(2)]
    hosts.await_("last", 2)
    until(lambda: b'"step":19' in received(hosts))
    started[1].kill()
    ended(started[1], -signal.SIGKILL)
    hosts.go("last")
    ended(started[0])
    record = only_record(hosts)
    assert curves_of_all(record, 2)
    assert (record.status, record.hardware.ranks[1].status) == ("finished", "lost")
    assert "rank 1 (lost: nothing more was heard of it" in record.results.unknown["ranks"]
    hosts.cli(0, "list")
    assert hosts.spools(0) == []


def test_a_rank_that_trains_on_is_told_that_the_training_is_recorded(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(0, 2, **stated(port)), hosts.start(1, 2, LAST="1", **stated(port))]
    ended(started[0])
    record = only_record(hosts)
    assert curves_of_all(record, 2)
    assert record.hardware.ranks[1].status is None  # it still ran
    hosts.go("last")
    ended(started[1])
    hosts.cli(0, "list")
    assert [hosts.runs(1), hosts.spools(0), hosts.spools(1)] == [[], [], []]


def test_where_rank_0_is_killed_its_host_records_what_it_received_and_the_rest_stays(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(rank, 2, HOLD="1", **stated(port)) for rank in range(2)]
    hosts.await_("half", 2)
    until(lambda: b'"step":10' in received(hosts))
    started[0].kill()
    ended(started[0], -signal.SIGKILL)
    (hosts.meet / "done0").touch()
    hosts.go("half")
    began = time.monotonic()
    ended(started[1])
    assert time.monotonic() - began < 30
    hosts.cli(0, "list")
    record = only_record(hosts)
    assert (record.status, [life.status for life in record.hardware.ranks]) == ("lost", ["lost", "lost"])
    assert record.statistics.series["accuracy"].last == 0.5
    assert hosts.spools(0) == []
    assert len(hosts.spools(1)) == 1
    hosts.cli(1, "list")
    assert hosts.runs(1) == []
    hosts.cli(1, "recover", "--host", "all")
    assert only_record(hosts, 1).statistics.series["train/loss"].count == 20


def test_sigterm_to_all_is_one_record(hosts: Hosts) -> None:
    port = free_port()
    started = [hosts.start(rank, 2, LAST="1", **stated(port)) for rank in range(2)]
    hosts.await_("last", 2)
    for one in started:
        one.terminate()
    for one in started:
        ended(one, -signal.SIGTERM)
    record = only_record(hosts)
    assert (record.status, [life.status for life in record.hardware.ranks]) == ("killed", ["killed", "killed"])
    assert curves_of_all(record, 2)
    assert [hosts.runs(1), hosts.spools(0), hosts.spools(1)] == [[], [], []]


def test_ranks_that_share_a_folder_use_no_link(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path, 1)
    hosts.train(2, **stated(free_port()))
    assert curves_of_all(only_record(hosts), 2)
    assert hosts.spools(0) == []


def test_one_process_and_ranks_of_one_host_load_no_sockets() -> None:
    script = (
        "import os, sys, tempfile; os.chdir(tempfile.mkdtemp()); import ledger\n"
        "with ledger.run('one') as run: run.log({'x': 1.0})\n"
        "assert 'zmq' not in sys.modules and 'ledger.session.link' not in sys.modules\n"
        "os.environ |= {'RANK': '0', 'WORLD_SIZE': '2', 'LOCAL_WORLD_SIZE': '2', 'MASTER_ADDR': 'localhost'}\n"
        "with ledger.run('two') as run: run.log({'x': 1.0})\n"
        "import threading\n"
        "assert 'zmq' not in sys.modules and 'ledger-link' not in [one.name for one in threading.enumerate()]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
