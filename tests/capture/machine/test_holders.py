"""Who holds a GPU: users and jobs by their control groups, and what SLURM has given."""

import os
import pwd
from pathlib import Path

import pytest

from ledger.capture.machine.holders import Owner, given_cards, nodes_in, owner_of

POD = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("groups", "job"),
    [
        ("11:devices:/slurm/uid_1000/job_4711/step_0/task_0\n", "slurm 4711"),
        ("0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n", "slurm 4711"),
        (f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice/x\n",
         f"pod {POD.replace('-', '_')}"),
        (f"4:memory:/kubepods/besteffort/pod{POD}/abc\n", f"pod {POD}"),
        ("0::/pbs_jobs.service/jobid/12.head\n", "pbs 12.head"),
        ("3:cpuset:/lsf/c1/job.99.1700/x\n", "lsf 99"),
        (f"0::/system.slice/docker-{'ab' * 32}.scope\n", f"container {'ab' * 6}"),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
        ("0::/\n", None),
        ("", None),
        ("0::/my_job_17x/\n", None),
    ],
)  # fmt: skip
def test_the_job_is_read_from_the_control_group(tmp_path: Path, groups: str, job: str | None) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cgroup").write_text(groups)
    assert owner_of(7, tmp_path) == Owner(pwd.getpwuid(os.getuid()).pw_name, job)


def test_a_process_that_is_gone_has_no_owner_and_one_without_groups_has_one(tmp_path: Path) -> None:
    assert owner_of(7, tmp_path) is None
    (tmp_path / "proc/7").mkdir(parents=True)
    os.chown(tmp_path / "proc/7", 54_321 if os.getuid() == 0 else -1, -1)
    found = owner_of(7, tmp_path)
    assert found is not None
    assert found.user == ("user 54321" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)


JOBS = """JobId=12 JobName=train
   UserId=ada(1000) GroupId=lab(1000) MCS_label=N/A
   JobState=RUNNING Reason=None
   Nodes=gpu01 CPU_IDs=0-7 Mem=4096 GRES=gpu:h100:2(IDX:0-1)
   Nodes=gpu[02-03] CPU_IDs=0-7 Mem=4096 GRES=gpu:h100:1(IDX:3)

JobId=13 JobName=idle
   UserId=grace(1001) GroupId=lab(1000)
   JobState=RUNNING Reason=None
   Nodes=gpu01 CPU_IDs=8 Mem=1 GRES=gpu:2(IDX:4,6)

JobId=14 JobName=waits
   UserId=linus(1002)
   JobState=PENDING Reason=Resources
   Nodes=gpu01 CPU_IDs=8 Mem=1 GRES=gpu:1(IDX:7)

garbage without end
"""


def test_what_slurm_has_given_is_held_without_any_process(tmp_path: Path) -> None:
    client = tmp_path / "scontrol"
    client.write_text(f"#!/bin/sh\n[ \"$*\" = 'show job -d' ] || exit 3\ncat <<'E'\n{JOBS}\nE\n")
    client.chmod(0o755)
    ada, grace = Owner("ada", "slurm 12"), Owner("grace", "slurm 13")
    assert given_cards("gpu01", str(client)) == {0: ada, 1: ada, 4: grace, 6: grace}
    assert given_cards("gpu03", str(client)) == {3: ada}
    assert given_cards("login", str(client)) == {}
    client.write_text("#!/bin/sh\nexit 1\n")
    assert given_cards("gpu01", str(client)) == {}
    assert given_cards("gpu01", str(tmp_path / "none")) == {}


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("gpu01", ["gpu01"]),
        ("gpu[01-03,7],login", ["gpu01", "gpu02", "gpu03", "gpu7", "login"]),
        ("rack[1-2]-a", ["rack1-a", "rack2-a"]),
        ("r[1-2]n[1-2],x", ["r1n1", "r1n2", "r2n1", "r2n2", "x"]),
        ("gpu[", []),
        ("gpu[x-y]", []),
        ("", []),
    ],
)
def test_lists_of_nodes_are_read_as_slurm_writes_them(text: str, nodes: list[str]) -> None:
    assert nodes_in(text) == nodes


def test_a_list_of_nodes_is_bounded() -> None:
    assert len(nodes_in("n[0-999999999]")) <= 10_001
