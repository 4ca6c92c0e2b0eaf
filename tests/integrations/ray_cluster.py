"""A Ray cluster of two workers on this machine, for the length of a block, and nothing of it afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

_STARTS_SECONDS = 120.0
_ENDS_SECONDS = 20.0


class RayCluster:
    """A running cluster.

    Args:
        address: where `open_engine` finds it.
        head: the process that started all others.
    """

    def __init__(self, address: str, head: psutil.Process) -> None:
        self.address = address
        self._head = head

    def end(self) -> None:
        """End every process of it, by id: `ray stop` would end every cluster of this machine. Idempotent."""
        try:
            everyone = [*self._head.children(recursive=True), self._head]
        except psutil.NoSuchProcess:
            return
        for process in everyone:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(everyone, timeout=_ENDS_SECONDS)


@contextmanager
def ray_cluster(python: str, variables: Mapping[str, str]) -> Iterator[RayCluster]:
    """Start a cluster with the Ray of an environment.

    Args:
        python: the interpreter of that environment.
        variables: environment variables of the workers.
    """
    # The paths of its sockets may have 107 characters, so nothing below pytest's folder will do.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    port, client = _free_ports(2)
    command = [
        str(Path(python).with_name("ray")), "start", "--head", "--block", "--num-cpus=2", "--node-ip-address=127.0.0.1",
        f"--port={port}", f"--ray-client-server-port={client}", f"--temp-dir={folder}", "--include-dashboard=false",
        "--disable-usage-stats", "--object-store-memory=100000000",
    ]  # fmt: skip
    with (folder / "said").open("wb") as said:
        head = psutil.Popen(command, cwd=folder, env={**os.environ, **variables}, stdout=said, stderr=said)
    cluster = RayCluster(f"ray://127.0.0.1:{client}", head)
    try:
        _wait_for(client, head)
        # Started is what lists its workers; the port of clients answers a moment earlier.
        subprocess.run(
            [python, "-c", _READY, cluster.address], env={**os.environ, **variables}, check=True, capture_output=True,
            timeout=_STARTS_SECONDS,
        )  # fmt: skip
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)


_READY = """
import sys, time
import ray
for left in (2, 1, 0):
    try:
        ray.init(sys.argv[1], log_to_driver=False)
        break
    except (ConnectionError, RuntimeError):  # on a busy machine the head has not started its part in time
        if not left:
            raise
while ray.cluster_resources().get("CPU") != 2:
    time.sleep(0.1)
"""


def _wait_for(port: int, head: psutil.Popen) -> None:
    """Wait until a port answers; Ray's own client knocks again only after half a minute."""
    deadline = time.monotonic() + _STARTS_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert head.poll() is None, "Ray did not start"
            assert time.monotonic() < deadline, "Ray does not answer"
            time.sleep(0.1)
        else:
            return


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
