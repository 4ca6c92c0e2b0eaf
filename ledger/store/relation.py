"""Whether a remote's ledger continues what this clone knows of it: not another one, and not cut short."""

import os
from collections.abc import Callable, Mapping

from ledger.errors import Conflict
from ledger.repository.walk import contains
from ledger.store.join import common_base
from ledger.store.ledger import Ledger
from ledger.store.redactions import only_redacted


def check_related(
    ledger: Ledger,
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
        known: refs of this clone that hold ledgers, name to commit.
        seen: the ref that remembers where both last agreed.
        tip: where the remote's ledger is, already fetched; none when it has none.
        remote_heads: asks the remote for its branches; only where this clone has none of them.
        accept_redaction: take over a history that differs from what was known by redactions alone.

    Raises:
        Conflict: the remote lost what it had, or holds another ledger; nothing was changed.
    """
    before = known.get(seen)
    if before is not None and (tip is None or not contains(ledger.repository, tip, before)):
        redactions = only_redacted(ledger.repository, before, tip) if tip else []
        if redactions and accept_redaction:
            return
        if redactions:
            last = redactions[-1]
            why = f"{last.author.name}: {last.reason.splitlines()[0]}"
            raise Conflict(
                f"{remote} was rewritten by a redaction, and nothing else in it changed ({why})",
                hint=f"ledger sync {remote} --accept-redaction",
            )
        lost = "no longer has the ledger" if tip is None else "no longer holds what it held: somebody rewound it"
        raise Conflict(
            f"{remote} {lost}; nothing was changed here",
            hint=f"to put it back: git update-ref -d {seen}, then: ledger sync {remote}; "
            f"to take theirs instead: first git branch -m {ledger.branch} {ledger.branch}-before",
        )
    mine = known.get(ledger.ref)
    if mine is None or tip is None or common_base(ledger.repository, mine, tip) is not None:
        return
    # Two clones may each have begun the ledger before either could know; a shared one has one beginning.
    others = [commit for name, commit in known.items() if name.startswith(("refs/ledger/seen/", "refs/remotes/"))]
    is_shared = any(common_base(ledger.repository, mine, commit) for commit in others)
    if is_shared or not _is_same_code(ledger, remote, remote_heads):
        raise Conflict(
            f"{remote} holds another ledger, with another beginning; nothing was changed here",
            hint=f"check its address: git remote get-url {remote}; "
            f"to take theirs: git branch -m {ledger.branch} {ledger.branch}-before, then: ledger sync {remote}",
        )


def _is_same_code(ledger: Ledger, remote: str, remote_heads: Callable[[], Mapping[str, str]]) -> bool:
    """Say whether the remote's code is that of this clone; true where one of them has none."""
    repository = ledger.repository
    here = repository.resolve("HEAD")
    if here is None:
        return True
    out = repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", f"refs/remotes/{remote}")
    lines = (line.partition(" ") for line in os.fsdecode(out).splitlines())
    tracked = [commit for commit, _, name in lines if name != f"refs/remotes/{remote}/{ledger.branch}"]
    heads = tracked or [commit for name, commit in remote_heads().items() if name != ledger.ref]
    return not heads or any(common_base(repository, here, head) for head in heads)
