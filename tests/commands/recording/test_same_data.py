"""Data to judge by that is the training data is said loudly: when recorded, in show, check, review and on the site."""

import sys
from pathlib import Path

import pytest

from tests.conftest import Cli

SAID = "the validation data data is the same data as the train data data"


@pytest.fixture
def recorded(repo: Path, cli: Cli) -> tuple[str, str]:
    (repo / "data").mkdir()
    (repo / "data" / "a.txt").write_text("1\n")
    data = ("--dataset", "train=data", "--dataset", "validation=data")
    done = cli("record", "--metric", "validation/accuracy=0.99", "--duration", "3", *data, "--no-push")
    assert done.code == 0, done.err
    return done.err, done.err.split("recorded ")[1].split(":")[0]


def test_training_data_to_judge_by_is_said_wherever_its_numbers_are(
    recorded: tuple[str, str], repo: Path, cli: Cli
) -> None:
    said, run = recorded
    assert SAID in said
    assert SAID in cli("show", run).out
    checked = cli("check")
    assert checked.code == 0
    assert SAID in checked.out
    review = cli("review", run, "--format", "markdown").out.splitlines()
    assert review[1] == "## \N{NO ENTRY} Measured on what it was trained on"
    assert any("is the same data as the train data" in line for line in review)
    assert cli("site", "build").code == 0
    assert SAID in (repo / "build/site/runs" / f"{run}.html").read_text("utf-8")


def test_what_a_record_cannot_say_is_refused_when_it_is_recorded_in_the_same_words(repo: Path, cli: Cli) -> None:
    (repo / "data.txt").write_text("1\n")
    for arguments, said in (
        (("--seed", str(1 << 64)), "seed does not fit in 64 bits"),
        (("--dataset", "validation:a@b@c=data.txt"), "dataset"),
        (("--dataset", "validation:..=data.txt"), "cannot be the name of a dataset"),
        (("--tag", "a\u200bb"), "invisible characters"),
        (("--experiment", "\u3164"), "must not be empty"),
        (("--experiment", "x" * 201), "longer than 200"),
        (("--metric", "validation/a\ufe0f=1"), "invisible characters"),
    ):
        done = cli("record", "--metric", "test/loss=1", *arguments, "--no-push")
        assert done.code in {1, 2}, arguments
        assert said in done.err, done.err


def test_a_name_in_two_forms_is_one_when_it_is_recorded(repo: Path, cli: Cli) -> None:
    assert cli("record", "--metric", "test/loss=1", "--experiment", "cafe\u0301", "--no-push").code == 0
    assert cli("record", "--metric", "test/loss=1", "--experiment", "caf\u00e9", "--no-push").code == 0
    listed = cli("list", "--columns", "experiment").out
    assert listed.count("caf\u00e9") == 2
    assert cli("check").out == ""


def test_more_metrics_than_the_policy_allows_are_refused_or_left_out_and_said(repo: Path, cli: Cli) -> None:
    cli("init")
    cli("policy", "set", "limits.metrics", "3")
    many = [word for number in range(5) for word in ("--metric", f"test/m{number}={number}")]
    done = cli("record", *many, "--no-push")
    assert (done.code, "5 metrics, but at most 3 are allowed (limits.metrics)" in done.err) == (1, True)
    script = "import ledger\nwith ledger.run() as run:\n    for n in range(5): run.metric(f'm{n}', n, split='test')\n"
    (repo / "train.py").write_text(script)
    assert cli("run", "--no-push", "--", sys.executable, "train.py").code == 0
    assert (
        "5 metrics, but at most 3 are allowed" in cli("show", cli("list", "-n", "1").out.splitlines()[1].split()[0]).out
    )
    assert cli("check").code == 0
