"""The software a run stood on, read from what installers and containers leave behind."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ledger.capture.machine.containers import container_of
from ledger.capture.machine.environment import capture_environment
from ledger.capture.machine.packages import read_packages
from ledger.hashing import hash_bytes
from ledger.model.document import dump


def test_the_packages_are_those_importlib_finds() -> None:
    short, file = capture_environment()
    expected = {
        name.lower().replace("_", "-").replace(".", "-")
        for distribution in importlib.metadata.distributions()
        if (name := distribution.metadata["Name"])
    }
    assert set(file.packages) == expected
    assert short.packages == len(expected)
    assert file.packages["pytest"] == importlib.metadata.version("pytest")
    assert short.frameworks["torch"] == torch.__version__
    assert short.hash == hash_bytes(dump(file))
    assert short.unknown == {}
    assert str(short.python).endswith(".".join(map(str, sys.version_info[:3])))


def test_the_same_environment_has_the_same_bytes() -> None:
    assert dump(capture_environment()[1]) == dump(capture_environment()[1])


def test_the_environment_of_the_training_is_captured_and_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (site / "Some_Package-1.2.3.dist-info").mkdir()
    given = capture_environment(tmp_path / "env/bin/python")[1]
    assert given.packages == {"some-package": "1.2.3"}
    assert given.executable == "env/bin/python"
    assert str(tmp_path) not in dump(given).decode()
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "env"))
    assert capture_environment()[1] == given


def test_an_interpreter_that_does_not_answer_is_unknown(tmp_path: Path) -> None:
    short, file = capture_environment(tmp_path / "python")
    assert short.python is None
    assert set(short.unknown) == {"python", "packages"}
    assert file.python == "unknown"


def test_editable_legacy_and_git_installs_are_told_apart(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    for name, origin in {
        "edited-1.0": {"url": "file:///x", "dir_info": {"editable": True}},
        "cloned-2.0": {"url": "https://user:pw@host/x", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}},
        "odd-3.0": [1],
    }.items():
        (site / f"{name}.dist-info").mkdir(parents=True)
        (site / f"{name}.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    (site / "old-4.0-py3.11.egg-info").mkdir()
    (site / "linked.egg-link").write_text(f"{tmp_path}/src\n.")
    (tmp_path / "src/linked.egg-info").mkdir(parents=True)
    (tmp_path / "src/linked.egg-info/PKG-INFO").write_text("Name: linked\nVersion: 5.0\n")
    found = read_packages([site, tmp_path / "gone"])
    assert found.packages == {
        "cloned": f"2.0 (git {'ab' * 20})",
        "edited": "1.0 (editable)",
        "linked": "5.0 (editable)",
        "odd": "3.0",
        "old": "4.0",
    }


def test_variables_come_from_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OMP_NUM_THREADS": "4",
        "NCCL_DEBUG": "INFO",
        "NCCL_AUTH_TOKEN": "hunter2",
        "SLURM_JOB_NAME": "hf_" + "aB3" * 12,
        "HOME": "/home/bob",
        "WANDB_API_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    variables = capture_environment()[1].variables
    assert variables["OMP_NUM_THREADS"] == "4"
    assert variables["NCCL_DEBUG"] == "INFO"
    assert not {"NCCL_AUTH_TOKEN", "SLURM_JOB_NAME", "HOME", "WANDB_API_KEY"} & set(variables)


@pytest.mark.parametrize(
    ("files", "variables", "kind"),
    [
        ({}, {}, None),
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": ""}, {}, "podman"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({}, {"APPTAINER_CONTAINER": "/x.sif"}, "apptainer"),
        ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({"run/systemd/container": "<script>"}, {}, None),
        ({"proc/1/cgroup": "4:memory:/kubepods/pod1/x\n"}, {}, "kubernetes"),
    ],
)
def test_the_container_is_known_by_what_its_engine_leaves(
    tmp_path: Path, files: dict[str, str], variables: dict[str, str], kind: str | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert container_of(tmp_path, variables) == kind


def test_heavy_libraries_are_not_imported() -> None:
    code = (
        "import sys; from pathlib import Path; from ledger.capture.machine.environment import capture_environment as e;"
        "from ledger.capture.machine.hardware import capture_hardware as h; e(); h(Path('.'));"
        "print([m for m in ('torch', 'psutil', 'pynvml', 'importlib.metadata', 'yaml') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
