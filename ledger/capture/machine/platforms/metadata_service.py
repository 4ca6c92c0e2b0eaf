"""Questions to the metadata service of a cloud, which the user allowed: type of machine, region, life cycle.

The same service hands out credentials, so that three paths are asked for by name, and never a tree. The address is a
number: no name is looked up, no proxy is used, no redirection is followed.
"""

import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from ledger.model.values import Document

Address: TypeAlias = tuple[str, int]
"""Host and port."""
ADDRESS: Address = ("169.254.169.254", 80)
"""Where EC2, Google Compute Engine and Azure answer: it is reachable from the machine itself only."""
SECONDS = 0.5
"""How long all questions may take together."""
_ANSWER = 8192
_VALUE = 100


def _last(value: str) -> str:
    return value.rpartition("/")[2]


class Service(Document, frozen=True, kw_only=True):
    """The metadata service of one cloud."""

    header: str
    """Header that proves that the request is meant: `Name: value`; empty where a session is needed."""
    paths: Mapping[str, str]
    """Path by field of the platform."""
    session: tuple[str, str] | None = None
    """Path that answers with the word of a session, and the header that carries it; the word is kept nowhere."""


_EC2 = "/latest/meta-data"
_GCE = "/computeMetadata/v1/instance"
_AZURE = "?api-version=2021-02-01&format=text"
SERVICES = {
    "ec2": Service(
        header="",
        session=("/latest/api/token", "X-aws-ec2-metadata-token"),
        paths={
            "instance": f"{_EC2}/instance-type",
            "region": f"{_EC2}/placement/region",
            "life_cycle": f"{_EC2}/instance-life-cycle",
        },
    ),
    "gce": Service(
        header="Metadata-Flavor: Google",
        paths={
            "instance": f"{_GCE}/machine-type",
            "region": f"{_GCE}/zone",
            "life_cycle": f"{_GCE}/scheduling/preemptible",
        },
    ),
    "azure-vm": Service(
        header="Metadata: true",
        paths={
            "instance": f"/metadata/instance/compute/vmSize{_AZURE}",
            "region": f"/metadata/instance/compute/location{_AZURE}",
            "life_cycle": f"/metadata/instance/compute/priority{_AZURE}",
        },
    ),
}
"""Service by platform. Sources: EC2 user guide (IMDSv2), Compute Engine (VM metadata), Azure (instance metadata)."""
_READ: dict[str, Callable[[str], str]] = {
    "instance": _last,  # Google: projects/1/machineTypes/n1-standard-4
    "region": lambda place: _last(place).rpartition("-")[0] if "/zones/" in place else place,
    "life_cycle": lambda word: {"true": "spot", "spot": "spot", "low": "spot"}.get(word.lower(), "on-demand"),
}


def read_metadata(platform: str, fields: Iterable[str], address: Address = ADDRESS) -> dict[str, str]:
    """Return fields of a platform as far as the service says them in half a second; never raises.

    Args:
        platform: one of `SERVICES`.
        fields: any of `instance`, `region` and `life_cycle`.
        address: host and port of the service.
    """
    service, end = SERVICES[platform], time.monotonic() + SECONDS
    header = service.header
    if service.session:
        path, name = service.session
        word = _ask(address, end, "PUT", path, "X-aws-ec2-metadata-token-ttl-seconds: 60")
        if not word:
            return {}
        header = f"{name}: {word}"
    said = {field: _ask(address, end, "GET", path, header) for field in fields for path in [service.paths[field]]}
    return {field: _READ[field](value) for field, value in said.items() if value and len(value) <= _VALUE}


def _ask(address: Address, end: float, method: str, path: str, header: str) -> str | None:
    """Return the one line that a path answers with; none where the answer is another one, or late."""
    request = f"{method} {path} HTTP/1.0\r\nHost: {address[0]}\r\n{header}\r\nContent-Length: 0\r\n\r\n"
    data = b""
    try:
        with socket.create_connection(address, timeout=max(0.001, end - time.monotonic())) as connection:
            connection.sendall(request.encode("ascii"))
            while len(data) < _ANSWER and (left := end - time.monotonic()) > 0:
                connection.settimeout(left)
                if not (part := connection.recv(_ANSWER)):
                    break
                data += part
            else:
                return None  # too late, or too long
    except (OSError, UnicodeError):
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    text = body.decode("ascii", "replace").strip()
    status = head.split(b" ", 2)[1:2]
    return text if status == [b"200"] and text.isprintable() and "\ufffd" not in text else None
