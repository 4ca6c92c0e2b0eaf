"""What the policy leaves out of every record."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli, git_in


def record(cli: Cli, *options: str) -> str:
    assert cli("record", "-m", "validation/accuracy=0.5", *options).code == 0
    return cli("list", "--columns", "id", "--csv").out.split()[1]


def everything(repo: Path) -> str:
    return git_in(repo, "log", "-p", "--format=fuller", "ledger", "--", "runs", "notes")


@pytest.mark.parametrize("key", ["host", "email", "home", "interpreter"])
def test_the_policy_leaves_out_what_it_names(repo: Path, cli: Cli, key: str) -> None:
    log = Path.home() / "secret project" / "train.log"
    log.parent.mkdir()
    log.write_text(f"loading {log.parent}/data.csv\nWARNING: cannot read {log.parent}/more.csv\n")
    assert cli("policy", "set", f"privacy.{key}", "true").code == 0
    run = record(cli, "--log", str(log), "-p", f"cache={Path.home()}/cache")
    shown = json.loads(cli("show", run, "--json").out)["record"]
    told = everything(repo)
    if key == "host":
        assert shown["hardware"]["unknown"]["host"] == "the policy leaves it out"
        assert "host" not in shown["hardware"]
    elif key == "email":
        assert shown["author"]["email"] == "withheld@localhost"
        cli("note", run, "later")
        assert "ada@example.com" not in everything(repo)
    elif key == "home":
        assert str(Path.home()) not in told
        assert shown["params"]["values"]["cache"] == "~/cache"
        assert "~/secret project/data.csv" in told
    else:
        assert '"executable": "the policy leaves it out"' in told
    assert cli("verify").code == 0
    assert cli("check").code == 0


def test_without_such_a_policy_records_name_where_they_are_from(repo: Path, cli: Cli) -> None:
    run = record(cli)
    shown = json.loads(cli("show", run, "--json").out)["record"]
    assert shown["hardware"]["host"]
    assert shown["author"]["email"] == "ada@example.com"


def test_no_other_entry_names_the_home_folder_either(repo: Path, cli: Cli) -> None:
    data = Path.home() / "data"
    data.mkdir()
    (data / "x").write_text("1")
    assert cli("policy", "set", "privacy.home", "true").code == 0
    run = record(cli)
    assert cli("evaluate", run, "-m", "validation/accuracy=0.4", "-d", f"validation={data}").code == 0
    assert cli("note", run, f"see {data}/x").code == 0
    assert cli("dataset", "add", "d", str(data), "--role", "test", "--reason", f"from {data}").code == 0
    assert str(Path.home()) not in git_in(repo, "log", "-p", "ledger")
    assert cli("verify").code == 0
