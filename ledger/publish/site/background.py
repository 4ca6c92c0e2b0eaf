"""Atomic publication of a ledger's site: built aside, then switched to, by one builder at a time.

A site folder holds `builds/`, one folder for each of the last builds, and `current`, a link to the newest: what a
web server serves. A build starts as hard links to the one before it, so it costs what changed. Who asks leaves a
byte in a file and goes; the builder looks again after each build, so many asks become few builds and the last one
counts. The kernel frees its lock however it ends, and the next one clears away what it left.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formatting import duration
from ledger.model.values import Document, plain
from ledger.repository.repository import Repository
from ledger.settings import SITE_SETTING, SITE_TITLE_SETTING
from ledger.store.branch.branch import Branch

ASKED = "asked"
"""File in the state folder that grows by a byte with each ask; `hooks/post-receive` writes it as well."""
CURRENT = "current"
"""Link in a site folder to the newest build."""
_BUILDS = "builds"
_LOCK = "publish.lock"
_LOG = "publish.log"
_LOG_BYTES = 1_000_000
"""Size at which the log becomes `publish.log.1`, in whose place it is: two of them at most."""
_KEPT = 3
"""Newest builds that remain."""
_KEPT_SECONDS = 60.0
"""How long a replaced build remains: a reader that has just followed the link still finds its files."""
_ASIDE = ".aside"
PAUSE_SECONDS = 2.0
"""Time between the end of a build and the next one: pushes in a row come to a build in two seconds, not to one each.
A push after a pause is published at once."""

Build = Callable[[Path], bool]
"""Builds the site in a folder that holds the previous build, or nothing; returns whether anything changed."""
Stands = Callable[[Path], bool]
"""Returns whether a build in the folder of the previous build would change nothing, where that is known without one."""
Notify = Callable[[str], None]


class Published(Document, frozen=True, kw_only=True):
    """The result of a builder."""

    folder: str
    """The newest build."""
    changed: bool
    """Whether it differs from the previous one; then it is a new folder."""
    seconds: float
    """Time it took, in seconds."""


def publish(site: Path, build: Build, stands: Stands | None = None) -> Published:
    """Build the site and switch to it at once; only whoever holds the lock may.

    Args:
        site: the site folder; made where it is missing.
        build: builds in the folder it is given.
        stands: asked first, where there is a previous build.

    Raises:
        LedgerError: the folder cannot be written, or holds something else, or `build` raises it; readers see what
            they saw before.
    """
    started = time.monotonic()
    builds, current = site / _BUILDS, site / CURRENT
    try:
        _claim(site)
        for left in builds.glob(f"*{_ASIDE}"):
            shutil.rmtree(left)
        before = current.resolve() if current.is_symlink() and current.is_dir() else None
        if before is not None and stands is not None and stands(before):
            return Published(folder=str(before), changed=False, seconds=time.monotonic() - started)
        number = max((int(one.name) for one in builds.iterdir() if one.name.isdigit()), default=0) + 1
        aside = builds / f"{number:06}{_ASIDE}"
        if before is not None:
            shutil.copytree(before, aside, copy_function=_linked, symlinks=True, ignore=_links)
        else:
            aside.mkdir()
        try:
            changed = build(aside)
            if not changed and before is not None:
                return Published(folder=str(before), changed=False, seconds=time.monotonic() - started)
            made = builds / f"{number:06}"
            aside.rename(made)
            _switch(current, made)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        if before is not None:
            os.utime(before)  # from now on it is old
        _prune(builds, made)
    except OSError as error:
        raise LedgerError(f"the site cannot be published {_why(error)}") from error
    return Published(folder=str(made), changed=True, seconds=time.monotonic() - started)


def _claim(site: Path) -> None:
    """Create the folder, or check that it holds nothing foreign.

    Raises:
        LedgerError: it does.
    """
    builds, current = site / _BUILDS, site / CURRENT
    if not builds.is_dir() and site.is_dir() and any(site.iterdir()):
        raise LedgerError(
            f"this folder is not empty and was not made by publishing: `{site}`",
            hint="name a new folder: ledger site publish --to FOLDER",
        )
    if os.path.lexists(current) and not current.is_symlink():
        raise LedgerError(f"something else is in the place of the link to the newest build: `{current}`")
    builds.mkdir(parents=True, exist_ok=True)


def _linked(source: str, target: str) -> None:
    """Give a file of the previous build a second name: a build replaces files and never writes into one."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target, follow_symlinks=False)


def _links(folder: str, names: Sequence[str]) -> set[str]:
    """Return the links in a folder: a build creates none, so they are foreign, and may lead anywhere."""
    return {name for name in names if os.path.islink(os.path.join(folder, name))}  # noqa: PTH114, PTH118  # as shutil asks


def _why(error: OSError) -> str:
    """Return why files could not be written, and which."""
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        source, _, why = error.args[0][0]  # shutil gathers all that failed
        return f"({str(why).lower()}): `{source}`"
    why = (error.strerror or str(error) or type(error).__name__).lower()
    return f"({why})" + (f": `{error.filename}`" if error.filename else "")


def _switch(current: Path, made: Path) -> None:
    """Point the link to a new build: rename(2) switches atomically."""
    aside = current.with_name(f".{CURRENT}{_ASIDE}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(made.relative_to(current.parent))
    aside.replace(current)


def _prune(builds: Path, newest: Path) -> None:
    """Remove old builds, and those that a killed builder finished without switching."""
    numbered = sorted((one for one in builds.iterdir() if one.name.isdigit()), key=lambda one: int(one.name))
    now = time.time()
    for old in numbered[:-_KEPT]:
        if old != newest and now - old.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def site_of(repository: Repository) -> Path | None:
    """Return the site folder in the settings of a repository; none where there is none."""
    found = repository.setting(SITE_SETTING)
    return repository.git_dir / Path(found).expanduser() if found is not None else None


def publish_ledger(ledger: Branch, site: Path | None, *, title: str | None = None, notify: Notify) -> Published | None:
    """Fold the inbox into the branch, then publish the site where there is a folder for it.

    Args:
        ledger: of a server's repository, or any other.
        site: the site folder; none folds only.
        title: name of the site; by default what the setting `ledger.siteTitle` says.
        notify: called with one line whenever there is something to say.

    Raises:
        LedgerError: git cannot write, or the site cannot be built.
    """
    from ledger.store.sync.inbox import fold_inbox

    folded = fold_inbox(ledger)
    for problem in folded.problems:
        notify(f"warning: {problem}")
    if folded.refs:
        notify(f"the inbox held {len(folded.added)} entries that are on the branch now")
    if site is None:
        return None
    from ledger.publish.site.ledger_site import build_ledger_site, inputs_key, unchanged

    named = ledger.repository.setting(SITE_TITLE_SETTING)
    name = title or (named if named is not None else "Experiment ledger")

    def build(output: Path) -> bool:
        return bool(build_ledger_site(ledger, output, title=name).changed)

    def stands(output: Path) -> bool:
        return unchanged(output, inputs_key(ledger, name, None, ())) is not None

    published = publish(site, build, stands)
    what = f"published {published.folder}" if published.changed else "nothing to publish"
    notify(f"{what} in {duration(published.seconds)}, at {(ledger.tip() or 'no ledger')[:10]}")
    return published


def ask(state_dir: Path) -> None:
    """Ask for a build after the one that is running.

    Raises:
        OSError: the state folder cannot be written.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / ASKED).open("ab") as file:
        file.write(b"\n")


def build_while_asked(state_dir: Path, build: Callable[[], object], pause_seconds: float = PAUSE_SECONDS) -> int:
    """Call `build` until nobody asked while it ran; return how often, which is 0 where another process builds.

    Args:
        state_dir: where asks and the lock are.
        build: builds once; what it raises ends this.
        pause_seconds: between two builds, whoever does them.

    Raises:
        OSError: the lock cannot be made.
    """
    built = 0
    answered = -1
    while _requests(state_dir) != answered:
        with _locked(state_dir, wait=False) as lock:
            if lock is None:
                return built  # whoever holds it looks again when it is done
            while _requests(state_dir) != answered:
                # The lock's time is that of the last build: taking a lock does not change it.
                ended = os.fstat(lock)
                if ended.st_size:
                    time.sleep(min(pause_seconds, max(0.0, pause_seconds - (time.time() - ended.st_mtime))))
                answered = _requests(state_dir)
                build()
                built += 1
                os.pwrite(lock, b"built\n", 0)
        # Somebody may have asked, and met the lock, between the last look and its end: look once more.
    return built


@contextmanager
def building(state_dir: Path) -> Iterator[None]:
    """Hold the lock of builders for the length of the block, after waiting for a running one.

    Raises:
        OSError: the lock cannot be made.
    """
    with _locked(state_dir, wait=True):
        yield


@contextmanager
def _locked(state_dir: Path, *, wait: bool) -> Iterator[int | None]:
    state_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def _requests(state_dir: Path) -> int:
    try:
        return (state_dir / ASKED).stat().st_size
    except OSError:
        return 0


def write_log(state_dir: Path, line: str) -> None:
    """Add a line with its time to the log of builders, which never grows beyond two files of a megabyte.

    A log that cannot be written stops nobody.
    """
    file = state_dir / _LOG
    with suppress(OSError):
        if file.exists() and file.stat().st_size > _LOG_BYTES:
            file.replace(file.with_name(f"{_LOG}.1"))
        with file.open("a", encoding="utf-8", errors="replace") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(line)}\n".replace("\r", " "))


def leave_terminal() -> None:
    """Detach this process: no terminal, no inherited open files, and files that all can read."""
    with suppress(PermissionError):  # it leads a session already
        os.setsid()
    os.closerange(3, 256)
    os.umask(0o022)
