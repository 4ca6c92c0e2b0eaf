"""The demo: the first weeks of a small team with a ledger, played with real models on real data.

Its project is in `templates/demo`: files that a user would write, used as a user would.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from ledger.errors import Conflict, LedgerError, NotFound
from ledger.hosts.demo_days import plant_host_days
from ledger.model.record import Author
from ledger.model.values import Document
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


class _Step(Document, frozen=True, kw_only=True):
    """One training run of the story: a plain script, or one inside `ledger run`, which stores its log, too."""

    title: str
    experiment: str
    options: str
    fails: bool = False
    wrapped: bool = True


_FIRST_WEEK = (
    *(
        _Step(
            title=f"MLP, lr {lr}, seed {seed}",
            experiment="learning-rate",
            options=f"--model mlp --lr {lr} --seed {seed}",
            wrapped=False,
        )
        for lr in (0.1, 0.01, 0.001)
        for seed in (0, 1)
    ),
    _Step(
        title="MLP with SGD",
        experiment="learning-rate",
        options="--model mlp --optimizer sgd --lr 0.5 --tag baseline",
        wrapped=False,
    ),
    _Step(
        title="a learning rate that is too large",
        experiment="architecture",
        options="--model cnn --width 8 --optimizer sgd --lr 1000",
        fails=True,
    ),
    *(
        _Step(title=f"CNN, seed {seed}", experiment="architecture", options=f"--model cnn --width 8 --seed {seed}")
        for seed in (0, 1, 2)
    ),
    _Step(title="a wider CNN", experiment="architecture", options="--model cnn --width 16 --tag wide"),
)
_SECOND_WEEK = tuple(
    _Step(
        title=f"CNN trained on shifted digits, seed {seed}",
        experiment="robustness",
        options=f"--model cnn --width 16 --shift 1 --epochs 25 --seed {seed} --validation v2 --tag candidate",
    )
    for seed in (0, 1)
)
_SEEDS = " ".join(map(str, range(12)))
_SMALL = "--model mlp --width 8 --epochs 12"
_REPEATS = (
    _Step(
        title="a small MLP with twelve seeds", experiment="seeds", options=f"{_SMALL} --seed {_SEEDS}", wrapped=False
    ),
    _Step(
        title="a better one with twelve seeds",
        experiment="seeds",
        options=f"--model mlp --width 48 --epochs 12 --seed {_SEEDS} --tag better",
        wrapped=False,
    ),
    _Step(
        title="an equal one with the same seeds: how often it logs changes nothing",
        experiment="seeds",
        options=f"{_SMALL} --log-every 2 --seed {_SEEDS} --tag equal",
        wrapped=False,
    ),
    _Step(
        title="one more, with one seed: too few to tell",
        experiment="seeds",
        options="--model mlp --width 10 --epochs 12 --tag once",
        wrapped=False,
    ),
)
"""Runs for `ledger judge`: a setting made better, an equal one, and one without repeats."""
_WIDTHS = tuple(
    _Step(
        title=f"an MLP of width {width}: how does accuracy grow with size?",
        experiment="width",
        options=f"--model mlp --width {width} --epochs 12 --seed 0 1 2",
        wrapped=False,
    )
    for width in (7, 12, 16, 24, 36)
)
"""Five model sizes, for the fit of a metric's growth."""
_SOURCE = "scikit-learn digits (UCI optical recognition of handwritten digits)"
_DATASETS = (
    ("digits-train", "data/train", "train", "the first training split"),
    ("digits-validation", "data/validation/v1", "validation", "the first validation split: straight digits"),
)
"""Name, path, role and reason of the datasets that exist from the first day."""
_PLATFORMS = "{demo-lab: {sign: DEMO_LAB, instance: DEMO_LAB}}"
_MADE_UP = "kind: on-demand, from: 2026-01-01, source: made up for the demo"
_PRICES = f"""{{name: demo lab 2026-11, currency: USD, cpu_core: 0.05, rows: [
  {{provider: demo-lab, instance: two-core box, kind: owned, owned: {{price: 900, years: 4, use: 0.5, watts: 60}},
    from: 2026-01-01, source: made up for the demo}},
  {{gpu: H100, price_per_hour: 3.5, {_MADE_UP}}},
  {{gpu: A100, price_per_hour: 2.2, {_MADE_UP}}},
  {{gpu: RTX 4090, price_per_hour: 0.6, {_MADE_UP}}}]}}"""
_STATEMENTS = {
    "learning-rate": ("--question", "Which learning rate suits the small model?"),
    "robustness": (
        "--question", "Do shifted and noisy training pictures mend what version 2 of the validation set showed?",
        "--hypothesis", "they do, and cost little on version 1",
    ),
    "seeds": (
        "--question", "Is 48 wide better than 8 beyond chance, and does it matter how often a run logs?",
        "--conclusion", "48 wide is better than 8 by more than chance explains; how often a run logs changes nothing",
    ),
}  # fmt: skip
"""What people say of experiments: the conclusion follows from the planted verdicts."""
_STEPS = len(_FIRST_WEEK) + len(_SECOND_WEEK) + len(_REPEATS) + len(_WIDTHS) + 14


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
        ours = {"PYTHONPATH": str(Path(__file__).parents[1]), "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        self.environment = git_environment({**ours, "OMP_NUM_THREADS": "1", "PATH": path, "DEMO_LAB": "two-core box"})

    def play(self) -> None:
        self.python("-c", "import torch, sklearn, matplotlib")
        self.begin()
        self.train_all(_FIRST_WEEK)
        self.train_with_uncommitted_code()
        self.train_and_be_killed()
        self.say("looking for hard cases in production")
        self.grow()
        self.say("measuring every model on validation set v2")
        self.measure("v2", "status = finished")
        self.say("what others are compared with")
        self.name_baseline("architecture", "what production runs today")
        self.train_all(_SECOND_WEEK)
        self.say("filling the gaps: new models on v1, and on the cases")
        self.measure("v1", "experiment = robustness")
        self.measure("v2", "experiment = robustness", "--again")
        self.train_all((*_REPEATS, *_WIDTHS))
        self.train_on_ranks()
        self.train_on_a_server()
        self.train_in_notebook()
        self.train_and_be_preempted()
        self.say("what the repeats are compared with")
        self.name_baseline("seeds", "the small one")
        self.name_milestones()
        for experiment, statements in _STATEMENTS.items():
            self.ledger("experiment", experiment, *statements)
        self.say("planting two weeks of a lab's machines")
        plant_host_days(Branch.open(self.folder), datetime.now(UTC))
        self.say("finding the run that was killed")
        self.ledger("recover")

    def begin(self) -> None:
        self.say("making a repository and its data")
        shutil.copytree(shipped("templates") / "demo", self.folder, dirs_exist_ok=True)
        (self.folder / "gitignore").rename(self.folder / ".gitignore")
        self.python("data.py")
        create_project(
            self.folder, Author(name="Demo Researcher", email="demo@example.com"), "Train small models on digits"
        )
        self.ledger("init")
        self.ledger("policy", "set", "platforms", _PLATFORMS)
        self.ledger("policy", "set", "energy", "{tariff: 0.3, pue: 1.2, region: DEU}")
        self.ledger("policy", "set", "prices", _PRICES)
        for name, path, role, reason in _DATASETS:
            self.ledger("dataset", "add", name, path, "--role", role, "--because", reason, "--source", _SOURCE)

    def train_all(self, steps: Sequence[_Step]) -> None:
        with ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2) // 2)) as pool:
            list(pool.map(self.train, steps))

    def train(self, step: _Step) -> None:
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
        self.progress(what, self.done, _STEPS)

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
