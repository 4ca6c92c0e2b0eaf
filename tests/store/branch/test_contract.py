"""What a ledger promises, in every kind of repository that git knows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import Conflict, LostRace
from ledger.recorder.statements.notes import add_notes
from ledger.repository.blobs import blob_reader
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import select_runs
from ledger.store.integrity.verify import verify
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in, make_repository, state_of
from tests.store.branch.test_branch import ADA, NOW, append_samples
from tests.store.sync.remotes import clone, held, made, make_hub


def make_plain(folder: Path) -> Path:
    return make_repository(folder / "plain")


def make_bare(folder: Path) -> Path:
    git_in(folder, "clone", "--quiet", "--bare", str(make_plain(folder)), "bare.git")
    git_in(folder / "bare.git", "remote", "remove", "origin")
    return folder / "bare.git"


def make_linked_worktree(folder: Path) -> Path:
    git_in(make_plain(folder), "worktree", "add", "--quiet", "-b", "side", str(folder / "linked"))
    return folder / "linked"


def make_clone(folder: Path, *options: str) -> Path:
    hub = make_hub(folder)
    git_in(hub, "config", "uploadpack.allowFilter", "true")
    first = clone(hub, folder / "first")
    append_samples(first, 1)
    assert sync(first, timeout_seconds=60).safe
    clone(f"file://{hub}", folder / "cut", *options)
    return folder / "cut"


def make_shallow(folder: Path) -> Path:
    return make_clone(folder, "--depth=1")


def make_partial(folder: Path) -> Path:
    return make_clone(folder, "--filter=blob:none")


def make_sha256(folder: Path) -> Path:
    hub = make_hub(folder, object_format="sha256")
    clone(hub, folder / "sha256")
    return folder / "sha256"


def make_submodule(folder: Path) -> Path:
    inner, outer = make_plain(folder), make_repository(folder / "outer")
    git_in(outer, "submodule", "--quiet", "add", str(inner), "inner")
    git_in(outer, "commit", "--quiet", "--message", "Inner")
    git_in(outer / "inner", "remote", "remove", "origin")
    return outer / "inner"


KINDS: dict[str, Callable[[Path], Path]] = {
    "plain": make_plain,
    "bare": make_bare,
    "linked worktree": make_linked_worktree,
    "shallow clone": make_shallow,
    "partial clone": make_partial,
    "sha-256": make_sha256,
    "submodule": make_submodule,
}


@pytest.fixture(params=list(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One repository of each kind; the test works inside it."""
    folder = KINDS[request.param](tmp_path)
    monkeypatch.chdir(folder)
    return folder


def test_an_entry_is_appended_read_and_appended_again(place: Path) -> None:
    ledger = Branch.open(place)
    entry = made(1)
    commit = ledger.append(entry).commit
    assert ledger.append(entry).commit == commit == ledger.tip()
    path = next(iter(entry.files))
    assert ledger.read(path) == entry.files[path]
    with pytest.raises(Conflict, match="already holds other content"):
        ledger.append(type(entry)(id=entry.id, files={path: b"{}"}, message="x\n", author=ADA, made_at=NOW))
    assert ledger.tip() == commit


def test_a_lost_race_changes_nothing(place: Path) -> None:
    ledger = Branch.open(place)
    first = ledger.append(made(1)).commit
    second = ledger.append(made(2)).commit
    with pytest.raises(LostRace):
        append_commit(
            ledger.repository, ledger.ref, parent=first, files=made(3).files, message="x\n", author=ADA, now=NOW
        )
    assert ledger.tip() == second


def test_runs_and_notes_are_listed_from_the_index_and_verified(place: Path) -> None:
    ledger = Branch.open(place)
    ids = append_samples(ledger, 3)
    add_notes(ledger, ids[0], "tag", ["good"])
    found = select_runs(ledger).runs
    assert sorted(run.record.id for run in found) == sorted(ids)
    assert (ledger.repository.state_dir / "index.sqlite3").exists()
    assert next(run for run in found if run.record.id == ids[0]).tags[-1] == "good"
    assert {run.record.id for run in ledger.contents().runs} == set(ids)
    with blob_reader(ledger.repository) as read_blob:
        assert not [finding for finding in verify(ledger, read_blob).findings if finding.commit]


def test_what_two_clones_recorded_apart_is_joined_through_it(place: Path, tmp_path: Path) -> None:
    ledger = Branch.open(place)
    if not git_in(place, "remote").strip():
        object_format = git_in(place, "rev-parse", "--show-object-format").strip()
        git_in(tmp_path, "init", "--quiet", "--bare", f"--object-format={object_format}", "remote.git")
        git_in(place, "remote", "add", "origin", str(tmp_path / "remote.git"))
        git_in(place, "push", "--quiet", "origin", "HEAD:main")
    hub = git_in(place, "remote", "get-url", "origin").strip().removeprefix("file://")
    other = clone(hub, tmp_path / "other", author="Other")
    ledger.append(made(1))
    other.append(made(1, "Other"))
    assert sync(other, timeout_seconds=60).safe
    assert sync(ledger, timeout_seconds=60).state == "both"
    assert sync(other, timeout_seconds=60).state == "received"
    assert ledger.tip() == other.tip() == git_in(Path(hub), "rev-parse", "ledger").strip()
    assert {made(1).id, made(1, "Other").id} <= set(held(Path(hub)))
    assert held(place) == held(Path(hub))


def test_a_run_is_recorded_with_its_code_and_nothing_of_the_user_s_moves(place: Path, cli: Cli) -> None:
    bare = git_in(place, "rev-parse", "--is-bare-repository") == "true\n"
    if not bare:
        (place / "train.py").write_text("print('changed')\n")
        (place / "new.py").write_text("print('new')\n")
        before = state_of(place)
    done = cli("record", "--metric", "validation/accuracy=0.5", "--no-push", "--json")
    assert done.code == 0, done.err
    run = next(run for run in Branch.open(place).contents().runs if run.record.id == json.loads(done.out)["id"])
    if bare:
        assert run.record.code.patch is None
        return
    assert state_of(place) == before
    assert run.record.code.patch is not None
    patch = Branch.open(place).read_blob(run.files["code.patch"])
    assert b"+print('changed')" in patch
    assert b"+print('new')" in patch
