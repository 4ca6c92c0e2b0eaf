"""One exchange with one remote: list, fetch, join, push; through the inbox where others are faster. For `sync.py`."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from ledger.errors import GitKilled, LedgerError, LostRace, Unanswered
from ledger.model import paths
from ledger.model.ids import new_id
from ledger.repository.history.append import move_branch
from ledger.repository.history.walk import contains, read_difference
from ledger.repository.hosts.remote import LOCKED, Pushed, fetch, push, remote_refs
from ledger.repository.process import git_error
from ledger.repository.worktree.code_ref import CODE, KEPT
from ledger.store.branch.branch import Branch
from ledger.store.branch.write_lock import Turn
from ledger.store.integrity.policy_rights import carries_law
from ledger.store.sync.code_exchange import code_to_send, single_refs
from ledger.store.sync.fetch_check import check_incoming, check_waiting, take_checkpoints
from ledger.store.sync.join import check_only_grew, entries_in, join
from ledger.store.sync.remote_identity import check_continued, check_related
from ledger.store.sync.remote_tip import REMEMBERED, is_continued
from ledger.store.sync.sync_result import State, Synced, in_words

INBOX = "refs/ledger/inbox/"
_TRIES = 2
"""Pushes before the inbox. Measured with 32 clones: retrying took 14.7 pushes per record, the inbox 1.0."""
_BUSY_REFS = 3
"""Number of recent inbox refs from which on a remote is busy: with `hurry`, the inbox is then used at once."""
_BUSY_SPAN = timedelta(seconds=30)
_FOLDERS = 1 / 8
"""Part of those in a hurry that folds all the same: with nobody else at the branch, they are not overtaken.
Measured with 16 clones: 2.9 pushes per record without this, 1.5 with it."""
_FOLDING = 1 / 3
"""Largest share of the time that goes into folding others' entries: the rest is for pushing ours."""
_RACES = 20
"""Most races that may be lost to writers of this clone while histories are joined."""


class Exchange:
    """One sync with one remote; it runs once.

    Args:
        ledger: the ledger of this clone.
        remote: name of the remote.
        deadline: when to give up, in seconds of `time.monotonic`.
        accept_redaction: accept a history that differs from the known one by redactions alone.
    """

    def __init__(self, ledger: Branch, remote: str, deadline: float, *, accept_redaction: bool = False) -> None:
        self.ledger = ledger
        self.repository = ledger.repository
        self.remote = remote
        self.deadline = deadline
        self.accept_redaction = accept_redaction
        self.fold_until = time.monotonic() + (deadline - time.monotonic()) * _FOLDING
        self.before = ledger.tip()
        self.seen = f"refs/ledger/seen/{remote}/{ledger.branch}"
        self.incoming = f"refs/ledger/incoming/{remote}"
        self.tags = f"refs/tags/{ledger.branch}/"
        self.sent: list[str] = []
        self.received: set[str] = set()
        self.folded: dict[str, str] = {}
        self.troubles: list[str] = []
        self.outdated: str | None = None
        """The remote's memory of a history that a redaction rewrote: ours may replace it."""

    def run(self, *, fold: bool, hurry: bool) -> Synced:
        """Fetch, join and push, at most twice; then use the inbox.

        Raises:
            LedgerError: the remote cannot be reached, is refused, or refuses our push.
        """
        reason = ""
        for attempt in range(_TRIES):
            theirs = self._remote_refs()
            if hurry and (straight := self._straight_to_inbox(theirs, folders=0 if attempt else _FOLDERS)):
                return straight
            inbox = self._inbox(theirs) if fold and attempt == 0 else {}
            base = self._fetched(theirs, inbox, tags=not hurry)
            tip, folded = self._join(base, inbox)
            self.folded |= folded
            pushed = self._sent(tip, base, theirs)
            if pushed.state != "rejected":
                return self._ended(tip, pushed)
            if base is not None:  # ours is on top of theirs as it was a moment ago
                self._remember(base)
            reason = pushed.reason
        if not self.sent:  # all that the remote's branch lacks is already in its inbox
            return self._received_only(reason)
        self.folded = {}
        return self._to_inbox(tip, theirs, reason)

    def _ended(self, tip: str | None, pushed: Pushed) -> Synced:
        if pushed.state == "refused":
            return self._received_only(pushed.reason)
        if tip is not None:
            self._agree(tip)
            self._clear_inbox()
        return self._result(self._state(), tip)

    def _seconds_left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Unanswered("others kept it busy until the time was up", hint="ledger sync --timeout 120")
        return left

    def _remote_refs(self) -> dict[str, str]:
        wanted = [self.ledger.ref, KEPT, REMEMBERED, f"{INBOX}*", f"{CODE}*", f"{self.tags}*"]
        return remote_refs(self.repository, self.remote, wanted, timeout_seconds=self._seconds_left())

    def _heads(self) -> dict[str, str]:
        return remote_refs(self.repository, self.remote, ["refs/heads/*"], timeout_seconds=self._seconds_left())

    def _known_refs(self) -> dict[str, str]:
        """Return the refs that store what we know of ledgers, ours and others'."""
        wanted = (self.ledger.ref, "refs/ledger/seen", f"refs/remotes/*/{self.ledger.branch}", KEPT, CODE, self.tags)
        out = self.repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", *wanted)
        lines = (line.partition(" ") for line in os.fsdecode(out).splitlines())
        return {name: commit for commit, _, name in lines}

    def _fetched(self, theirs: Mapping[str, str], inbox: Mapping[str, str], *, tags: bool) -> str | None:
        """Fetch what we lack and return the remote's tip; none when it has no ledger yet.

        Args:
            theirs: refs of the remote.
            inbox: those of them that are in its inbox.
            tags: whether to fetch checkpoints, too; each is checked, which reads all that it vouches for.

        Raises:
            LedgerError: its history does not continue what we know; nothing of ours was changed.
        """
        known = self._known_refs()
        tip = theirs.get(self.ledger.ref)
        new = [name for name in theirs if tags and name.startswith(self.tags) and name not in known]
        refspecs = self._lacking(theirs, known, [*inbox, *new])
        if refspecs:
            fetch(self.repository, self.remote, refspecs, timeout_seconds=self._seconds_left())
        if tip and any(":" + self.incoming + "/branch" in spec for spec in refspecs):
            tip = self.repository.resolve(f"{self.incoming}/branch")  # it may have moved since the listing
        if tip:
            self.ledger.check_format(tip)
        self._check_known(known, theirs.get(REMEMBERED), tip)
        if tip:
            self.troubles += check_incoming(self.ledger, self.remote, known.get(self.seen), tip)
            self.troubles += take_checkpoints(self.ledger, new, f"{self.incoming}/tags/", tip)
        return tip

    def _lacking(self, theirs: Mapping[str, str], known: Mapping[str, str], others: Sequence[str]) -> list[str]:
        """Return what to fetch: what we lack of their branch, code and memory; of inbox and tags, `others`."""
        tip, remembered = theirs.get(self.ledger.ref), theirs.get(REMEMBERED)
        refspecs = []
        if tip and tip not in known.values():
            refspecs.append(f"+{self.ledger.ref}:{self.incoming}/branch")
        if KEPT in known and KEPT in theirs and theirs[KEPT] != known[KEPT]:
            refspecs.append(f"+{KEPT}:{self.incoming}/kept")
        if remembered and remembered != tip and not self.repository.holds(remembered, ""):
            refspecs.append(f"+{REMEMBERED}:{self.incoming}/remembered")
        if any(name.startswith(INBOX) for name in others):
            refspecs.append(f"+{INBOX}*:{self.incoming}/inbox/*")
        tags = [name for name in others if name.startswith(self.tags)]
        return refspecs + [f"+{name}:{self.incoming}/tags/{name.removeprefix(self.tags)}" for name in tags]

    def _check_known(self, known: Mapping[str, str], remembered: str | None, tip: str | None) -> None:
        """Return when the remote's ledger continues what we know of it, and what the remote remembers.

        Raises:
            Conflict: it does not; nothing of ours was changed.
        """
        accepts = self.accept_redaction
        check_related(self.ledger, self.remote, known, self.seen, tip, self._heads, accept_redaction=accepts)
        if remembered is not None and remembered != known.get(self.seen):
            check_continued(self.ledger, self.remote, remembered, tip, accept_redaction=accepts)
            if not is_continued(self.ledger, tip, remembered):
                self.outdated = remembered

    def _inbox(self, theirs: Mapping[str, str]) -> dict[str, str]:
        return {name: commit for name, commit in theirs.items() if name.startswith(INBOX)}

    def _join(self, base: str | None, inbox: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
        """Move our branch to a tip with theirs, ours and the inbox; return it, and what of the inbox it contains.

        Raises:
            Conflict: ours and theirs cannot be joined.
            LostRace: other writers of this clone moved the branch first too many times in a row.
        """
        for _ in range(_RACES):
            with self.ledger.writing(self._seconds_left()) as turn:
                mine = self.repository.resolve(self.ledger.ref)
                tip, added = self._on_top(base, mine)
                self.sent = [entry for entry in added if entry not in self.received]
                tip, folded = self._folded(tip, inbox)
                if tip is None or self._moved(mine, tip, turn):
                    self._note_received(tip)
                    return tip, folded
        raise LostRace("other writers of this clone moved the branch first too many times in a row")

    def _on_top(self, base: str | None, mine: str | None) -> tuple[str | None, list[str]]:
        if mine is None:
            return base, []
        if base is None:
            check_only_grew(self.repository, mine)
            return mine, entries_in([file.path for file in self.repository.read_tree(mine, paths.ENTRY_FOLDERS)])
        known = self._known_refs()
        # A checkpoint points to its commit: that one is merged, not remade.
        others = [commit for name, commit in known.items() if name.startswith(("refs/ledger/seen/", self.tags))]
        shared = [commit for commit in others if commit != known.get(self.seen)]
        # Whoever accepts a redaction remakes their own commits: a merge would bring the old history back.
        joined = join(self.repository, base, mine, shared=[] if self.accept_redaction else shared)
        return joined.tip, joined.added

    def _folded(self, tip: str | None, inbox: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
        folded = {}
        for name in sorted(inbox):
            if time.monotonic() > self.fold_until:
                break  # the rest is left to the next sync
            commit = self.repository.resolve(f"{self.incoming}/inbox/{name.removeprefix(INBOX)}")
            if commit is None:
                continue  # somebody else folded it since the listing
            try:
                self.ledger.check_format(commit)
                check_waiting(self.repository, commit, tip)
                # It may have a first commit of its own: two clones that never met each made one.
                tip = join(self.repository, tip, commit).tip if tip else commit
            except LedgerError as error:
                self.troubles.append(f"{name} cannot be folded: {error.message}")
                continue
            folded[name] = commit
        return tip, folded

    def _moved(self, mine: str | None, tip: str, turn: Turn) -> bool:
        """Move our branch from `mine` to `tip`, unless another writer moved it first.

        Raises:
            LedgerError: git could not write.
        """
        if mine == tip:
            return True
        try:
            move_branch(self.repository, self.ledger.ref, mine, tip, inherited=turn.descriptor)
        except LostRace:
            return False
        except GitKilled:
            self.ledger.clear_dead_locks(turn.begun_ns)
            return False
        if mine is not None and not contains(self.repository, tip, mine):
            from ledger.store.integrity.verify.last_verified import follow

            follow(self.ledger, tip)
        return True

    def _note_received(self, tip: str | None) -> None:
        if tip is None or tip == self.before:
            return
        if self.before is None:
            files = [file.path for file in self.repository.read_tree(tip, paths.ENTRY_FOLDERS)]
        else:
            files = [
                change.path for change in read_difference(self.repository, self.before, tip) if change.status == "A"
            ]
        # What a writer of this clone added meanwhile is sent, not received.
        self.received |= set(entries_in(files)) - set(self.sent)

    def _sent(self, tip: str | None, base: str | None, theirs: Mapping[str, str]) -> Pushed:
        """Push; a clone with nothing of its own to send does not fail where it may not push.

        Raises:
            LedgerError: the remote cannot be reached, or refuses our push.
        """
        if tip is None:
            return Pushed(state="up to date")
        try:
            pushed = self._pushed(tip, base, theirs)
        except LedgerError as error:
            if self.sent:
                raise
            return Pushed(state="refused", reason=error.message)
        if pushed.state == "refused" and self.sent:
            raise LedgerError(f"it refuses the push: {pushed.reason}", hint=_way_out(pushed.reason))
        return pushed

    def _pushed(self, tip: str, base: str | None, theirs: Mapping[str, str]) -> Pushed:
        """Push our branch, and the code that only this clone holds; the result is that of the branch."""
        code = self._beside(theirs)
        if tip == base and not code and not self.outdated:
            return Pushed(state="up to date")
        refspecs = [f"{tip}:{self.ledger.ref}"] if tip != base else []
        if code or not refspecs or self.outdated:
            results = self._push([*refspecs, *(f"{here}:{there}" for there, here in code.items())])
            if not refspecs or results.get(self.ledger.ref, Pushed(state="rejected")).state == "ok":
                self._move_memory(tip)
        else:  # both or none: one that moved alone would look like a rewound branch
            results = self._push([*refspecs, f"{tip}:{REMEMBERED}"], atomic=True)
            if results.get(REMEMBERED, Pushed(state="ok")).state == "refused":
                results = self._push(refspecs)  # some hosts accept only branches; records must not wait
        if results.get(KEPT, Pushed(state="rejected")).state in {"ok", "up to date"}:
            self._clear_code(theirs)
        untaken = [name for name in code if results.get(name, Pushed(state="refused")).state in {"rejected", "refused"}]
        branch = results.get(self.ledger.ref, Pushed(state="up to date" if tip == base else "rejected"))
        if untaken and branch.state == "refused":  # a large file in the code must not hold back the records
            branch = self._push(refspecs).get(self.ledger.ref, branch)
        if untaken and branch.state in {"ok", "up to date"}:
            self.troubles.append(f"{len(untaken)} code commits or checkpoints were not taken")
        return branch

    def _move_memory(self, tip: str) -> None:
        """Update the remote's memory of its branch; a refusal does not hold back any record."""
        expected = {REMEMBERED: self.outdated} if self.outdated else None
        with suppress(LedgerError):
            self._push([f"{tip}:{REMEMBERED}"], expected)

    def _beside(self, theirs: Mapping[str, str]) -> dict[str, str]:
        """Return what the remote lacks beside the branch, as pairs of refs: code that only we hold, checkpoints."""
        known = self._known_refs()
        lacking = {name: name for name in known if name.startswith((CODE, self.tags)) and name not in theirs}
        if (mine := known.get(KEPT)) and mine != theirs.get(KEPT):
            lacking |= code_to_send(self.repository, mine, theirs)
        return lacking

    def _push(
        self, refspecs: list[str], expected: Mapping[str, str] | None = None, *, atomic: bool = False
    ) -> dict[str, Pushed]:
        return push(
            self.repository,
            self.remote,
            refspecs,
            expected=expected,
            atomic=atomic,
            timeout_seconds=self._seconds_left(),
        )

    def _agree(self, tip: str) -> None:
        """Remember the state of both, and drop temporary refs."""
        out = self.repository.git.output("for-each-ref", "--format=%(refname)", self.incoming)
        self._remember(tip, *(f"delete {name}" for name in os.fsdecode(out).splitlines()))

    def _remember(self, tip: str, *more: str) -> None:
        moves = [f"update {self.seen} {tip}", f"update refs/remotes/{self.remote}/{self.ledger.branch} {tip}", *more]
        code, _, err = self.repository.git.attempt("update-ref", "--stdin", stdin=os.fsencode("\n".join(moves) + "\n"))
        if code < 0:
            raise git_error("update-ref", code, err)

    def _clear_inbox(self) -> None:
        """Delete folded refs at the remote, each only where it is still the one that was folded."""
        if not self.folded:
            return
        try:
            results = self._push([f":{name}" for name in self.folded], self.folded)
        except LedgerError as error:  # the entries are on the branch; the next sync deletes the rest
            self.troubles.append(f"the inbox was not emptied: {error.message}")
            return
        kept = [result for result in results.values() if result.state in {"rejected", "refused"}]
        # What is rejected without a lock was moved or deleted by somebody else meanwhile.
        reasons = [result.reason for result in kept if result.state == "refused" or result.reason.startswith(LOCKED)]
        if reasons:
            self.troubles.append(f"the inbox was not emptied: {reasons[0]}")

    def _clear_code(self, theirs: Mapping[str, str]) -> None:
        """Delete the refs of single commits at the remote that its one ref for all contains now."""
        kept = single_refs(self.repository, theirs)
        if not kept:
            return
        try:
            self._push([f":{name}" for name in kept], kept)
        except LedgerError as error:  # they only take up space
            self.troubles.append(f"old code refs were not removed: {error.message}")

    def _straight_to_inbox(self, theirs: Mapping[str, str], folders: float) -> Synced | None:
        """Push ours to the inbox without reading the branch, when many others have just done so."""
        known = self._known_refs()
        mine, seen = known.get(self.ledger.ref), known.get(self.seen)
        if mine is None or seen is None or not contains(self.repository, mine, seen):
            return None
        if not _is_busy(theirs, datetime.now(UTC)) or random.random() < folders:  # noqa: S311  # a random draw, no secret
            return None
        if carries_law(self.repository, mine, seen):
            return None
        self.sent = entries_in([change.path for change in read_difference(self.repository, seen, mine)])
        return self._to_inbox(mine, theirs, "") if self.sent else None

    def _to_inbox(self, tip: str | None, theirs: Mapping[str, str], reason: str) -> Synced:
        if reason.startswith(LOCKED):
            self.troubles.append(reason)
        there = self.repository.resolve(f"refs/remotes/{self.remote}/{self.ledger.branch}")
        if tip is not None and there is not None and carries_law(self.repository, tip, there):
            said = "others keep it busy, and a change of the policy or of workflows cannot wait in its inbox"
            raise LedgerError(said, hint="ledger sync, after a moment")
        name = f"{INBOX}{new_id(datetime.now(UTC), os.urandom(4))}"
        results = self._push([f"{tip}:{name}", *(f"{here}:{there}" for there, here in self._beside(theirs).items())])
        taken = results.get(name, Pushed(state="refused", reason=reason))
        if taken.state not in {"ok", "up to date"}:
            raise LedgerError(
                f"it took the push neither on its branch nor in its inbox: {taken.reason}", hint=_way_out(taken.reason)
            )
        return self._result("inbox", None)

    def _state(self) -> State:
        if self.sent:
            return "both" if self.received else "sent"
        return "received" if self.received else "up to date"

    def _received_only(self, reason: str) -> Synced:
        """Return what was received by a clone that has nothing to send, and may not fold the inbox of others."""
        self.folded = {}
        self.troubles.append(f"what waits in its inbox stays there: {reason}")
        return self._result(self._state(), None)

    def _result(self, state: State, tip: str | None) -> Synced:
        made = Synced(
            state=state,
            remote=self.remote,
            sent=self.sent,
            received=sorted(self.received),
            folded=sorted(self.folded),
            tip=tip,
            message="",
        )
        moved = tip is not None and self.before not in {None, tip}
        message = "; ".join([in_words(made, moved=moved), *self.troubles])
        return msgspec.structs.replace(made, message=message)


def _is_busy(theirs: Mapping[str, str], now: datetime) -> bool:
    """Return whether a remote has many recent inbox refs, by the times in their names."""
    moments = {f"{now - timedelta(seconds=back):%Y%m%d-%H%M%S}" for back in range(int(_BUSY_SPAN.total_seconds()))}
    recent = [name for name in theirs if name.startswith(INBOX) and name.removeprefix(INBOX)[:15] in moments]
    return len(recent) >= _BUSY_REFS


def _way_out(reason: str) -> str:
    """Return what to do about a refused push."""
    if "secret" in reason:
        return 'revoke it; ledger redact --found --because "a secret in an entry that was not sent"; then: ledger sync'
    return "ask its administrator, then: ledger sync"
