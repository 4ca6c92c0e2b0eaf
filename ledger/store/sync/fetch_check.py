"""The check of incoming commits, as of a proposal, before the branch of this clone moves.

A remote without our hooks accepts any push. A commit that changes an entry, or adds something else, is refused by
name; what is only doubtful, or exceeds a limit of the team, is reported and accepted: others have it already.
"""

from collections.abc import Iterator, Sequence

from ledger.errors import Conflict
from ledger.model import paths
from ledger.model.values import counted
from ledger.repository.blobs import blob_reader
from ledger.repository.history.walk import contains
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.integrity.checkpoint import wrong_with_checkpoint
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.policy_rights import carries_law, policy_at
from ledger.store.sync.join import check_only_grew, common_base

_REFUSED = frozenset({"history", "tree", "document", "content", "redaction", "signature"})
"""Rules of `ledger check` by which incoming commits do not continue this ledger."""


def check_incoming(ledger: Branch, remote: str, seen: str | None, tip: str) -> list[str]:
    """Return warnings about incoming commits, one line each, if they are accepted.

    Args:
        ledger: ledger of this clone.
        remote: remote that they come from.
        seen: commit at which both last agreed.
        tip: tip of the remote's ledger, already fetched.

    Raises:
        Conflict: they change or remove an entry, or add something else; nothing was changed.
        LedgerError: git fails.
    """
    since = _last_checked(ledger, seen, tip)
    if since == tip:
        return []
    if since is None:
        check_only_grew(ledger.repository, tip)  # the first time everything is new: `ledger verify` covers that
        return []
    from ledger.store.integrity.check import check_range

    found = check_range(ledger.repository, tip, since, ref=ledger.ref, apart="commits").findings
    wrong = [finding for finding in found if finding.severity == "error" and _is_refused(finding)]
    if wrong:
        raise Conflict(
            f"{remote} holds something that no ledger may hold: {_finding_text(wrong)}; nothing was changed here",
            hint=f"ledger check {since[:10]}..{tip[:10]} lists everything; to restore what was there, if you may force"
            f" a push: git push --force {remote} {since[:10]}:{ledger.ref}",
        )
    told = (
        [f"{remote} holds something doubtful: {_finding_text(found)} (ledger check {since[:10]}..{tip[:10]})"]
        if found
        else []
    )
    return [*told, *_law(ledger, since, tip)]


def _last_checked(ledger: Branch, seen: str | None, tip: str) -> str | None:
    """Return the latest commit of a history that this clone has checked before; none where it knows none."""
    repository = ledger.repository
    if seen is not None and not contains(repository, tip, seen):
        return _after_redaction(repository, tip)  # it was proved against the known history
    mine = repository.resolve(ledger.ref)
    shared = common_base(repository, mine, tip) if mine else None
    candidates = [one for one in (seen, shared) if one is not None]
    return next((one for one in candidates if all(contains(repository, one, other) for other in candidates)), None)


def _after_redaction(repository: Repository, tip: str) -> str | None:
    """Return the commit of the latest tombstone of a history."""
    code, out, _ = repository.git.attempt(
        "log", "-1", "--diff-filter=A", "--format=%H", "--end-of-options", tip, "--", "redactions/"
    )
    return None if code else out.decode().strip() or None


def _is_refused(finding: Finding) -> bool:
    return finding.rule in _REFUSED or (finding.rule == "policy" and paths.is_agreed(finding.path))


def _finding_text(findings: Sequence[Finding]) -> str:
    first = findings[0]
    where = [f"commit {first.commit[:10]}"] if first.commit else []
    named = ": ".join([*where, *([ascii(first.path)[1:-1]] if first.path else []), first.message])
    return f"{named} (and {counted(len(findings) - 1, 'more finding')})" if len(findings) > 1 else named


def _law(ledger: Branch, since: str, tip: str) -> Iterator[str]:
    """Yield the incoming changes of policy and workflows, with their authors."""
    out = ledger.repository.git.output(
        "log",
        "-1",
        "--format=%h %an",
        f"{since}..{tip}",
        "--",
        paths.POLICY_FILE,
        ".github",
        ".forgejo",
        ".gitlab-ci.yml",
    )
    if said := out.decode("utf-8", "replace").strip():
        commit, _, name = said.partition(" ")
        yield f"{ascii(name)[1:-1]} changed the policy or workflows of the team (commit {commit}; ledger policy show)"


def check_waiting(repository: Repository, commit: str, tip: str | None) -> None:
    """Return when the commits of an inbox may enter a ledger: whole entries, and no policy or workflows.

    Raises:
        Conflict: they hold something else.
        LedgerError: git fails.
    """
    if tip is None:
        check_only_grew(repository, commit)
        return
    if path := carries_law(repository, commit, tip):
        raise Conflict(f"the inbox is for entries only, but this changes {path}")
    from ledger.store.integrity.check import check_range

    # Two clones that never met may each have begun the ledger.
    since = tip if common_base(repository, tip, commit) else None
    found = check_range(repository, commit, since, proposed=True).findings
    wrong = [finding for finding in found if finding.severity == "error" and _is_refused(finding)]
    if wrong:
        raise Conflict(_finding_text(wrong))


def take_checkpoints(ledger: Branch, names: Sequence[str], incoming: str, tip: str) -> list[str]:
    """Put fetched checkpoints in place where they are true, and return what is wrong with the others.

    Args:
        ledger: ledger of this clone.
        names: full names of the tags.
        incoming: refs that they were fetched to.
        tip: tip of the remote's ledger.

    Raises:
        LedgerError: git fails.
    """
    if not names:
        return []
    repository, told = ledger.repository, []
    signers = policy_at(repository, tip).signatures.signers
    with blob_reader(repository) as read_blob:
        for name in names:
            short = name.removeprefix("refs/tags/")
            where = incoming + short.partition("/")[2]
            out = repository.git.output("rev-parse", "--verify", "--end-of-options", where).decode().strip()
            why = wrong_with_checkpoint(repository, short, out, tip, signers, read_blob)
            if why is None:
                repository.git.output("update-ref", name, out)
            else:
                told.append(f"the checkpoint {ascii(short)[1:-1]} was not taken: {why}")
    return told
