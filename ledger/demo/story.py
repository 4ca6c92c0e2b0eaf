"""The demo: the first weeks of a small team with a ledger, played with real models on real data.

Its project is in `templates/demo`: files that a user would write, used as a user would.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from ledger.demo.dates import Chapter, rename_files, spread_over_weeks
from ledger.demo.host_days import plant_host_days
from ledger.demo.steps import (
    ARCHITECTURES,
    DATASETS,
    NOTICE,
    PLATFORMS,
    PRICES,
    RATES,
    REPEATS,
    SECOND_WEEK,
    SOURCE,
    STATEMENTS,
    STEPS,
    WIDTHS,
    Training,
)
from ledger.errors import Conflict, LedgerError, NotFound
from ledger.model.record import Author
from ledger.repository.making import create_project
from ledger.repository.process import git_environment
from ledger.resources import shipped
from ledger.settings import NOTEBOOK_VARIABLE, PREEMPTION_VARIABLE
from ledger.store.branch.branch import Branch

Progress = Callable[[str, int, int], None]

_LINEAR = "        return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))"
_DROPOUT = _LINEAR.replace("nn.ReLU()", "nn.Sequential(nn.ReLU(), nn.Dropout(0.2))")
_EPOCHS_BEFORE_KILL = 2
_EPOCHS_BEFORE_PREEMPTION = 4
_CHECKPOINTS_BEFORE_KILL = 9
_NOTEBOOK = "look.ipynb"


def play(folder: Path, progress: Progress) -> None:
    """Play the whole story in a new repository in `folder`; takes one to three minutes.

    Args:
        folder: new or empty.
        progress: called with the current step, how many steps are done, and of how many.

    Raises:
        Conflict: the folder is not empty.
        NotFound: torch, scikit-learn or matplotlib is not installed.
        LedgerError: a step fails that should not.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"the demo needs an empty folder: `{folder}`", hint="ledger demo NEW-FOLDER")
    _Story(folder.resolve(), progress).play()


class _Story:
    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.done = 0
        self.chapters: list[Chapter] = []
        ours = {"PYTHONPATH": str(Path(__file__).parents[1]), "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        self.environment = git_environment({**ours, "OMP_NUM_THREADS": "1", "PATH": path, "DEMO_LAB": "two-core box"})

    def play(self) -> None:
        self.python("-c", "import torch, sklearn, matplotlib")
        self.days_ago(27)
        self.begin()
        self.days_ago(26)
        self.train_all(RATES)
        self.days_ago(24)
        self.train_all(ARCHITECTURES)
        self.days_ago(23)
        self.train_with_uncommitted_code()
        self.days_ago(22)
        self.train_and_be_killed()
        self.days_ago(20)
        self.say("looking for hard cases in production")
        self.grow()
        self.say("measuring every model on validation set v2")
        self.measure("v2", "status = finished")
        self.say("what others are compared with")
        self.name_baseline("architecture", "what production runs today")
        self.days_ago(17)
        self.train_all(SECOND_WEEK)
        self.say("filling the gaps: new models on v1, and on the cases")
        self.measure("v1", "experiment = robustness")
        self.measure("v2", "experiment = robustness", "--again")
        self.days_ago(13)
        self.train_all(REPEATS)
        self.days_ago(10)
        self.train_all(WIDTHS)
        self.days_ago(8)
        self.train_on_ranks()
        self.days_ago(6)
        self.train_on_a_server()
        self.days_ago(5)
        self.train_in_notebook()
        self.days_ago(3)
        self.train_and_be_preempted()
        self.days_ago(2)
        self.say("what the repeats are compared with")
        self.name_baseline("seeds", "the small one")
        self.name_milestones()
        for experiment, statements in STATEMENTS.items():
            self.ledger("experiment", experiment, *statements)
        self.days_ago(0)
        self.say("planting two weeks of a lab's machines")
        plant_host_days(Branch.open(self.folder), datetime.now(UTC))
        self.say("finding the run that was killed")
        self.ledger("recover")
        self.say("moving all of it apart, over four weeks")
        spread_over_weeks(Branch.open(self.folder), self.chapters)
        rename_files(self.folder / "models", self.chapters)

    def days_ago(self, days: int) -> None:
        """Let what follows be so many days old in the end; ids tell seconds, so it begins with one."""
        time.sleep(1 - datetime.now(UTC).microsecond / 1e6)
        self.chapters.append((datetime.now(UTC).replace(microsecond=0), timedelta(days=days)))

    def begin(self) -> None:
        self.say("making a repository and its data")
        shutil.copytree(shipped("templates") / "demo", self.folder, dirs_exist_ok=True)
        (self.folder / "gitignore").rename(self.folder / ".gitignore")
        self.python("data.py")
        create_project(
            self.folder, Author(name="Demo Researcher", email="demo@example.com"), "Train small models on digits"
        )
        self.ledger("init")
        self.ledger("policy", "set", "platforms", PLATFORMS)
        self.ledger("policy", "set", "energy", "{tariff: 0.3, pue: 1.2, region: DEU}")
        self.ledger("policy", "set", "prices", PRICES)
        self.ledger("policy", "set", "site", NOTICE)
        for name, path, role, reason in DATASETS:
            self.ledger("dataset", "add", name, path, "--role", role, "--because", reason, "--source", SOURCE)

    def train_all(self, steps: Sequence[Training]) -> None:
        with ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2) // 2)) as pool:
            list(pool.map(self.train, steps))

    def train(self, step: Training) -> None:
        options = step.options.split()
        if step.wrapped:
            script = ["--", "python", "train.py"]
            self.python("-m", "ledger", "run", "-e", step.experiment, *script, *options, fails=step.fails)
        else:
            self.python("train.py", "--experiment", step.experiment, *options, fails=step.fails)
        self.say(step.title)

    def train_with_uncommitted_code(self) -> None:
        script = self.folder / "train.py"
        committed = script.read_text("utf-8")
        script.write_text(committed.replace(_LINEAR, _DROPOUT), "utf-8")
        options = "--model mlp --lr 0.01 --experiment regularisation --tag dropout --note"
        self.python("train.py", *options.split(), "Dropout 0.2, tried before it was committed")
        script.write_text(committed, "utf-8")
        self.say("a run with uncommitted code")

    def train_in_notebook(self) -> None:
        """Execute a notebook as `jupyter execute` does, where nbclient and a kernel are installed."""
        if not all(find_spec(name) for name in ("nbclient", "ipykernel")):
            self.say("no run in a notebook: nbclient or ipykernel is not installed")
            return
        self.environment[NOTEBOOK_VARIABLE] = _NOTEBOOK
        self.python("-c", "from nbclient.cli import main; main()", _NOTEBOOK)
        del self.environment[NOTEBOOK_VARIABLE]
        self.say("a run in a notebook")

    def train_and_be_killed(self) -> None:
        """Kill a run outright once its training shows, as an out-of-memory killer would."""
        options = "--model cnn --width 64 --epochs 500 --experiment architecture"
        self.train_until(_EPOCHS_BEFORE_KILL, signal.SIGKILL, options.split())
        self.say("a run that was killed outright")

    def train_on_a_server(self) -> None:
        """Feed two trainings from one server; one is killed in the middle of an epoch and resumed: equal weights."""
        served = ("digits-train@v1", "--path", "data/train", "--transform", "train_served:scale")
        with subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", *served, "--listen", "tcp://127.0.0.1:*"],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                said = server.stderr.readline().strip() if server.stderr is not None else ""
                if not said.startswith("serving "):
                    raise LedgerError(f"the demo failed at `serve`: {said}")
                address = said.rpartition(" at ")[2]
                with ThreadPoolExecutor() as pool:
                    never_stopped = pool.submit(self.python, "train_served.py", address, "never-stopped")
                    stopped = (address, "stopped")
                    self.train_until(_CHECKPOINTS_BEFORE_KILL, signal.SIGKILL, stopped, script="train_served.py")
                    self.python("train_served.py", *stopped)
                    never_stopped.result()
            finally:
                server.terminate()
        self.say("two trainings on one data server, one of them killed and resumed")

    def train_and_be_preempted(self) -> None:
        """Train on a machine that the scheduler takes away, and go on from the checkpoint: two attempts, one run."""
        chosen = "--model cnn --width 12 --epochs 16 --experiment overnight --resume overnight-1"
        options = chosen.split()
        self.environment[PREEMPTION_VARIABLE] = "SIGTERM"
        self.train_until(_EPOCHS_BEFORE_PREEMPTION, signal.SIGTERM, options)
        self.python("train.py", *options)
        del self.environment[PREEMPTION_VARIABLE]
        self.say("a run that was preempted, and resumed")

    def train_until(self, lines: int, number: signal.Signals, options: Sequence[str], script: str = "train.py") -> None:
        """Train, and send the training a signal when it has printed more lines than so many: one for each epoch."""
        with subprocess.Popen(
            [sys.executable, script, *options],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            for line, _ in enumerate(process.stdout or ()):
                if line == lines:
                    process.send_signal(number)

    def train_on_ranks(self) -> None:
        """Train one model on two ranks, as torchrun starts them."""
        self.python(*("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train_ranks.py"))
        self.say("one training on two ranks")

    def grow(self) -> None:
        """Add production samples, and make the second validation set of those that most models get wrong."""
        self.ledger(
            *("dataset", "add", "digits-production", "data/production", "--role", "production"),
            *("--because", "what production sent in week 46", "--source", "production, week 46"),
            *("--against", "digits-validation@v1:data/validation/v1"),
        )
        for case in self.python("grow.py", *self.models()).split():
            expected = case.partition("/")[0]
            origin = ("--origin", "production, week 46", "--severity", "high", "--triage", "error")
            self.ledger("case", "add", "digits-validation", "--input", case, "--expect", expected, *origin)
        self.ledger(
            *("dataset", "add", "digits-validation", "data/validation/v2", "--role", "validation"),
            *("--because", "v1 held only straight digits; a new scanner sends some that are one pixel off"),
            *("--source", "production, week 46: digits that most models get wrong"),
            *("--against", "digits-production@v1:data/production"),
        )

    def measure(self, version: str, runs: str, *options: str) -> None:
        """Measure the models of runs on a validation set, with the evaluator that trainings use as well."""
        script = ("--", sys.executable, "evaluate.py", "{model}", "{dataset}")
        where = (f"digits-validation@{version}", "--data", f"data/validation/{version}")
        self.ledger("reevaluate", *where, "--runs", runs, "--evaluator", "measure-1", *options, *script)

    def name_baseline(self, experiment: str, reason: str) -> None:
        """Set the baseline of an experiment: its first run without a tag."""
        listed = json.loads(self.ledger("list", "-e", experiment, "status=finished", "--json"))
        first = min(record["id"] for record in listed if not record.get("tags"))
        self.ledger("baseline", first, "--because", reason)

    def name_milestones(self) -> None:
        """Claim two stages for the model of the robustness experiment, the second without all of its evidence."""
        listed = json.loads(self.ledger("list", "-e", "robustness", "status=finished", "--json"))
        last = max(record["id"] for record in listed)
        self.ledger("milestone", last, "measurable", "--because", "measured on both versions, and on the hard cases")
        self.ledger("milestone", last, "accurate", "--because", "the best on shifted digits so far")

    def models(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in (self.folder / "models").glob("*.pt"))

    def say(self, what: str) -> None:
        self.done += 1
        self.progress(what, self.done, STEPS)

    def python(self, *arguments: str, fails: bool = False) -> str:
        return self.command([sys.executable, *arguments], fails=fails)

    def ledger(self, *arguments: str) -> str:
        return self.command([sys.executable, "-m", "ledger", *arguments])

    def command(self, command: Sequence[str], *, fails: bool = False) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if (done.returncode != 0) != fails:
            said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
            if "ModuleNotFoundError" in said[-1]:
                missing = said[-1].split("'")[1]
                raise NotFound(f"the demo needs a package: `{missing}`", hint="pip install 'git-ledger[demo]'")
            raise LedgerError(f"the demo failed at `{' '.join(command[1:4])}`: {said[-1]}")
        return done.stdout
