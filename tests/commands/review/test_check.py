"""The command says what is wrong with what is proposed, in every form, and passes whatever ledger itself writes."""

import json
import os
import subprocess
import sys
import zlib
from hashlib import sha1
from pathlib import Path

import jsonschema
import pytest

from ledger.cli import program
from ledger.commands.review.check_reports import fingerprint, gitlab_report, render_github, render_text, sarif_report
from ledger.model.values import is_plain_text
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import Checked, Finding, check_range
from tests.commands.test_untouched import COMMANDS
from tests.conftest import ROOT, Cli, git_in
from tests.samples import sample_ledger
from tests.store.branch.test_branch import append_samples, entry

HOSTILE = "a\x1b[2J\n::error::x%0A,file=y:z\u202e`<b>"
CANNOT_TELL = 2

SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "items": {"required": ["id"]}, "uniqueItems": True},
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {"uri": {"pattern": "^[\\x21-\\x7e]+$"}}
                                                    },
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    },
                                                }
                                            }
                                        }
                                    },
                                },
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                                "properties": {"type": "object"},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What of the published schema of SARIF 2.1.0 is used here, word for word."""


def found(*findings: Finding) -> Checked:
    return Checked(findings=findings, commits=1, entries=1, runs=())


HOSTILE_FINDING = Finding(rule="tree", message=HOSTILE, path=HOSTILE, commit="1" * 40, field=HOSTILE, hint=HOSTILE)


def test_whatever_ledger_writes_passes(repo: Path, cli: Cli, tmp_path: Path) -> None:
    for number in (1, 2):
        data = ("--dataset", "validation:digits@v1=train.py")
        facts = ("--metric", f"validation/accuracy=0.{number}", "--param", f"lr={number}", "--duration", "3")
        assert cli("record", *facts, *data, "--tag", "a tag", "--note", "two\nlines", "--seed", "1").code == 0
    ledger = Branch.open(repo)
    runs = [run.record.id for run in ledger.contents().runs]
    meant = {"PLACE": str(tmp_path / "made"), "RUN": runs[0], "OTHER": runs[1]}
    writing = [
        "record", "run", "evaluate", "note", "tag", "retract", "baseline", "milestone", "dataset", "case", "prepare",
    ]  # fmt: skip
    assert set(writing) < set(program.verbs)
    for verb in writing:
        before = ledger.tip()
        done = cli(*(meant.get(word, word) for word in COMMANDS[verb]))
        assert done.code == 0, (verb, done.err)
        for since in (before, None):
            checked = check_range(ledger.repository, str(ledger.tip()), since)
            assert checked.findings == (), (verb, checked.findings)


def test_the_samples_are_clean_but_for_the_hostile_one(ledger: Branch) -> None:
    contents, _ = sample_ledger()
    append_samples(ledger, len(contents.runs))
    hostile = contents.runs[-1].record.id
    # One sample has curves that its record says nothing of: pages must bear it.
    unnamed = {run.record.id for run in contents.runs if not run.record.results.curves and "curves.csv" in run.files}
    checked = check_range(ledger.repository, "refs/heads/ledger", None)
    told = {one.path.split("/")[4] for one in checked.findings}
    assert told <= {hostile} | unnamed
    assert hostile in told


def test_what_the_remote_has_is_not_looked_at_again(ledger: Branch, repo: Path, cli: Cli) -> None:
    append_samples(ledger, 1)
    git_in(repo, "update-ref", "refs/remotes/origin/ledger", "ledger")
    assert "0 entries" in cli("check").err
    append_samples(ledger, 2)
    done = cli("check", "--json")
    assert json.loads(done.out)["entries"] == 1
    assert done.code == 0


def test_a_range_whose_end_does_not_stand_on_its_beginning_is_told(ledger: Branch, repo: Path, cli: Cli) -> None:
    append_samples(ledger, 1)
    first = git_in(repo, "rev-parse", "ledger").strip()
    append_samples(ledger, 2)
    ours = git_in(repo, "rev-parse", "ledger").strip()
    behind = cli("check", f"{ours}..{first}")
    assert behind.code == 0
    assert f"{first} is behind {ours}" in behind.err
    assert "nothing to check" in behind.err
    git_in(repo, "update-ref", "refs/heads/ledger", first)
    ledger.append(entry(9))
    beside = cli("check", f"{ours}..ledger")
    assert f"ledger and {ours} have diverged" in beside.err
    assert "diverged" not in cli("check", f"{first}..ledger").err


def test_a_branch_and_a_range_say_what_they_add(ledger: Branch, repo: Path, cli: Cli) -> None:
    append_samples(ledger, 1)
    git_in(repo, "branch", "proposal", "ledger")
    worktree = repo.parent / "tree"
    git_in(repo, "worktree", "add", "-q", str(worktree), "proposal")
    (worktree / "stray.txt").write_text("x")
    git_in(worktree, "add", ".")
    git_in(worktree, "commit", "-q", "-m", "stray")
    for what in ("proposal", "ledger..proposal", "ledger...proposal", "refs/heads/proposal"):
        done = cli("check", what)
        assert done.code == 1
        commit = git_in(repo, "rev-parse", "proposal")[:10]
        assert f"error: commit {commit}: stray.txt: no entry has a path like this [tree]" in done.out
        assert "1 error" in done.err
    append_samples(ledger, 2)
    assert "history" not in cli("check", "proposal").out, "others went on meanwhile; that is no force push"


def test_the_exit_code_says_what_was_found(ledger: Branch, repo: Path, cli: Cli) -> None:
    append_samples(ledger, 1)
    record = json.loads(git_in(repo, "show", f"ledger:{ledger.contents().runs[0].path}/record.json"))
    (repo / "good.json").write_text(git_in(repo, "show", f"ledger:{ledger.contents().runs[0].path}/record.json"))
    assert (cli("check", "good.json").code, cli("check", "--strict", "good.json").code) == (0, 0)
    record["results"]["metrics"][0]["value"] = 93.5
    (repo / "odd.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    odd = cli("check", "odd.json")
    assert (odd.code, "warning: odd.json: validation/accuracy is 93.5" in odd.out) == (0, True)
    assert cli("check", "--strict", "odd.json").code == 1
    (repo / "bad.json").write_text('{"format": 1, "timing": 3}')
    bad = cli("check", "good.json", "bad.json", "odd.json")
    assert bad.code == 1
    for field in ("id", "status", "experiment", "author", "code"):
        assert f"bad.json: {field}: missing [document]" in bad.out
    assert cli("check", "-", stdin="[]").code == 1
    for usage in (("--", "-x"), ("--format", "xml"), ("..ledger",), ("ledger", "ledger~1"), ("good.json", "ledger")):
        assert cli("check", *usage).code == 2, usage
    for missing in ("nope", "nope..ledger"):
        assert cli("check", missing).code == 1


def test_a_report_goes_to_a_file(ledger: Branch, repo: Path, cli: Cli) -> None:
    append_samples(ledger, 1)
    done = cli("check", "--format", "sarif", "--output", "report.sarif")
    assert (done.code, done.out) == (0, "")
    assert json.loads((repo / "report.sarif").read_text())["version"] == "2.1.0"


def test_hostile_text_can_begin_no_command_of_github() -> None:
    text = render_github(found(HOSTILE_FINDING, HOSTILE_FINDING))
    assert len(text.splitlines()) == 2
    for line in text.splitlines():
        head, _, rest = line.removeprefix("::error ").partition("::")
        assert line.startswith("::error file=")
        assert [part.partition("=")[0] for part in head.split(",")] == ["file", "title"]
        assert "%0A,file" not in rest
        assert is_plain_text(line)


def test_text_for_people_controls_no_terminal() -> None:
    lines = render_text(found(HOSTILE_FINDING)).splitlines()
    assert len(lines) == 2
    assert all(is_plain_text(line) for line in lines)


def test_sarif_is_what_its_schema_asks_for() -> None:
    report = json.loads(json.dumps(sarif_report(found(HOSTILE_FINDING, Finding(rule="history", message="x")))))
    jsonschema.validate(report, SARIF)
    (run,) = report["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert is_plain_text(result["message"]["text"])


def test_the_fingerprint_of_a_finding_is_that_of_the_next_push() -> None:
    again = Finding(rule="tree", message=HOSTILE, path=HOSTILE, commit="2" * 40, field=HOSTILE)
    assert fingerprint(again) == fingerprint(HOSTILE_FINDING)
    assert fingerprint(Finding(rule="tree", message="x", path="y")) != fingerprint(HOSTILE_FINDING)
    (one,) = gitlab_report(found(again))
    assert one.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
    assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
    assert one["location"]["lines"]["begin"] == 1
    assert is_plain_text(one["description"])


def test_a_proposal_of_a_thousand_problems_is_told_in_fifty_lines_of_each(ledger: Branch, repo: Path) -> None:
    append_samples(ledger, 1)
    folder = repo.parent / "tree"
    git_in(repo, "worktree", "add", "-q", "-b", "proposal", str(folder), "ledger")
    for number in range(120):
        (folder / f"stray-{number}").write_text("x")
    git_in(folder, "add", ".")
    git_in(folder, "commit", "-q", "-m", "strays")
    checked = check_range(ledger.repository, "proposal", "ledger")
    assert len(checked.findings) == 51
    assert checked.findings[-1].message == "and 70 more that break this rule"


@pytest.mark.parametrize("megabytes", [200])
def test_a_huge_file_is_refused_without_being_read(ledger: Branch, repo: Path, megabytes: int) -> None:
    append_samples(ledger, 1)
    folder = ledger.contents().runs[0].path
    name = _huge_blob(repo / ".git" / "objects", megabytes << 20)
    git_in(repo, "read-tree", "--empty")
    git_in(repo, "read-tree", "ledger")
    git_in(repo, "update-index", "--add", "--cacheinfo", f"100644,{name},{folder}/log.txt")
    git_in(repo, "update-index", "--add", "--cacheinfo", f"100644,{name},{folder[:-1]}z/record.json")
    tree = git_in(repo, "write-tree").strip()
    tip = git_in(repo, "commit-tree", tree, "-p", "ledger", "-m", "huge").strip()
    script = (
        "import sys; from ledger.cli import run; code = run(['check', sys.argv[1]]);"
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'));"
        "print(peak, code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, f"ledger..{tip}"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "209,715,200 bytes, but at most 8,388,608 are allowed (limits.record_bytes)" in done.stdout
    kilobytes, code = done.stderr.split()[-2:]
    assert (code, int(kilobytes) < 120_000) == ("1", True)


def _huge_blob(objects: Path, size: int) -> str:
    header = b"blob %d\0" % size
    digest, packed = sha1(header, usedforsecurity=False), zlib.compressobj(1)
    parts = [packed.compress(header)]
    zeros = bytes(1 << 20)
    for _ in range(size >> 20):
        digest.update(zeros)
        parts.append(packed.compress(zeros))
    path = objects / digest.hexdigest()[:2] / digest.hexdigest()[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join([*parts, packed.flush()]))
    return digest.hexdigest()
