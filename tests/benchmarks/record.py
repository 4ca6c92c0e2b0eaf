"""`ledger record` as a whole process against `dvc exp save` doing the same job, and what each part of it costs.

The job: 20 params and 10 metrics in files, a dataset of a few small files, nothing else. DVC's is that of a
stage with the same params, metrics and dataset; only `dvc exp save` itself is measured.
"""

import argparse
import json
import math
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median

from tests.benchmarks.measuring import (
    QUICK,
    Case,
    Sample,
    child_seconds,
    interleaved,
    milliseconds,
    options_of,
    own_seconds,
    run,
    show,
    sized,
    verdict,
    workplace,
)

REPETITIONS = sized(9)
LIMIT_RATIO = 0.25
OPTIONS = ("--params", "params.yaml", "--metrics", "metrics.json", "--dataset", "validation=data/val")
LEDGER = (sys.executable, "-m", "ledger", "record", *OPTIONS)
GROUPS = ("ledger", "click", "msgspec", "yaml", "blake3", "git", "rich", "psutil")
"""Packages that get a line of their own; the rest is the standard library."""
INSIDE = "--inside"
"""Option by which this script asks a fresh process of itself for the cost of each part."""


def make_project(folder: Path) -> None:
    """Make a repository with params, metrics, a tiny dataset and one commit."""
    (folder / "data" / "val").mkdir(parents=True)
    for number in range(5):
        (folder / "data" / "val" / f"{number}.txt").write_text(f"{number}\n" * 100, encoding="utf-8")
    (folder / "metrics.json").write_text(
        json.dumps({f"validation/metric_{number}": number / 10 for number in range(10)}), encoding="utf-8"
    )
    (folder / ".gitignore").write_text("/data\n/metrics.json\n", encoding="utf-8")
    (folder / "train.py").write_text("print('training')\n", encoding="utf-8")
    write_params(folder, 0)
    run(["git", "init", "--quiet"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Begin"], folder)


def write_params(folder: Path, number: int) -> None:
    """Write the 20 params of one experiment: the edit that makes it another one."""
    lines = [f"option_{index}: {0.001 * index + number}\n" for index in range(20)]
    (folder / "params.yaml").write_text("".join(lines), encoding="utf-8")


def make_dvc_project(folder: Path, dvc: Path) -> None:
    """Turn the project into one of DVC: a stage with the same params, metrics and dataset."""
    run([dvc, "init", "--quiet"], folder)
    run([dvc, "config", "core.analytics", "false"], folder)
    params = "".join(f"      - option_{index}\n" for index in range(20))
    (folder / "dvc.yaml").write_text(
        f"stages:\n  train:\n    cmd: python train.py\n    deps:\n      - data/val\n    params:\n{params}"
        "    metrics:\n      - metrics.json:\n          cache: false\n",
        encoding="utf-8",
    )
    run([dvc, "commit", "--force", "--quiet"], folder)
    run(["git", "add", "."], folder)
    run(["git", "commit", "--quiet", "--message", "Use DVC"], folder)


def recording(folder: Path, *command: str | Path) -> Case:
    """Return the case that edits the params, then measures a command that records them."""

    def prepare(repetition: int) -> Callable[[], object]:
        write_params(folder, repetition + 1)
        return lambda: run(command, folder)

    return prepare


def find_dvc(given: Path | None) -> Path | None:
    """Return DVC's command: the one given, else that of an environment made once and kept; none for a quick look."""
    if given is not None:
        return given.resolve()
    if QUICK:
        print("DVC is not installed for a quick look: only ours is measured")
        return None
    from tests.benchmarks.ledgers import cache_dir

    folder = cache_dir() / "dvc"
    command = folder / "bin" / "dvc"
    if not command.exists():
        print("installing DVC into an environment of its own …", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "dvc"], folder)
    return command


def compare(folder: Path, dvc: Path | None) -> Sample:
    """Measure both, print the comparison, and return what `ledger record` cost."""
    ours, theirs = folder / "ours", folder / "theirs"
    for project in (ours, theirs):
        make_project(project)
    cases = {"ledger record": recording(ours, *LEDGER)}
    if dvc is not None:
        make_dvc_project(theirs, dvc)
        cases["dvc exp save"] = recording(theirs, dvc, "exp", "save", "--quiet", "--force")
        cases["dvc --version"] = recording(theirs, dvc, "--version")
    samples = interleaved(cases, REPETITIONS)
    other = samples["dvc exp save"].median if dvc is not None else math.nan
    recorded = samples["ledger record"]
    show(
        f"one record, CPU ms of {REPETITIONS} repetitions",
        ("", "median", "best", "to dvc exp save"),
        (
            (name, milliseconds(sample.median), milliseconds(sample.best), f"{sample.median / other:.3f}")
            for name, sample in samples.items()
        ),
    )
    ratio = recorded.median / other
    row = ("ledger record to dvc exp save", f"{ratio:.3f}", f"{LIMIT_RATIO}", verdict(ratio, LIMIT_RATIO))
    show("limits", ("", "measured", "limit", ""), [row])
    return recorded


def tell_parts(folder: Path, whole: float) -> None:
    """Print what each part of the process costs, each the median over fresh processes."""
    imports = ("pass", "import click", "import click, msgspec", "import ledger.cli, ledger.commands.recording.record")
    samples = interleaved(
        {statement: recording(folder, sys.executable, "-c", statement) for statement in imports}, REPETITIONS
    )
    bare, click, libraries, everything = (sample.median for sample in samples.values())
    parts = {
        "interpreter": bare,
        "import click": click - bare,
        "import msgspec": libraries - click,
        "import ledger": everything - libraries,
    }
    seen: list[dict[str, float]] = []
    for number in range(REPETITIONS):
        write_params(folder, 100 + number)
        seen.append(json.loads(run([sys.executable, __file__, INSIDE], folder)))
    parts |= {name: median(one[name] for one in seen) for name in seen[0]}
    rows = [(name, milliseconds(cost), f"{cost / whole:.2f}") for name, cost in parts.items()]
    show("parts of `ledger record`, CPU ms, each in fresh processes", ("", "median", "of the whole"), rows)
    git = [name for name in parts if name.startswith("git ")]
    print(f"{len(git)} git processes, {milliseconds(sum(parts[name] for name in git))} ms together")


def measure_inside() -> None:
    """Record in this process and print the CPU seconds of each part as JSON; run in a fresh process.

    A part that contains another counts it as well: opening the ledger contains what we do around git there.
    """
    costs: dict[str, float] = {}
    import ledger.cli

    command = import_module("ledger.commands.recording.record")
    # By name: the package has a function of the same name, which hides the module.
    recorder = import_module("ledger.recorder.record.recorder")

    class Counted(subprocess.Popen[bytes]):
        """Git as it is started, with what it cost written down."""

        def __init__(self, arguments: list[str], **options: object) -> None:
            verb = next(word for word in arguments[1:] if word != "-c" and "=" not in word)
            self._named = f"git {verb} ({sum(name.startswith('git ') for name in costs) + 1})"
            self._before = child_seconds()
            super().__init__(arguments, **options)  # type: ignore[call-overload]  # passed on as they came

        def __exit__(self, *error: object) -> None:
            super().__exit__(*error)  # type: ignore[arg-type]  # passed on as they came
            costs[self._named] = child_seconds() - self._before

    def timed(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def measured(*arguments: object, **options: object) -> object:
            before = own_seconds()
            result = work(*arguments, **options)
            costs[name] = costs.get(name, 0.0) + own_seconds() - before
            return result

        return measured

    setattr(subprocess, "Popen", Counted)  # noqa: B010  # a stand-in that measures; mypy knows it may not be set
    for owner, name, title in (
        (command, "open_ledger", "open the ledger"),
        (command, "read_given", "read params and metrics, yaml imported"),
        (recorder, "capture_code", "probe: code"),
        (recorder, "capture_hardware", "probe: hardware"),
        (recorder, "capture_environment", "probe: environment"),
        (recorder, "datasets_of", "hash the dataset"),
        (recorder, "redact_draft", "redact"),
        (recorder, "dump", "encode"),
        (recorder, "_append", "append, our side of git"),
    ):
        setattr(owner, name, timed(title, getattr(owner, name)))
    start = own_seconds()
    ledger.cli.run(["record", *OPTIONS])
    costs["the command, from arguments to end"] = own_seconds() - start
    print(json.dumps(costs))


def tell_imports(folder: Path) -> None:
    """Print which packages the record path imports, and what they cost by `-X importtime`."""
    script = "import ledger.cli, ledger.commands.recording.record, sys; print(*sys.modules)"
    groups: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            package = name.strip().split(".")[0]
            group = package if package in GROUPS else "standard library"
            groups[group] += int(own)
            modules[group] += 1
    for absent in set(GROUPS) - {name.split(".")[0] for name in done.stdout.split()}:
        modules[absent] = 0
    show(
        "imports on the way of `ledger record`, by -X importtime (wall time, itself slowed by being traced)",
        ("", "modules", "ms", "share"),
        (
            (name, str(modules[name]), milliseconds(groups[name] / 1e6), f"{groups[name] / groups.total():.2f}")
            for name in ("standard library", *GROUPS)
        ),
    )


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--dvc", type=Path, metavar="PATH", help="DVC's command; by default DVC is installed.")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        measure_inside()
        return
    with workplace() as folder:
        recorded = compare(folder, find_dvc(options.dvc))
        tell_parts(folder / "ours", recorded.median)
        tell_imports(folder)


if __name__ == "__main__":
    main()
