"""Every hostile proposal is refused, or let pass harmless, with one clear line that names commit and path."""

import os
from pathlib import Path

import pytest

from ledger.commands.check_reports import render_github, render_text
from ledger.model.values import is_plain_text
from ledger.repository.repository import Repository
from ledger.store.check import Checked, check_range
from tests.store.check.corpus import CORPUS, Hostile
from tests.store.check.forge import Forge, Proposed, good_ledger

pytestmark = pytest.mark.timeout(60)


def checked(forge: Forge, made: Proposed | str) -> Checked:
    proposed = made if isinstance(made, Proposed) else Proposed(tip=made, since=forge.base)
    return check_range(Repository.discover(forge.folder), proposed.tip, proposed.since, ref=proposed.ref)


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 80
    assert len({one.name for one in CORPUS}) == len(CORPUS)


def test_what_the_corpus_stands_on_is_clean() -> None:
    forge = good_ledger()
    assert checked(forge, Proposed(tip=forge.base, since=None)).findings == ()
    for files in (forge.run(), forge.note(), forge.evaluation()):
        assert checked(forge, forge.put(files)).findings == ()
    sides = [forge.put(forge.run()) for _ in range(3)]
    assert checked(forge, forge.put({**forge.run()}, sides[0], merged=[])).findings == ()
    alone = checked(forge, forge.put({"policy.yaml": b"limits:\n  figure_bytes: 99\n"}))
    assert (alone.findings, alone.policy_changed) == ((), True)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("hostile", CORPUS, ids=lambda one: one.name)
def test_a_hostile_proposal_is_refused_or_harmless(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = good_ledger()
    monkeypatch.chdir(tmp_path)
    found = checked(forge, hostile.make(forge))
    assert list(tmp_path.iterdir()) == []
    assert not (forge.folder / "canary").exists()
    for line in (*render_text(found).splitlines(), *render_github(found).splitlines()):
        assert is_plain_text(line)
    assert all(line.startswith("::") for line in render_github(found).splitlines())
    if hostile.rule is None:
        assert found.ok, found.findings
        return
    caught = [one for one in found.findings if (one.rule, one.severity) == (hostile.rule, hostile.weight)]
    assert caught, found.findings
    telling = [one for one in caught if hostile.said in one.message]
    assert telling, caught
    assert "\n" not in telling[0].message
    assert telling[0].hint
    if not telling[0].path.startswith("refs/"):
        assert telling[0].commit is not None
    assert hostile.anywhere or telling[0].path
    if hostile.weight == "warning":
        assert found.ok, found.findings


def test_the_token_of_a_secret_is_never_told() -> None:
    forge = good_ledger()
    for hostile in CORPUS:
        if hostile.rule == "secret":
            shown = render_text(checked(forge, hostile.make(forge)))
            assert "a1B2" not in shown
            assert "hunter" not in shown


def test_a_check_writes_nothing() -> None:
    forge = good_ledger()
    tip = forge.put(forge.run())

    def state() -> dict[str, int]:
        return {
            str(Path(folder) / name): (Path(folder) / name).stat().st_mtime_ns
            for folder, _, names in os.walk(forge.folder)
            for name in names
        }

    before = state()
    checked(forge, tip)
    assert state() == before
