"""Make offline runs of W&B 0.31.0: `python -m tests.formats.trackers.make_wandb`."""

import math
import os
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, 2**60 + 1, -3]
LONG = "x" * 5000
BLOCK = 1 << 15


def log_run() -> None:
    import wandb  # type: ignore[import-not-found]

    config = {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "big": 2**60, "long": LONG, "имя": "Größe",
        "none": None, "flag": True,
    }  # fmt: skip
    run = wandb.init(
        project="digits", name="full run", config=config, tags=["a", "ß"], notes="first\nnote", group="sweep",
        job_type="train",
    )  # fmt: skip
    run.define_metric("acc", summary="max")
    run.define_metric("val/*", summary="min")
    run.define_metric("epoch")
    for step, value in enumerate(VALUES):
        run.log({"train/loss": value, "acc": 1 - abs(step - 5) / 10, "nested": {"a": step, "b": {"c": 0.5}}})
    run.log({"val/err": 0.25, "epoch": 1, "text": "words", "flag": True, "точность": 1}, step=10)
    run.log({"val/err": 0.5}, step=10)
    run.log({"histogram": wandb.Histogram([1, 2, 3])}, step=20)
    run.config.update({"later": 5})
    run.summary["final"] = 0.93
    run.summary["bad"] = math.nan
    run.summary["words"] = "none"
    run.finish()


def log_failed() -> None:
    import wandb

    run = wandb.init(project="digits", name="failed")
    run.log({"loss": 3.0})
    run.finish(exit_code=3)


def log_killed() -> None:
    import time

    import wandb

    run = wandb.init(project="digits", name="killed")
    for step in range(2000):
        run.log({"loss": step / 8})
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGKILL)


def overwrite_words(path: Path, words: list[str]) -> None:
    """Overwrite words in a file of W&B, and make its checksums good again."""
    data = bytearray(path.read_bytes())
    at = 7
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        part = bytes(data[at + 7 : at + 7 + length])
        for word in words:
            part = part.replace(word.encode(), b"x" * len(word))
        data[at + 7 : at + 7 + length] = part
        if kind:
            struct.pack_into("<I", data, at, zlib.crc32(bytes([kind]) + part))
        at += 7 + length
    path.write_bytes(data)


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import LOGIN, machine_words, pack

    environment = os.environ | {
        "WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_HOST": "box", "WANDB_USERNAME": LOGIN, "LOGNAME": LOGIN,
        "USER": LOGIN, "WANDB_DISABLE_CODE": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_CONSOLE": "off",
    }  # fmt: skip
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for what in ("run", "failed", "killed"):
        subprocess.run(
            [sys.executable, script.name, what, "--lr", "1"], cwd=folder, env=environment, check=what != "killed"
        )
    script.unlink()
    for path in (folder / "wandb").rglob("*"):
        if path.suffix == ".wandb":
            overwrite_words(path, [str(folder), sys.executable, os.path.realpath(sys.executable), *machine_words()])
        elif path.is_file() or path.is_symlink():
            path.unlink()
    pack(folder, "wandb_file")


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["run"]:
            log_run()
        case ["failed"]:
            log_failed()
        case ["killed"]:
            log_killed()
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
