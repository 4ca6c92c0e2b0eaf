"""Publishing behind a push: few builds, the last state, never half a site; real builders, killed for real."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.publish.pages.addresses import run_page
from ledger.publish.site.background import (
    CURRENT,
    PAUSE_SECONDS,
    ask,
    build_while_asked,
    building,
    publish,
    publish_ledger,
    site_of,
    write_log,
)
from ledger.publish.site.output import write_file
from ledger.repository.hooks import SERVER, install_hooks
from ledger.store.branch.branch import Branch
from tests.benchmarks.ledgers import entry_of, grow
from tests.conftest import ROOT, Cli, git_in, run_python
from tests.samples import START

FILES = 30


def builds(mark: object) -> Callable[[Path], bool]:
    """Return a build whose every file says `mark`."""

    def build(output: Path) -> bool:
        for number in range(FILES):
            write_file(output, f"page-{number}.html", f"{mark}".encode())
        return True

    return build


def shown(folder: Path) -> set[str]:
    return {(folder / f"page-{number}.html").read_text() for number in range(FILES)}


def test_a_reader_never_sees_half_a_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(site, builds(0))
    done = threading.Event()
    torn: list[object] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not done.is_set():
            try:
                seen = shown((site / CURRENT).resolve())
            except OSError as error:
                torn.append(error)
            else:
                torn.extend([seen] if len(seen) != 1 else [])
            reads += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        publish(site, builds(number))
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert reads > 60
    assert shown(site / CURRENT) == {"59"}


def test_an_older_build_stays_as_it_was_and_is_removed_in_time(tmp_path: Path) -> None:
    site = tmp_path / "site"
    first = Path(publish(site, builds("first")).folder)

    def one_page(output: Path) -> bool:
        write_file(output, "page-0.html", b"second")
        return True

    second = Path(publish(site, one_page).folder)
    assert shown(first) == {"first"}
    assert shown(second) == {"first", "second"}
    assert (first / "page-1.html").samefile(second / "page-1.html"), "what did not change costs nothing"
    for number in range(4):
        publish(site, builds(number))
    for old in (site / "builds").iterdir():
        os.utime(old, (0, 0))
    publish(site, builds("last"))
    left = sorted(path.name for path in (site / "builds").iterdir())
    assert len(left) == 3
    assert first.name not in left


def test_a_build_that_changes_nothing_is_no_new_build(tmp_path: Path) -> None:
    site = tmp_path / "site"
    first = publish(site, builds("first"))
    again = publish(site, lambda _output: False)
    assert not again.changed
    assert again.folder == str(Path(first.folder).resolve())
    assert len(list((site / "builds").iterdir())) == 1


def test_a_build_that_fails_leaves_what_readers_see(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(site, builds("good"))

    def fails(output: Path) -> bool:
        write_file(output, "page-0.html", b"bad")
        raise LedgerError("no")

    with pytest.raises(LedgerError):
        publish(site, fails)
    assert shown(site / CURRENT) == {"good"}
    assert len(list((site / "builds").iterdir())) == 1


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(LedgerError, match="not empty"):
        publish(tmp_path, builds(1))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


KILLED = """
import sys, time
from pathlib import Path
from ledger.publish.site.background import ask, build_while_asked, publish
from ledger.publish.pages.addresses import run_page
from ledger.publish.site.output import write_file
state, site = Path(sys.argv[1]), Path(sys.argv[2])
def build(output):
    write_file(output, "page-0.html", b"half")
    print("building", flush=True)
    time.sleep(600)
ask(state)
build_while_asked(state, lambda: publish(site, build))
"""


def test_a_link_that_somebody_left_is_not_followed_and_stops_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(site, builds("old"))
    (site / CURRENT / "out").symlink_to("/etc")
    (site / CURRENT / "nowhere").symlink_to(tmp_path / "gone")
    publish(site, builds("new"))
    assert shown(site / CURRENT) == {"new"}
    assert not any(path.is_symlink() for path in (site / CURRENT).iterdir())


def test_why_a_site_cannot_be_published_is_said(tmp_path: Path) -> None:
    def fails(_: Path) -> bool:
        raise shutil.Error([("a.html", "b.html", "Too many links")])

    def fails_without_a_number(_: Path) -> bool:
        raise OSError("something is in the way")

    for build, said in (
        (fails, r"\(too many links\): `a.html`"),
        (fails_without_a_number, r"\(something is in the way\)"),
    ):
        with pytest.raises(LedgerError, match=said):
            publish(tmp_path / "site", build)


def test_a_killed_builder_heals_with_the_next_push(tmp_path: Path) -> None:
    state, site = tmp_path / "state", tmp_path / "site"
    publish(site, builds("before"))
    builder = run_python(KILLED, str(state), str(site), cwd=ROOT)
    assert builder.stdout is not None
    assert builder.stdout.readline() == "building\n"
    assert build_while_asked(state, lambda: pytest.fail("two builders at once")) == 0
    builder.send_signal(signal.SIGKILL)
    builder.communicate()
    assert shown(site / CURRENT) == {"before"}
    ask(state)
    assert build_while_asked(state, lambda: publish(site, builds("after"))) == 1
    assert shown(site / CURRENT) == {"after"}
    assert not list((site / "builds").glob("*.aside"))


def test_who_asks_during_a_build_is_answered_by_one_more(tmp_path: Path) -> None:
    state = tmp_path / "state"
    seen: list[int] = []
    asks = 0

    def build() -> None:
        nonlocal asks
        seen.append(asks)
        if len(seen) == 1:
            for _ in range(50):
                asks += 1
                ask(state)
                assert build_while_asked(state, lambda: pytest.fail("two builders at once")) == 0

    ask(state)
    assert build_while_asked(state, build, pause_seconds=0) == 2
    assert seen == [0, 50]


def test_no_ask_is_lost_between_builders(tmp_path: Path) -> None:
    state = tmp_path / "state"
    wanted, shown_last = 0, 0
    lock = threading.Lock()

    def build() -> None:
        nonlocal shown_last
        shown_last = wanted

    def push() -> None:
        nonlocal wanted
        for _ in range(100):
            with lock:
                wanted += 1
            ask(state)
            build_while_asked(state, build, pause_seconds=0)

    pushers = [threading.Thread(target=push) for _ in range(4)]
    for pusher in pushers:
        pusher.start()
    for pusher in pushers:
        pusher.join()
    assert shown_last == wanted == 400


def test_a_person_waits_for_the_builder(tmp_path: Path) -> None:
    order: list[str] = []
    begun = threading.Event()

    def build() -> None:
        begun.set()
        time.sleep(0.2)
        order.append("builder")

    builder = threading.Thread(target=build_while_asked, args=(tmp_path, build))
    builder.start()
    begun.wait()
    with building(tmp_path):
        order.append("person")
    builder.join()
    assert order == ["builder", "person"]


def test_the_log_is_bounded_and_one_line_is_one_line(tmp_path: Path) -> None:
    for _ in range(30):
        write_log(tmp_path, "x" * 100_000 + "\x1b[31m")
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 1_200_000
    assert "\x1b" not in (tmp_path / "publish.log").read_text()


def make_server(folder: Path) -> tuple[Path, Path]:
    """Make a server with a site folder and a ledger of one run; return it, and a bare clone."""
    hub, copy = folder / "hub.git", folder / "copy"
    git_in(folder, "init", "--quiet", "--bare", str(hub))
    ledger = Branch.open(hub)
    ledger.append(entry_of(0, START))
    install_hooks(ledger.repository, SERVER, sys.executable)
    git_in(hub, "config", "ledger.site", str(folder / "site"))
    git_in(hub, "config", "ledger.siteTitle", "Digits <of> ours")
    git_in(folder, "clone", "--quiet", "--bare", str(hub), str(copy))
    return hub, copy


def wait_until_quiet(hub: Path) -> list[str]:
    """Wait until no builder is at work, and return the log."""
    with building(hub / "ledger"):
        return (hub / "ledger" / "publish.log").read_text().splitlines()


@pytest.mark.slow
def test_fifty_pushes_in_a_row_become_few_builds_and_the_last_state_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    hub, copy = make_server(tmp_path)
    started = time.monotonic()
    for number in range(1, 51):
        grow(copy, [number])
        done = subprocess.run(["git", "push", "-q", str(hub), "ledger"], cwd=copy, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    ids = [run.record.id for run in Branch.open(hub).contents().runs]
    assert len(ids) == 51
    deadline = time.monotonic() + 60
    while (missing := unpublished(tmp_path / "site" / CURRENT, ids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert missing == []
    log = wait_until_quiet(hub)
    elapsed = time.monotonic() - started
    built = [line for line in log if "published /" in line]
    assert len(built) <= elapsed / PAUSE_SECONDS + 2
    assert "Digits &lt;of&gt; ours" in (tmp_path / "site" / CURRENT / "index.html").read_text()
    assert not [line for line in log if "warning" in line or "not published" in line]


def unpublished(site: Path, ids: list[str]) -> list[str]:
    folder = site.resolve()  # once: the next build may come while we look
    return [run_id for run_id in ids if not (folder / run_page(run_id)).exists()]


def test_publishing_by_hand_folds_builds_and_switches(tmp_path: Path, cli: Cli) -> None:
    hub, copy = make_server(tmp_path)
    git_in(hub, "config", "--unset", "ledger.site")
    git_in(copy, "update-ref", "refs/ledger/inbox/a", "ledger")
    grow(copy, [1, 2], "refs/ledger/inbox/a")
    (hub / "hooks" / "post-receive").unlink()
    git_in(hub, "fetch", "--quiet", str(copy), "refs/ledger/inbox/a:refs/ledger/inbox/a")
    assert cli("site", "publish", str(hub)).code == 2
    done = cli("site", "publish", str(hub), "--to", str(tmp_path / "out"), "--title", "By hand")
    assert done.code == 0, done.err
    assert "the inbox held 2 entries that are on the branch now" in done.err
    assert "By hand" in (tmp_path / "out" / CURRENT / "index.html").read_text()
    assert git_in(hub, "for-each-ref", "refs/ledger") == ""
    again = cli("site", "publish", str(hub), "--to", str(tmp_path / "out"), "--title", "By hand", "--json")
    assert '"changed": false' in again.out


def test_what_cannot_be_folded_is_told_and_the_rest_is_published(tmp_path: Path) -> None:
    hub, copy = make_server(tmp_path)
    git_in(hub, "update-ref", "refs/ledger/inbox/bad", git_in(copy, "rev-parse", "ledger").strip())
    (hub / "hooks" / "post-receive").unlink()
    stream = (
        "commit refs/heads/x\ncommitter M <m@example.com> 1790000000 +0000\ndata 3\nbad\n"
        "from refs/heads/ledger^0\nD format\ndone\n"
    )
    subprocess.run(["git", "fast-import", "--quiet", "--done"], cwd=hub, input=stream.encode(), check=True)
    git_in(hub, "update-ref", "refs/ledger/inbox/bad", "refs/heads/x")
    ledger = Branch.open(hub)
    said: list[str] = []
    published = publish_ledger(ledger, site_of(ledger.repository), notify=said.append)
    assert published is not None
    assert any("refs/ledger/inbox/bad cannot be folded" in line for line in said)
    assert git_in(hub, "for-each-ref", "--format=%(refname)", "refs/ledger") == "refs/ledger/inbox/bad\n"
