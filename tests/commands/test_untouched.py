"""`git status`, HEAD, index, stash and files are identical before and after every command."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.cli import program
from ledger.model.paths import run_path
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, git_in, state_of
from tests.recorder.statements.test_evaluation import POLICY, write_policy

COMMANDS = {
    "init": ("init",),
    "record": ("record", "--metric", "validation/accuracy=0.5", "--param", "lr=0.1"),
    "run": ("run", "--", "true"),
    "judge": ("judge", "RUN", "--against", "OTHER"),
    "evaluate": ("evaluate", "RUN", "--metric", "validation/accuracy=0.4"),
    "reevaluate": ("reevaluate", "digits@v1", "--dry-run", "--", "true", "{model}"),
    "aggregate": ("aggregate",),
    "propose": ("record", "--review", "--metric", "validation/accuracy=0.3"),
    "review": ("review", "RUN", "--format", "markdown"),
    "ci": ("ci", "install", "gitlab"),
    "policy": ("policy", "set", "places", "scratch"),
    "note": ("note", "RUN", "a note"),
    "tag": ("tag", "RUN", "good"),
    "retract": ("retract", "RUN", "--because", "a reason"),
    "baseline": ("baseline", "RUN"),
    "experiment": ("experiment", "default", "--question", "does it work?"),
    "milestone": ("milestone", "RUN", "works", "--because", "it runs"),
    "list": ("list", "--sort", "metrics.validation/accuracy"),
    "status": ("status",),
    "show": ("show", "RUN"),
    "compare": ("compare", "RUN", "OTHER"),
    "export": ("export", "--format", "jsonl"),
    "log": ("log",),
    "verify": ("verify",),
    "check": ("check",),
    "dataset": ("dataset", "add", "scripts", "train.py", "--role", "train"),
    "case": ("case", "add", "digits", "--input", "x", "--expect", "1"),
    "leaderboard": ("leaderboard", "--metric", "validation/accuracy"),
    "matrix": ("matrix", "digits"),
    "align": ("align", "validation/accuracy", "online/clicks"),
    "growth": ("growth", "-m", "validation/accuracy", "--against", "duration"),
    "report": ("report", "-o", "REPORT", "--formats", "svg"),
    "loop": ("loop", "report"),
    "cost": ("cost",),
    "watch": ("watch", "--from", "ACCOUNTS"),
    "idle": ("idle",),
    "advise": ("advise", "RUN"),
    "weak": ("weak", "RUN"),
    "prepare": ("prepare", "--dataset", "train.py", "--out", "PLACE", "--", "cp", "{dataset}", "{out}"),
    "cache": ("cache",),
    "serve": ("serve", "--keygen", "KEYS"),
    "sign": ("sign",),
    "checkpoint": ("checkpoint",),
    "sync": ("sync",),
    "hooks": ("hooks", "install"),
    "recover": ("recover",),
    "import": ("import", "TABLE", "--from", "table", "--metric", "accuracy"),
    "site": ("site", "build"),
    "schema": ("schema",),
    "mcp": ("mcp",),
    "completion": ("completion", "zsh"),
    "redact": ("redact", "--yes", "--because", "a reason", "--file", "FILE"),
}

CANNOT_TELL = 2
"""What `ledger judge` answers about two single runs."""


def make_half_staged(folder: Path) -> None:
    (folder / "train.py").write_text("staged\n")
    git_in(folder, "add", "train.py")
    (folder / "train.py").write_text("staged and edited\n")
    (folder / "untracked.txt").write_text("untracked\n")
    (folder / "stashed.txt").write_text("stashed\n")
    git_in(folder, "add", "stashed.txt")
    git_in(folder, "stash", "push", "--quiet", "--", "stashed.txt")


@pytest.fixture(params=["dirty and half staged", "linked worktree"])
def place(request: pytest.FixtureRequest, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repo
    git_in(tmp_path, "init", "--quiet", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(tmp_path / "hub.git"))
    if request.param == "linked worktree":
        folder = tmp_path / "linked"
        git_in(repo, "worktree", "add", "--quiet", "-b", "side", str(folder))
    make_half_staged(folder)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    git_in(repo, "config", "--global", "user.signingKey", str(key))
    git_in(repo, "config", "--global", "gpg.format", "ssh")
    monkeypatch.chdir(folder)
    return folder


def test_every_command_leaves_the_user_s_repository_alone(place: Path, cli: Cli) -> None:
    assert set(COMMANDS) == set(program.verbs) - {"demo"}, (
        "a new verb wants its line here; the demo makes its own repository"
    )
    for number in (1, 2):
        data = ("--dataset", "validation:digits@v1=train.py")
        facts = ("--metric", f"validation/accuracy=0.{number}", "--param", f"lr={number}", "--duration", "3")
        assert cli("record", *facts, *data).code == 0
    runs = [run.record.id for run in Branch.open(place).contents().runs]
    meant = {
        "PLACE": str(place.with_name("made")),
        "REPORT": str(place.with_name("report")),
        "KEYS": str(place.with_name("keys")),
        "TABLE": str(place.with_name("runs.csv")),
        "ACCOUNTS": str(place.with_name("sacct.csv")),
        "RUN": runs[0],
        "OTHER": runs[1],
        "FILE": f"{run_path(runs[0])}/environment.json",
    }
    place.with_name("runs.csv").write_text("id,accuracy\na,0.5\n")
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    job = f"7|ada|gpu01|{day}T01:00:00|{day}T03:00:00|gres/gpu=1"
    place.with_name("sacct.csv").write_text(f"JobID|User|NodeList|Start|End|AllocTRES\n{job}\n")
    write_policy(Branch.open(place), POLICY)
    before = state_of(place)
    for verb, arguments in COMMANDS.items():
        done = cli(*(meant.get(word, word) for word in arguments))
        assert done.code == {"judge": CANNOT_TELL, "weak": 1}.get(verb, 0), (
            verb,
            done.err,
        )  # the run has no predictions
        assert state_of(place) == before, verb


def test_a_command_that_fails_leaves_it_alone_as_well(place: Path, cli: Cli) -> None:
    before = state_of(place)
    for arguments in (
        ("record", "--log", "nope"),
        ("show", "zzz"),
        ("record", "--metric", "x"),
        ("list", "(bad filter"),
    ):
        assert cli(*arguments).code in {1, 2}
        assert state_of(place) == before
    assert Branch.open(place).tip() is None
