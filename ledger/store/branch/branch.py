"""The branch of a git repository that holds the ledger, and only ever grows. Reading and queries are built on it."""

import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger import __version__
from ledger.errors import Conflict, GitKilled, InvalidDocument, LedgerError, LostRace
from ledger.model import paths
from ledger.model.characters import plain
from ledger.model.document import load
from ledger.model.entries import Contents, DatasetVersion, LogEntry
from ledger.model.record import Author
from ledger.repository.history.append import append_commit, keep_commits
from ledger.repository.housekeeping import no_pruning
from ledger.repository.repository import Repository
from ledger.resources import shipped
from ledger.settings import BRANCH_SETTING
from ledger.store.branch.pending import Entry
from ledger.store.branch.policy import Policy, load_policy
from ledger.store.branch.reader import read_contents
from ledger.store.branch.write_lock import Turn, queued

BRANCH = "ledger"
FORMAT = b"1\n"
_TRIES = 60
"""Most lost races before an append gives up: with jitter up to 0.6 s that is a quarter of a minute."""
_KILLS = 3
"""Most times that git may be killed during one append, as by a machine out of memory, before it gives up."""


_POLICIES = 50
"""Most policies of the history that are tried until one can be read."""

_SET = re.compile(r"^\[ledger\][^\[]*^\s*branch\s*=", re.IGNORECASE | re.MULTILINE)


def main_branch(repository: Repository) -> str:
    """Return the branch of a repository's ledger; git is asked only where its configuration names one."""
    try:
        text = (repository.common_dir / "config").read_text("utf-8", "replace")
    except OSError:
        return BRANCH
    if not _SET.search(text):
        return BRANCH
    return repository.setting(BRANCH_SETTING) or BRANCH


WITHHELD = "withheld@localhost"
"""Address in place of one that the policy leaves out."""


class Appended(NamedTuple):
    """The result of an append."""

    commit: str
    """Commit that holds the entry."""
    unsigned: LedgerError | None = None
    """Why the signature that the policy requires is missing; none where nothing is missing."""


class Branch:
    """The ledger of one repository, as a branch of it.

    Args:
        repository: repository that holds it.
        branch: name of its branch; the setting `ledger.branch` of the repository when none, else `ledger`.
    """

    def __init__(self, repository: Repository, branch: str | None = None) -> None:
        self.repository = repository
        self.branch = branch or main_branch(repository)
        self.unreadable: InvalidDocument | None = None
        """Why the last readable policy is used and not the one at the tip; none when that one can be read."""

    @classmethod
    def open(cls, folder: Path | str = ".", branch: str | None = None) -> "Branch":
        """Open the ledger of the repository that contains `folder`; its branch need not exist yet.

        Raises:
            NotFound: there is no repository.
            LedgerError: git refuses it.
        """
        return cls(Repository.discover(Path(folder)), branch)

    @property
    def ref(self) -> str:
        """The full ref of the branch."""
        return f"refs/heads/{self.branch}"

    def tip(self) -> str | None:
        """Return the tip of the ledger: of the local branch, else of a remote's; none when there is neither.

        Raises:
            LedgerError: git fails.
        """
        remote = f"refs/remotes/*/{self.branch}"
        out = self.repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", self.ref, remote)
        lines = (line.partition(" ") for line in os.fsdecode(out).splitlines())
        # A pattern without `*` also matches refs below it: a user's branch `ledger/x` is not a ledger.
        found = {name: commit for commit, _, name in lines if not name.startswith(f"{self.ref}/")}
        origin = f"refs/remotes/origin/{self.branch}"
        return found.get(self.ref) or found.get(origin) or next(iter(found.values()), None)

    @cached_property
    def policy(self) -> Policy:
        """The policy, as of its first use by this object.

        Where `policy.yaml` cannot be read, the last readable one applies, and a warning is logged: recording
        never waits for somebody to fix it.

        Raises:
            InvalidDocument: the format of the ledger cannot be read.
        """
        tip = self.tip()
        if tip is None:
            return Policy()
        answers = self.repository.read_objects([f"{tip}:{paths.FORMAT_FILE}", f"{tip}:{paths.POLICY_FILE}"])
        version, policy = answers
        if version is None:
            return Policy()  # a branch that is not a ledger has no policy; appending to it is refused
        self._check_format(version)
        try:
            return load_policy(policy) if policy is not None else Policy()
        except InvalidDocument as error:
            self.unreadable = error
            _warn_once(
                f"warning: {paths.POLICY_FILE} on the ledger cannot be read ({'; '.join(error.problems)}), so the last"
                " readable one applies; mend it: ledger policy edit"
            )
            return self._policy_before(tip)

    def _policy_before(self, tip: str) -> Policy:
        """Return the latest readable policy in a history; the defaults where none of the latest can be read."""
        out = self.repository.git.output("rev-list", f"--max-count={_POLICIES}", tip, "--", paths.POLICY_FILE).decode()
        for content in self.repository.read_objects(f"{commit}:{paths.POLICY_FILE}" for commit in out.split()):
            with suppress(InvalidDocument):
                if content is not None:
                    return load_policy(content)
        return Policy()

    def author(self) -> Author:
        """Return the author of entries made here, in the form that the policy allows."""
        from ledger.capture.secrets.redactor import Redactor  # the rules take 20 ms, and reading needs none

        author = self.repository.author()
        redactor = Redactor()  # a name or an address may contain a secret, too, by mistake
        author = Author(name=redactor.text(author.name), email=redactor.text(author.email))
        try:
            private = self.policy.privacy.email
        except InvalidDocument:
            private = True  # a ledger that cannot be read may not hide it
        return Author(name=author.name, email=WITHHELD) if private else author

    def create(self, author: Author, now: datetime) -> str | None:
        """Create the branch with its format and policy; return the commit, or none when it exists already.

        Raises:
            LedgerError: git cannot write.
        """
        if self.tip() is not None:
            return None
        message = f"ledger: begin\n\nLedger-Tool: git-ledger {__version__}\n"
        try:
            return append_commit(
                self.repository, self.ref, parent=None, files=_founding_files(), message=message, author=author, now=now
            )
        except LostRace:
            return None

    def append(self, entry: Entry) -> Appended:
        """Add an entry in one commit; adding the same entry again changes nothing.

        Where the policy requires a signature and none can be made, the entry is added unsigned and a warning is logged.

        Raises:
            Conflict: one of its paths already holds something else.
            LostRace: other writers were first too many times.
            LedgerError: git cannot write; the branch is as it was.
        """
        killed = 0
        entry = self._private(entry)
        with self.writing() as turn:
            for attempt in range(_TRIES):
                try:
                    appended = self._append_once(entry, turn)
                except GitKilled:
                    killed += 1
                    if killed == _KILLS:
                        raise
                    self.clear_dead_locks(turn.begun_ns)
                except LostRace:
                    time.sleep(random.uniform(0, min(1.0, 0.01 * (attempt + 1))))  # noqa: S311  # jitter, no secret
                else:
                    if appended.unsigned is not None:
                        _warn_unsigned(appended.unsigned)
                    return appended
        raise LostRace(
            f"other writers moved the branch first, {_TRIES} times in a row: `{self.branch}`", hint="ledger recover"
        )

    def _private(self, entry: Entry) -> Entry:
        """Return the entry with what the policy leaves out removed."""
        try:
            if not self.policy.privacy.home:
                return entry
        except InvalidDocument:
            return entry  # the append itself reports what is wrong
        from ledger.store.branch.privacy import private_files, without_home

        message = without_home(entry.message.encode()).decode()
        return msgspec.structs.replace(entry, files=private_files(entry.files), message=message)

    @contextmanager
    def writing(self, patience_seconds: float = 10.0) -> Iterator[Turn]:
        """Wait for the lock on the branch; locks that a killed writer left behind are removed.

        Raises:
            LedgerError: git prunes new objects in this repository, and does not come to an end.
        """
        with queued(self.repository.state_dir / "append.lock", patience_seconds) as turn:
            self.clear_dead_locks(turn.died_ns)
            with no_pruning(self.repository):
                yield turn

    def clear_dead_locks(self, since_ns: int | None) -> None:
        """Remove the git locks of a killed writer whose turn began at `since_ns`; with none, no writer was killed."""
        if since_ns is not None:
            from ledger.repository.locks import clear_dead_locks

            clear_dead_locks(
                self.repository.common_dir, (self.ref, "refs/ledger/kept", "refs/ledger/code/*", "gc.pid"), since_ns
            )

    def _append_once(self, entry: Entry, turn: Turn) -> Appended:
        tip = self.tip()
        files, policy = self._missing(tip, entry.files) if tip else (dict(entry.files), None)
        if tip and not files:
            keep_commits(
                self.repository, entry.keep, entry.author, entry.made_at
            )  # git may have been killed between the branch and these refs
            return Appended(tip)
        signatures, unsigned = self._signatures(files, policy)
        files |= signatures
        if tip is None:
            files |= _founding_files()
        commit = append_commit(
            self.repository,
            self.ref,
            parent=tip,
            files=files,
            message=entry.message,
            author=entry.author,
            now=entry.made_at,
            keep=entry.keep,
            inherited=turn.descriptor,
        )
        return Appended(commit, unsigned)

    def _signatures(
        self, files: Mapping[str, bytes], policy: bytes | None
    ) -> tuple[dict[str, bytes], LedgerError | None]:
        """Return the signatures that the policy requires, or why there are none: a record does not wait for a key."""
        if policy is None or not self._asks_for_signatures(policy):
            return {}, None
        from ledger.store.integrity.signatures import signature_files

        try:
            return signature_files(self.repository, files), None
        except LedgerError as error:
            return {}, error

    def _asks_for_signatures(self, policy: bytes) -> bool:
        try:
            return load_policy(policy).signatures.required
        except InvalidDocument:
            return self.policy.signatures.required

    def contents(self) -> Contents:
        """Read every entry.

        Raises:
            LedgerError: git cannot read the branch, or its format is newer than this version reads.
        """
        tip = self.tip()
        if tip is not None:
            self.check_format(tip)
        return read_contents(self.repository, tip)

    def check_format(self, tip: str) -> None:
        """Refuse a commit whose entries this version cannot read.

        Raises:
            InvalidDocument: its format is newer, or it is no ledger.
        """
        self._check_format(next(self.repository.read_objects([f"{tip}:{paths.FORMAT_FILE}"])))

    def read(self, path: str) -> bytes | None:
        """Return the content of a path on the branch; none when the path does not exist."""
        tip = self.tip()
        return next(self.repository.read_objects([f"{tip}:{path}"])) if tip else None

    def read_blob(self, blob: str) -> bytes:
        """Return the content of a file on the ledger by its blob id.

        Raises:
            NotFound: there is no such blob.
        """
        return self.repository.read_object(blob)

    def log(self, limit: int | None = None) -> Iterator[LogEntry]:
        """Yield the commits of the ledger, newest first.

        Raises:
            LedgerError: the history is damaged.
        """
        tip = self.tip()
        if tip is None:
            return
        from ledger.repository.history.log import read_log

        yield from read_log(self.repository, tip, limit)

    def _missing(self, tip: str, files: Mapping[str, bytes]) -> tuple[dict[str, bytes], bytes | None]:
        """Return the files that are not on the branch yet, and its policy.

        Raises:
            Conflict: one is there with another content.
        """
        names = [f"{tip}:{path}" for path in (paths.FORMAT_FILE, paths.POLICY_FILE, *files)]
        version, policy, *present = self.repository.read_objects(names)
        self._check_format(version)
        missing = {}
        for (path, content), there in zip(files.items(), present, strict=True):
            if there is None:
                missing[path] = content
            elif there != content and not _is_same_version(path, there, content):
                raise Conflict(f"the ledger already holds other content at this path: `{path}`")
        return missing, policy

    def _check_format(self, version: bytes | None) -> None:
        if version is None:
            raise InvalidDocument(
                self.branch,
                ["this branch is not a ledger: it has no file `format`"],
                hint=f"to keep the ledger on another branch: git config {BRANCH_SETTING} NAME; "
                f"or rename yours: git branch -m {self.branch} NAME; then: ledger recover",
            )
        if version.strip() != FORMAT.strip():
            shown = ascii(version[:20].decode("utf-8", "replace"))
            raise InvalidDocument(
                self.branch,
                [f"this version of ledger cannot read format {shown}"],
                hint="pip install --upgrade git-ledger",
            )


def _warn_unsigned(why: LedgerError) -> None:
    import logging  # a record that is signed already, or need not be, needs none

    hint = f"{why.hint}; then: ledger sign" if why.hint else "ledger sign"
    said = "warning: the policy asks for signatures, but this entry has none: %s (hint: %s)"
    logging.getLogger(__name__).warning(said, plain(why.message), hint)


@cache
def _warn_once(said: str) -> None:
    import logging

    logging.getLogger(__name__).warning("%s", said)


def _is_same_version(path: str, there: bytes, content: bytes) -> bool:
    """Return whether both are the same dataset version, added twice: by content hash, whoever added it and when."""
    if not path.startswith("datasets/") or not path.endswith(f"/{paths.DATASET_FILE}"):
        return False
    return load(there, DatasetVersion, source=path).hash == load(content, DatasetVersion, source=path).hash


def _founding_files() -> dict[str, bytes]:
    return {paths.FORMAT_FILE: FORMAT, paths.POLICY_FILE: (shipped("templates") / paths.POLICY_FILE).read_bytes()}
