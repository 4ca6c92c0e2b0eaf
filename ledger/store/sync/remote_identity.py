"""The check that a remote's ledger continues the known one: not another one, and not cut short."""

import os
from collections.abc import Callable, Mapping

from ledger.errors import Conflict
from ledger.model import paths
from ledger.repository.history.walk import contains
from ledger.store.branch.branch import Branch
from ledger.store.integrity.redaction_approval import vouch_at
from ledger.store.integrity.tombstones import explain_difference
from ledger.store.sync.join import common_base
from ledger.store.sync.remote_tip import REMEMBERED, is_continued


def check_related(
    ledger: Branch,
    remote: str,
    known: Mapping[str, str],
    seen: str,
    tip: str | None,
    remote_heads: Callable[[], Mapping[str, str]],
    *,
    accept_redaction: bool = False,
) -> None:
    """Return when what this clone has may be joined with a remote's ledger.

    Args:
        ledger: the ledger of this clone.
        remote: name of the remote.
        known: commit of each ref of this clone that holds a ledger.
        seen: ref that remembers where both last agreed.
        tip: tip of the remote's ledger, already fetched; none when it has none.
        remote_heads: lists the remote's branches; called only where this clone has none of them.
        accept_redaction: accept a history that differs from the known one by redactions alone.

    Raises:
        Conflict: the remote lost history, or holds another ledger; nothing was changed.
    """
    before = known.get(seen)
    if before is not None and (tip is None or not contains(ledger.repository, tip, before)):
        if tip and _is_redacted(ledger, remote, before, tip, accept_redaction=accept_redaction):
            return
        lost = "no longer has the ledger" if tip is None else "no longer holds what it held: somebody rewound it"
        raise Conflict(
            f"{remote} {lost}; nothing was changed here",
            hint=f"to put it back: git update-ref -d {seen}, then: ledger sync {remote}; "
            f"to take theirs instead: first git branch -m {ledger.branch} {ledger.branch}-before"
            + (f", and git push --force {remote} {tip}:{REMEMBERED}" if tip else ""),
        )
    mine = known.get(ledger.ref)
    if mine is None or tip is None or common_base(ledger.repository, mine, tip) is not None:
        return
    # Two clones may each have begun the ledger before they could know; a shared one has one first commit.
    others = [commit for name, commit in known.items() if name.startswith(("refs/ledger/seen/", "refs/remotes/"))]
    is_shared = any(common_base(ledger.repository, mine, commit) for commit in others)
    if is_shared or not _is_same_code(ledger, remote, remote_heads):
        raise Conflict(
            f"{remote} holds another ledger, with another beginning; nothing was changed here",
            hint=f"check its address: git remote get-url {remote}; "
            f"to take theirs: git branch -m {ledger.branch} {ledger.branch}-before, then: ledger sync {remote}",
        )


def check_continued(
    ledger: Branch, remote: str, remembered: str, tip: str | None, *, accept_redaction: bool = False
) -> None:
    """Return when a remote's ledger continues the tip that the remote itself remembers.

    Raises:
        Conflict: its branch was rewound or rewritten, but not its memory of it; nothing was changed.
    """
    if is_continued(ledger, tip, remembered):
        return
    known = ledger.repository.holds(remembered, "")
    mine = ledger.repository.resolve(ledger.ref)
    if mine and known and all(contains(ledger.repository, mine, one) for one in (remembered, tip) if one):
        return  # sending ours restores it
    if tip and known and _is_redacted(ledger, remote, remembered, tip, accept_redaction=accept_redaction):
        return
    raise Conflict(
        f"{remote} remembers a ledger that its branch no longer holds ({remembered[:10]}): somebody rewound or"
        " rewrote it; nothing was changed here",
        hint=f"to put it back: git fetch {remote} {REMEMBERED}; git push --force {remote} FETCH_HEAD:{ledger.ref}"
        + (f"; where the branch is right: git push --force {remote} {tip}:{REMEMBERED}" if tip else ""),
    )


def _is_redacted(ledger: Branch, remote: str, before: str, tip: str, *, accept_redaction: bool) -> bool:
    """Return whether a remote's history is the known one after redactions, and a person accepts that.

    Raises:
        Conflict: it claims to be and is not; nobody vouches for it; or nobody was asked yet.
    """
    explained = explain_difference(ledger.repository, before, tip)
    if not explained.redactions:
        return False
    last = explained.redactions[-1]
    why = f"{last.author.name}: {last.reason.splitlines()[0]}"
    if explained.unproved:
        one = explained.unproved[0]
        raise Conflict(
            f"{remote} was rewritten; a redaction is given as the reason ({why}), but does not explain"
            f" `{ascii(one.path or ledger.branch)[1:-1]}`: {one.message}; nothing was changed here",
            hint=f"ask who did it; to put back what was known: git push --force {remote} {before}:{ledger.ref}",
        )
    ids = {one.id for one in explained.redactions}
    if ledger.policy.signatures.signers:
        unsigned = [
            one
            for one in vouch_at(ledger.repository, tip, ledger.policy.signatures)
            if one.id in ids and one.vouched is None
        ]
        if unsigned:
            raise Conflict(
                f"{remote} was rewritten by a redaction that no signer named by the policy signed ({why})",
                hint=f"its author: ledger sign; then here: ledger sync {remote} --accept-redaction",
            )
    if not accept_redaction and not _is_ours(ledger, ids):
        raise Conflict(
            f"{remote} was rewritten by a redaction, and nothing else in it changed ({why})",
            hint=f"ledger sync {remote} --accept-redaction",
        )
    return True


def _is_ours(ledger: Branch, ids: set[str]) -> bool:
    """Return whether the branch of this clone has these redactions already, and so its people know of them."""
    tip = ledger.repository.resolve(ledger.ref)
    return tip is not None and all(ledger.repository.holds(tip, paths.redaction_path(one)) for one in ids)


def _is_same_code(ledger: Branch, remote: str, remote_heads: Callable[[], Mapping[str, str]]) -> bool:
    """Return whether the remote's code is that of this clone; true where one of them has none."""
    repository = ledger.repository
    here = repository.resolve("HEAD")
    if here is None:
        return True
    out = repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", f"refs/remotes/{remote}")
    lines = (line.partition(" ") for line in os.fsdecode(out).splitlines())
    tracked = [commit for commit, _, name in lines if name != f"refs/remotes/{remote}/{ledger.branch}"]
    heads = tracked or [commit for name, commit in remote_heads().items() if name != ledger.ref]
    return not heads or any(common_base(repository, here, head) for head in heads)
