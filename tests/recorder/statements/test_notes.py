"""Later statements: appended, merged in order when read, and never edited."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.comparing.comparable import leaderboards
from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Metric
from ledger.publish.site.build import build_site
from ledger.recorder.statements.notes import add_notes
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.integrity.verify import verify
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import TOKEN, add, draft

ON = {"dataset": "d@v1", "dataset_hash": f"blake3:{'1' * 64}", "direction": "higher"}


@pytest.fixture
def two(ledger: Branch) -> Branch:
    """A ledger with two runs, 000001 better than 000002."""
    for number, value in ((1, 0.9), (2, 0.8)):
        metric = msgspec.convert({"name": "accuracy", "split": "validation", "value": value, **ON}, Metric)
        add(ledger, draft(number, tags=["first"], metrics=[metric]))
    return ledger


def test_tags_are_what_was_added_and_not_taken_away(two: Branch) -> None:
    add_notes(two, "000001", "tag", ["good", "fast"])
    add_notes(two, "000001", "untag", ["first", "good"])
    add_notes(two, "000001", "tag", ["good"])
    run, other = two.contents().runs
    assert (run.tags, other.tags) == (["fast", "good"], ["first"])
    assert run.record.tags == ["first"]


def test_a_retracted_run_stays_and_stands_on_no_board(two: Branch, cli: Cli) -> None:
    (before,) = leaderboards(two.contents().runs)
    assert before.best is not None
    assert before.best.run.record.id.endswith("000001")
    assert cli("retract", "000001", "--because", "trained on the validation set").code == 0
    (after,) = leaderboards(two.contents().runs)
    assert [standing.run.record.id[-6:] for standing in after.standings] == ["000002"]
    assert "finished, retracted" in cli("list").out
    assert "trained on the validation set" in cli("show", "000001").out
    assert json.loads(cli("list", "retracted=true", "--json").out)[0]["id"].endswith("000001")


def test_the_story_of_a_run_is_told_in_order(two: Branch, cli: Cli) -> None:
    cli("note", "000001", "looked at it")
    cli("tag", "000001", "candidate")
    cli("evaluate", "000001", "-m", "test/accuracy=0.7")
    cli("retract", "000001", "--because", "leak")
    lines = [line.split("UTC", 1)[1].strip() for line in cli("show", "000001", "--history").out.splitlines()]
    assert lines[0] == "recorded as finished by Ada Lovelace"
    assert [line.split(" by ")[0] for line in lines[1:]] == ["noted", "tagged", "measured again", "retracted"]


def test_the_log_says_who_noted_what(two: Branch, repo: Path) -> None:
    add_notes(two, "000002", "comment", ["first line\nsecond line"])
    assert git_in(repo, "log", "-1", "--format=%s", "ledger").strip() == ("note on 20261120-194812-000002: first line")


def test_secrets_in_notes_are_replaced(two: Branch, repo: Path) -> None:
    add_notes(two, "000001", "comment", [f"use {TOKEN}"])
    assert TOKEN not in git_in(repo, "log", "-p", "ledger")
    assert two.contents().runs[0].notes[0].text == "use [redacted: github-token]"


@pytest.mark.parametrize(("kind", "text"), [("comment", " "), ("tag", "a\nb"), ("tag", ""), ("comment", "x" * 20_000)])
def test_what_cannot_stand_in_a_note_is_refused_before_anything_is_written(two: Branch, kind: str, text: str) -> None:
    tip = two.tip()
    with pytest.raises(LedgerError):
        add_notes(two, "000001", kind, ["good", text])  # type: ignore[arg-type]  # the kinds of the table
    with pytest.raises(LedgerError, match="no run has this id"):
        add_notes(two, "zzz", "comment", ["x"])
    assert two.tip() == tip


def test_a_ledger_with_notes_verifies_clean(two: Branch) -> None:
    add_notes(two, "000001", "comment", ["x"])
    with blob_reader(two.repository) as read_blob:
        verdict = verify(two, read_blob)
    assert [finding for finding in verdict.findings if finding.commit or "notes/" in finding.path] == []
    assert verdict.entries == 3


def test_the_site_shows_notes_tags_and_retractions_and_only_rewrites_their_run(two: Branch, tmp_path: Path) -> None:
    def build() -> tuple[str, ...]:
        with blob_reader(two.repository) as read_blob:
            return build_site(two.contents(), read_blob, [], tmp_path / "site").changed

    build()
    add_notes(two, "000001", "comment", ["odd <script>alert(1)</script> labels"])
    add_notes(two, "000001", "tag", ["candidate"])
    changed = build()
    page = "runs/20261120-194812-000001.html"
    assert page in changed
    assert "runs/20261120-194812-000002.html" not in changed
    text = (tmp_path / "site" / page).read_text()
    assert "odd &lt;script&gt;" in text
    assert ">candidate</a>" in text
    (part,) = (tmp_path / "site" / "data" / "table").iterdir()
    assert "odd" in part.read_text()
    add_notes(two, "000001", "retraction", ["leak"])
    build()
    assert "and on no leaderboard since" in (tmp_path / "site" / page).read_text()
    assert "retracted" in (tmp_path / "site" / "index.html").read_text()


def test_notes_are_in_order_of_time(two: Branch) -> None:
    for number in range(5):
        add_notes(two, "000001", "comment", [str(number)])
    notes = two.contents().runs[0].notes
    assert [note.text for note in notes] == ["0", "1", "2", "3", "4"]
    assert all(note.noted_at <= datetime.now(UTC) for note in notes)


def test_the_latest_word_makes_the_baseline_and_a_retracted_run_is_none(two: Branch, cli: Cli) -> None:
    assert cli("baseline").err.startswith("no experiment has a baseline yet")
    assert cli("baseline", "000001", "--because", "in production").code == 0
    add_notes(two, "000002", "baseline", ["in production since Monday"])
    (run,) = two.contents().baselines().values()
    assert run.record.id.endswith("000002")
    said = cli("compare", "000001")
    assert said.out.split()[:2] == [run.record.id for run in two.contents().runs][::-1]
    assert cli("compare", "000002").code == 2  # it is the baseline itself
    add_notes(two, "000002", "retraction", ["leak"])
    assert two.contents().baselines() == {}
    assert "made the baseline by Ada Lovelace: in production" in cli("show", "000001", "--history").out


def test_a_page_compares_with_the_baseline_of_the_experiment(two: Branch, tmp_path: Path) -> None:
    add_notes(two, "000001", "baseline", ["in production"])
    with blob_reader(two.repository) as read_blob:
        build_site(two.contents(), read_blob, list(two.log()), tmp_path / "site")
    page = next((tmp_path / "site").rglob("*000002.html")).read_text()
    assert "against baseline" in page
    assert "lg-s-baseline" in next((tmp_path / "site").rglob("*000001.html")).read_text()
