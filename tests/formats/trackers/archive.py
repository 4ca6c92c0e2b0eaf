"""Stores of real trackers as archives: packed by the scripts `make_*.py`, unpacked by tests.

Paths, host and login of the machine that made a store are overwritten by letters of the same number, so that the bytes
stay those of the tracker.
"""

import getpass
import io
import lzma
import socket
import tarfile
from pathlib import Path

LEAST_LETTERS = 4
STORES = Path(__file__).parent / "stores"
LOGIN = "ana"
"""Login that the scripts give to trackers which ask the environment for one."""


def pack(folder: Path, name: str) -> None:
    """Write `stores/NAME.tar.xz` with every file in a folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            content = path.read_bytes()
            for word in (str(folder), *machine_words()):
                content = content.replace(word.encode(), b"x" * len(word))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    STORES.mkdir(exist_ok=True)
    (STORES / f"{name}.tar.xz").write_bytes(lzma.compress(data.getvalue(), preset=9))


def unpack(name: str, folder: Path) -> Path:
    """Return a folder with the content of `stores/NAME.tar.xz`."""
    with tarfile.open(STORES / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def machine_words() -> list[str]:
    """Return what a store must not hold: folders of machines, and host and login where these are no common words."""
    own = [word for word in (socket.gethostname(), getpass.getuser()) if len(word) >= LEAST_LETTERS and word != "root"]
    return [*(f"/{name}/" for name in ("root", "work", "tmp", "home")), *own]
