"""Data that change in the middle of an epoch, with and without a server: an error in one line, and no crash."""

import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ledger.serve.hosting import ask_status
from tests.conftest import ROOT
from tests.serve.servers import Serve

TRAIN = """
import sys, time
from pathlib import Path
import ledger
batches = ledger.batches("data", batch_size=5, server=sys.argv[2:])
for epoch in range(3):
    for batch in batches:
        if epoch == int(sys.argv[1]) and not Path("changed").exists():
            Path("began").touch()
            while not Path("changed").exists():
                time.sleep(0.005)
"""
LARGE = (70_000, 1000)
"""An array of so many bytes is not read whole. It has no content, and takes no room on the disk."""


def picture(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8), number).save(out, "PNG")
    return out.getvalue()


def write_array(data: Path) -> Path:
    np.lib.format.open_memmap(data / "x.npy", "w+", np.uint8, LARGE).flush()
    return data / "x.npy"


def write_read_only_array(data: Path) -> Path:
    write_array(data).chmod(0o444)
    return data / "x.npy"


def write_pictures(data: Path) -> Path:
    for number in range(60):
        (data / f"{number}.png").write_bytes(picture(number))
    return data / "7.png"


def write_archive(data: Path) -> Path:
    with tarfile.open(data / "x.tar", "w") as archive:
        for number in range(60):
            member = tarfile.TarInfo(f"{number}.cls")
            member.size = 1
            archive.addfile(member, io.BytesIO(b"1"))
    return data / "x.tar"


def truncate(file: Path) -> None:
    mode = file.stat().st_mode
    file.chmod(0o644)
    os.truncate(file, file.stat().st_size // 3)
    file.chmod(mode)


def write_into(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(512)
        opened.write(b"2")


def write_anew(file: Path) -> None:
    file.write_bytes(picture(99))


def replace(file: Path) -> None:
    """Replace a picture as `rsync` does: by one that is older, which is noticed where the first one was read."""
    (file.parent.parent / "new").write_bytes(picture(99))
    os.utime(file.parent.parent / "new", (0, 0))
    (file.parent.parent / "new").replace(file)


@pytest.mark.parametrize("served", [False, True], ids=["alone", "served"])
@pytest.mark.parametrize(
    ("write", "change"),
    [
        (write_array, truncate),
        (write_array, write_into),
        (write_read_only_array, truncate),
        (write_pictures, truncate),
        (write_pictures, write_anew),
        (write_pictures, replace),
        (write_archive, truncate),
        (write_archive, write_into),
    ],
)
def test_data_that_change_in_mid_epoch_are_an_error_in_one_line(
    write: Callable[[Path], Path],
    change: Callable[[Path], None],
    served: bool,  # noqa: FBT001  # one of two ways
    serve: Serve,
    repo: Path,
) -> None:
    (repo / "data").mkdir()
    file = write(repo / "data")
    server = serve("data") if served else None
    training = subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(int(change is replace)), *([server.address] if server is not None else [])],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (repo / "began").exists():
        assert training.poll() is None
        threading.Event().wait(0.01)
    change(file)
    (repo / "changed").touch()
    _, said = training.communicate()
    assert training.returncode == 1, said
    last = said.splitlines()[-1]
    assert f"the data changed while a training read them: `{file.relative_to(repo)}`" in last.replace(f"{repo}/", "")
    if server is not None:
        assert last.startswith("ledger.errors.LedgerError: the data server refuses: ")
        assert ask_status(server.address, None).label == "data"
        assert len(server.end().splitlines()) == 1
