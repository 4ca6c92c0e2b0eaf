"""Proposals: entries on a branch of their own, on top of the ledger, until they are reviewed."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.errors import Conflict, LedgerError, NotFound
from ledger.model import paths
from ledger.model.entries import StoredRun
from ledger.model.values import Document, check_slug, counted
from ledger.recorder.message import record_message
from ledger.repository.history.append import move_branch
from ledger.repository.history.walk import read_difference
from ledger.repository.hosts.hosts import Host, Request, host_of, open_request, request_url
from ledger.repository.hosts.remote import choose_remote, push, remote_refs
from ledger.repository.repository import remotes
from ledger.settings import HOST_SETTING
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.index.selection import find_runs
from ledger.store.review.proposals import PROPOSALS, proposal_ref, shared_tip
from ledger.store.review.run_removal import beginning_for, hold_back, put_back
from ledger.store.sync.consent import is_refused, read_consent

_HINT = "ledger review {name}"


class Opened(Document, frozen=True, kw_only=True):
    """The result of sending a proposal."""

    pushed: str | None = None
    """Remote that has it; none where it is only local."""
    url: str | None = None
    """URL of the pull request, where one was opened."""
    by_hand: str | None = None
    """Page or command to open it by hand."""
    problem: str | None = None
    """Why it could not be sent or opened."""


def read_proposals(ledger: Branch) -> list[str]:
    """Return the names of unmerged proposals in this clone, local ones and those of remotes."""
    tip = ledger.tip()
    merged = (f"--no-merged={tip}",) if tip else ()
    patterns = (f"refs/heads/{PROPOSALS}", f"refs/remotes/*/{PROPOSALS}**")
    out = ledger.repository.git.output("for-each-ref", "--format=%(refname)", *merged, *patterns)
    refs = [ref for ref in os.fsdecode(out).split("\n") if PROPOSALS in ref and not _is_held(ledger, tip, ref)]
    return sorted({ref.partition(PROPOSALS)[2] for ref in refs})


def _is_held(ledger: Branch, tip: str | None, ref: str) -> bool:
    """Return whether the ledger has everything that a proposal adds, as after a squash or rebase."""
    if tip is None:
        return False
    changes = read_difference(ledger.repository, tip, ref)
    return not any(change.status == "A" or paths.is_agreed(change.path) for change in changes)


def begin_proposal(ledger: Branch, name: str) -> Branch:
    """Return the ledger of a proposal: a branch of that name, created on top of the ledger where it does not exist.

    Where a remote has the ledger, it is based on that, so that other unsent entries are not part of it.

    Raises:
        LedgerError: the name cannot be that of a branch, or git cannot write.
    """
    check_slug("proposal", name)
    place = Branch(ledger.repository, f"{PROPOSALS}{name}")
    if ledger.repository.resolve(place.ref) is None:
        ledger.create(ledger.author(), datetime.now(UTC))
        move_branch(ledger.repository, place.ref, None, shared_tip(ledger) or ledger.tip() or "")
    return place


def propose_runs(ledger: Branch, runs: Sequence[str], name: str | None = None) -> tuple[str, list[StoredRun]]:
    """Move runs that only this clone has to the branch of a proposal, and return its name and the runs.

    They leave the branch of this clone, so that no sync sends them before their review.

    Args:
        ledger: ledger of the runs.
        runs: ids of the runs, or parts of ids.
        name: name of the proposal; the first run's id by default.

    Raises:
        NotFound: there is no such run.
        Conflict: a run is on the remote's ledger already.
        LedgerError: git cannot write.
    """
    found = find_runs(ledger, runs)
    base = shared_tip(ledger)
    for run in found:
        if base is not None and ledger.repository.holds(base, f"{run.path}/{paths.RECORD_FILE}"):
            raise Conflict(f"this run is on the remote's ledger already: `{run.record.id}`", hint="ledger review RUN")
    name = check_slug("proposal", name or found[0].record.id)
    place = Branch(ledger.repository, f"{PROPOSALS}{name}")
    start = beginning_for(ledger, base)
    if ledger.repository.resolve(place.ref) is None:
        move_branch(ledger.repository, place.ref, None, start)
    entries = [_entry_of(ledger, run) for run in found]
    for entry in entries:
        place.append(entry)
    own = [path for entry in entries for path in entry.files if not path.startswith(("datasets/", "manifests/"))]
    hold_back(ledger, name, start, own)
    return name, found


def push_proposal(place: Branch, *, push: bool | None, timeout_seconds: float) -> Opened:
    """Send the branch of a proposal, or of the ledger, to the remote it goes to.

    Args:
        place: proposal or ledger whose branch is sent.
        push: whether to send; none for the setting `ledger.push`.
        timeout_seconds: time limit.

    Returns:
        The result; for a remote that cannot be reached it has a `problem`, as everything is safe locally.
    """
    if not place.branch.startswith(PROPOSALS):
        if not read_consent(place, push=push).given:
            return Opened()
        from ledger.store.sync.sync import sync

        made = sync(place, timeout_seconds=timeout_seconds)
        return Opened(pushed=made.remote) if made.safe else Opened(problem=made.message)
    if push is False or (push is None and is_refused(place.repository)):
        return Opened()  # otherwise a request for a proposal is a request to send it
    try:
        remote = choose_remote(place.repository, place.branch)
        if remote is None:
            return Opened()
        done = push_refs(place, remote, f"{place.ref}:{place.ref}", timeout_seconds)
    except LedgerError as error:
        return Opened(problem=error.message)
    return Opened(pushed=remote) if not done else Opened(problem=done)


def open_proposal(ledger: Branch, name: str, title: str, body: str) -> Opened:
    """Open the pull request of a pushed proposal, or return how to do it by hand.

    Raises:
        LedgerError: `ledger.host` is set to an unknown host.
    """
    request = Request(branch=f"{PROPOSALS}{name}", base=ledger.branch, title=title, body=body)
    host = _host(ledger)
    by_hand = request_url(host, request)
    if host.kind == "none":
        return Opened(by_hand=_HINT.format(name=name))
    folder = ledger.repository.worktree or ledger.repository.common_dir
    try:
        url = open_request(host, request, str(folder))
    except LedgerError as error:
        return Opened(problem=error.message, by_hand=by_hand)
    return Opened(url=url, by_hand=None if url else by_hand)


def withdraw(ledger: Branch, name: str, *, timeout_seconds: float) -> list[str]:
    """Withdraw a proposal: delete its branch, here and at the remote, and put what it held back on the ledger again.

    Returns:
        Where the branch was deleted.

    Raises:
        NotFound: there is no proposal of that name.
        LedgerError: the remote cannot be reached, or refuses; the local branch is deleted by then.
    """
    check_slug("proposal", name)
    ref, gone = proposal_ref(name), []
    here = ledger.repository.resolve(ref)
    if here is not None:
        put_back(ledger, name, here)
        ledger.repository.git.output("update-ref", "-d", ref, here)
        gone.append("here")
    remote = choose_remote(ledger.repository, ledger.branch)
    if remote is not None:
        there = remote_refs(ledger.repository, remote, [ref], timeout_seconds=timeout_seconds)
        refused = push_refs(ledger, remote, f":{ref}", timeout_seconds) if there else None
        if refused:
            raise LedgerError(
                f"the remote did not delete the branch of the proposal: {refused}", hint=f"git push {remote} :{ref}"
            )
        if there:
            gone.append(remote)
        tracking = f"refs/remotes/{remote}/{PROPOSALS}{name}"
        if (known := ledger.repository.resolve(tracking)) is not None:
            ledger.repository.git.output("update-ref", "-d", tracking, known)
    if not gone:
        raise NotFound(f"no such proposal: `{name}`", hint="ledger propose --list")
    return gone


def push_refs(ledger: Branch, remote: str, refspec: str, timeout_seconds: float) -> str | None:
    """Push one ref; return why the remote refused it, none when it did not."""
    made = push(ledger.repository, remote, [refspec], timeout_seconds=timeout_seconds)
    refused = [one for one in made.values() if one.state not in {"ok", "up to date"}]
    return (refused[0].reason or refused[0].state) if refused else None


def _host(ledger: Branch) -> Host:
    settings = ledger.repository.config(rf"^(remote\..*\.url|{re.escape(HOST_SETTING)})$")
    remote = choose_remote(ledger.repository, ledger.branch)
    url = remotes(settings).get(remote or "", "")
    return host_of(url, dict(settings).get(HOST_SETTING))


def _entry_of(ledger: Branch, run: StoredRun) -> Entry:
    """Return a run with all statements about it, and the dataset versions that it names, as one entry."""
    record = run.record
    files = {f"{run.path}/{name}": ledger.read_blob(blob) for name, blob in run.files.items()}
    said = [paths.evaluation_path(one.id) for one in run.evaluations] + [paths.note_path(one.id) for one in run.notes]
    for use in record.datasets.used:
        if use.name and use.version:
            said.append(f"{paths.dataset_path(use.name, use.version)}/")
            said.append(f"{paths.shards_path(use.name, use.version)}/")
    tip = ledger.tip() or ""
    for file in ledger.repository.read_tree(tip, said) if said else ():
        files[file.path] = ledger.read_blob(file.blob)
    commit = record.code.commit
    keep = [commit.removeprefix("git:")] if commit and record.code.pushed is False else []
    return Entry(
        id=record.id,
        files=files,
        message=record_message(record, run.path),
        author=record.author,
        made_at=record.timing.recorded_at,
        keep=keep,
    )


def proposal_text(name: str, runs: Sequence[StoredRun]) -> str:
    """Return a line that describes what was proposed."""
    many = counted(len(runs), "run")
    return f"proposed {many} on {PROPOSALS}{name}; off this clone's ledger until it is merged or withdrawn"
