"""Make offline sessions of ClearML 2.1.12, zipped and killed: `python -m tests.formats.trackers.make_clearml`."""

import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, -3]
LONG = "x" * 500
WORKER = re.compile(rb'"worker": "[^"]*"')


def log_task(what: str) -> None:
    from clearml import Task  # type: ignore[import-not-found]

    Task.set_offline(offline_mode=True)
    task = Task.init(
        "digits", f"{what} task", tags=["a", "ß"], auto_connect_frameworks=False, auto_resource_monitoring=False,
        auto_connect_streams=False,
    )  # fmt: skip
    task.connect({"lr": 1e-3, "opt": {"name": "adam", "nesterov": True}, "long": LONG, "имя": "Größe", "none": None})
    task.connect({"batch": 32}, name="Data")
    task.set_comment("first\nnote")
    logger = task.get_logger()
    for step, value in enumerate(VALUES):
        logger.report_scalar("train", "loss", value, step)
    logger.report_scalar("acc", "acc", 0.9, 3)
    logger.report_scalar("acc", "acc", 0.8, 3)
    logger.report_single_value("final", 0.93)
    logger.report_text("some words")
    logger.report_histogram("hist", "a", iteration=1, values=[1, 2, 3])
    task.flush(wait_for_uploads=True)
    if what == "killed":
        import time

        time.sleep(5)
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "failed":
        task.mark_failed(status_reason="boom")
    task.close()


def overwrite_words(path: Path, words: list[str]) -> None:
    """Write an archive anew, with words overwritten."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: WORKER.sub(b'"worker": "box"', archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            for word in words:
                content = content.replace(word.encode(), b"x" * len(word))  # noqa: PLW2901  # word by word
            archive.writestr(name, content)


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import LOGIN, machine_words, pack

    cache = folder / "cache"
    environment = os.environ | {
        "CLEARML_CACHE_DIR": str(cache), "CLEARML_OFFLINE_MODE": "1", "LOGNAME": LOGIN, "USER": LOGIN,
        "HOME": str(folder),
        "CLEARML_LOG_LEVEL": "ERROR", "CLEARML_SKIP_PIP_FREEZE": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }  # fmt: skip
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for what in ("full", "failed", "killed"):
        subprocess.run([sys.executable, script.name, what], cwd=folder, env=environment, check=what == "full")
    script.unlink()
    shutil.rmtree(folder / ".clearml")
    for path in list((cache / "offline").rglob("*")):
        if path.suffix == ".zip":
            overwrite_words(path, [str(folder), *machine_words()])
        elif path.suffix == ".jsonl":
            path.write_bytes(WORKER.sub(b'"worker": "box"', path.read_bytes()))
    pack(cache, "clearml_offline")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [given]:
            log_task(given)
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
