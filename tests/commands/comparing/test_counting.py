"""Runs that do not count, as every command shows them; and what whoever records one is told."""

import json
import logging
import re
from pathlib import Path

import pytest

import ledger as tool
from ledger.store.branch.branch import Branch
from tests.conftest import Cli

MARKED = re.compile(r"\((?:highest|lowest)\)")

LOSS = ("-d", "validation:v@v1=data")


@pytest.fixture
def lost(repo: Path, cli: Cli) -> str:
    """A failed run whose loss is lower than that of three repeats."""
    (repo / "data").mkdir()
    (repo / "data" / "a").write_text("1")
    for seed in "123":
        cli("record", "-p", "lr=1", "--seed", seed, "-m", f"validation/loss=0.5{seed}", *LOSS)
    done = cli("record", "-p", "lr=9", "--status", "failed", "-m", "validation/loss=0", *LOSS, "--json")
    return str(json.loads(done.out)["id"])


def best_of(cli: Cli) -> str:
    return str(json.loads(cli("list", "--sort", "validation/loss", "--json").out)[0]["id"])


def test_a_failed_run_is_named_below_the_board_and_ranked_for_those_who_ask(cli: Cli, lost: str) -> None:
    done = cli("leaderboard")
    assert lost not in done.out
    assert f"did not finish, so not ranked: {lost} (failed)" in done.err
    for asked in (("--include", "failed"), ("--include", "lost,failed"), ("status=failed or seed>0",)):
        assert lost in cli("leaderboard", *asked).out, asked
    assert "no such status of a run" in cli("leaderboard", "--include", "retracted").err
    assert best_of(cli) != lost
    assert "are listed below the others" in cli("list", "--sort", "validation/loss").err
    assert not MARKED.search(cli("compare", lost, best_of(cli)).out)


def test_a_failed_run_is_not_judged_unless_that_is_asked_for(cli: Cli, lost: str) -> None:
    other = best_of(cli)
    done = cli("judge", lost, "--against", other)
    assert (done.code, done.out) == (4, "")
    assert "did not finish (failed)" in done.err
    assert "no other run can be ranked" in cli("judge", other, "--against", "best").err
    assert cli("judge", other, "--against", "best", "--include", "failed").out
    assert cli("judge", lost, "--against", other, "--include", "failed").code in {0, 2}


def test_a_retracted_run_is_never_the_best_in_compare(repo: Path, cli: Cli) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "a").write_text("1")
    for value in ("0.99", "0.90"):
        cli("record", "-p", f"a={value}", "-m", f"validation/accuracy={value}", "-d", "validation:d@v1=data")
    best, other = [one["id"] for one in reversed(json.loads(cli("list", "--json").out))]
    cli("retract", best, "--because", "trained on the validation set")
    done = cli("compare", best, other)
    assert not MARKED.search(done.out)
    assert f"{best} was retracted: trained on the validation set" in done.err
    listed = {one["id"]: one for one in json.loads(cli("list", "--json").out)}
    assert listed[best]["retracted"] == "trained on the validation set"
    assert "retracted" not in listed[other]


def test_the_json_of_a_list_holds_the_tags_of_now(repo: Path, cli: Cli) -> None:
    cli("record", "-t", "early", "-m", "validation/accuracy=0.9")
    (run,) = (one["id"] for one in json.loads(cli("list", "--json").out))
    cli("tag", run, "late")
    assert json.loads(cli("list", "--json").out)[0]["tags"] == ["early", "late"]


def test_verifying_where_there_is_no_ledger_is_no_success(repo: Path, cli: Cli) -> None:
    for arguments in ((), ("--json",)):
        done = cli("verify", *arguments)
        assert (done.code, done.out) == (1, "")
        assert "there is no ledger to verify" in done.err


def test_a_value_outside_of_its_range_is_said_when_it_is_recorded(repo: Path, cli: Cli) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "a").write_text("1")
    given = ("-d", "validation:v@v1=data")
    cli("record", "-p", "lr=0", "-m", "validation/accuracy=0.91", *given)
    cli("record", "-p", "lr=0", "-m", "validation/accuracy=0.90", *given)
    first = cli("record", "-p", "lr=1", "-m", "validation/accuracy=0.92", *given)
    assert "between 0 and 1" not in first.err
    done = cli("record", "-p", "lr=2", "-m", "validation/accuracy=93.1", *given)
    assert "validation/accuracy is 93.1, but its other values are between 0 and 1" in done.err
    board = cli("leaderboard")
    assert "outside the range of the other values, so not ranked" in board.err
    assert "93.1" not in board.out
    run = json.loads(cli("list", "--json").out)[-1]["id"]
    again = cli("evaluate", run, "-m", "validation/accuracy=92.5", *given)
    assert "its other values are between 0 and 1" in again.err


def test_a_missing_signature_is_said_by_every_way_to_add_an_entry(
    repo: Path, cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    (repo / "data").mkdir()
    (repo / "data" / "a").write_text("1")
    cli("init")
    cli("policy", "set", "signatures.signers", "t@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb2l1m0")
    cli("policy", "set", "signatures.required", "true")
    assert Branch.open(repo).policy.signatures.required
    given = ("-m", "validation/accuracy=0.5", "-d", "validation:d@v1=data")
    missing = "the policy asks for signatures, but this entry has none"
    assert missing in cli("record", *given).err
    run = json.loads(cli("list", "--json").out)[0]["id"]
    assert missing in cli("note", run, "hello").err
    assert missing in cli("evaluate", run, *given).err
    command = ("--", "sh", "-c", "echo '{\"validation/accuracy\": 0.4}'")
    cli("evaluate", "--on", "d@v1", *command)
    with caplog.at_level(logging.WARNING, "ledger"):
        tool.evaluate(run, {"validation/accuracy": 0.5}, folder=repo)
        assert missing in caplog.text
        caplog.clear()
        with tool.run(experiment="e", folder=repo):
            pass
        assert missing in caplog.text
