"""`ledger idle` and `ledger watch` on the command line, with real repositories and cards that a library plays."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.hosts.day_log import DayLog, Use
from ledger.model.document import dump
from ledger.store.branch.branch import Branch
from ledger.store.index.idle import read_host_days
from tests.capture.machine.fake_nvml import FakeCards, cards
from tests.conftest import ROOT, Cli, git_in
from tests.hosts.planted import document_of, log_of, plant

__all__ = ["cards"]
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def hours(use: Use, count: int = 24) -> list[Use]:
    return [use] * count


def lab() -> list[DayLog]:
    return [
        log_of("gpu01", [hours("busy"), hours("held")], start=YESTERDAY),
        log_of("gpu02", [hours("free", 10), hours("held", 10)], start=YESTERDAY, gpu="Mystery GPU"),
    ]


def test_hours_are_summed_and_have_a_price(ledger: Branch, cli: Cli) -> None:
    plant(ledger, *lab())
    said = json.loads(cli("idle", "--json").out)
    first, second = said["groups"]
    assert (first["name"], first["busy_hours"], first["held_hours"], first["free_hours"]) == ("gpu01", 24, 24, 0)
    assert first["held_amount"] == pytest.approx(24 * ledger.policy.prices.devices["H100"])
    assert (second["name"], second["held_hours"], second["free_hours"]) == ("gpu02", 10, 10)
    assert (second.get("held_amount"), second["unpriced_hours"]) == (None, 10)
    table = cli("idle").out
    assert "10 h without a price" in table
    rows = list(csv.DictReader(io.StringIO(cli("idle", "--csv", "--by", "user").out)))
    assert [(row["user"], row["held idle h"]) for row in rows] == [("ada", "34")]


def test_a_row_of_the_policy_prices_the_day_it_holds_for(ledger: Branch, cli: Cli) -> None:
    plant(ledger, *lab()[:1])
    row = f"{{gpu: H100, kind: owned, price_per_hour: 1.5, from: {YESTERDAY:%Y-%m-%d}, source: our bill}}"
    done = cli("policy", "set", "prices", f"{{name: ours, currency: EUR, rows: [{row}]}}")
    assert done.code == 0, done.err
    said = json.loads(cli("idle", "--json").out)
    assert (said["currency"], said["all"]["held_amount"]) == ("EUR", 36.0)


def test_time_and_host_choose_what_is_summed(ledger: Branch, cli: Cli) -> None:
    old = YESTERDAY - timedelta(days=20)
    plant(ledger, *lab(), log_of("gpu01", [hours("held")], start=old))
    assert json.loads(cli("idle", "--json", "--host", "gpu01").out)["all"]["held_hours"] == 24
    assert json.loads(cli("idle", "--json", "--since", "4w", "--host", "gpu01").out)["all"]["held_hours"] == 48
    until = json.loads(cli("idle", "--json", "--since", f"{old:%Y-%m-%d}", "--until", f"{old:%Y-%m-%d}").out)
    assert (until["all"]["held_hours"], until["last"]) == (24, f"{old:%Y-%m-%d}")
    for wrong in ("yesterday", "2026-13-01", ""):
        done = cli("idle", "--since", wrong)
        assert (done.code, "2026-11-20, 7d or 4w" in done.err) == (2, True)
    nothing = cli("idle", "--host", "gpu99")
    assert nothing.code != 0
    assert "ledger watch" in nothing.err


def test_the_calendar_has_a_character_an_hour(ledger: Branch, cli: Cli) -> None:
    plant(ledger, *lab())
    lines = cli("idle", "--calendar").out.splitlines()
    (first,) = [line for line in lines if line.startswith("gpu01")]
    (second,) = [line for line in lines if line.startswith("gpu02")]
    assert first.endswith("▓" * 24)
    assert second.endswith("▓" * 10 + "·" * 14)


def test_hours_of_unknown_use_are_no_hours_that_nobody_watched(ledger: Branch, cli: Cli) -> None:
    plant(ledger, log_of("gpu03", [hours("unclear", 3)], start=YESTERDAY))
    (line,) = [line for line in cli("idle", "--calendar").out.splitlines() if line.startswith("gpu03")]
    assert line.endswith("???" + "·" * 21)


def test_several_repositories_are_one_report(ledger: Branch, cli: Cli, tmp_path: Path) -> None:
    plant(ledger, *lab()[:1])
    other = tmp_path / "other"
    other.mkdir()
    git_in(other, "init", "--quiet")
    plant(Branch.open(other), *lab()[1:])
    assert json.loads(cli("idle", "--json", "--also", str(other)).out)["hosts"] == 2


def test_documents_that_contradict_each_other_count_once_and_are_named(ledger: Branch, cli: Cli) -> None:
    plant(ledger, *lab()[:1])
    plant(ledger, log_of("gpu01", [hours("held"), hours("held")], start=YESTERDAY), source="sacct")
    done = cli("idle", "--json")
    assert json.loads(done.out)["all"]["held_hours"] == 24
    assert "(sacct) speaks of 24 hours that another document has" in done.err


def test_days_of_hosts_pass_the_check_and_forged_ones_do_not(ledger: Branch, cli: Cli) -> None:
    (good, *_) = plant(ledger, *lab())
    assert cli("verify").code == 0, cli("verify").err
    said = msgspec.json.decode(dump(good))
    for change, why in (
        ({"watched": "10*24"}, "more minutes than its host"),
        ({"host": "../../etc"}, "host"),
        ({"watched": "99*24"}, "than it lasted"),
    ):
        file = Path("forged.json")
        file.write_bytes(msgspec.json.format(msgspec.json.encode(said | change), indent=2) + b"\n")
        done = cli("check", str(file))
        assert done.code != 0
        assert why in done.out + done.err


def test_a_redaction_of_a_day_leaves_the_index(ledger: Branch) -> None:
    plant(ledger, *lab())
    assert {day.host for day in read_host_days(ledger)} == {"gpu01", "gpu02"}
    assert read_host_days(ledger, "2030-01-01") == []


def watch(folder: Path, variables: dict[str, str], *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ledger", "watch", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stderr=subprocess.PIPE,
        text=True,
        # As in a terminal, where SIGINT is not ignored, also where this suite runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no thread runs then
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watcher_records_what_an_earlier_one_left_and_ends_by_a_signal(
    repo: Path, cards: FakeCards, ledger: Branch, number: signal.Signals
) -> None:
    cards.set(busy=0, pid=os.getpid())
    left = ledger.repository.state_dir / "hosts" / f"gpu01-{YESTERDAY:%Y-%m-%d}-1-1.json"
    left.parent.mkdir(parents=True)
    left.write_bytes(msgspec.json.encode(log_of("gpu01", [hours("held", 2)], start=YESTERDAY)))
    with watch(repo, cards.variables, "--host", "gpu01", "--every", "1", "--no-push") as process:
        assert process.stderr is not None
        assert "watching 2 GPUs" in process.stderr.readline()
        deadline = time.monotonic() + 40
        while left.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 0, said
    (day,) = read_host_days(ledger)
    assert (day.host, day.minutes().held) == ("gpu01", 120)


def test_what_is_used_now_is_printed_and_nothing_is_recorded(repo: Path, cards: FakeCards, cli: Cli) -> None:
    cards.set(busy__0=2, busy__1=88, pid__0=os.getpid())
    done = cli("watch", "--now")
    assert [line.split("\t")[1] for line in done.out.splitlines()[1:]] == ["held idle", "busy"]
    first, second = json.loads(cli("watch", "--now", "--json").out)
    assert (first["use"], second["use"], second["owners"]) == ("held", "busy", {})
    assert "refs/heads/ledger" not in git_in(repo, "for-each-ref")


def test_no_name_is_shown_where_none_is_asked_for(repo: Path, cards: FakeCards, cli: Cli) -> None:
    del repo
    cards.set(busy=0, pid=os.getpid())
    for arguments in (("--now", "--no-names"), ("--now", "--no-names", "--json")):
        said = cli("watch", *arguments).out
        assert "others" in said
        assert "root" not in said


@pytest.mark.parametrize("arguments", [("--now", "--from", "f"), ("--host", "a", "--from", "f"), ("--json",)])
def test_options_that_go_not_together_are_refused(repo: Path, cli: Cli, arguments: tuple[str, ...]) -> None:
    (repo / "f").write_text("x")
    done = cli("watch", *arguments)
    assert (done.code, "--from" in done.err) == (2, True)


def test_accounts_are_recorded_once(repo: Path, cli: Cli) -> None:
    file = repo / "sacct.csv"
    day = f"{YESTERDAY:%Y-%m-%d}"
    file.write_text(
        "JobID|User|NodeList|Start|End|AllocTRES|TRESUsageInAve\n"
        f"7|ada|gpu[01-02]|{day}T01:00:00|{day}T03:00:00|gres/gpu:h100=2,gres/gpu=2|\n"
        f"7.0||gpu[01-02]|{day}T01:00:00|{day}T03:00:00|cpu=1|gres/gpuutil=2\n"
        "cut|\n"
    )
    first = cli("watch", "--from", str(file), "--utc")
    assert first.code == 0, first.err
    assert "2 days of hosts recorded" in first.err
    assert "line 4" in first.err
    again = json.loads(cli("watch", "--from", str(file), "--utc", "--json").out)
    assert again == {"added": 0, "known": 2, "left_out": 1}
    report = json.loads(cli("idle", "--json", "--by", "job").out)
    assert [(one["name"], one["held_hours"]) for one in report["groups"]] == [("slurm 7 (ada)", 4)]


def test_a_file_of_something_else_is_refused(repo: Path, cli: Cli) -> None:
    for name, content in (("empty", b""), ("picture", b"\x89PNG\r\n\x1a\n\0\0"), ("dump.json", b'{"status": 1}')):
        (repo / name).write_bytes(content)
        done = cli("watch", "--from", name)
        assert done.code != 0
        assert name in done.err
        assert "Traceback" not in done.err


def test_a_document_is_as_the_log_that_it_was_made_of(ledger: Branch) -> None:
    day = document_of(ledger, lab()[0])
    plant(ledger, lab()[0])
    (read,) = read_host_days(ledger)
    assert read.minutes() == (24 * 60, 24 * 60, 0, 0, 0)
    assert read.host == day.host
