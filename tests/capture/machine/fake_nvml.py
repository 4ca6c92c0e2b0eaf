"""Cards that a library built from `fake_nvml.c` plays, through the real ctypes path of nvidia-ml-py."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")
NAME = "libnvidia-ml.so.1"


@cache
def built() -> Path | None:
    """Return the folder of the library, built once for each version of its source; none without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = (
        Path(tempfile.gettempdir()) / f"fake-nvml-{os.getuid()}-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / NAME).exists():
        fresh = folder / f"{os.getpid()}.so"
        flags = ["-Wall", "-Werror", "-shared", "-fPIC", f"-Wl,-soname,{NAME}"]
        subprocess.run([compiler, *flags, "-o", str(fresh), str(SOURCE)], check=True)
        fresh.replace(folder / NAME)
    return folder


class FakeCards:
    """The cards of this machine, as tests play them: `set` changes what they answer from then on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "cards"
        self._said: dict[str, object] = {}

    def set(self, **said: object) -> None:
        """Set answers; `fail__nvmlDeviceGetName=3` and `busy__1=100` mean `fail.nvml…` and `busy.1`."""
        self._said |= {name.replace("__", "."): value for name, value in said.items()}
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(f"{name}={value}\n" for name, value in self._said.items()))
        fresh.replace(self._file)

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which any process finds them."""
        return {"FAKE_NVML": str(self._file), "LD_LIBRARY_PATH": str(built())}


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCards:
    """Two whole cards, in this process and in those that it starts."""
    library = built()
    if library is None:
        pytest.skip("the fake NVML is built by a C compiler, and there is none")
    played = FakeCards(tmp_path)
    played.set(count=2, name__1="NVIDIA L4")
    for name, value in played.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    # The linker of a living process does not read the variable again, but finds what is loaded under that name.
    ctypes.CDLL(str(library / NAME), mode=ctypes.RTLD_GLOBAL)
    return played
