"""Fuzz every reader for so many seconds in all: `python -m tests.fuzz.run --seconds 300`.

Inputs of earlier times are kept in `build/fuzz`; that of a fault lies there in `faults`, and the exit code is 1.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
_SLOW_SECONDS = 10
_MEMORY_MEGABYTES = 4096


def fuzz(name: str, seconds: int, folder: Path) -> tuple[int, str]:
    """Fuzz one reader, and return how many inputs were tried and the last word of a fault."""
    corpus, faults = folder / name.replace(" ", "-"), folder / "faults" / name.replace(" ", "-")
    for place in (corpus, faults):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = (f"-max_total_time={seconds}", f"-timeout={_SLOW_SECONDS}", f"-rss_limit_mb={_MEMORY_MEGABYTES}")
    done = subprocess.run(
        ["nice", "-n", "19", sys.executable, "-m", "tests.fuzz.one", name, *options, "-print_final_stats=1",
         "-max_len=20000", f"-artifact_prefix={faults}/", str(corpus)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )  # fmt: skip
    (faults.parent / f"{faults.name}.log").write_text(done.stderr + done.stdout, encoding="utf-8")
    tried = re.search(r"number_of_executed_units: (\d+)|#(\d+)\s+DONE", done.stderr)
    wrong = re.findall(
        r"^(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt)\b.*|^SUMMARY.*|^.*ERROR: libFuzzer.*",
        done.stderr + done.stdout,
        re.MULTILINE,
    )
    return int(next(filter(None, tried.groups()), 0)) if tried else 0, " | ".join(wrong[:2]) if done.returncode else ""


def main() -> int:
    """Fuzz each in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="For all readers together.")
    parser.add_argument("--target", choices=TARGETS, action="append", help="Only this reader.")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="Where inputs are kept.")
    options = parser.parse_args()
    names = options.target or list(TARGETS)
    found = 0
    for name in names:
        tried, wrong = fuzz(name, max(1, options.seconds // len(names)), options.folder.absolute())
        found += bool(wrong)
        print(f"{name:14} {tried:10,} inputs  {wrong or 'no fault'}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
