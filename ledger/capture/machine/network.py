"""How much came and went over the network of this host, or of its container."""

from pathlib import Path
from typing import NamedTuple

_WORD_BYTES = 4
"""InfiniBand counts words of four bytes (IBTA specification, PortCounters)."""
_COLUMNS = 16
_SENT = 8
"""Column of `/proc/net/dev` with the bytes sent; the first has the bytes received (proc_pid_net(5))."""


class Traffic(NamedTuple):
    """Bytes since the network was started."""

    received: int
    sent: int


def read_traffic(root: Path = Path("/")) -> Traffic | None:
    """Return the traffic so far; none where the system does not count it.

    Bridges and virtual devices carry what a real one carries too, so they count only where there is no real one, as in
    a container.

    Args:
        root: root of the file system; `/` except in tests.
    """
    devices = {}
    for line in _text(root / "proc/net/dev").splitlines():
        name, colon, numbers = line.partition(":")
        counted = numbers.split()
        if colon and len(counted) == _COLUMNS and all(one.isdigit() for one in counted):
            devices[name.strip()] = Traffic(int(counted[0]), int(counted[_SENT]))
    devices.pop("lo", None)
    real = [traffic for name, traffic in devices.items() if (root / "sys/class/net" / name / "device").exists()]
    ports = [
        Traffic(*(_WORD_BYTES * int(text) if (text := _text(port / name)).isdigit() else 0 for name in _DATA))
        for port in (root / "sys/class/infiniband").glob("*/ports/*/counters")
    ]
    found = [*(real or devices.values()), *ports]
    return Traffic(sum(one.received for one in found), sum(one.sent for one in found)) if found else None


_DATA = ("port_rcv_data", "port_xmit_data")


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""
