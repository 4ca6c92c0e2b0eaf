"""`ledger experiment`, and what the site makes of it."""

import json
from pathlib import Path

import pytest

from ledger.model.paths import note_path
from ledger.publish.pages import addresses
from ledger.publish.site.build import build_site
from ledger.recorder.statements.inquiry import add_statements
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from tests.conftest import Cli, git_in


def build(ledger: Branch, folder: Path) -> tuple[str, ...]:
    with blob_reader(ledger.repository) as read_blob:
        return build_site(ledger.contents(), read_blob, [], folder).changed


@pytest.fixture
def width(ledger: Branch, cli: Cli) -> str:
    """An experiment with two seeds of one setting, and one run of another."""
    for lr, seed, value in (("0.1", 1, "0.9"), ("0.1", 2, "0.92"), ("0.2", 1, "0.7")):
        data = ("--dataset", "validation:digits@v1=train.py", "-e", "width <b>", "--headline", "validation/accuracy")
        facts = ("--metric", f"validation/accuracy={value}", "--param", f"lr={lr}", "--seed", str(seed))
        assert cli("record", *facts, *data, "--direction", "validation/accuracy=higher").code == 0
    return "width <b>"


def test_a_question_may_come_before_the_first_run_and_a_conclusion_may_not(ledger: Branch, cli: Cli) -> None:
    assert cli("record", "--metric", "validation/accuracy=0.9").code == 0
    unknown = cli("experiment", "wdith")
    assert (unknown.code, "nobody asked about it: `wdith`" in unknown.err) == (1, True)
    tip = ledger.tip()
    refused = cli("experiment", "width", "--conclusion", "no", "--question", "does it?")
    assert (refused.code, "nothing was run yet to conclude from: `width`" in refused.err) == (1, True)
    for text in ("", " ", "x" * 10_001):
        assert cli("experiment", "width", "--question", text).code == 1
    assert cli("experiment", "a\nb", "--question", "x").code == 1
    assert ledger.tip() == tip
    asked = cli("experiment", "width", "--question", "does it?", "--hypothesis", "it does")
    assert (asked.code, "it has no run yet" in asked.err) == (0, True)
    shown = cli("experiment", "width").out
    assert "width: open, no run yet" in shown
    assert "does it?" in shown
    assert "best         unknown: it has no run yet" in shown


def test_the_latest_stands_and_the_ledger_stays_whole(width: str, ledger: Branch, repo: Path, cli: Cli) -> None:
    runs = ledger.contents().runs
    assert cli("experiment", width, "--question", "a?", "--conclusion", "no").code == 0
    assert git_in(repo, "log", "-1", "--format=%s", "ledger").strip() == f"conclusion of {width}: no"
    known = json.loads(cli("experiment", width, "--json").out)
    assert (known["state"], known["question"]["text"], known["runs"]) == ("concluded", "a?", 3)
    assert known["best"]["setting"].startswith("lr=0.1")
    assert (known["best"]["n"], known["best"]["mean"]) == (2, pytest.approx(0.91))
    assert known["best"]["interval"][0] < 0.91 < known["best"]["interval"][1]
    assert cli("experiment", width, "--question", "b?").code == 0
    shown = cli("experiment", width)
    assert f"{width}: open, 3 runs (3 finished)" in shown.out
    assert "earlier      question: a?" in shown.out
    contents = ledger.contents()
    assert (contents.runs, contents.problems) == (runs, ()), "a note about an experiment is about no run"
    assert cli("verify").code == 0
    assert cli("check").code == 0
    assert cli("list", "--json").code == 0
    assert cli("log").code == 0


def test_a_secret_in_a_statement_is_replaced_and_one_found_later_can_be_redacted(
    width: str, ledger: Branch, repo: Path, cli: Cli
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    assert cli("experiment", width, "--question", f"does {secret} work?").code == 0
    assert secret not in git_in(repo, "show", "ledger")
    assert cli("experiment", width, "--conclusion", "the patient Xylander-4711 is in it").code == 0
    done = cli("redact", "--yes", "--because", "a name", stdin="Xylander-4711\n")
    assert done.code == 0, done.err
    assert "Xylander" not in git_in(repo, "grep", "-h", "patient", "ledger")
    assert [note.kind for note in ledger.contents().said] == ["question", "conclusion"]
    assert cli("verify").code == 0
    assert cli("experiment", width).code == 0


def test_what_is_written_by_hand_about_an_experiment_that_is_no_name_is_refused(
    width: str, ledger: Branch, cli: Cli
) -> None:
    (note,) = add_statements(ledger, width, {"question": "a?"}, begun=True)
    data = ledger.read(note_path(note.id))
    assert data is not None
    other = "20261121-000000-aaaaaa"
    data = data.replace(b"width <b>", b"\\u202ewidth").replace(note.id.encode(), other.encode())
    entry = Entry(id=other, files={note_path(other): data}, message="x", author=note.author, made_at=note.noted_at)
    ledger.append(entry)
    found = cli("check")
    assert (found.code, "experiment" in found.out + found.err) == (1, True)


def test_pages_of_the_experiment_show_it_and_are_made_again_for_it(width: str, ledger: Branch, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(ledger, site)
    page = site / addresses.experiment_page(width)
    assert "Nobody said what it asks" in page.read_text("utf-8")
    add_statements(ledger, width, {"question": "<script>?", "hypothesis": "yes"}, begun=True)
    changed = {path for path in build(ledger, site) if path.endswith(".html")}
    assert changed == {addresses.experiment_page(width), addresses.EXPERIMENTS}
    assert "&lt;script&gt;?" in page.read_text("utf-8")
    assert "none yet" in page.read_text("utf-8")
    listed = (site / addresses.EXPERIMENTS).read_text("utf-8")
    assert "&lt;script&gt;?" in listed
    assert "lg-asks-open" in listed
    add_statements(ledger, width, {"conclusion": "take 24"}, begun=True)
    changed = {path for path in build(ledger, site) if path.endswith(".html")}
    assert changed == {addresses.experiment_page(width), addresses.EXPERIMENTS, addresses.HOME}
    assert "take 24" in (site / addresses.HOME).read_text("utf-8")
    assert "lg-asks-concluded" in (site / addresses.EXPERIMENTS).read_text("utf-8")
    add_statements(ledger, "asked only", {"question": "what else?"}, begun=False)
    build(ledger, site)
    assert "asked, and no run yet" in (site / addresses.EXPERIMENTS).read_text("utf-8")
    assert build(ledger, site) == ()
