"""The suite itself: it answers to signals in the background, and names what a test leaves running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT

LEAVES = """
import subprocess

def test_that_leaves_a_child_and_an_orphan(tmp_path):
    subprocess.Popen(["sleep", "300.{number}"])
    subprocess.run("sleep 301.{number} & exit", shell=True, cwd=tmp_path)

def test_that_leaves_nothing(tmp_path):
    subprocess.run("sleep 0.1 &", shell=True, cwd=tmp_path)
"""

INTERRUPTS = """
import signal, subprocess

def test_that_interrupts_a_process():
    script = "import time; print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(["python3", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT
"""


def run_suite(folder: Path, script: str, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(script)
    # With a folder of its own it does not, at its end, clear away what an earlier suite has left: that takes minutes.
    place = f"--basetemp={folder / 'inner'}"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.leftovers", "-p", "no:cacheprovider", place, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["in one process", "distributed"])
def test_what_a_test_leaves_running_fails_the_suite_and_is_named(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_suite(tmp_path, LEAVES.replace("{number}", str(os.getpid())), *options)
    left = [
        process
        for process in psutil.process_iter()
        if {f"300.{os.getpid()}", f"301.{os.getpid()}"} & set(_words(process))
    ]
    for process in left:
        process.kill()
    assert done.returncode == 1
    named = [line for line in done.stdout.splitlines() if "(process " in line]
    assert len(named) == len(left) == 2, done.stdout
    assert all(line.startswith("test_it.py::test_that_leaves_a_child_and_an_orphan: sleep 30") for line in named)


def test_a_suite_in_the_background_can_interrupt_what_it_starts(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a script's `&`
    try:
        done = run_suite(tmp_path, INTERRUPTS)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 0, done.stdout


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
