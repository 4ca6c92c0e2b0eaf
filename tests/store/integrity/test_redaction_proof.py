"""A redaction is believed only where it is proved and vouched for; everything else is found, and quickly."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_bytes
from ledger.model.document import dump
from ledger.model.entries import RedactedFile, Redaction, ReplacedCheckpoint
from ledger.model.ids import new_id
from ledger.model.paths import redaction_path
from ledger.model.record import Author
from ledger.repository.blobs import blob_reader
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import check_range
from ledger.store.integrity.checkpoint import Checkpoint
from ledger.store.integrity.redaction import redact
from ledger.store.integrity.redaction_approval import accept_named
from ledger.store.integrity.redaction_plan import Needles, plan_redaction
from ledger.store.integrity.redaction_proof import circle_in, is_marked, wrong_with
from ledger.store.integrity.signatures import signature_files
from ledger.store.integrity.tombstones import explain_difference
from ledger.store.integrity.verify import Verification, verify
from ledger.store.integrity.verify.signatures import check_checkpoints
from ledger.store.sync.receive_rules import Update, check_received
from ledger.store.sync.remote_tip import REMEMBERED
from ledger.store.sync.sync import sync
from ledger.store.sync.sync_result import Synced
from tests.conftest import Cli, git_in
from tests.recorder.record.test_record import add, draft
from tests.store.integrity.test_checkpoint import checkpoint
from tests.store.integrity.test_signatures import key, policy, set_policy
from tests.store.sync.remotes import share

__all__ = ["key"]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVE = Author(name="Eve", email="eve@example.com")


def check(ledger: Branch) -> Verification:
    fresh = Branch(ledger.repository)
    with blob_reader(fresh.repository) as read_blob:
        return verify(fresh, read_blob, whole=True)


def rules(ledger: Branch) -> set[str]:
    return {finding.rule for finding in check(ledger).findings}


@pytest.fixture
def three(ledger: Branch) -> Branch:
    for number in (1, 2, 3):
        add(ledger, draft(number, params={"db": "a secret text", "lr": 0.1}))
    return ledger


@dataclass
class Forged:
    """A history in which the last commit is made again with a lie in it, and a tombstone that excuses it."""

    tip: str
    path: str


def forge(
    ledger: Branch,
    lie: tuple[str, str],
    made: Checkpoint | None = None,
    *,
    signed: bool = False,
    more: Mapping[str, bytes] | None = None,
) -> Forged:
    """Make the last commit of a ledger again with a text replaced in its record, and a tombstone on top."""
    repository, tip = ledger.repository, ledger.tip() or ""
    (record,) = [
        path
        for path in git_in(_folder(ledger), "diff-tree", "--no-commit-id", "-r", "--name-only", tip).split()
        if path.endswith("record.json")
    ]
    before = repository.read_object(f"{tip}:{record}")
    after = before.replace(lie[0].encode(), lie[1].encode())
    assert after != before
    files = {
        path: repository.read_object(f"{tip}:{path}")
        for path in git_in(_folder(ledger), "diff-tree", "--no-commit-id", "-r", "--name-only", tip).split()
    }
    author, stamp = git_in(_folder(ledger), "show", "-s", "--format=%an|%ae|%ct", tip).strip().rsplit("|", 1)
    name, _, email = author.partition("|")
    again = append_commit(
        repository,
        "refs/heads/again",
        parent=_branch(ledger, "again", f"{tip}~1"),
        files=files | {record: after} | dict(more or {}),
        message="again\n",
        author=Author(name=name, email=email),
        now=datetime.fromtimestamp(int(stamp), tz=UTC),
    )
    redaction = Redaction(
        format=1,
        id=new_id(NOW, b"evil"),
        reason="an API key",
        files=[RedactedFile(path=record, before=hash_bytes(before), after=hash_bytes(after))],
        before=tip,
        after=again,
        checkpoints=[ReplacedCheckpoint(name=made.name, before=tip, after=again, entries=made.entries, root=made.root)]
        if made
        else [],
        author=EVE,
        redacted_at=NOW,
        tool="git-ledger 0.1.0",
    )
    stone = {redaction_path(redaction.id): dump(redaction)}
    stone |= signature_files(repository, stone) if signed else {}
    tip = append_commit(repository, "refs/heads/again", parent=again, files=stone, message="x\n", author=EVE, now=NOW)
    return Forged(tip=tip, path=record)


def _folder(ledger: Branch) -> Path:
    assert ledger.repository.worktree is not None
    return ledger.repository.worktree


def _branch(ledger: Branch, name: str, at: str) -> str:
    git_in(_folder(ledger), "branch", "--force", name, at)
    return git_in(_folder(ledger), "rev-parse", name).strip()


@pytest.mark.parametrize("lie", [("0.1", "0.9"), ("finished", "[redacted]"), ("a secret text", "another text")])
def test_a_tombstone_excuses_no_lie_in_a_clone_that_knows_better(
    three: Branch, repo: Path, lie: tuple[str, str]
) -> None:
    made = checkpoint(three)
    assert check(three).clean
    forged = forge(three, lie, made)
    git_in(repo, "update-ref", "refs/heads/ledger", forged.tip)
    assert "redaction" in rules(three)


def test_a_tombstone_excuses_no_lie_in_a_clone_that_knows_nothing(three: Branch, repo: Path, tmp_path: Path) -> None:
    forged = forge(three, ("a secret text", "a [redacted] text"))
    git_in(repo, "update-ref", "refs/heads/ledger", forged.tip)
    git_in(tmp_path, "clone", "--quiet", "--single-branch", "--branch", "ledger", str(repo), "fresh")
    fresh = Branch.open(tmp_path / "fresh")
    (said,) = [finding.message for finding in check(fresh).findings]
    assert said == "nobody vouches for this redaction (Eve: an API key)"


def test_an_accepted_tombstone_is_held_against_the_history_before_it_where_that_is_here(
    three: Branch, repo: Path
) -> None:
    before = three.tip()
    forged = forge(three, ("0.1", "0.9"))
    git_in(repo, "update-ref", "refs/heads/ledger", forged.tip)
    accept_named(Branch(three.repository), [new_id(NOW, b"evil")])
    assert (three.repository.state_dir / "verified-ledger").exists() is False  # nothing else could tell
    found = {(one.path, one.commit) for one in check(three).findings if one.rule == "redaction"}
    assert (forged.path, before) in found


def test_whoever_knows_of_a_redaction_accepts_it_by_its_id(three: Branch, repo: Path) -> None:
    forged = forge(three, ("a secret text", "a [redacted] text"))
    git_in(repo, "update-ref", "refs/heads/ledger", forged.tip)
    with pytest.raises(NotFound, match="no such redaction"):
        accept_named(Branch(three.repository), [new_id(NOW, b"none")])
    accept_named(Branch(three.repository), [new_id(NOW, b"evil")])
    verdict = check(three)
    assert verdict.findings == ()
    assert [one.vouched for one in verdict.redactions] == ["accepted in this clone"]


def test_with_signers_in_the_policy_only_their_signature_vouches(
    three: Branch, repo: Path, key: Path, cli: Cli
) -> None:
    set_policy(repo, policy(key, required=False))
    add(three, draft(4, params={"db": "a secret text"}))
    stood = three.tip()
    forged = forge(three, ("a secret text", "[redacted]"))
    git_in(repo, "update-ref", "refs/heads/ledger", forged.tip)
    assert any("nobody vouches" in finding.message for finding in check(three).findings)
    assert cli("verify", "--accept-redaction", new_id(NOW, b"evil")).code == 1, "a word is not enough where signers are"
    git_in(repo, "update-ref", "refs/heads/ledger", stood or "")
    signed = forge(three, ("a secret text", "[redacted]"), signed=True)
    git_in(repo, "update-ref", "refs/heads/ledger", signed.tip)
    verdict = check(three)
    assert verdict.findings == ()
    assert [one.vouched for one in verdict.redactions] == ["signed by ada@example.com"]


def test_a_signer_who_is_no_redactor_vouches_for_none(three: Branch, repo: Path, key: Path) -> None:
    set_policy(repo, policy(key, required=False) + "  redactors: [grace@example.com]\n")
    add(three, draft(4, params={"db": "a secret text"}))
    signed = forge(three, ("a secret text", "[redacted]"), signed=True)
    git_in(repo, "update-ref", "refs/heads/ledger", signed.tip)
    assert any("nobody vouches" in finding.message for finding in check(three).findings)


def test_a_clone_takes_over_what_a_signer_signed_and_a_person_accepted(
    three: Branch, repo: Path, key: Path, tmp_path: Path
) -> None:
    set_policy(repo, policy(key, required=False))
    add(three, draft(4, params={"db": "a secret text"}))
    _, other = share(three, tmp_path)
    before = other.tip()

    def offered(*, signed: bool, accepted: bool) -> Synced:
        tip = forge(three, ("a secret text", "[redacted]"), signed=signed).tip
        there = (f"{tip}:refs/heads/ledger", f"{tip}:{REMEMBERED}")
        git_in(repo, "push", "--quiet", "--force", "--no-verify", "origin", *there)
        return sync(other, timeout_seconds=60, accept_redaction=accepted)

    unsigned = offered(signed=False, accepted=True)
    assert "by a redaction that no signer named by the policy signed (Eve: an API key)" in unsigned.message
    assert unsigned.hint == "its author: ledger sign; then here: ledger sync origin --accept-redaction"
    assert "nothing else in it changed" in offered(signed=True, accepted=False).message
    assert other.tip() == before
    assert offered(signed=True, accepted=True).safe
    assert other.tip() != before


def test_a_server_takes_a_redaction_when_told_to_and_from_whom_the_policy_names(
    three: Branch, repo: Path, key: Path
) -> None:
    def refused(*, signed: bool = False, lie: tuple[str, str] = ("a secret text", "[redacted]")) -> list[str]:
        old, tip = three.tip() or "", forge(three, lie, signed=signed).tip
        asked = [Update(ref="refs/heads/ledger", old=old, new=tip)]
        return [one.message for one in check_received(Branch(three.repository).repository, asked)]

    untold = "a redaction rewrote the history of the ledger; this server is not configured to accept that"
    assert refused() == [untold]
    git_in(repo, "config", "ledger.acceptRedaction", "true")
    assert refused() == []
    (wrong,) = refused(lie=("0.1", "0.9"))
    assert wrong.startswith("a redaction is given as the reason, but does not explain everything: runs/")
    set_policy(repo, policy(key, required=False))
    add(three, draft(4, params={"db": "a secret text"}))
    assert refused() == [f"no signer named by the policy signed this redaction: {new_id(NOW, b'evil')}"]
    assert refused(signed=True) == []


def test_policy_and_workflows_never_ride_along(three: Branch, repo: Path) -> None:
    for path in ("policy.yaml", ".github/workflows/ledger-review.yml"):
        before = three.tip() or ""
        forged = forge(three, ("a secret text", "[redacted]"), more={path: b"directions: {accuracy: lower}\n"})
        explained = explain_difference(three.repository, before, forged.tip, law_stands=True)
        assert [one.path for one in explained.unproved] == [path]
        git_in(repo, "branch", "-D", "again")


def test_a_clone_is_told_what_a_forged_redaction_does_not_explain(three: Branch, repo: Path, tmp_path: Path) -> None:
    hub, other = share(three, tmp_path)
    forged = forge(three, ("0.1", "0.9"))
    git_in(
        repo,
        "push",
        "--quiet",
        "--force",
        "origin",
        f"{forged.tip}:refs/heads/ledger",
        f"{forged.tip}:refs/ledger/remembered",
    )
    before = other.tip()
    for accepted in (False, True):
        done = sync(other, timeout_seconds=60, accept_redaction=accepted)
        assert not done.safe
        assert forged.path in done.message
        assert "more was changed than parts removed" in done.message
        assert other.tip() == before
    del hub


def tombstone(tip: str, **other: object) -> Redaction:
    said = {"before": tip, "after": "b" * len(tip), "files": [], "reason": "x"} | other
    return Redaction(
        format=1,
        id=new_id(NOW, b"loop"),
        author=EVE,
        redacted_at=NOW,
        tool="git-ledger 0.1.0",
        **said,  # type: ignore[arg-type]  # fields by name
    )


@pytest.mark.parametrize(
    "shape",
    [
        "itself",
        "a checkpoint of itself",
        "two that name each other",
        "a chain of thousands",
        "not an object id",
        "no reason",
    ],
)
def test_a_tombstone_in_an_append_is_refused_in_linear_time(three: Branch, repo: Path, shape: str) -> None:
    tip = three.tip() or ""

    def of(before: str, after: str) -> ReplacedCheckpoint:
        return ReplacedCheckpoint(
            name="ledger/checkpoint-20260101-000000", before=before, after=after, entries=1, root=f"blake3:{'0' * 64}"
        )

    ids = [f"{number:040x}" for number in range(20_000)]
    stone = {
        "itself": tombstone(tip, after=tip),
        "a checkpoint of itself": tombstone(tip, checkpoints=[of(tip, tip)]),
        "two that name each other": tombstone(tip, checkpoints=[of("a" * 40, "c" * 40), of("c" * 40, "a" * 40)]),
        "a chain of thousands": tombstone(tip, checkpoints=list(map(of, ids, ids[1:]))),
        "not an object id": tombstone("--output=x"),
        "no reason": tombstone(tip, reason=" "),
    }[shape]
    made = append_commit(
        three.repository,
        three.ref,
        parent=tip,
        files={redaction_path(stone.id): dump(stone)},
        message="x\n",
        author=EVE,
        now=NOW,
    )
    found = check_range(three.repository, made, tip).findings
    assert "redaction" in {finding.rule for finding in found if finding.severity == "error"}
    subprocess.run(["git", "log", "-1", "ledger"], cwd=repo, check=True, capture_output=True, timeout=60)
    assert rules(three) & {"redaction", "document"}


def test_a_tombstone_is_written_by_a_redaction_alone(three: Branch, key: Path) -> None:
    needles, base = Needles(["a secret text"]), three.tip() or ""
    path = redaction_path(tombstone(base).id)
    stone = {path: dump(tombstone(base))}
    stone |= signature_files(three.repository, stone)
    made = append_commit(
        three.repository, "refs/heads/ledger", parent=base, files=stone, message="x\n", author=EVE, now=NOW
    )
    found = check_range(three.repository, made, base).findings
    assert [(one.rule, one.path, one.commit) for one in found if "only appends" in one.message] == [
        ("redaction", path, made)
    ]
    git_in(_folder(three), "update-ref", "refs/heads/ledger", base)
    git_in(_folder(three), "branch", "as-others-hold-it", base)
    redact(three, plan_redaction(three, needles), needles, reason="a password", now=NOW)
    tip = three.tip() or ""
    assert "redaction" not in {one.rule for one in check_range(three.repository, tip, None).findings}
    found = check_range(three.repository, tip, base).findings
    assert "redaction" not in {one.rule for one in found}
    assert f"a redaction rewrote the history (the branch was at {base[:10]})" in {one.message for one in found}


def test_what_would_break_the_ledger_is_not_redacted(three: Branch, repo: Path) -> None:
    tip = three.tip()
    for word in ("blake3", "20261120"):
        needles = Needles([word])
        with pytest.raises(LedgerError):
            redact(three, plan_redaction(three, needles), needles, reason="x", now=NOW)
        assert three.tip() == tip
    assert git_in(repo, "for-each-ref", "refs/heads/ledger-redaction") == ""
    assert check(three).clean


def test_two_redactions_one_after_the_other_are_both_understood(three: Branch) -> None:
    add(three, draft(4, params={"db": "another secret"}))
    for word in ("another secret", "a secret text"):
        needles = Needles([word])
        redact(three, plan_redaction(three, needles), needles, reason=f"a password, {word[:1]}", now=NOW)
    verdict = check(three)
    assert verdict.findings == ()
    assert [one.vouched for one in verdict.redactions] == ["accepted in this clone"] * 2


def test_a_checkpoint_holds_over_a_file_that_was_redacted_twice(three: Branch) -> None:
    add(three, draft(4, params={"db": "a secret text", "key": "another secret"}))
    checkpoint(three)
    for minutes, word in enumerate(("another secret", "a secret text")):
        needles, now = Needles([word]), NOW + timedelta(minutes=minutes)
        redact(three, plan_redaction(three, needles), needles, reason="a password", now=now)
    assert check(three).findings == ()


def test_a_checkpoint_from_before_a_redaction_stated_what_the_tombstone_says(three: Branch) -> None:
    made, needles = checkpoint(three), Needles(["a secret text"])
    redaction = redact(three, plan_redaction(three, needles), needles, reason="a password", now=NOW).redaction
    assert redaction is not None
    more = msgspec.structs.replace(made, entries=made.entries + 1)
    other = msgspec.structs.replace(made, root=f"blake3:{'0' * 64}")
    for one, redactions, rules in (
        (made, [redaction], []),
        (more, [redaction], ["redaction"]),
        (other, [redaction], ["redaction"]),
        (made, [], ["checkpoint"]),
    ):
        said = {redaction_path(redaction.id): redaction for redaction in redactions}
        found = list(check_checkpoints(three.repository, three.tip() or "", [one], said))
        assert [(finding.rule, finding.path, finding.commit) for finding in found] == [
            (rule, f"refs/tags/{made.name}", made.commit) for rule in rules
        ]


def test_verify_lists_what_it_relies_on(three: Branch, cli: Cli) -> None:
    needles = Needles(["a secret text"])
    redact(three, plan_redaction(three, needles), needles, reason="a password", now=NOW)
    said = cli("verify").err
    assert "relies on redaction 20261121-120000-" in said
    assert "by Ada Lovelace: a password (accepted in this clone)" in said
    (one,) = json.loads(cli("verify", "--json").out)["redactions"]
    assert (one["author"], one["reason"], one["vouched"]) == ("Ada Lovelace", "a password", "accepted in this clone")


def test_what_nobody_else_has_seen_is_redacted_without_a_tombstone_and_can_be_sent(
    three: Branch, repo: Path, tmp_path: Path
) -> None:
    share(three, tmp_path)
    add(three, draft(5, params={"db": "not sent yet"}))
    needles = Needles(["not sent yet"])
    plan = plan_redaction(three, needles)
    assert plan.unsent
    done = redact(three, plan, needles, reason="a password", now=NOW)
    assert done.redaction is None
    assert check(three).findings == ()
    assert sync(three, timeout_seconds=60).state == "sent"
    assert "not sent yet" not in git_in(repo, "log", "-p", "ledger")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)


@given(
    text=TEXT, secret=st.text("abcXYZ019+/=", min_size=6, max_size=30), places=st.lists(st.integers(0, 60), max_size=3)
)
def test_whatever_redaction_takes_out_is_proved(text: str, secret: str, places: list[int]) -> None:
    for place in places:
        text = text[:place] + secret + text[place:]
    before = text.encode()
    assert is_marked(before, Needles([secret]).replaced(before), "log.txt")
    document = json.dumps({"note": text, "value": 0.5, secret: [1, text]}, indent=2, ensure_ascii=False).encode()
    assert is_marked(document, Needles([secret]).replaced(document), "notes/x.json")


def test_a_text_that_utf_8_cannot_say_is_proved_as_any_other() -> None:
    before, after = b'{"a": "a secret \\ud800"}', b'{"a": "a [redacted] \\ud800"}'
    assert is_marked(before, after, "notes/x.json")
    assert not is_marked(before, after.replace(b"ud800", b"ud801"), "notes/x.json")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"a": 0.6, "b": "secret"}', b'{"a": 0.9, "b": "[redacted]"}'),
        (b'{"a": 123456}', b'{"a": "[redacted]"}'),
        (b'{"a": 1, "bcdefgh": 2}', b'{"a": 1}'),
        (b'{"a": "short"}', b'{"a": "[redacted]"}'),
        (b'{"a": true, "s": "secret"}', b'{"a": false, "s": "[redacted]"}'),
        (b"one line\nanother line\n", b"one [redacted]\n"),
        (b'{"a":\n"a document"}\n', b"[redacted]\n"),
        (b"0.9 secret\n", b"0.8 [redacted]\n"),
        (b'{"a": ["a secret", "another"]}', b'{"a": ["[redacted]"]}'),
        (b"one line\nanother line\n", b"one line\nanother lie\n"),
        (b"a secret\nanother line\n", b"[redacted]\nanother lie\n"),
        (b"a secret and more\n", b"[redacted] and less\n"),
        (b"keep this: a1b2 and a secret\n", b"keep this: [redacted] and [redacted]\n"),
        (b"keep this: a secret and a1b2\n", b"keep this: [redacted] and [redacted]\n"),
    ],
)
def test_what_a_mark_does_not_stand_for_is_no_redaction(before: bytes, after: bytes) -> None:
    assert not is_marked(before, after, "notes/x.json" if before.startswith(b"{") else "log.txt")


def test_what_a_tombstone_says_twice_or_of_itself_is_wrong() -> None:
    a, b, c, d = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)

    def stone(name: str, before: str, after: str) -> ReplacedCheckpoint:
        return ReplacedCheckpoint(name=name, before=before, after=after, entries=1, root="e" * 64)

    honest = tombstone(a, after=b, checkpoints=[stone("one", c, d)])
    assert wrong_with(honest) == []
    again = tombstone(a, after=b, checkpoints=[stone("one", c, d), stone("two", c, d)])
    assert wrong_with(again) == []  # two checkpoints may stand on one commit
    assert wrong_with(tombstone(a, after=b, checkpoints=[stone("one", a, d)])) == [
        f"it names two replacements of commit {a[:10]}"
    ]
    assert wrong_with(tombstone(a, after=b, checkpoints=[stone("one", c, c)])) != []
    assert wrong_with(tombstone(a, after=b, checkpoints=[stone("one", b, d)])) == [
        "its replacements of commits form a circle"
    ]
    file = RedactedFile(path="runs/x", before="1" * 64, after="2" * 64)
    assert wrong_with(tombstone(a, after=b, files=[file])) == []
    assert wrong_with(tombstone(a, after=b, files=[file, file])) == ["it names this file twice: `runs/x`"]
    same = RedactedFile(path="runs/x", before="1" * 64, after="1" * 64)
    assert wrong_with(tombstone(a, after=b, files=[same])) == [
        "it says that nothing was changed in this file: `runs/x`"
    ]
    assert wrong_with(tombstone(a, after=b, reason=" ")) == ["it gives no reason"]


def test_a_circle_is_found_across_tombstones_in_commits_and_in_files() -> None:
    a, b, c = ("a" * 40, "b" * 40, "c" * 40)
    assert circle_in([tombstone(a, after=b), tombstone(b, after=c)]) is False
    assert circle_in([tombstone(a, after=b), tombstone(b, after=c), tombstone(c, after=a)])
    there = RedactedFile(path="runs/x", before="1" * 64, after="2" * 64)
    back = RedactedFile(path="runs/x", before="2" * 64, after="1" * 64)
    elsewhere = RedactedFile(path="runs/y", before="2" * 64, after="1" * 64)
    assert circle_in([tombstone(a, after=b, files=[there]), tombstone(b, after=c, files=[back])])
    assert circle_in([tombstone(a, after=b, files=[there]), tombstone(b, after=c, files=[elsewhere])]) is False
