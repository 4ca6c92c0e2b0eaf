"""Who holds a GPU: the user and the job of a process, and the GPUs that SLURM has given to jobs of this host.

A job is read from the control group of a process, which it cannot change. Sources of the forms: SLURM's cgroup plugin
(`/slurm/uid_1000/job_123/…`, v2 `/system.slice/slurmstepd.scope/job_123/…`), Kubernetes (`kubepods…/pod<uid>/…`), PBS
(`/pbs_jobs.service/jobid/123.server`), LSF (`/lsf/cluster/job.123.…`), and Docker.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_JOBS = (
    ("slurm", re.compile(r"/job_(\d{1,12})(?:/|$)")),
    ("pbs", re.compile(r"/(?:jobid|pbs_jobs\.service)/(?:jobid/)?(\d{1,12}(?:\.[\w.-]{1,60})?)(?:/|$)")),
    ("lsf", re.compile(r"/lsf/[^/]{1,60}/job\.(\d{1,12})")),
    ("pod", re.compile(r"/(?:kubepods[^/]*-)?pod([0-9a-f][0-9a-f_-]{31,35})(?:\.slice|/|$)")),
    ("container", re.compile(r"/(?:docker[-/]|cri-containerd-|libpod-)([0-9a-f]{12})[0-9a-f]{52}")),
)
_SECONDS = 5.0
_JOB = re.compile(r"^JobId=(\d{1,12})\b", re.MULTILINE)
_USER = re.compile(r"\bUserId=([^\s(]{1,64})")
_GIVEN = re.compile(r"^\s*Nodes=(\S+) .*?GRES=(\S+)", re.MULTILINE)
_NUMBERS = re.compile(r"\bgpu(?::[\w.-]+)?:\d+\(IDX:([\d,-]+)\)")


class Owner(NamedTuple):
    """Who holds a GPU."""

    user: str
    job: str | None = None


def owner_of(pid: int, root: Path = Path("/")) -> Owner | None:
    """Return user and job of a process; none where it cannot be seen.

    Args:
        pid: process of this host.
        root: root of the file system; `/` except in tests.
    """
    folder = root / f"proc/{pid}"
    try:
        number = folder.stat().st_uid
    except OSError:
        return None
    try:
        groups = (folder / "cgroup").read_text("utf-8", "replace")
    except OSError:
        groups = ""
    found = (f"{kind} {match[1]}" for kind, form in _JOBS if (match := form.search(groups)))
    return Owner(_name_of(number), next(found, None))


def given_cards(host: str, command: str = "scontrol") -> dict[int, Owner]:
    """Return the owners of the GPUs that SLURM has given to jobs on this host, by number; empty where it cannot say.

    Args:
        host: this host, by its short name.
        command: the client of SLURM.
    """
    try:
        done = subprocess.run([command, "show", "job", "-d"], capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    said = done.stdout.decode("utf-8", "replace")
    given: dict[int, Owner] = {}
    for text in re.split(r"\n\s*\n", said):
        job, user = _JOB.search(text), _USER.search(text)
        if job is None or user is None or "JobState=RUNNING" not in text:
            continue
        owner = Owner(user[1], f"slurm {job[1]}")
        for nodes, what in _GIVEN.findall(text):
            if host in nodes_in(nodes):
                given |= {number: owner for words in _NUMBERS.findall(what) for number in _numbers(words)}
    return given


def nodes_in(text: str) -> list[str]:
    """Return the nodes of a list as SLURM writes it: `gpu[01-03,7],login` are five; at most 10,000.

    Source: https://slurm.schedmd.com/scontrol.html, hostlist expressions.
    """
    found: list[str] = []
    for word in re.findall(r"(?:[^,\[]|\[[^\]]*\]?)+", text):
        names = [""]
        for plain, numbers in re.findall(r"([^\[]+)|\[([^\]]*)\]?", word):
            ends = [plain] if plain else list(_numbered(numbers))
            names = [name + end for name in names for end in ends][:_MOST_NODES]
        found += (name for name in names if name)
        if len(found) >= _MOST_NODES:
            break
    return found[:_MOST_NODES]


def _numbered(text: str) -> Iterator[str]:
    """Yield the numbers of a list in brackets, with the zeros that they begin with: `01-03,7`."""
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            continue
        for number in range(int(first), min(int(last or first), int(first) + _MOST_NODES) + 1):
            yield f"{number:0{len(first)}}"


_MOST_NODES = 10_000


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            found += range(int(first), min(int(last or first), int(first) + 64) + 1)
    return found


def _name_of(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def short_host() -> str:
    """Return the name of this host without its domain."""
    return os.uname().nodename.partition(".")[0]
